// What is added to a log beside runs, what is seen of it at once, and what is rebuilt from it.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/comes_true.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;

class Record : public testing::Test {
 protected:
  Record() {
    here_.populate();
    here_.init();
    EXPECT_EQ(here_.run({"backup", "--all"}).exit_code, 0);
  }
  std::string out(const Words& words) const {
    const Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
    return ran.out;
  }
  std::string all_events() const { return out({"events", "--jsonl", "--limit", "100000"}); }

  Workspace here_;
};

TEST_F(Record, ANoteIsAnsweredWithItsSequenceAndStandsInTheReport) {
  const std::string before = out({"show", "latest", "--json"});
  const std::string said = out({"note", "latest", "the queue was drained by hand"});
  const std::string run = jq(here_, before, ".run_id");
  const std::string last = jq(here_, before, ".last_sequence + 1");
  EXPECT_EQ(said, "#" + last + " about run " + run + "\n");
  for (const Words& words : {Words{"report", run},
                             {"report", run, "--json"},
                             {"show", last},
                             {"show", last, "--json"}}) {
    EXPECT_TRUE(contains(out(words), "the queue was drained by hand"));
  }
  EXPECT_EQ(jq(here_, out({"show", run, "--json"}), ".notes"), "[" + last + "]");
  const std::string json = out({"note", run.substr(0, 13), "again", "--json", "--actor", "ci"});
  EXPECT_EQ(jq(here_, json, "[.about_run, .sequence] | @csv"),
            "\"" + run + "\"," + std::to_string(std::stoi(last) + 1));
  const std::string event = out({"show", jq(here_, json, ".sequence"), "--json"});
  EXPECT_EQ(
      jq(here_, event, "[.type, .event.actor.kind, .event.about_run, .event.event_id] | @csv"),
      "\"note_added\",\"ci\",\"" + run + "\",\"" + jq(here_, json, ".event_id") + "\"");
}

TEST_F(Record, ACheckMadeElsewhereIsPartOfTheVerdict) {
  out({"note", "latest", "--check", "canary=ok", "--url", "https://ci.example/42"});
  out({"note", "latest", "--check", "smoke=failed"});
  out({"note", "latest", "--check", "load=missing"});
  const std::string show = out({"show", "latest", "--json"});
  EXPECT_EQ(jq(here_, show, "[.checks[] | .name + \"=\" + .verdict] | join(\" \")"),
            "canary=ok smoke=failed load=missing");
  EXPECT_EQ(jq(here_, show, ".checks[0].url"), "https://ci.example/42");
  const std::string report = out({"report", "latest"});
  for (const char* name : {"canary", "smoke", "load", "https://ci.example/42"}) {
    EXPECT_TRUE(contains(report, name));
  }
}

TEST_F(Record, ANoteThatSaysNothingOrTooMuchIsUsageAndNotRecorded) {
  const std::string before = all_events();
  for (const Words& words : {Words{"note", "latest"},
                             {"note", "latest", ""},
                             {"note"},
                             {"note", "latest", "text", "--check", "a=ok"},
                             {"note", "latest", "--check", "a=fine"},
                             {"note", "latest", "--check", "=ok"},
                             {"note", "latest", "--check", "ok"},
                             {"note", "latest", std::string(65537, 'x')},
                             {"note", "latest", "text", "--actor", "nobody"}}) {
    const Ran ran = here_.run(words);
    expect_ended(ran, 2, {"muniment: "});
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_EQ(all_events(), before);
  out({"note", "latest", std::string(65536, 'x')});
}

TEST_F(Record, FollowShowsWhatComesAndEndsWith130) {
  for (const bool json : {false, true}) {
    Words words{"events", "--follow"};
    if (json) words.emplace_back("--jsonl");
    RunningProgram follower(muniment_argv(words), here_.surroundings());
    const std::string already = out({"events", "--limit", "100000"});
    const std::string last = json ? "\"run_finished\"" : "run_finished";
    ASSERT_TRUE(comes_true([&] { return follower.out().find(last) != std::string::npos; }));
    const std::string text = json ? "seen in json" : "seen in text";
    out({"note", "latest", text});
    out({"backup", "photos", "--dry-run"});
    const std::string run = jq(here_, out({"show", "latest", "--json"}), ".last_event_id");
    const std::string newest =
        jq(here_, out({"show", "latest", "--json"}), ".last_sequence | tostring");
    const std::string mark = json ? "{\"sequence\":" + newest + "," : "#" + newest + " ";
    EXPECT_TRUE(comes_true([&] { return follower.out().find(mark) != std::string::npos; }))
        << follower.out();
    EXPECT_FALSE(follower.has_ended());
    follower.send(json ? SIGTERM : SIGINT);
    const Ran ran = follower.wait();
    EXPECT_EQ(ran.exit_code, 130) << shown(ran);
    // Nothing twice, nothing left out.
    EXPECT_EQ(ran.out, json ? all_events() : out({"events", "--limit", "100000"}));
  }
}

TEST_F(Record, FollowOfOneTypeLeavesOutTheOthers) {
  RunningProgram follower(muniment_argv({"events", "--follow", "--jsonl", "--type", "note_added"}),
                          here_.surroundings());
  out({"note", "latest", "one"});
  EXPECT_TRUE(comes_true([&] { return follower.out().find("\"one\"") != std::string::npos; }));
  out({"backup", "photos", "--dry-run"});
  out({"note", "latest", "two"});
  EXPECT_TRUE(comes_true([&] { return follower.out().find("\"two\"") != std::string::npos; }));
  follower.send(SIGINT);
  const Ran ran = follower.wait();
  EXPECT_EQ(ran.exit_code, 130);
  EXPECT_EQ(jq(here_, ran.out, ".type"), "note_added\nnote_added");
}

TEST_F(Record, ReindexChangesNoAnswer) {
  out({"backup", "photos", "--dry-run"});
  out({"note", "latest", "before"});
  const std::vector<Words> questions{{"runs", "--json"},
                                     {"events", "--json", "--limit", "100000"},
                                     {"show", "latest", "--json"},
                                     {"show", "latest:notes"},
                                     {"events", "--module", "notes", "--jsonl"},
                                     {"events", "--type", "note_added"},
                                     {"report", "latest"},
                                     {"report", "latest:notes", "--json"},
                                     {"verify", "--json"}};
  std::vector<std::string> answers;
  for (const Words& words : questions) answers.push_back(out(words));
  const std::string rebuilt = out({"reindex", "--json"});
  EXPECT_EQ(jq(here_, rebuilt, ".events"), jq(here_, answers.back(), ".events"));
  for (std::size_t i = 0; i < questions.size(); ++i) EXPECT_EQ(out(questions[i]), answers[i]);
  EXPECT_EQ(out({"reindex"}),
            "rebuilt from " + jq(here_, rebuilt, ".events") + " events: " + here_.store() + "\n");
}

TEST_F(Record, ResolveTellsWithoutTouchingTheLogUnlessItIsAsked) {
  const std::string before = all_events();
  const std::string text = out({"resolve"});
  for (const std::string& part : {std::string("notes"), here_.database(), here_.files()}) {
    EXPECT_TRUE(contains(text, part));
  }
  EXPECT_EQ(jq(here_, out({"resolve", "photos", "--json"}), "[.modules[].module] | join(\" \")"),
            "photos");
  EXPECT_EQ(all_events(), before);
  out({"resolve", "--record"});
  const std::string show = out({"show", "latest", "--json"});
  EXPECT_EQ(jq(here_, show, "[.mode, .outcome, .purpose] | join(\" \")"), "observation ok resolve");
}

}  // namespace
}  // namespace muniment
