#include "recorder/core/gate.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "recorder/core/notation.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"

namespace muniment {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kClockTolerance = 60 * kSecond;
constexpr std::size_t kShown = 200;

// An age of centuries does not fit: it is as good as any.
std::int64_t nanoseconds(std::chrono::seconds duration) {
  std::int64_t out = 0;
  if (__builtin_mul_overflow(duration.count(), kSecond, &out)) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return out;
}

// Whether `at` is at most `within` before `now`; what lies ahead of the clock is not old.
bool is_recent(std::int64_t at, std::chrono::seconds within, std::int64_t now) {
  std::int64_t age = 0;
  if (__builtin_sub_overflow(now, at, &age)) return false;
  return age <= nanoseconds(within);
}

std::string short_digest(std::string_view digest) {
  return std::string(digest.substr(0, 8));
}

// A word that a shell takes as it is, or in quotes.
std::string word(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("._-/:@").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain && !text.empty()) return std::string(text);
  std::string out = "'";
  for (const char c : inert_short(text, kShown)) out += c == '\'' ? R"('\'')" : std::string(1, c);
  return out + "'";
}

// What a condition comes to.
struct Finding {
  v1::Verdict verdict = v1::VERDICT_OK;
  std::string detail;
  std::vector<std::uint64_t> decided_by;
  std::string next;
};

Finding ok(std::string detail, std::vector<std::uint64_t> decided_by) {
  return {v1::VERDICT_OK, std::move(detail), std::move(decided_by), {}};
}
Finding failed(std::string detail, std::vector<std::uint64_t> decided_by, std::string next = {}) {
  return {v1::VERDICT_FAILED, std::move(detail), std::move(decided_by), std::move(next)};
}
Finding missing(std::string detail, std::string next) {
  return {v1::VERDICT_MISSING, std::move(detail), {}, std::move(next)};
}

std::string rehearse_command(const GateQuestion& question) {
  if (question.guarded == "exec") {
    return "muniment exec --module " + word(question.module) + " --gate " + word(question.gate) +
           " --dry-run -- CMD";
  }
  return "muniment backup " + word(question.module) + " --dry-run";
}

std::string approve_command(const GateQuestion& question) {
  return "muniment approve " + question.candidate->run_id + " --gate " + word(question.gate) +
         " --module " + word(question.module);
}

Finding judge_policy(const GateQuestion& question) {
  const std::string gate = "gate " + inert_short(question.gate, kShown);
  if (!question.stated_fault.empty()) return failed(question.stated_fault, {});
  if (!question.policy) {
    return missing("no policy of " + gate + " is on record", rehearse_command(question));
  }
  const GatePolicy& policy = *question.policy;
  const std::vector<std::uint64_t> proof = {question.policy_sequence};
  if (question.stated_digest.empty()) {
    return failed("the manifest does not bind module " + inert_short(question.module, kShown) +
                      " to " + gate + ", which guards what it stands for",
                  proof);
  }
  const std::string held = policy_digest(policy);
  if (question.stated_digest != held) {
    return failed("the manifest states policy " + short_digest(question.stated_digest) +
                      ", the log holds " + short_digest(held) +
                      ": a change wants the approval of the signers on record",
                  proof, "muniment approve --policy --gate " + word(question.gate));
  }
  if (!std::binary_search(policy.modules.begin(), policy.modules.end(), question.module)) {
    return failed("module " + inert_short(question.module, kShown) + " is not among those of " +
                      gate + ", which guards what it stands for under another name",
                  proof);
  }
  if (policy.signers_sha256.empty()) {
    return failed(gate + " has no signers, so it never opens", proof);
  }
  if (!guards(policy, question.guarded)) {
    return failed(gate + " does not guard " + inert_short(question.guarded, kShown), proof);
  }
  return ok("policy " + short_digest(held) + ", as the manifest states it", proof);
}

Finding judge_clock(const GateQuestion& question) {
  std::int64_t behind = 0;
  if (__builtin_sub_overflow(question.head_ns, question.now_ns, &behind) ||
      behind > kClockTolerance) {
    return failed("the clock is behind the log's last event by more than 60 s; set it right",
                  {question.head == 0 ? 0 : question.head - 1});
  }
  return ok("not behind the log", {});
}

Finding judge_candidate(const GateQuestion& question) {
  if (!question.candidate) {
    return missing("no rehearsal of module " + inert_short(question.module, kShown) +
                       " was named: what runs under a gate is a plan that was rehearsed (--plan)",
                   rehearse_command(question));
  }
  const GateCandidate& candidate = *question.candidate;
  if (!candidate.superseded_by.empty()) {
    return failed("run " + candidate.run_id + " is superseded by the newer rehearsal " +
                      candidate.superseded_by,
                  {candidate.sequence, candidate.superseded_sequence},
                  "muniment approve " + candidate.superseded_by + " --gate " + word(question.gate) +
                      " --module " + word(question.module));
  }
  if (candidate.gated_modules != 1) {
    return failed("run " + candidate.run_id + " rehearsed " +
                      std::to_string(candidate.gated_modules) +
                      " modules that this gate guards; an approval is for one",
                  {candidate.sequence}, rehearse_command(question));
  }
  if (!question.plan_digest.empty() && question.plan_digest != candidate.plan_digest) {
    return failed("the plan of now is " + short_digest(question.plan_digest) + ", rehearsed was " +
                      short_digest(candidate.plan_digest),
                  {candidate.sequence}, rehearse_command(question));
  }
  return ok("run " + candidate.run_id + ", plan " + short_digest(candidate.plan_digest),
            {candidate.sequence});
}

bool is_about(const GateApproval& approval, const GateQuestion& question) {
  return question.candidate && approval.statement.run_id == question.candidate->run_id &&
         approval.statement.module == question.module;
}

Finding judge_approvals(const GateQuestion& question, std::int64_t gate_time,
                        std::vector<std::uint64_t>& opened_by) {
  const std::uint32_t needed = question.policy ? question.policy->approvals : 1;
  if (!question.policy || !question.candidate) {
    return missing("there is nothing yet that could be approved", rehearse_command(question));
  }
  std::set<std::string> keys;
  std::string fault;
  std::vector<std::uint64_t> seen;
  for (const GateApproval& approval : question.approvals) {
    if (!is_about(approval, question)) continue;
    const bool judged = approval.accepted < question.head;
    const auto why = judged ? fault_of(approval, question, gate_time)
                            : std::optional<std::string>("it was not accepted yet");
    if (why) {
      seen.push_back(judged ? approval.accepted : approval.submitted);
      fault = "#" + std::to_string(seen.back()) + ": " + *why;
    } else {
      keys.insert(approval.signature.fingerprint);
      opened_by.push_back(approval.accepted);
    }
  }
  if (keys.size() >= needed && needed > 0) {
    return ok(std::to_string(std::min<std::size_t>(keys.size(), needed)) + " of " +
                  std::to_string(needed),
              opened_by);
  }
  std::string detail = std::to_string(keys.size()) + " of " + std::to_string(needed) +
                       " approvals for run " + question.candidate->run_id;
  const bool none = seen.empty() && opened_by.empty();
  if (!fault.empty()) detail += "; " + fault;
  seen.insert(seen.end(), opened_by.begin(), opened_by.end());
  opened_by.clear();
  if (none) return missing(detail, approve_command(question));
  return failed(detail, std::move(seen), approve_command(question));
}

Finding judge_age(const std::optional<GateProof>& proof, const Need& need, const std::string& what,
                  std::int64_t gate_time, const std::string& next) {
  const std::chrono::seconds within = need.within.value_or(std::chrono::seconds(0));
  if (!proof) return missing("no " + what + " is on record", next);
  if (proof->verdict != v1::VERDICT_OK) {
    return failed("the newest " + what + " did not succeed", {proof->sequence}, next);
  }
  if (!is_recent(proof->at_ns, within, gate_time)) {
    return failed("the newest " + what + " is older than " + duration_word(within),
                  {proof->sequence}, next);
  }
  return ok(what + " within " + duration_word(within), {proof->sequence});
}

Finding judge_release(const GateQuestion& question) {
  if (!question.candidate) return missing("no rehearsal was named", rehearse_command(question));
  const GateCandidate& candidate = *question.candidate;
  if (!candidate.clean_release || !*candidate.clean_release) {
    return failed(candidate.clean_release ? "the release root was not clean at the rehearsal"
                                          : "it is not known whether the release root was clean",
                  {candidate.sequence}, rehearse_command(question));
  }
  if (question.clean_release.value_or(question.plan_digest.empty())) {
    return ok("the release root was clean", {candidate.sequence});
  }
  return failed(question.clean_release ? "the release root is not clean now"
                                       : "it is not known whether the release root is clean now",
                {candidate.sequence}, "git status in the release root");
}

Finding judge_drift(const GateQuestion& question) {
  if (!question.candidate) return missing("no rehearsal was named", rehearse_command(question));
  const GateCandidate& candidate = *question.candidate;
  if (!question.plan_digest.empty()) {
    if (question.plan_digest == candidate.plan_digest) {
      return ok("the plan of now is the rehearsed one", {candidate.sequence});
    }
    return failed("the plan of now is " + short_digest(question.plan_digest), {candidate.sequence},
                  rehearse_command(question));
  }
  if (candidate.drift) {
    return failed("an execution of run " + candidate.run_id + " found the world changed",
                  {candidate.sequence, *candidate.drift}, rehearse_command(question));
  }
  return ok("compared again before the first step", {candidate.sequence});
}

Finding judge_check(const GateQuestion& question, const std::string& name) {
  const std::string shown = "check " + inert_short(name, kShown);
  const std::string next = "muniment note " +
                           (question.candidate ? question.candidate->run_id : "RUN") + " --check " +
                           word(name) + "=ok";
  const auto found = question.checks.find(name);
  if (found == question.checks.end()) return missing(shown + " is not on record", next);
  const GateProof& proof = found->second;
  if (proof.verdict == v1::VERDICT_OK) return ok(shown + " is ok", {proof.sequence});
  return failed(shown + " is not ok", {proof.sequence}, next);
}

Finding judge_need(const GateQuestion& question, const Need& need, std::int64_t gate_time) {
  if (need.name == "dry_run") {
    std::optional<GateProof> proof;
    if (question.candidate) {
      proof = GateProof{.sequence = question.candidate->sequence,
                        .at_ns = question.candidate->finished_ns};
    }
    return judge_age(proof, need, "rehearsal", gate_time, rehearse_command(question));
  }
  if (need.name == "no_drift") return judge_drift(question);
  if (need.name == "clean_release") return judge_release(question);
  if (need.name == "verified_backup") {
    return judge_age(question.verified_backup, need, "verified backup", gate_time,
                     "muniment backup --plan RUN");
  }
  if (need.name == "restore_test") {
    return judge_age(question.restore_test, need, "restore test", gate_time,
                     "muniment restore-test RUN " + word(question.module));
  }
  if (need.name == "check") return judge_check(question, need.value);
  return failed("this program does not know the condition " + inert_short(need.name, kShown), {});
}

std::int64_t gate_time_of(const GateQuestion& question) {
  std::int64_t time = question.now_ns;
  const auto rely_on = [&](std::int64_t at) { time = std::max(time, at); };
  if (question.candidate) rely_on(question.candidate->finished_ns);
  if (question.verified_backup) rely_on(question.verified_backup->at_ns);
  if (question.restore_test) rely_on(question.restore_test->at_ns);
  for (const auto& [name, proof] : question.checks) rely_on(proof.at_ns);
  for (const GateApproval& approval : question.approvals) {
    if (is_about(approval, question)) rely_on(approval.recorded_ns);
  }
  return time;
}

void add(v1::GateEvaluated& out, std::string name, Finding finding) {
  v1::Condition& condition = *out.add_conditions();
  condition.set_name(std::move(name));
  condition.set_verdict(finding.verdict);
  condition.set_detail(std::move(finding.detail));
  condition.set_next(std::move(finding.next));
  for (const std::uint64_t sequence : finding.decided_by) condition.add_decided_by(sequence);
}

}  // namespace

GateJudgement judge_gate(const GateQuestion& question) {
  GateJudgement out;
  const std::int64_t gate_time = gate_time_of(question);
  v1::GateEvaluated& verdict = out.verdict;
  verdict.set_gate(question.gate);
  verdict.set_guarded(question.guarded);
  if (question.candidate) verdict.set_candidate_run(question.candidate->run_id);
  verdict.set_plan_digest(question.plan_digest.empty() && question.candidate
                              ? question.candidate->plan_digest
                              : question.plan_digest);
  if (question.policy) verdict.set_policy_digest(policy_digest(*question.policy));
  *verdict.mutable_gate_time() = timestamp_of(gate_time);
  add(verdict, "policy", judge_policy(question));
  add(verdict, "clock", judge_clock(question));
  add(verdict, "candidate", judge_candidate(question));
  add(verdict, "approval", judge_approvals(question, gate_time, out.opened_by));
  if (question.policy) {
    const auto needs = question.policy->needs.find(question.guarded);
    if (needs != question.policy->needs.end()) {
      for (const Need& need : needs->second) {
        add(verdict, need.name, judge_need(question, need, gate_time));
      }
    }
  }
  const bool open = std::all_of(
      verdict.conditions().begin(), verdict.conditions().end(),
      [](const v1::Condition& condition) { return condition.verdict() == v1::VERDICT_OK; });
  verdict.set_open(open);
  if (!open) out.opened_by.clear();
  return out;
}

}  // namespace muniment
