// What the log knows of a gate, gathered for core/gate.h to judge. Reads the log, asks ssh-keygen.
#ifndef MUNIMENT_RECORDER_GATE_FACTS_H_
#define MUNIMENT_RECORDER_GATE_FACTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/gate.h"
#include "recorder/core/manifest.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// Judges a signature now: world/ssh_keygen.h, or a test's own.
using CheckSignature = std::function<Result<SignatureCheck>(
    std::string_view statement, std::string_view signature, std::string_view signers)>;

// What the caller's manifest says of one of its gates.
struct StatedPolicy {
  GatePolicy policy;
  std::string signers;  // the text of the allowed_signers file
  std::string fault;    // not empty: it states none that could be asked, and why
};

// What the composition brings to the gates of a log.
struct GateRules {
  std::map<std::string, StatedPolicy> stated;  // by gate
  CheckSignature check_signature;
  std::set<std::string> log_keys;  // vkeys that the log was ever signed with
  std::string origin;              // of the log
};

// The policy that the log holds of a gate: the newest record.
struct RecordedPolicy {
  GatePolicy policy;
  std::string digest;
  std::string signers;                     // the text of its allowed_signers file
  std::uint64_t sequence = 0;              // of the newest record
  std::vector<v1::GuardedTarget> targets;  // since the last change, by module
};

// By gate. kCorrupt: a record cannot be read as one.
Result<std::map<std::string, RecordedPolicy>> read_policies(const LogReader& log);

// "anna" of the claim "operator:anna": whom a name stands for.
std::string person_of(std::string_view name);

// Adds whom an actor is, as he claims and as was observed, to `names`. What was erased adds nobody.
Status add_persons(const LogReader& log, const v1::Actor& actor, std::set<std::string>& names);

struct GateAsk {
  std::string gate;
  std::string module;
  std::string guarded;
  std::string candidate_run;  // empty: none
  std::string plan_digest;    // of now; empty: only the log is asked
  std::optional<bool> clean_release;
  std::set<std::string> selves;  // of who asks
  std::int64_t now_ns = 0;
};

// The question as the log answers it now. kIo, kCorrupt, kUnavailable (no ssh-keygen).
Result<GateQuestion> ask_log(const LogReader& log, const GateRules& rules, const GateAsk& ask);

// Sequence of the newest ForkAccepted; absent: the log was never forked.
Result<std::optional<std::uint64_t>> newest_fork(const LogReader& log);

// The newest successful rehearsal of `guarded` ("backup", "exec", "restore") of a module; absent:
// none.
Result<std::optional<v1::RunState>> newest_rehearsal(const LogReader& log, std::string_view module,
                                                     std::string_view guarded);

// All approvals of a gate that were submitted, in order, judged by the signers of `policy`.
// `accepted` is the head of the log for one that nobody has judged yet; a rejected one is left out.
Result<std::vector<GateApproval>> read_approvals(const LogReader& log, const GateRules& rules,
                                                 const RecordedPolicy& policy);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_GATE_FACTS_H_
