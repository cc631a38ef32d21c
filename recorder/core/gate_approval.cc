#include <algorithm>

#include "recorder/core/check.h"
#include "recorder/core/gate.h"
#include "recorder/core/notation.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kShown = 200;

std::string short_digest(std::string_view digest) {
  return inert_short(digest.substr(0, 8), kShown);
}

std::string_view user_of(std::string_view name) {
  return name.substr(0, name.find('@'));
}

// "anna" and "anna@laptop" are one person.
bool is_self(const SignatureCheck& signature, const std::set<std::string>& selves) {
  return selves.contains(signature.fingerprint) ||
         std::any_of(selves.begin(), selves.end(), [&](const std::string& self) {
           return user_of(self) == user_of(signature.principal);
         });
}

// What holds for every approval, whatever it is about.
std::optional<std::string> general_fault(const GateApproval& approval, const GatePolicy& policy,
                                         const GateQuestion& question, std::int64_t gate_time) {
  const ApprovalStatement& said = approval.statement;
  if (!approval.fault.empty()) return approval.fault;
  if (question.forked && approval.submitted < *question.forked) {
    return "it was given before the fork that #" + std::to_string(*question.forked) +
           " accepts: what became of it since is not known";
  }
  if (approval.revoked) return "it was revoked by #" + std::to_string(*approval.revoked);
  if (approval.consumed) {
    return approval.consumed_by.empty() ? std::string("a change of the policy consumed it")
                                        : "it was consumed by run " + approval.consumed_by;
  }
  if (!approval.signature.good) return "its signature does not hold: " + approval.signature.why;
  if (approval.actor_kind != v1::ACTOR_KIND_OPERATOR) {
    return "it was not submitted by an operator: only people approve";
  }
  if (said.gate != question.gate) return "it is for gate " + inert_short(said.gate, kShown);
  if (said.origin != question.origin) return "it is for the log of another host";
  if (!question.log_keys.contains(said.log_key)) return "it names another log key";
  if (said.policy_digest != policy_digest(policy)) {
    return "it was given under policy " + short_digest(said.policy_digest);
  }
  if (policy.keys == "sk" && !approval.signature.security_key) {
    return "its key is no security key (keys = \"sk\")";
  }
  std::int64_t life = 0;
  if (__builtin_sub_overflow(said.expires_ns, said.not_before_ns, &life) ||
      life > std::chrono::nanoseconds(policy.expires).count()) {
    return "it claims to hold for longer than " + duration_word(policy.expires);
  }
  if (gate_time < said.not_before_ns) return "it does not hold yet";
  if (gate_time >= said.expires_ns) return "it has expired";
  const bool replayed = std::any_of(
      question.approvals.begin(), question.approvals.end(), [&](const GateApproval& other) {
        return other.submitted < approval.submitted && other.statement.nonce == said.nonce;
      });
  if (replayed) return "its nonce was used before";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> fault_of(const GateApproval& approval, const GateQuestion& question,
                                    std::int64_t gate_time_ns) {
  check(question.policy && question.candidate, "an approval is judged for a candidate");
  const ApprovalStatement& said = approval.statement;
  const GateCandidate& candidate = *question.candidate;
  if (auto fault = general_fault(approval, *question.policy, question, gate_time_ns)) return fault;
  if (said.guarded != question.guarded) {
    return "it is for " + inert_short(said.guarded, kShown) + ", not for " + question.guarded;
  }
  if (said.module != question.module) {
    return "it is for module " + inert_short(said.module, kShown);
  }
  if (said.run_id != candidate.run_id) return "it is for the rehearsal " + said.run_id;
  if (said.plan_digest != candidate.plan_digest) {
    return "it is for plan " + short_digest(said.plan_digest);
  }
  if (!candidate.superseded_by.empty()) {
    return "its rehearsal is superseded by " + candidate.superseded_by;
  }
  if (approval.submitted <= candidate.sequence) return "it was given before its rehearsal ended";
  if (question.policy->no_self_approval && is_self(approval.signature, question.selves)) {
    return "it was given by who rehearsed or executes (no_self_approval)";
  }
  return std::nullopt;
}

std::optional<std::string> fault_of_change(const GateApproval& approval,
                                           const GatePolicy& old_policy,
                                           const GateQuestion& question,
                                           std::int64_t gate_time_ns) {
  if (auto fault = general_fault(approval, old_policy, question, gate_time_ns)) return fault;
  if (approval.statement.guarded != kPolicyWord) return "it is for no change of the policy";
  if (approval.statement.plan_digest != question.plan_digest) {
    return "it is for policy " + short_digest(approval.statement.plan_digest);
  }
  return std::nullopt;
}

}  // namespace muniment
