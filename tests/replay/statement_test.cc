#include "replay/statement.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "recorder/core/digest.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "tests/support/read_file.h"
#include "tests/support/run_writer.h"
#include "tests/support/sample_runs.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

class StatementOfRuns : public testing::Test {
 protected:
  std::string statement_of(const std::string& run_id) const {
    const Result<std::optional<std::string>> made = make_statement(*log_, run_id);
    EXPECT_TRUE(made) << made.error().message;
    return made && *made ? **made : "";
  }

  v1::InTotoStatement parsed(const std::string& run_id) const {
    const Result<v1::InTotoStatement> out = parse_statement(statement_of(run_id));
    EXPECT_TRUE(out) << out.error().message;
    return out ? *out : v1::InTotoStatement();
  }

  std::unique_ptr<Store> log_ = make_memory_log("rs2000.example/muniment");
  SampleRuns runs_ = write_sample_runs(*log_);
};

TEST_F(StatementOfRuns, IsMadeOfFinishedExecutionsWithASealedPlanAlone) {
  const std::set<std::string> stated = {runs_.executed, runs_.failed,      runs_.drifted,
                                        runs_.gated,    runs_.interrupted, runs_.closed,
                                        runs_.opened,   runs_.commanded};
  for (const auto& [name, run_id] : runs_.by_name()) {
    const Result<std::optional<std::string>> made = make_statement(*log_, run_id);
    ASSERT_TRUE(made) << name << ": " << made.error().message;
    EXPECT_EQ(made->has_value(), stated.contains(run_id)) << name;
  }
  EXPECT_EQ(make_statement(*log_, sample_uuid(9, 9)).error().code, ErrorCode::kNotFound);
}

// The bytes that are signed: MUNIMENT_WRITE_FIXTURES=1 writes them where there are none.
TEST_F(StatementOfRuns, IsTheSameBytesForEver) {
  const std::string file =
      std::string(MUNIMENT_SOURCE_DIR) + "/tests/proto/fixtures/statement_executed.json";
  const std::string text = statement_of(runs_.executed);
  EXPECT_TRUE(parse_json(text)) << text;
  if (std::getenv("MUNIMENT_WRITE_FIXTURES") != nullptr && !std::ifstream(file)) {
    std::ofstream(file, std::ios::binary) << text << '\n';
  }
  EXPECT_EQ(text + "\n", read_file(file));
}

TEST_F(StatementOfRuns, NamesEachCommittedArtifactThePlanAndTheRelease) {
  const v1::InTotoStatement statement = parsed(runs_.executed);
  const v1::RunState run = *run_state(*log_, runs_.executed);
  std::set<std::string> expected = {"plan sha256:" + run.plan_digest(),
                                    "release gitCommit:3f786850e387550fdab836ed7e6dc881de23001b"};
  for (const v1::ArtifactState& artifact : run.artifacts()) {
    expected.insert(artifact.path().substr(run.backup_root().size() + 1) +
                    " sha256:" + to_hex(artifact.sha256()));
  }
  std::set<std::string> found;
  for (const v1::InTotoSubject& subject : statement.subject()) {
    const v1::InTotoDigest& digest = subject.digest();
    EXPECT_NE(digest.sha256().empty(), digest.git_commit().empty()) << subject.name();
    found.insert(subject.name() + (digest.sha256().empty() ? " gitCommit:" + digest.git_commit()
                                                           : " sha256:" + digest.sha256()));
  }
  EXPECT_EQ(found, expected);
  EXPECT_GE(found.size(), 4U);
}

TEST_F(StatementOfRuns, SaysOfTheRunWhatItsSummarySays) {
  const v1::RunPredicate predicate = parsed(runs_.executed).predicate();
  const v1::RunState run = *run_state(*log_, runs_.executed);
  EXPECT_EQ(predicate.run_id(), runs_.executed);
  EXPECT_EQ(predicate.mode(), "execution");
  EXPECT_EQ(predicate.outcome(), "ok");
  EXPECT_EQ(predicate.follows_run(), runs_.rehearsed);
  EXPECT_EQ(predicate.log().origin(), "rs2000.example/muniment");
  EXPECT_EQ(predicate.log().first_sequence(), run.first_sequence());
  EXPECT_EQ(predicate.log().event_count(), run.event_count());
  EXPECT_EQ(predicate.log().last_sequence() + 1 - predicate.log().first_sequence(),
            run.event_count())
      << "no other run wrote in between";
  EXPECT_EQ(predicate.modules_size(), 2) << "what was left out is not claimed";
  ASSERT_EQ(predicate.artifacts_size(), 2);
  for (const v1::StatedArtifact& artifact : predicate.artifacts()) {
    EXPECT_EQ(artifact.file_mode(), "0600");
    EXPECT_FALSE(artifact.verified_by().empty());
  }
}

TEST_F(StatementOfRuns, ClaimsNoArtifactThatWasNotKept) {
  const v1::InTotoStatement statement = parsed(runs_.interrupted);
  EXPECT_EQ(statement.predicate().artifacts_size(), 0);
  EXPECT_EQ(statement.predicate().outcome(), "interrupted");
  EXPECT_EQ(statement.subject_size(), 2);
}

// Whoever makes it again later must find the same.
TEST_F(StatementOfRuns, IsNotChangedByWhatIsRecordedLater) {
  const std::string before = statement_of(runs_.executed);
  const v1::RunState run = *run_state(*log_, runs_.executed);
  LogScript script{*log_, 1'795'700'000'000'000'000, log_->state()->size()};
  RunWriter later(script, sample_uuid(3000, 2), v1::MODE_EXECUTION, "operator:anna");
  v1::Event verified;
  verified.set_about_run(runs_.executed);
  verified.mutable_artifact_verified()->set_path(run.artifacts(0).path());
  verified.mutable_artifact_verified()->set_method("another one");
  verified.mutable_artifact_verified()->set_verdict(v1::VERDICT_FAILED);
  later.add(verified);
  v1::Event removed;
  removed.set_about_run(runs_.executed);
  removed.mutable_artifact_removed()->set_path(run.artifacts(0).path());
  later.add(removed);
  v1::Event stray;  // under the run's own id, behind its end
  stray.mutable_run_finished()->set_outcome(v1::RUN_OUTCOME_FAILED);
  RunWriter same(script, runs_.executed, v1::MODE_EXECUTION, "operator:anna");
  same.add(stray);
  EXPECT_EQ(statement_of(runs_.executed), before);
}

TEST_F(StatementOfRuns, HoldsNothingThatMayHaveToBeErased) {
  for (const std::string& run_id :
       {runs_.executed, runs_.failed, runs_.drifted, runs_.gated, runs_.interrupted}) {
    const std::string text = statement_of(run_id);
    for (const char* word : {"anna", "codex", "No space left", "asked to stop", "is closed",
                             "rehearse again", "canary", "password"}) {
      EXPECT_EQ(text.find(word), std::string::npos) << word << " in " << text;
    }
    const std::string reason = run_state(*log_, run_id)->reason();
    EXPECT_TRUE(reason.empty() || text.find(reason) == std::string::npos) << reason;
  }
}

TEST_F(StatementOfRuns, IsRefusedOfARunWhoseEventsAreNotComplete) {
  LogScript script{*log_, 1'795'700'000'000'000'000, log_->state()->size()};
  RunWriter writer(script, sample_uuid(3000, 2), v1::MODE_EXECUTION, "operator:anna");
  v1::Event event;
  event.mutable_run_started();
  writer.add(event);
  event.mutable_plan_sealed()->set_digest(std::string(64, 'a'));
  writer.add(event);
  event.mutable_run_finished()->set_event_count(4);
  writer.add(event);
  const Result<std::optional<std::string>> made = make_statement(*log_, writer.run_id());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kCorrupt);
}

TEST_F(StatementOfRuns, NamesGatesThatWereOpenWithTheApprovalsThatWereConsumed) {
  LogScript script{*log_, 1'795'700'000'000'000'000, log_->state()->size()};
  RunWriter writer(script, sample_uuid(3000, 2), v1::MODE_EXECUTION, "operator:anna");
  v1::Event event;
  event.mutable_run_started();
  writer.add(event);
  event.mutable_plan_sealed()->set_digest(std::string(64, 'a'));
  writer.add(event);
  event.set_module("notes");
  event.mutable_gate_evaluated()->set_gate("F3");
  event.mutable_gate_evaluated()->set_open(true);
  const std::uint64_t evaluated = writer.add(event);
  event.set_module("uploads");
  event.mutable_gate_evaluated()->set_open(false);
  writer.add(event);
  event.set_module("notes");
  event.mutable_approval_consumed()->set_gate("F3");
  event.mutable_approval_consumed()->add_accepted_sequences(3);
  writer.add(event);
  event.set_module("");
  event.mutable_run_finished()->set_event_count(6);
  writer.add(event);
  const v1::RunPredicate predicate = parsed(writer.run_id()).predicate();
  ASSERT_EQ(predicate.gates_size(), 1);
  EXPECT_EQ(predicate.gates(0).module(), "notes");
  EXPECT_EQ(predicate.gates(0).evaluated_sequence(), evaluated);
  ASSERT_EQ(predicate.gates(0).approval_sequences_size(), 1);
  EXPECT_EQ(predicate.gates(0).approval_sequences(0), 3U);
}

TEST_F(StatementOfRuns, IsReadStrictly) {
  const std::string good = statement_of(runs_.executed);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  EXPECT_TRUE(parse_statement(good));
  EXPECT_FALSE(parse_statement(with("\"outcome\"", "\"more\":1,\"outcome\"")));
  EXPECT_FALSE(parse_statement(with("Statement/v1", "Statement/v2")));
  EXPECT_FALSE(parse_statement(with("run:v1", "run:v2")));
  EXPECT_FALSE(parse_statement(good + "{}"));
  EXPECT_FALSE(parse_statement(""));
  EXPECT_FALSE(parse_statement("[]"));
  EXPECT_FALSE(parse_statement(std::string(100'000, '[')));
}

}  // namespace
}  // namespace muniment
