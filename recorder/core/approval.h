// The statement that an operator signs: what is approved, for how long, in which log. Pure.
// The text form and a worked example are in proto/GATES.md.
#ifndef MUNIMENT_RECORDER_CORE_APPROVAL_H_
#define MUNIMENT_RECORDER_CORE_APPROVAL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "recorder/core/result.h"

namespace muniment {

// The namespace of the SSH signature (PROTOCOL.sshsig): a signature made for anything else is none.
inline constexpr std::string_view kApprovalNamespace = "muniment-approval";

// The word in the place of a guarded command, where a change of the policy itself is approved.
inline constexpr std::string_view kPolicyWord = "policy";

struct ApprovalStatement {
  std::string guarded;  // backup | exec | restore | policy
  std::string gate;
  std::string module;              // the candidate; "-" for a change of the policy
  std::string run_id;              // the rehearsal; "-" for a change of the policy
  std::string plan_digest;         // of the rehearsed plan; of the new policy for a change of it
  std::string policy_digest;       // of the policy that is in force
  std::string log_key;             // vkey of the log
  std::string origin;              // of the log
  std::int64_t not_before_ns = 0;  // since 1970-01-01T00:00:00Z
  std::int64_t expires_ns = 0;     // the first nanosecond at which it no longer holds
  std::string nonce;               // 32 lower-case hexadecimal digits
  std::string reason;              // commitment of the Erasable, 64 hexadecimal digits; "-": none
};

// The text that is signed: one `key value` a line, in this order, each value on its line.
std::string format_approval(const ApprovalStatement& statement);

// The one reading of a text that format_approval() could have written. kInvalid for any other, with
// the line and what was expected there.
Result<ApprovalStatement> parse_approval(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_APPROVAL_H_
