#include "replay/gate_evidence.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "recorder/core/run_state.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "replay/blockers.h"
#include "replay/bundle_parts.h"
#include "replay/erasure.h"
#include "replay/evidence.h"
#include "replay/query.h"
#include "replay/render_gate.h"
#include "replay/render_markdown.h"
#include "replay/render_text.h"
#include "tests/support/sample_gates.h"
#include "tests/support/sample_runs.h"

namespace muniment {
namespace {

constexpr const char* kApproved = "every gated step had its approval";

const v1::Blocker* blocker(const v1::Evidence& evidence, const std::string& name) {
  for (const v1::Blocker& row : evidence.blockers()) {
    if (row.name() == name) return &row;
  }
  return nullptr;
}

// The verdict of the blockers over an evidence that was changed.
std::string approved(v1::Evidence evidence) {
  evidence.clear_blockers();
  add_blockers(evidence);
  const v1::Blocker* row = blocker(evidence, kApproved);
  return row == nullptr ? "absent" : row->verdict();
}

bool says(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

class GateEvidence : public testing::Test {
 protected:
  v1::Evidence evidence_of(const std::string& run_id) const {
    Result<v1::Evidence> evidence = make_evidence(*log_, run_id);
    EXPECT_TRUE(evidence) << evidence.error().message;
    return evidence ? *evidence : v1::Evidence();
  }

  std::uint64_t add(v1::Event event, const std::string& run_id = "") {
    LogScript script{*log_, 1'796'000'000'000'000'000, 800'000 + log_->state()->size()};
    RunWriter writer(script, run_id, v1::MODE_OBSERVATION, "operator:carla");
    return writer.add(std::move(event));
  }

  std::unique_ptr<Store> log_ = make_memory_log("rs2000.example/muniment");
  SampleRuns runs_ = write_sample_runs(*log_);
};

TEST_F(GateEvidence, TellsWhatBecameOfEachApproval) {
  for (const std::string& run_id : {runs_.candidate, runs_.closed, runs_.opened}) {
    const v1::Evidence evidence = evidence_of(run_id);
    ASSERT_EQ(evidence.approvals_size(), 2) << run_id;
    const v1::ApprovalView& in_vain = evidence.approvals(0);
    EXPECT_EQ(in_vain.state(), "revoked");
    EXPECT_FALSE(in_vain.has_consumed_sequence());
    EXPECT_TRUE(read_event(*log_, in_vain.revoked_sequence())->event.has_approval_revoked());
    const v1::ApprovalView& used = evidence.approvals(1);
    EXPECT_EQ(used.state(), "consumed");
    EXPECT_EQ(used.consumed_by(), runs_.opened);
    EXPECT_TRUE(read_event(*log_, used.consumed_sequence())->event.has_approval_consumed());
    EXPECT_TRUE(read_event(*log_, used.submitted_sequence())->event.has_approval_submitted());
    EXPECT_EQ(used.module(), "ledger");
    EXPECT_EQ(used.about_run(), runs_.candidate);
    EXPECT_EQ(used.plan_digest(), evidence.run().plan_digest());
  }
  EXPECT_EQ(evidence_of(runs_.executed).approvals_size(), 0) << "approvals of another candidate";
}

TEST_F(GateEvidence, SaysSupersededOnlyOfAnOpenApprovalWhoseModuleWasRehearsedAgain) {
  v1::Event accepted;
  accepted.set_about_run(runs_.candidate);
  accepted.set_module("ledger");
  accepted.mutable_approval_accepted()->set_gate("F3");
  accepted.mutable_approval_accepted()->set_guarded("backup");
  const std::uint64_t sequence = add(accepted);
  const auto state = [&] { return evidence_of(runs_.candidate).approvals(2).state(); };
  EXPECT_EQ(evidence_of(runs_.candidate).approvals(2).sequence(), sequence);
  EXPECT_EQ(state(), "accepted");

  const auto rehearse = [&](const std::string& module, const std::string& purpose,
                            v1::RunOutcome outcome, unsigned number) {
    LogScript script{*log_, 1'796'100'000'000'000'000, 850'000 + log_->state()->size()};
    RunWriter writer(script, sample_uuid(number, 2), v1::MODE_DRY_RUN, "operator:anna");
    v1::Event start;
    start.mutable_run_started()->set_purpose(purpose);
    writer.add(start);
    v1::Event step;
    step.mutable_plan_step_proposed()->set_index(1);
    step.mutable_plan_step_proposed()->mutable_step()->set_module(module);
    writer.add(step);
    v1::Event end;
    end.mutable_run_finished()->set_outcome(outcome);
    writer.add(end);
  };
  rehearse("notes", "backup", v1::RUN_OUTCOME_OK, 5001);
  EXPECT_EQ(state(), "accepted") << "another module";
  rehearse("ledger", "exec", v1::RUN_OUTCOME_OK, 5002);
  EXPECT_EQ(state(), "accepted") << "another command";
  rehearse("ledger", "backup", v1::RUN_OUTCOME_FAILED, 5003);
  EXPECT_EQ(state(), "accepted") << "a rehearsal that failed";
  rehearse("ledger", "backup", v1::RUN_OUTCOME_OK, 5004);
  EXPECT_EQ(state(), "superseded");
  const v1::Evidence evidence = evidence_of(runs_.candidate);
  EXPECT_EQ(evidence.approvals(0).state(), "revoked");
  EXPECT_EQ(evidence.approvals(1).state(), "consumed");
}

TEST_F(GateEvidence, LetsTheNewerOfConsumptionAndRevocationSpeak) {
  v1::Event revoked;
  revoked.set_about_run(runs_.candidate);
  revoked.mutable_approval_revoked()->set_accepted_sequence(
      evidence_of(runs_.opened).approvals(1).sequence());
  const std::uint64_t sequence = add(revoked);
  const v1::ApprovalView row = evidence_of(runs_.opened).approvals(1);
  EXPECT_EQ(row.state(), "revoked");
  EXPECT_EQ(row.revoked_sequence(), sequence);
  EXPECT_EQ(row.consumed_by(), runs_.opened) << "what happened is not undone";
  add(revoked);
  EXPECT_EQ(evidence_of(runs_.opened).approvals(1).revoked_sequence(), sequence)
      << "taking it back twice changes nothing";
}

TEST_F(GateEvidence, KeepsTheNewestVerdictOnEachGate) {
  const v1::Evidence before = evidence_of(runs_.candidate);
  ASSERT_EQ(before.gates_size(), 1);
  EXPECT_FALSE(before.gates(0).open());
  v1::Event later = closed_gate("ledger", "approval", "still none", "muniment approve …");
  later.set_about_run(runs_.candidate);
  const std::uint64_t sequence = add(later);
  v1::Event of_exec = later;
  of_exec.mutable_gate_evaluated()->set_guarded("exec");
  add(of_exec);
  const v1::Evidence after = evidence_of(runs_.candidate);
  ASSERT_EQ(after.gates_size(), 2) << "a verdict for exec is another one";
  EXPECT_EQ(after.gates(0).sequence(), sequence);
  EXPECT_EQ(after.gates(0).conditions(1).detail(), "still none");
  EXPECT_EQ(after.gates(1).guarded(), "exec");
}

TEST_F(GateEvidence, PassesAGatedStepOnlyWithVerdictAndConsumptionBeforeIt) {
  const v1::Evidence good = evidence_of(runs_.opened);
  ASSERT_NE(blocker(good, kApproved), nullptr);
  EXPECT_EQ(blocker(good, kApproved)->verdict(), "pass");
  EXPECT_EQ(blocker(good, kApproved)->sequences_size(), 2) << "the verdict and the consumption";
  const auto with = [&](const std::function<void(v1::Evidence&)>& change) {
    v1::Evidence changed = good;
    change(changed);
    return approved(changed);
  };
  const std::uint64_t late = good.run().last_sequence();
  EXPECT_EQ(with([](auto&) {}), "pass");
  EXPECT_EQ(with([](auto& e) { e.clear_approvals(); }), "fail");
  EXPECT_EQ(with([](auto& e) { e.mutable_run()->clear_gates(); }), "fail");
  EXPECT_EQ(with([](auto& e) { e.mutable_run()->mutable_gates(0)->set_open(false); }), "fail");
  EXPECT_EQ(with([&](auto& e) { e.mutable_run()->mutable_gates(0)->set_sequence(late); }), "fail");
  EXPECT_EQ(with([&](auto& e) { e.mutable_approvals(1)->set_consumed_sequence(late); }), "fail");
  EXPECT_EQ(with([](auto& e) { e.mutable_approvals(1)->set_consumed_by("another run"); }), "fail");
  EXPECT_EQ(with([](auto& e) { e.mutable_approvals(1)->set_module("notes"); }), "fail");
  EXPECT_EQ(with([](auto& e) { e.mutable_approvals(1)->set_gate("F2"); }), "fail");
  EXPECT_EQ(with([](auto& e) { e.mutable_approvals(1)->set_plan_digest("another"); }), "fail")
      << "an approval of another plan is none";
}

TEST_F(GateEvidence, FailsAStepThatFailedAfterItWasStartedWithoutApproval) {
  v1::Evidence evidence = evidence_of(runs_.opened);
  evidence.clear_approvals();
  for (v1::StepState& step : *evidence.mutable_run()->mutable_steps()) step.set_status("failed");
  EXPECT_EQ(approved(evidence), "fail") << "what was started may have had effects";
  for (v1::StepState& step : *evidence.mutable_run()->mutable_steps()) step.set_status("unknown");
  EXPECT_EQ(approved(evidence), "fail");
  for (v1::StepState& step : *evidence.mutable_run()->mutable_steps()) step.set_status("withheld");
  EXPECT_EQ(approved(evidence), "pass") << "nothing was carried out";
}

// A manifest without the gate does not hide it: what the log asked counts.
TEST_F(GateEvidence, CountsAStepAsGatedWhenAGateWasAskedForItsModule) {
  v1::Evidence evidence = evidence_of(runs_.opened);
  for (v1::StepState& step : *evidence.mutable_run()->mutable_steps()) step.clear_gate();
  EXPECT_EQ(approved(evidence), "pass");
  evidence.clear_approvals();
  EXPECT_EQ(approved(evidence), "fail");
  evidence.mutable_run()->clear_gates();
  EXPECT_EQ(approved(evidence), "not applicable");
}

TEST_F(GateEvidence, HasThePassOfWhatNeverStarted) {
  EXPECT_EQ(approved(evidence_of(runs_.closed)), "pass");
  EXPECT_EQ(approved(evidence_of(runs_.candidate)), "pass");
  EXPECT_EQ(approved(evidence_of(runs_.commanded)), "not applicable");
}

TEST_F(GateEvidence, ReadsInTheReportWithConditionsProofsAndNextCommand) {
  const std::string text = render_evidence(evidence_of(runs_.closed), resolver_of(*log_));
  EXPECT_TRUE(text.starts_with("GATE CLOSED: gate F3 is closed for ledger: ")) << text;
  EXPECT_TRUE(says(text, "  gate F3 for ledger (backup): closed at 2026-")) << text;
  EXPECT_TRUE(says(text, "✗ failed   approval  0 of 1 approvals for run ")) << text;
  EXPECT_TRUE(says(text, "muniment approve " + runs_.candidate + " --gate F3 --module ledger\n"));
  EXPECT_TRUE(says(text, "backup), plan " +
                             evidence_of(runs_.closed).run().plan_digest().substr(0, 8) +
                             ": revoked #"))
      << text;
  EXPECT_TRUE(says(text, "    by ben with key SHA256:47DEQ")) << text;
  EXPECT_TRUE(says(text, "    reason: The ledger moves tonight.\n")) << text;
  EXPECT_TRUE(says(text, "consumed by run " + runs_.opened + " #")) << text;
  const std::string markdown = render_markdown(evidence_of(runs_.opened), resolver_of(*log_));
  EXPECT_TRUE(says(markdown, "- gate `F3` for `ledger` (`backup`): open at `2026-")) << markdown;
  EXPECT_TRUE(says(markdown, "  - ok `approval`: 1 of 1 `#")) << markdown;
}

TEST_F(GateEvidence, SaysErasedWhereTheNameOrReasonOfAnApprovalIsGone) {
  const v1::ApprovalView row = evidence_of(runs_.opened).approvals(1);
  const auto erase = [&](const char* field) {
    const Result<StoredEvent> stored = read_event(*log_, row.sequence());
    const Result<BlobRef> blob = find_erasable(*stored, field);
    ASSERT_TRUE(blob) << blob.error().message;
    v1::Event event;
    event.set_event_id(sample_uuid(60'000 + log_->state()->size(), 7));
    event.mutable_erased()->set_commitment(blob->sha256);
    ASSERT_TRUE(log_->erase({event.SerializeAsString(), {}}, blob->sha256));
  };
  erase("approval_accepted.principal");
  const std::string by = "[erased by #" + std::to_string(log_->state()->size() - 1) + "]";
  erase("approval_accepted.reason");
  const std::string text = render_evidence(evidence_of(runs_.opened), resolver_of(*log_));
  EXPECT_TRUE(says(text, "    by " + by + " with key SHA256:")) << text;
  EXPECT_TRUE(says(text, "    reason: [erased by #")) << text;
  EXPECT_FALSE(says(text, kSampleReason));
}

TEST_F(GateEvidence, NamesTheCommandThatWasRunAndClaimsNothingOfContainers) {
  const v1::Evidence evidence = evidence_of(runs_.commanded);
  const std::string text = render_evidence(evidence, resolver_of(*log_));
  EXPECT_TRUE(text.starts_with("EXECUTED: ")) << text;
  EXPECT_TRUE(says(text, ", 1 command, exit status 0 · run ")) << text;
  EXPECT_TRUE(says(text,
                   "For notes was run on host rs2000: /srv/notes/smoke --token "
                   "'[redacted:name]' 'two words'; exit status 0. #"))
      << text;
  EXPECT_FALSE(says(text, "No command was run"))
      << "what a command on the host does in a container, nobody knows";
  EXPECT_TRUE(says(render_evidence(evidence_of(runs_.candidate), resolver_of(*log_)),
                   "No command was run in a container"));
  const std::string shown = render_run(evidence.run(), resolver_of(*log_));
  EXPECT_TRUE(says(shown, "\nCommands\n  /srv/notes/smoke --token")) << shown;
  EXPECT_TRUE(says(shown, "output: 12 checks, 0 failed")) << shown;
}

TEST_F(GateEvidence, LeavesCommandsInContainersToTheCaptures) {
  v1::RunState state = *run_state(*log_, runs_.commanded);
  v1::Event event;
  event.set_run_id(state.run_id());
  event.mutable_command_executed()->add_argv("pg_dump");
  event.mutable_command_executed()->set_container_id("0123456789ab");
  evolve_in_place(state, event, state.last_sequence() + 1);
  EXPECT_EQ(state.commands_size(), 1);
  event.mutable_command_executed()->clear_container_id();
  evolve_in_place(state, event, state.last_sequence() + 1);
  ASSERT_EQ(state.commands_size(), 2);
  EXPECT_EQ(state.commands(1).argv(0), "pg_dump");
  EXPECT_FALSE(state.commands(1).has_exit_status());
}

TEST_F(GateEvidence, FoldsVerdictsAndApprovalsIntoTheRun) {
  const v1::RunState candidate = *run_state(*log_, runs_.candidate);
  ASSERT_EQ(candidate.approvals_size(), 2);
  EXPECT_TRUE(read_event(*log_, candidate.approvals(0))->event.has_approval_accepted());
  EXPECT_EQ(run_state(*log_, runs_.opened)->approvals_size(), 0) << "they are about the rehearsal";
  ASSERT_EQ(candidate.gates_size(), 1);
  EXPECT_EQ(candidate.gates(0).guarded(), "backup");
  EXPECT_EQ(candidate.gates(0).next(),
            "muniment approve " + runs_.candidate + " --gate F3 --module ledger");
}

// A stranger needs the statement, its signature and what became of it.
TEST_F(GateEvidence, GoesIntoTheBundleOfTheExecution) {
  BundleEvents events;
  const v1::RunState run = *run_state(*log_, runs_.opened);
  ASSERT_TRUE(read_indexed(*log_, IndexTag::kByRun, runs_.opened, 0, Direction::kForward,
                           [&](const StoredEvent& stored) {
                             events.emplace(stored.sequence, stored);
                             return true;
                           }));
  for (std::size_t before = 0; before != events.size();) {
    before = events.size();
    const BundleLinks links = links_of(events, runs_.opened);
    ASSERT_TRUE(read_events(*log_, 0, [&](const StoredEvent& stored) {
      if (belongs_to_bundle(stored, runs_.opened, links)) events.emplace(stored.sequence, stored);
      return true;
    }));
  }
  std::map<std::string, int> types;
  for (const auto& [sequence, stored] : events) ++types[body_name(stored.event)];
  EXPECT_EQ(types["gate_policy_recorded"], 1);
  EXPECT_EQ(types["approval_requested"], 1);
  EXPECT_EQ(types["approval_submitted"], 2);
  EXPECT_EQ(types["approval_accepted"], 2);
  EXPECT_EQ(types["approval_revoked"], 1);
  EXPECT_EQ(types["approval_consumed"], 1);
  EXPECT_EQ(types["run_started"], 1) << "the rehearsal itself is a run of its own";
}

TEST(NextCommand, IsTheExecutionOnceTheGateIsOpenAndElseTheFirstAdvice) {
  v1::GateReport gate;
  EXPECT_EQ(next_command(gate), "");
  gate.set_gate("F3");
  gate.set_module("notes");
  gate.set_candidate_run("0199");
  gate.set_open(true);
  EXPECT_EQ(next_command(gate), "muniment backup --plan 0199");
  gate.set_guarded("exec");
  EXPECT_TRUE(
      next_command(gate).starts_with("muniment exec --module notes --gate F3 --plan 0199 -- CMD"));
  gate.set_open(false);
  gate.add_conditions()->set_verdict(v1::VERDICT_FAILED);
  v1::Condition& second = *gate.add_conditions();
  second.set_verdict(v1::VERDICT_MISSING);
  second.set_next("muniment approve 0199");
  EXPECT_EQ(next_command(gate), "muniment approve 0199");
}

}  // namespace
}  // namespace muniment
