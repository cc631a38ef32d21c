// The statement that is to be signed, and the page that a person reads before.
#ifndef MUNIMENT_CLI_APPROVE_DRAFT_H_
#define MUNIMENT_CLI_APPROVE_DRAFT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "cli/approve_subject.h"
#include "recorder/core/redact.h"
#include "recorder/stamper.h"

namespace muniment {

// A statement with the text of its reason. The reason is none of the signed text: it can be erased.
struct ApprovalDraft {
  ApprovalStatement statement;
  std::string text;              // of the statement: what is signed
  std::optional<Hidden> reason;  // absent: none was given
};

// What is typed becomes a statement: from now on, or from --not-before; for --expires, at most for
// as long as the policy lets an approval live. kInvalid: a time that is none, or too long.
Result<ApprovalDraft> draft_approval(const ApproveSubject& subject, const ApproveOptions& options,
                                     const Redactor& secrets, std::int64_t now_ns);

// What is approved, for whoever signs: candidate, plan, steps, what the rehearsal saw, how long it
// holds, what blocks the gate besides. Of a change of the policy: what changes. Inert. `reason` is
// redacted already.
Result<std::string> page_of(const ApproveSubject& subject, const ApprovalStatement& statement,
                            const std::string& reason, const LogReader& log);

}  // namespace muniment

#endif  // MUNIMENT_CLI_APPROVE_DRAFT_H_
