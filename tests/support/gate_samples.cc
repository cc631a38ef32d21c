#include "tests/support/gate_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "recorder/core/base64.h"
#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/core/signers.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"

namespace muniment {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kNameBytes =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
constexpr std::int64_t kMinute = 60 * kGateSecond;

std::string framed(std::string_view text) {
  std::string out = {'\0', '\0', '\0', static_cast<char>(text.size())};
  return out.append(text);
}

std::string name(Generator& draw) {
  return draw.text(1, kNameBytes.substr(0, 62)) + draw.text(draw.below(20), kNameBytes);
}

std::chrono::seconds duration(Generator& draw, std::size_t most) {
  const std::size_t ends[] = {1, most, draw.between(1, most)};
  return std::chrono::seconds(ends[draw.below(3)]);
}

Need random_need(Generator& draw) {
  const std::string words[] = {"dry_run",      "no_drift", "verified_backup", "clean_release",
                               "restore_test", "check",    "of_tomorrow"};
  Need out{.name = words[draw.below(7)], .within = {}, .value = {}};
  if (out.name == "check") {
    out.value = draw.one_in(2) ? draw.text(draw.between(1, 12), "ci smoke\\\n\t\"") : draw.bytes(8);
  } else if (out.name.ends_with("_run") || out.name.ends_with("_backup") ||
             out.name.ends_with("_test")) {
    out.within = duration(draw, 1000ULL * 365 * 86400);
  }
  return out;
}

std::int64_t random_time(Generator& draw) {
  constexpr std::int64_t kMost = 9'214'646'399'999'999'999;  // the end of 2261
  const std::int64_t around[] = {
      0, kGateNow, kMost - 1,
      static_cast<std::int64_t>(draw.below(static_cast<std::size_t>(kMost)))};
  return around[draw.below(4)];
}

// One of the words of a list.
bool is_named(std::string_view words, std::string_view word) {
  return (" " + std::string(words) + " ").contains(" " + std::string(word) + " ");
}

void rehearse(GateQuestion& question) {
  question.candidate = GateCandidate{.run_id = "01900000-0000-7000-8000-0000000000aa",
                                     .sequence = 20,
                                     .finished_ns = kGateNow - 60 * kMinute,
                                     .plan_digest = to_hex(sha256("plan")),
                                     .clean_release = true,
                                     .gated_modules = 1,
                                     .superseded_by = {},
                                     .superseded_sequence = 0,
                                     .drift = {}};
  question.plan_digest = question.candidate->plan_digest;
}

}  // namespace

std::string sample_public_key(char byte, std::string_view type) {
  return std::string(type) + " " + base64(framed(type) + framed(std::string(32, byte)));
}

std::string sample_signers() {
  return "anna " + sample_public_key('a') + "\nben " + sample_public_key('b') + "\ncarla " +
         sample_public_key('c') + "\n";
}

GatePolicy sample_policy() {
  const Need dry_run{.name = "dry_run", .within = std::chrono::hours(24), .value = {}};
  const Need no_drift{.name = "no_drift", .within = {}, .value = {}};
  return {.gate = "F3",
          .guards = {"backup", "exec"},
          .modules = {"forgejo", "notes"},
          .approvals = 2,
          .no_self_approval = true,
          .expires = std::chrono::hours(12),
          .keys = {},
          .needs = {{"backup", {dry_run, no_drift}},
                    {"exec",
                     {{.name = "verified_backup", .within = std::chrono::hours(24), .value = {}},
                      {.name = "check", .within = {}, .value = "smoke\tof the canary"}}}},
          .signers_sha256 = to_hex(sha256(sample_signers())),
          .guard_folder = "/var/lib/muniment-guard"};
}

ApprovalStatement sample_statement() {
  return {.guarded = "backup",
          .gate = "F3",
          .module = "notes",
          .run_id = "01900000-0000-7000-8000-0000000000aa",
          .plan_digest = "2708ed2fc6df4aa2e1c8dcdc9b3bd4f68793bff651d88f16b266c233b9b0d007",
          .policy_digest = policy_digest(sample_policy()),
          .log_key = std::string(kGateLogKey),
          .origin = std::string(kGateOrigin),
          .not_before_ns = kGateNow,
          .expires_ns = kGateNow + 12 * 60 * kMinute,
          .nonce = "00112233445566778899aabbccddeeff",
          .reason = "-"};
}

GatePolicy random_policy(Generator& draw) {
  GatePolicy out;
  out.gate = name(draw);
  for (const char* const word : {"backup", "exec", "restore"}) {
    if (draw.one_in(2)) out.guards.emplace_back(word);
    std::vector<Need> needs(draw.below(4));
    std::generate(needs.begin(), needs.end(), [&] { return random_need(draw); });
    if (!needs.empty()) out.needs[word] = needs;
  }
  std::set<std::string> modules;
  for (std::size_t i = draw.below(5); i > 0; --i) modules.insert(name(draw));
  out.modules.assign(modules.begin(), modules.end());
  out.approvals = static_cast<std::uint32_t>(draw.between(1, 16));
  out.no_self_approval = draw.one_in(2);
  out.expires = duration(draw, 86400);
  if (draw.one_in(2)) out.keys = "sk";
  if (!draw.one_in(4)) out.signers_sha256 = draw.text(64, kHexDigits);
  if (draw.one_in(2)) out.guard_folder = inert("/srv/" + draw.bytes(draw.below(8)));
  return out;
}

ApprovalStatement random_statement(Generator& draw) {
  const char* const words[] = {"backup", "exec", "restore", "policy"};
  ApprovalStatement out;
  out.guarded = words[draw.below(4)];
  out.gate = name(draw);
  out.module = out.guarded == kPolicyWord ? "-" : name(draw);
  out.run_id = out.guarded == kPolicyWord ? "-" : name(draw);
  out.plan_digest = draw.text(64, kHexDigits);
  out.policy_digest = draw.text(64, kHexDigits);
  out.origin = draw.text(draw.between(1, 40), "abcXYZ019./-_\\~");
  out.log_key = out.origin + "+" + draw.text(8, kHexDigits) + "+" + base64(draw.bytes(33));
  out.not_before_ns = random_time(draw);
  out.expires_ns = out.not_before_ns + (draw.one_in(2) ? 1 : kMinute);
  if (out.expires_ns > 9'214'646'399'999'999'999) out.expires_ns = out.not_before_ns + 1;
  out.nonce = draw.text(32, kHexDigits);
  out.reason = draw.one_in(2) ? "-" : draw.text(64, kHexDigits);
  return out;
}

std::string other_bytes(char byte) {
  std::string out("\0\t\n\r -./059:AFaf\\{}\x7f\xff", 22);
  for (unsigned bit = 0; bit < 8; ++bit) {
    out += static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
  }
  std::erase(out, byte);
  return out;
}

GateApproval sample_approval(const GateQuestion& question, const std::string& principal,
                             std::uint64_t submitted) {
  GateApproval out;
  out.submitted = submitted;
  out.accepted = submitted + 1;
  out.statement = {.guarded = question.guarded,
                   .gate = question.gate,
                   .module = question.module,
                   .run_id = question.candidate->run_id,
                   .plan_digest = question.candidate->plan_digest,
                   .policy_digest = policy_digest(*question.policy),
                   .log_key = std::string(kGateLogKey),
                   .origin = question.origin,
                   .not_before_ns = kGateNow - 30 * kMinute,
                   .expires_ns = kGateNow + 60 * kMinute,
                   .nonce = to_hex(sha256(principal + std::to_string(submitted))).substr(0, 32),
                   .reason = "-"};
  const auto signers = parse_signers("x " + sample_public_key(principal.front()) + "\n");
  check(signers.has_value(), "a sample key is a key");
  out.signature = {.good = true,
                   .principal = principal,
                   .fingerprint = signers->front().fingerprint,
                   .security_key = false,
                   .why = {}};
  out.actor_kind = v1::ACTOR_KIND_OPERATOR;
  out.recorded_ns = kGateNow - 30 * kMinute;
  return out;
}

GateQuestion open_question(const std::string& guarded) {
  const Need dry_run{.name = "dry_run", .within = std::chrono::hours(24), .value = {}};
  const Need no_drift{.name = "no_drift", .within = {}, .value = {}};
  const Need clean{.name = "clean_release", .within = {}, .value = {}};
  const Need verified{.name = "verified_backup", .within = std::chrono::hours(24), .value = {}};
  const Need tested{.name = "restore_test", .within = std::chrono::hours(48), .value = {}};
  const Need canary{.name = "check", .within = {}, .value = "canary"};
  GateQuestion out;
  out.gate = "F3";
  out.module = "notes";
  out.guarded = guarded;
  out.policy = sample_policy();
  out.policy->approvals = 1;
  out.policy->no_self_approval = false;
  out.policy->needs = {{"backup", {dry_run, no_drift, clean, tested, canary}},
                       {"exec", {dry_run, no_drift, verified}}};
  out.policy_sequence = 3;
  out.verified_backup = GateProof{.sequence = 10, .at_ns = kGateNow - 120 * kMinute};
  out.restore_test = GateProof{.sequence = 12, .at_ns = kGateNow - 90 * kMinute};
  out.checks["canary"] = GateProof{.sequence = 22, .at_ns = kGateNow - 50 * kMinute};
  out.clean_release = true;
  out.selves = {"deploy"};
  out.log_keys = {std::string(kGateLogKey)};
  out.origin = kGateOrigin;
  out.now_ns = kGateNow;
  out.head_ns = kGateNow - kMinute;
  out.head = 40;
  rehearse(out);
  out.approvals = {sample_approval(out, "anna", 25)};
  restate(out);
  return out;
}

void restate(GateQuestion& question) {
  question.stated_digest = policy_digest(*question.policy);
  for (GateApproval& approval : question.approvals) {
    approval.statement.policy_digest = question.stated_digest;
  }
}

void PrintTo(const GateCase& row, std::ostream* out) {
  *out << row.name;
}

v1::Condition condition_of(const GateJudgement& judgement, const std::string& name) {
  for (const v1::Condition& condition : judgement.verdict.conditions()) {
    if (condition.name() == name) return condition;
  }
  ADD_FAILURE() << "no condition " << name;
  return {};
}

void judge_case(const GateCase& row) {
  GateQuestion question = open_question(row.guarded);
  ASSERT_TRUE(judge_gate(question).verdict.open()) << "the question is not open to begin with";
  row.change(question);
  const GateJudgement judgement = judge_gate(question);
  EXPECT_EQ(judgement.verdict.open(), row.open());
  EXPECT_EQ(judgement.opened_by.empty(), !row.open());
  for (const v1::Condition& condition : judgement.verdict.conditions()) {
    const bool ok = condition.verdict() == v1::VERDICT_OK;
    EXPECT_EQ(!ok, is_named(row.conditions, condition.name()))
        << condition.name() << ": " << condition.detail();
    EXPECT_FALSE(condition.detail().empty()) << condition.name();
    EXPECT_TRUE(!ok || condition.next().empty()) << condition.name() << ": " << condition.next();
    for (const std::uint64_t sequence : condition.decided_by()) {
      EXPECT_LT(sequence, question.head) << condition.name();
    }
  }
  if (row.open()) return;
  const std::string_view all = row.conditions;
  const v1::Condition failed = condition_of(judgement, std::string(all.substr(0, all.find(' '))));
  EXPECT_NE(failed.detail().find(row.detail), std::string::npos) << failed.detail();
}

}  // namespace muniment
