#include "cli/approve_draft.h"

#include "recorder/clock.h"
#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/text.h"
#include "replay/query.h"

namespace muniment {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kMostReasonBytes = 64U << 10U;

Result<std::int64_t> start_of(const ApproveOptions& options, std::int64_t now_ns) {
  if (options.not_before.empty()) return now_ns;
  if (parse_duration(options.not_before)) {
    return fail(ErrorCode::kInvalid, "--not-before " + options.not_before +
                                         " is a duration; expected a time such as "
                                         "2026-11-22T09:42:00Z");
  }
  return parse_time(options.not_before, now_ns);
}

Result<std::chrono::seconds> life_of(const ApproveOptions& options, const GatePolicy& policy) {
  if (options.expires.empty()) return policy.expires;
  const std::optional<std::chrono::seconds> asked = parse_duration(options.expires);
  if (asked && *asked <= policy.expires) return *asked;
  return fail(ErrorCode::kInvalid, "--expires " + inert_short(options.expires, 80) +
                                       (asked ? " is longer than" : " is no duration; expected") +
                                       " at most " + duration_word(policy.expires) +
                                       ", which is what gate " + inert_short(policy.gate, 80) +
                                       " allows");
}

Status set_times(const ApproveOptions& options, const GatePolicy& policy, std::int64_t now_ns,
                 ApprovalStatement& out) {
  Result<std::int64_t> start = start_of(options, now_ns);
  if (!start) return pass(start);
  Result<std::chrono::seconds> life = life_of(options, policy);
  if (!life) return pass(life);
  std::int64_t length = 0;
  out.not_before_ns = *start;
  const bool fits = !__builtin_mul_overflow(life->count(), kSecond, &length) &&
                    !__builtin_add_overflow(*start, length, &out.expires_ns);
  if (fits && out.expires_ns > now_ns) return {};
  return fail(ErrorCode::kInvalid,
              fits ? "it would have expired already; name a later --not-before or none"
                   : "--not-before and --expires lie too far ahead");
}

std::string make_nonce() {
  const auto random = random_bytes();
  return to_hex(std::string_view(reinterpret_cast<const char*>(random.data()), kNonceBytes));
}

}  // namespace

Result<ApprovalDraft> draft_approval(const ApproveSubject& subject, const ApproveOptions& options,
                                     const Redactor& secrets, std::int64_t now_ns) {
  if (options.reason.size() > kMostReasonBytes) {
    return fail(ErrorCode::kInvalid, "--reason has " + std::to_string(options.reason.size()) +
                                         " bytes; say it in up to 65536");
  }
  ApprovalDraft out;
  ApprovalStatement& said = out.statement;
  said.guarded = subject.guarded;
  said.gate = subject.gate;
  said.module = subject.is_change() ? "-" : subject.module;
  said.run_id = subject.is_change() ? "-" : subject.rehearsal.run_id();
  said.plan_digest = subject.plan_digest;
  said.policy_digest = subject.policy.digest;
  said.log_key = subject.log_key;
  said.origin = subject.origin;
  said.nonce = make_nonce();
  said.reason = "-";
  if (Status status = set_times(options, subject.policy.policy, now_ns, said); !status) {
    return pass(status);
  }
  if (!options.reason.empty()) {
    out.reason = hide(secrets.redact(options.reason));
    said.reason = to_hex(out.reason->field.commitment());
  }
  out.text = format_approval(said);
  return out;
}

}  // namespace muniment
