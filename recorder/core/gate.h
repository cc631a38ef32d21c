// The hard gate: a pure function of events, policy and a time that comes in as a value.
#ifndef MUNIMENT_RECORDER_CORE_GATE_H_
#define MUNIMENT_RECORDER_CORE_GATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "muniment/v1/gate.pb.h"
#include "recorder/core/approval.h"
#include "recorder/core/gate_policy.h"

namespace muniment {

// What ssh-keygen said of a signature, asked now and not when it was recorded.
struct SignatureCheck {
  bool good = false;
  std::string principal;
  std::string fingerprint;  // "SHA256:…"
  bool security_key = false;
  std::string why;  // not good: what is wrong
};

// An approval on record. Nothing that its events claim is believed but their places in the log: the
// statement is parsed again, the signature checked again.
struct GateApproval {
  std::uint64_t submitted = 0;  // sequences
  std::uint64_t accepted = 0;   // not yet: the head of the log
  ApprovalStatement statement;
  std::string fault;  // not empty: the statement cannot be read, and why
  SignatureCheck signature;
  v1::ActorKind actor_kind = v1::ACTOR_KIND_UNSPECIFIED;  // who claims to have submitted it
  std::int64_t recorded_ns = 0;                           // of the submission
  std::optional<std::uint64_t> consumed;                  // sequence of ApprovalConsumed
  std::string consumed_by;                                // the run that did
  std::optional<std::uint64_t> revoked;                   // sequence of ApprovalRevoked
};

// The rehearsal that is to be executed.
struct GateCandidate {
  std::string run_id;
  std::uint64_t sequence = 0;  // of its end
  std::int64_t finished_ns = 0;
  std::string plan_digest;
  std::optional<bool> clean_release;  // absent: not known
  std::size_t gated_modules = 1;      // of its plan, that this gate guards
  std::string superseded_by;          // a newer successful rehearsal; empty: none
  std::uint64_t superseded_sequence = 0;
  std::optional<std::uint64_t> drift;  // a later execution of it found the world changed
};

// Something that happened, and when.
struct GateProof {
  std::uint64_t sequence = 0;
  std::int64_t at_ns = 0;
  v1::Verdict verdict = v1::VERDICT_OK;
};

struct GateQuestion {
  std::string gate;
  std::string module;
  std::string guarded;  // backup | exec | restore
  // What the log holds. Absent: nothing was recorded of this gate.
  std::optional<GatePolicy> policy;
  std::uint64_t policy_sequence = 0;
  std::string stated_digest;  // of the policy that the caller's manifest states; empty: none
  std::string stated_fault;   // why the manifest states none: no such gate, unreadable signers …
  std::optional<GateCandidate> candidate;  // absent: no rehearsal was named
  std::string plan_digest;                 // of the plan of now; empty: only the log is asked
  std::vector<GateApproval> approvals;     // of this gate, whatever they are about, in order
  std::optional<GateProof> verified_backup;
  std::optional<GateProof> restore_test;
  std::map<std::string, GateProof> checks;  // by name, the newest about the candidate
  std::optional<bool> clean_release;        // now; absent: not known, or only the log is asked
  std::set<std::string> selves;    // names of who rehearsed and who executes, claimed and observed
  std::set<std::string> log_keys;  // vkeys that this log was ever signed with
  // Sequence of the newest ForkAccepted: what became of older approvals is not known.
  std::optional<std::uint64_t> forked = {};
  std::string origin;
  std::int64_t now_ns = 0;
  std::int64_t head_ns = 0;  // recorded_at of the log's last event
  std::uint64_t head = 0;    // size of the log
};

struct GateJudgement {
  v1::GateEvaluated verdict;
  // The approvals that open it, oldest first, also those beyond the keys that are needed: none is
  // left over for another execution. Empty where it is closed.
  std::vector<std::uint64_t> opened_by;
};

// The verdict, with each condition: what satisfied it (sequences), or what is missing and the
// command that would supply it. Total: never fails, and opens only where every condition is ok.
// Conditions, in order: policy, clock, candidate, approval, then the policy's needs in its order.
GateJudgement judge_gate(const GateQuestion& question);

// Why an approval does not count for this question; absent: it does. `gate_time_ns` is the moment.
std::optional<std::string> fault_of(const GateApproval& approval, const GateQuestion& question,
                                    std::int64_t gate_time_ns);

// Why a change of the policy is not approved by it; absent: it is. `old_policy` is in force.
std::optional<std::string> fault_of_change(const GateApproval& approval,
                                           const GatePolicy& old_policy,
                                           const GateQuestion& question, std::int64_t gate_time_ns);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_GATE_H_
