// What is to be approved, found in the log, and whether it can be.
#ifndef MUNIMENT_CLI_APPROVE_SUBJECT_H_
#define MUNIMENT_CLI_APPROVE_SUBJECT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "cli/app.h"
#include "cli/settings.h"
#include "recorder/gate_facts.h"

namespace muniment {

// `approve` as it was typed. Empty: not given.
struct ApproveOptions {
  std::string run;
  std::string gate;
  std::string module;
  std::string guarded;
  std::string key;
  std::string reason;
  std::string expires;
  std::string not_before;
  std::string confirm;
  std::string export_file;
  std::string import_file;
  std::string signature_file;
  bool request = false;
  bool policy = false;  // a change of the policy, no rehearsal
};

// A rehearsal and its candidate, or a change of the policy.
struct ApproveSubject {
  std::string folder;  // of the store
  std::string origin;
  std::string log_key;  // vkey
  std::string gate;
  std::string module;   // empty: a change of the policy
  std::string guarded;  // backup | exec | restore | policy
  std::string plan_digest;
  v1::RunState rehearsal;  // without an id: a change of the policy
  RecordedPolicy policy;   // in force
  GateRules rules;
  GateQuestion question;             // as the log answers it now
  std::optional<StatedPolicy> next;  // of a change: what would be in force

  bool is_change() const { return next.has_value(); }
};

// "F3@1a2b3c4d": what a person types to say that this very plan is meant.
std::string confirmation_of(const ApproveSubject& subject);

// kInvalid: the gate is none of the manifest's, the module is not in the plan, the gate guards more
// than one module of it. kRefused: the manifest's policy is not the one on record, the rehearsal is
// superseded, the clock is behind the log. kNotFound: no such rehearsal. `guard`: the guard folder.
Result<ApproveSubject> find_subject(const ApproveOptions& options, const Manifest& manifest,
                                    const OpenLog& log, const std::string& guard,
                                    std::int64_t now_ns);

// Why a signed statement would not count for the subject; absent: it would. Nothing is recorded.
std::optional<std::string> fault_of_signed(const ApproveSubject& subject,
                                           const ApprovalStatement& statement,
                                           const SignatureCheck& signature, std::int64_t now_ns);

// How many distinct keys approve the subject, as the log stands now.
Result<std::uint32_t> count_keys(const LogReader& log, const ApproveSubject& subject,
                                 std::int64_t now_ns);

}  // namespace muniment

#endif  // MUNIMENT_CLI_APPROVE_SUBJECT_H_
