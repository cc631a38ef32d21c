// What readers see of a gate: `gate`, `candidates`, `prompt`, with the real binary.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/ssh_keys.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;

// A workspace whose two modules gate F3 guards; F4 has no module. The signers file names ben.
class GateViews : public testing::Test {
 protected:
  GateViews() : key_(make_ssh_key(here_.path("tmp/ben"))) {
    here_.populate();
    write_text(here_.path("signers"), signer_line("ben", key_));
    std::filesystem::permissions(here_.path("signers"), std::filesystem::perms(0600));
    std::string tables = here_.modules();
    tables.insert(tables.find("[[module]]\nname = \"photos\""), "gate = \"F3\"\n\n");
    for (const char* gate : {"F3", "F4"}) {
      tables += (gate == std::string("F3") ? "gate = \"F3\"\n\n" : "") + std::string("[gate.") +
                gate + "]\nguards = [\"backup\"]\nsigners = \"" + here_.path("signers") +
                "\"\nneeds = [{ dry_run = \"24h\" }, { check = \"canary\" }]\n\n";
    }
    here_.write_manifest(tables);
    here_.init();
  }

  Ran expect(const Words& words, int exit_code) const {
    const Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, exit_code) << words[0] << ": " << shown(ran);
    return ran;
  }
  std::string ask(const Words& words, int exit_code, const std::string& filter) const {
    const std::string json = expect(words, exit_code).out;
    EXPECT_TRUE(parse_json(json)) << json;
    return jq(here_, json, filter);
  }
  std::string events() const {
    return ask({"events", "--json", "--limit", "100000"}, 0, "[.events[].type] | length");
  }
  void rehearse(const std::string& module) const { expect({"backup", module, "--dry-run"}, 0); }

  // By ben, as he would do it at a terminal.
  void approve(const std::string& module) const {
    const std::string digest = ask({"show", "latest:" + module, "--json"}, 0, ".plan_digest[0:8]");
    expect({"approve", "latest:" + module, "--gate", "F3", "--module", module, "--key", key_.file,
            "--reason", "tonight", "--confirm", "F3@" + digest, "--actor", "operator:ben"},
           0);
  }

  Workspace here_;
  SshKey key_;
};

TEST_F(GateViews, TheVerdictNamesEachConditionAndTheCommandThatComesNext) {
  const Ran before = expect({"gate", "F3", "--module", "notes"}, 3);
  EXPECT_TRUE(contains(before.out, "GATE CLOSED: F3 for notes (backup)\n"));
  EXPECT_TRUE(contains(before.out, "✗ missing  "));
  EXPECT_TRUE(contains(before.out, "muniment backup notes --dry-run\n"));
  EXPECT_EQ(before.err, "");
  rehearse("notes");
  const std::string run = ask({"show", "latest:notes", "--json"}, 0, ".run_id");
  const Ran after = expect({"gate", "F3", "--module", "notes"}, 3);
  EXPECT_TRUE(contains(after.out, "GATE CLOSED: F3 for notes (backup), run " + run + ", plan "));
  EXPECT_TRUE(contains(after.out, "✓ ok       candidate  run " + run));
  EXPECT_TRUE(contains(after.out, "muniment approve " + run + " --gate F3 --module notes\n"));
  EXPECT_EQ(ask({"gate", "F3", "--module", "notes", "--json"}, 3,
                "[.gate, .module, .guarded, .open, .candidate_run, (.conditions | length > 4), "
                "(.conditions[] | select(.name == \"approval\") | .verdict)] | join(\" \")"),
            "F3 notes backup false " + run + " true missing");
}

TEST_F(GateViews, AskingRecordsNothingUnlessItIsToBeKept) {
  rehearse("notes");
  const std::string before = events();
  expect({"gate", "F3", "--module", "notes"}, 3);
  expect({"candidates", "--gate", "F3"}, 0);
  expect({"prompt", "f3-prep"}, 0);
  EXPECT_EQ(events(), before);
  const std::string sequence =
      ask({"gate", "F3", "--module", "notes", "--record", "--json"}, 3, ".sequence");
  EXPECT_EQ(events(), std::to_string(std::stoi(before) + 1));
  EXPECT_EQ(ask({"show", sequence, "--json"}, 0,
                "[.type, .event.module, .event.gate_evaluated.open] | join(\" \")"),
            "gate_evaluated notes false");
  EXPECT_EQ(ask({"show", sequence, "--json"}, 0, ".event.about_run"),
            ask({"show", "latest:notes", "--json"}, 0, ".run_id"));
}

TEST_F(GateViews, OpensOnceTheCandidateIsApprovedAndTheCheckIsIn) {
  rehearse("notes");
  rehearse("photos");
  approve("notes");
  const Ran closed = expect({"gate", "F3", "--module", "notes"}, 3);
  EXPECT_TRUE(contains(closed.out, "✓ ok       approval"));
  EXPECT_TRUE(contains(closed.out, "canary"));
  expect({"note", "latest:notes", "--check", "canary=ok"}, 0);
  const std::string run = ask({"show", "latest:notes", "--json"}, 0, ".run_id");
  const Ran open = expect({"gate", "F3", "--module", "notes"}, 0);
  EXPECT_TRUE(contains(open.out, "GATE OPEN: F3 for notes (backup), run " + run));
  EXPECT_TRUE(contains(open.out, "next: muniment backup --plan " + run + "\n"));
  expect({"gate", "F3", "--module", "photos"}, 3);
  EXPECT_EQ(ask({"candidates", "--gate", "F3", "--json"}, 0,
                "[.candidates[] | .module, .open] | map(tostring) | join(\" \")"),
            "notes true photos false");
  const Ran report = expect({"report", run}, 0);
  EXPECT_TRUE(contains(report.out, ": accepted\n    by ben with key " + key_.fingerprint));

  expect({"backup", "--plan", run}, 0);
  expect({"gate", "F3", "--module", "notes"}, 3);
  const Ran executed = expect({"report", "latest:execution"}, 0);
  EXPECT_TRUE(contains(executed.out, "every gated step had its approval"));
  EXPECT_TRUE(contains(executed.out, ": consumed by run "));
  EXPECT_EQ(ask({"report", "latest:execution", "--json"}, 0,
                ".blockers[] | select(.name == \"every gated step had its approval\") | .verdict"),
            "pass");
}

TEST_F(GateViews, RanksByReadinessThenByTheNewerRehearsalThenByName) {
  const std::string order = "[.candidates[] | .rank, .module] | map(tostring) | join(\" \")";
  const Words list = {"candidates", "--gate", "F3", "--json"};
  EXPECT_EQ(ask(list, 0, order), "1 notes 2 photos") << "none was rehearsed: by name";
  rehearse("photos");
  EXPECT_EQ(ask(list, 0, order), "1 photos 2 notes");
  rehearse("notes");
  EXPECT_EQ(ask(list, 0, order), "1 notes 2 photos") << "the newer rehearsal";
  expect({"note", "latest:photos", "--check", "canary=ok"}, 0);
  EXPECT_EQ(ask(list, 0, order), "1 photos 2 notes") << "one condition more is met";
  EXPECT_EQ(ask(list, 0,
                "[.candidates[0] | (.evidence_for | map(.text) | any(test(\"canary\"))), "
                "(.evidence_against | map(.text) | any(test(\"approval\")))] | "
                "map(tostring) | join(\" \")"),
            "true true");
  const Ran text = expect({"candidates", "--gate", "F3"}, 0);
  EXPECT_TRUE(text.out.starts_with("1. photos: closed, run ")) << text.out;
  EXPECT_TRUE(contains(text.out, "    next: muniment approve "));
}

TEST_F(GateViews, ARecommendationIsAFactAboutTheFirstCandidate) {
  expect_ended(here_.run({"candidates", "--gate", "F3", "--record"}), 7,
               {"has a successful rehearsal", "--dry-run"});
  rehearse("photos");
  const Ran ran = expect({"candidates", "--gate", "F3", "--record", "--actor", "agent:codex"}, 0);
  EXPECT_TRUE(contains(ran.out, " recommends photos\n"));
  EXPECT_EQ(ask({"events", "--type", "candidate_recommended", "--json"}, 0,
                "[.events[0].event | .module, .candidate_recommended.gate] | join(\" \")"),
            "photos F3");
  expect({"candidates", "--gate", "F4"}, 7);
}

TEST_F(GateViews, RefusesNamesThatNobodyKnows) {
  expect_ended(here_.run({"gate", "F9", "--module", "notes"}), 2, {"`F9`", "F3, F4"});
  expect_ended(here_.run({"gate", "F3", "--module", "nots"}), 2, {"`nots`", "notes, photos"});
  expect_ended(here_.run({"gate", "F3", "--module", "notes", "--guarded", "smoke"}), 2, {"smoke"});
  expect_ended(here_.run({"gate", "F3", "--module", "notes", "--run", "latest"}), 7, {"latest"});
  expect_ended(here_.run({"candidates", "--gate", "F9"}), 2, {"`F9`"});
  expect_ended(here_.run({"prompt", "f3-perp"}), 2, {"`f3-perp`", "f3-prep"});
  expect_ended(here_.run({"prompt", "f3-prep", "--gate", "F9"}), 2, {"`F9`"});
}

TEST_F(GateViews, ThePromptSaysWhatToCollectAndForbidsTheRest) {
  const Ran ran = expect({"prompt", "f3-prep"}, 0);
  for (const char* part :
       {"Prepare the decision on gate F3.", "Log: testhost/muniment, store ", "notes, photos",
        "muniment backup notes --dry-run", "muniment backup photos --dry-run",
        "muniment candidates --gate F3 --json", "muniment gate F3 --module notes --json",
        "muniment report RUN", "muniment candidates --gate F3 --record", "--request",
        "No smoke test.", "No execution:", "No approval:", "--actor agent:NAME",
        "Answer with this list"}) {
    EXPECT_TRUE(contains(ran.out, part));
  }
  EXPECT_TRUE(contains(ran.out, here_.store()));
  EXPECT_EQ(ran.out.find(here_.path("signers")), std::string::npos);
  EXPECT_EQ(ran.out.find(key_.file), std::string::npos) << "an agent need not know where keys are";
  EXPECT_LT(ran.out.size(), 4096U);
  const Ran other = expect({"prompt", "f3-prep", "--gate", "F4"}, 0);
  EXPECT_TRUE(contains(other.out, "gate F4."));
  EXPECT_TRUE(contains(other.out, "guards: none\n"));
  EXPECT_EQ(ask({"prompt", "f3-prep", "--json"}, 0, ".text"),
            ran.out.substr(0, ran.out.find_last_not_of('\n') + 1));
}

// Every instruction to an agent is a command that exists.
TEST_F(GateViews, ThePromptNamesOnlyCommandsThatThereAre) {
  const std::string text = expect({"prompt", "f3-prep"}, 0).out;
  int named = 0;
  for (std::size_t at = text.find("  muniment "); at != text.npos;
       at = text.find("  muniment ", at + 1)) {
    const std::size_t from = at + 11;
    const std::string command = text.substr(from, text.find(' ', from) - from);
    EXPECT_EQ(here_.run({command, "--help"}).exit_code, 0) << command;
    ++named;
  }
  EXPECT_GE(named, 8);
}

}  // namespace
}  // namespace muniment
