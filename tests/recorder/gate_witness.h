// A witness of gates: judges a log from its events alone, by code that shares nothing with the gate
// but the formats. Signatures are those of the test that uses it: "good KEY" holds, others do not.
#ifndef MUNIMENT_TESTS_RECORDER_GATE_WITNESS_H_
#define MUNIMENT_TESTS_RECORDER_GATE_WITNESS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "recorder/core/approval.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/queries.h"

namespace muniment {

// Reads a log from its first event to its last and complains of each step that was applied without
// its approvals.
class Witness {
 public:
  // `needed`: how many distinct keys.
  Witness(const LogReader& log, std::uint32_t needed) : log_(log), needed_(needed) {}

  void read() {
    ASSERT_TRUE(read_events(log_, 0, [&](const StoredEvent& stored) {
      see(stored);
      return true;
    }));
  }

  std::vector<std::string> complaints;  // "#SEQUENCE: what"
  std::size_t applied = 0;              // steps that were started for real
  std::size_t stopped_midway = 0;       // closed after something was applied

 private:
  struct Run {
    std::string follows;
    std::string digest;
    bool opened = false;
    std::size_t applied = 0;
    std::set<std::uint64_t> used;
  };

  void complain(const StoredEvent& at, const std::string& what) {
    complaints.push_back("#" + std::to_string(at.sequence) + ": " + what);
  }

  void see(const StoredEvent& stored) {
    const v1::Event& event = stored.event;
    Run& run = runs_[event.run_id()];
    if (event.has_run_started()) run.follows = event.run_started().follows_run();
    if (event.has_plan_sealed()) run.digest = event.plan_sealed().digest();
    if (event.has_run_finished() && event.mode() == v1::MODE_DRY_RUN)
      newest_[module_of(event.run_id())] = event.run_id();
    if (event.has_step_started() && !event.module().empty())
      modules_[event.run_id()] = event.module();
    if (event.has_approval_submitted()) submitted_[stored.sequence] = event;
    if (event.has_approval_accepted()) accepted_[stored.sequence] = event.approval_accepted();
    if (event.has_approval_revoked()) revoked_.insert(event.approval_revoked().accepted_sequence());
    if (event.has_approval_consumed() && !event.run_id().empty()) consume(stored, run);
    if (event.has_gate_evaluated() && !event.gate_evaluated().open() && run.applied > 0)
      ++stopped_midway;
    if (event.has_step_started() && event.mode() == v1::MODE_EXECUTION) start(stored, run);
  }

  std::string module_of(const std::string& run_id) { return modules_[run_id]; }

  void consume(const StoredEvent& stored, Run& run) {
    std::set<std::string> keys;
    for (const std::uint64_t sequence : stored.event.approval_consumed().accepted_sequences()) {
      if (!consumed_.insert(sequence).second) complain(stored, "consumed twice");
      if (revoked_.contains(sequence)) complain(stored, "consumed after it was revoked");
      keys.insert(judge(stored, run, sequence));
      run.used.insert(sequence);
    }
    if (keys.size() < needed_) complain(stored, "too few keys");
    run.opened = true;
  }

  // The key that signed.
  std::string judge(const StoredEvent& stored, const Run& run, std::uint64_t sequence) {
    const v1::Event& submitted = submitted_.at(accepted_.at(sequence).submitted_sequence());
    const v1::ApprovalSubmitted& body = submitted.approval_submitted();
    const auto text = read_blob(log_, body.statement_sha256());
    const Result<ApprovalStatement> said = parse_approval(**text);
    const std::int64_t now = nanoseconds_of(stored.event.recorded_at());
    if (!body.signature().starts_with("good ")) complain(stored, "not signed");
    if (submitted.actor().kind() != v1::ACTOR_KIND_OPERATOR) complain(stored, "not by a person");
    if (said->guarded != "backup") complain(stored, "of another kind");
    if (said->run_id != run.follows) complain(stored, "of another candidate");
    if (said->plan_digest != run.digest) complain(stored, "of another plan");
    if (said->module != stored.event.module()) complain(stored, "of another module");
    if (now >= said->expires_ns) complain(stored, "expired");
    const std::int64_t relied_on = nanoseconds_of(submitted.recorded_at());
    if (std::max(now, relied_on) < said->not_before_ns) complain(stored, "not yet good");
    if (said->expires_ns - said->not_before_ns > 3600LL * 1'000'000'000)
      complain(stored, "too long");
    if (newest_[said->module] != run.follows) complain(stored, "superseded");
    if (!nonces_.insert(said->nonce).second) complain(stored, "nonce used twice");
    return body.signature();
  }

  void start(const StoredEvent& stored, Run& run) {
    if (stored.event.step_started().kind() == v1::STEP_KIND_DISCARD) return;
    ++applied;
    ++run.applied;
    if (!run.opened) complain(stored, "a gated step without an approval");
    for (const std::uint64_t sequence : run.used) {
      if (revoked_.contains(sequence)) complain(stored, "a gated step after a revocation");
    }
  }

  const LogReader& log_;
  std::uint32_t needed_;
  std::map<std::string, Run> runs_;
  std::map<std::string, std::string> modules_;
  std::map<std::string, std::string> newest_;
  std::map<std::uint64_t, v1::Event> submitted_;
  std::map<std::uint64_t, v1::ApprovalAccepted> accepted_;
  std::set<std::uint64_t> revoked_;
  std::set<std::uint64_t> consumed_;
  std::set<std::string> nonces_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_RECORDER_GATE_WITNESS_H_
