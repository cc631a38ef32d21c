// Reading back what was recorded: the fields, names and spellings that scripts rely on.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;

// A store with a rehearsal of all, an execution of `photos` by an agent, an execution of all, a
// failed execution of `notes`: in this order.
class Read : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = new Workspace;
    shared_->populate();
    shared_->init();
    record({"backup", "--all", "--dry-run"}, 0);
    record({"backup", "photos", "--actor", "agent:claude"}, 0);
    record({"backup", "--all"}, 0);
    std::filesystem::rename(shared_->database(), shared_->path("data/away.db"));
    record({"backup", "notes"}, 1);
    std::filesystem::rename(shared_->path("data/away.db"), shared_->database());
    const Ran runs = shared_->run({"runs", "--json"});
    for (const int i : {3, 2, 1, 0}) {
      ids_.push_back(jq(*shared_, runs.out, ".runs[" + std::to_string(i) + "].run_id"));
    }
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
    ids_.clear();
  }
  static void record(const Words& words, int exit_code) {
    const Ran ran = shared_->run(words);
    EXPECT_EQ(ran.exit_code, exit_code) << shown(ran);
  }

  static const Workspace& here() { return *shared_; }
  static const std::string& rehearsal() { return ids_.at(0); }
  static const std::string& by_agent() { return ids_.at(1); }
  static const std::string& execution() { return ids_.at(2); }
  static const std::string& failed() { return ids_.at(3); }

  static std::string out(const Words& words) {
    const Ran ran = here().run(words);
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
    EXPECT_EQ(ran.err, "");
    return ran.out;
  }
  static std::string ask(const Words& words, const std::string& filter) {
    const std::string json = out(words);
    EXPECT_TRUE(parse_json(json)) << json;
    return jq(here(), json, filter);
  }
  // The ids that `runs` lists with these options, in its order.
  static std::string listed(Words words) {
    words.insert(words.begin(), {"runs", "--json"});
    return ask(words, "[.runs[].run_id] | join(\" \")");
  }

 private:
  static inline Workspace* shared_ = nullptr;
  static inline std::vector<std::string> ids_;
};

TEST_F(Read, ARunHasTheFieldsThatWerePromised) {
  const std::string filter =
      "[.run_id, .mode, .outcome, .purpose, .actor, .host, (.modules | map(.module) | join(\"+\")),"
      " (.steps | length), (.artifacts | length), (.first_sequence | type),"
      " (.last_sequence | type)] | map(tostring) | join(\" \")";
  const std::string numbers = " number number";
  EXPECT_EQ(ask({"show", "--json", rehearsal()}, filter),
            rehearsal() + " dry-run ok backup operator:tester testhost notes+photos 6 0" + numbers);
  EXPECT_EQ(
      ask({"show", "--json", execution()}, filter),
      execution() + " execution ok backup operator:tester testhost notes+photos 6 2" + numbers);
  EXPECT_EQ(ask({"show", "--json", by_agent()}, filter),
            by_agent() + " execution ok backup agent:claude testhost photos 3 1" + numbers);
  EXPECT_EQ(ask({"show", "--json", failed()}, filter),
            failed() + " execution failed backup operator:tester testhost notes 0 0" + numbers);
  const std::string time = "test(\"^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\\\.[0-9]+)?Z$\")";
  const std::string digest = "test(\"^[0-9a-f]{64}$\")";
  EXPECT_EQ(ask({"show", "--json", execution()}, "[(.started_at, .finished_at | " + time +
                                                     "), (.plan_digest | " + digest + ")] | all"),
            "true");
  EXPECT_EQ(ask({"show", "--json", failed()}, ".plan_digest"), "null");
  const std::string artifact = ask(
      {"show", "--json", execution()},
      "[.artifacts[] | .module == (.path | split(\"/\")[-3]), (.size_bytes | type == \"number\"),"
      " (.sha256 | " +
          digest + "), .mode == \"0600\"] | [length, all] | join(\" \")");
  EXPECT_EQ(artifact, "8 true");
}

TEST_F(Read, AnArtifactIsWhatSha256sumAndStatSayOfTheFile) {
  const std::string list =
      ask({"show", "--json", "latest:photos"}, ".artifacts[] | \"\\(.sha256)  \\(.path)\"");
  write_text(here().path("tmp/sums"), list + "\n");
  const Ran sums = run_program({"sha256sum", "--strict", "-c", here().path("tmp/sums")});
  EXPECT_EQ(sums.exit_code, 0) << sums.out << sums.err;
  const std::string sizes = ask({"show", "--json", execution()},
                                ".artifacts[] | \"\\(.size_bytes) \\(.mode) \\(.path)\"");
  const std::string path = ask({"show", "--json", execution()}, ".artifacts[0].path");
  const Ran stat = run_program({"stat", "-c", "%s 0%a %n", path});
  EXPECT_TRUE(contains(sizes, stat.out.substr(0, stat.out.size() - 1)));
}

TEST_F(Read, RunsAreListedNewestFirstWithWhatTheListCovers) {
  const Words all{"runs", "--json"};
  EXPECT_EQ(listed({}), failed() + " " + execution() + " " + by_agent() + " " + rehearsal());
  EXPECT_EQ(ask(all, "keys_unsorted | join(\" \")"), "runs next covers");
  EXPECT_EQ(ask(all, ".next"), "null");
  const std::string last = ask({"events", "--json", "--limit", "1000000"}, ".events[-1].sequence");
  EXPECT_EQ(ask(all, ".covers"), "{\"first\":0,\"last\":" + last + "}");
  // Page by page it is the same list.
  std::string paged = ask({"runs", "--json", "--limit", "1"}, ".runs[0].run_id");
  for (std::string next = ask({"runs", "--json", "--limit", "1"}, ".next"); next != "null";) {
    const Words page{"runs", "--json", "--limit", "1", "--before", next};
    paged += " " + ask(page, ".runs[0].run_id");
    next = ask(page, ".next");
  }
  EXPECT_EQ(paged, listed({}));
}

TEST_F(Read, FiltersOfRunsLeaveOutTheOthersAndCombine) {
  const std::string all = listed({});
  EXPECT_EQ(listed({"--module", "notes"}), failed() + " " + execution() + " " + rehearsal());
  EXPECT_EQ(listed({"--mode", "dry-run"}), rehearsal());
  EXPECT_EQ(listed({"--outcome", "failed"}), failed());
  EXPECT_EQ(listed({"--actor", "agent:claude"}), by_agent());
  EXPECT_EQ(listed({"--actor", "operator:tester", "--outcome", "ok"}),
            execution() + " " + rehearsal());
  EXPECT_EQ(listed({"--mode", "execution", "--module", "photos", "--limit", "1"}), execution());
  EXPECT_EQ(listed({"--before", execution()}), by_agent() + " " + rehearsal());
  EXPECT_EQ(listed({"--since", "1h"}), all);
  EXPECT_EQ(listed({"--until", "1h"}), "");
  EXPECT_EQ(listed({"--since", "2099-01-01"}), "");
  EXPECT_EQ(listed({"--module", "nix"}), "");
  const std::string began = ask({"show", "--json", execution()}, ".started_at");
  EXPECT_EQ(listed({"--since", began}), failed() + " " + execution());
  EXPECT_EQ(listed({"--until", began}), by_agent() + " " + rehearsal());
  for (const Words& words : {Words{"runs", "--mode", "dryrun"},
                             {"runs", "--outcome", "fine"},
                             {"runs", "--since", "nonsense"},
                             {"runs", "--limit", "0"},
                             {"events", "--type", "run_strated"},
                             {"events", "--limit", "x"}}) {
    expect_ended(here().run(words), 2, {words[2]});
  }
}

TEST_F(Read, LinesOfJsonAreTheItemsOfTheDocument) {
  for (const auto& [command, list] : {std::pair{"runs", ".runs[]"}, {"events", ".events[]"}}) {
    const std::string lines = out({command, "--jsonl", "--limit", "1000000"});
    // Both through jq, which writes numbers in its own way.
    EXPECT_EQ(jq(here(), lines, "."), ask({command, "--json", "--limit", "1000000"}, list));
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'),
              std::stol(jq(here(), out({command, "--json", "--limit", "1000000"}),
                           "[" + std::string(list) + "] | length")));
  }
}

TEST_F(Read, ARunAnswersToEachOfItsSpellings) {
  const std::string filter = ".run_id";
  EXPECT_EQ(ask({"show", "--json", "latest"}, filter), failed());
  EXPECT_EQ(ask({"show", "--json", "latest:photos"}, filter), execution());
  EXPECT_EQ(ask({"show", "--json", "latest:notes"}, filter), failed());
  EXPECT_EQ(ask({"show", "--json", "latest:dry-run"}, filter), rehearsal());
  std::size_t unique = 6;
  for (const std::string* other : {&rehearsal(), &by_agent(), &execution()}) {
    const auto parts = std::mismatch(other->begin(), other->end(), failed().begin());
    unique = std::max(unique, static_cast<std::size_t>(parts.first - other->begin()) + 1);
  }
  EXPECT_EQ(ask({"show", "--json", failed().substr(0, unique)}, filter), failed());
  EXPECT_EQ(ask({"report", "--json", failed().substr(0, unique)}, ".run.run_id"), failed());
  // Six characters that more than one run has in common.
  const Ran ambiguous = here().run({"show", failed().substr(0, 6)});
  EXPECT_NE(ambiguous.exit_code, 0);
  EXPECT_TRUE(contains(ambiguous.err, rehearsal())) << "a run meant: " << shown(ambiguous);
}

TEST_F(Read, ShowOfASequenceIsThatEvent) {
  for (const char* spelling : {"3", "#3"}) {
    const std::string event = out({"show", "--jsonl", spelling});
    EXPECT_EQ(event, out({"events", "--jsonl", "--from-seq", "3", "--limit", "1"}));
    EXPECT_EQ(jq(here(), event, ".sequence"), "3");
  }
  EXPECT_TRUE(contains(out({"show", "3"}), "#3"));
}

TEST_F(Read, FiltersOfEventsLeaveOutTheOthers) {
  EXPECT_EQ(ask({"events", "--json", "--type", "run_started"}, "[.events[].event.run_id] | .[1]"),
            by_agent());
  const Words of_run{"events", "--json", "--run", execution(), "--limit", "1000"};
  EXPECT_EQ(ask(of_run, "[.events[].event.run_id] | unique | join(\" \")"), execution());
  EXPECT_EQ(ask(of_run, "[.events[0].sequence, .events[-1].sequence] | @csv"),
            ask({"show", "--json", execution()}, "[.first_sequence, .last_sequence] | @csv"));
  EXPECT_EQ(ask({"events", "--json", "--module", "notes"},
                "[.events[].event.module] | unique | join(\" \")"),
            "notes");
  EXPECT_EQ(ask({"events", "--json", "--from-seq", "2", "--limit", "3"},
                "[.events[].sequence] + [.next] | join(\" \")"),
            "2 3 4 5");
  EXPECT_EQ(ask({"events", "--json", "--until", "1h"}, ".events | length"), "0");
  // A page after the last has neither events nor a page behind it.
  EXPECT_EQ(ask({"events", "--json", "--from-seq", "999999"}, "[(.events | length), .next] | @csv"),
            "0,");
}

TEST_F(Read, TheReportIsTheSameWheneverItIsMade) {
  const std::string text = out({"report", execution()});
  EXPECT_TRUE(text.starts_with("EXECUTED: 2 modules, 2 artifacts, ")) << text;
  EXPECT_TRUE(contains(text.substr(0, text.find('\n')), execution()));
  EXPECT_EQ(out({"report", execution(), "--format", "text"}), text);
  EXPECT_EQ(out({"report", execution(), "--format", "json"}),
            out({"report", execution(), "--json"}));
  RunWith elsewhere = here().surroundings();
  elsewhere.environment["TZ"] = "Asia/Tokyo";
  elsewhere.environment["LC_ALL"] = "C";
  elsewhere.environment["COLUMNS"] = "20";
  elsewhere.cwd = "/";
  EXPECT_EQ(run_muniment({"report", execution()}, elsewhere).out, text);
  EXPECT_TRUE(
      out({"report", rehearsal()}).starts_with("DRY RUN OK: 2 modules, 6 steps, 0 written"));
  EXPECT_TRUE(out({"report", failed()}).starts_with("FAILED"));
}

}  // namespace
}  // namespace muniment
