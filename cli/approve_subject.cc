#include "cli/approve_subject.h"

#include <algorithm>
#include <set>

#include "cli/gate_rules.h"
#include "recorder/core/text.h"
#include "recorder/log/log_key.h"
#include "replay/find_run.h"

namespace muniment {
namespace {

constexpr std::size_t kShown = 80;

std::string in_quotes(std::string_view word) {
  return "`" + inert_short(word, kShown) + "`";
}

Status check_words(const ApproveOptions& options, const Manifest& manifest) {
  if (!manifest.gates.contains(options.gate)) {
    return fail(ErrorCode::kInvalid, "no gate " + in_quotes(options.gate) +
                                         " in the manifest; name one of its [gate.…]");
  }
  if (options.policy) return {};
  const Module* module = manifest.find(options.module);
  if (module == nullptr) {
    return fail(ErrorCode::kInvalid, "no module " + in_quotes(options.module) + " in the manifest");
  }
  if (module->gate == options.gate) return {};
  return fail(ErrorCode::kInvalid, "gate " + in_quotes(options.gate) + " does not guard module " +
                                       in_quotes(options.module) + " in the manifest");
}

// All that does not hang on a rehearsal.
Result<ApproveSubject> begin(const ApproveOptions& options, const Manifest& manifest,
                             const OpenLog& log, const std::string& guard) {
  ApproveSubject out;
  Result<v1::StoreState> state = log.reader->state();
  if (!state) return pass(state);
  out.folder = log.folder;
  out.origin = state->origin();
  out.gate = options.gate;
  // Nobody is to read and sign what is refused afterwards.
  Status extends = check_store_against_guard(*log.reader, out.folder, guard);
  if (!extends) return pass(extends);
  Result<NoteKey> key = read_verifier_key(out.folder, out.origin);
  if (!key) return pass(key);
  out.log_key = vkey_of(*key);
  Result<GateRules> rules = make_gate_rules(manifest, *log.reader, out.folder, guard);
  if (!rules) return pass(rules);
  out.rules = std::move(*rules);
  Result<std::map<std::string, RecordedPolicy>> policies = read_policies(*log.reader);
  if (!policies) return pass(policies);
  const auto held = policies->find(options.gate);
  const auto stated = out.rules.stated.find(options.gate);
  if (stated != out.rules.stated.end() && !stated->second.fault.empty()) {
    return fail(ErrorCode::kRefused, stated->second.fault);
  }
  if (held == policies->end()) {
    return fail(ErrorCode::kRefused, "no policy of gate " + in_quotes(options.gate) +
                                         " is on record; rehearse a module that it guards first");
  }
  out.policy = std::move(held->second);
  return out;
}

std::set<std::string> planned_modules(const v1::RunState& run) {
  std::set<std::string> out;
  for (const v1::StepState& step : run.steps()) {
    if (step.planned()) out.insert(step.module());
  }
  return out;
}

Status check_plan(const ApproveSubject& subject) {
  const std::string run = "the plan of run " + subject.rehearsal.run_id();
  const std::set<std::string> planned = planned_modules(subject.rehearsal);
  if (!planned.contains(subject.module)) {
    return fail(ErrorCode::kInvalid, "module " + in_quotes(subject.module) + " is not in " + run);
  }
  std::string guarded;
  std::size_t count = 0;
  for (const std::string& module : planned) {
    const auto& modules = subject.policy.policy.modules;
    if (!std::binary_search(modules.begin(), modules.end(), module)) continue;
    guarded += (count++ == 0 ? "" : ", ") + inert_short(module, kShown);
  }
  if (count < 2) return {};
  return fail(ErrorCode::kInvalid, "gate " + in_quotes(subject.gate) + " guards " +
                                       std::to_string(count) + " modules of " + run + " (" +
                                       guarded + "); an approval is for one: rehearse " +
                                       in_quotes(subject.module) + " alone");
}

Result<GateQuestion> ask(const LogReader& log, const ApproveSubject& subject, std::int64_t now_ns) {
  return ask_log(log, subject.rules,
                 {.gate = subject.gate,
                  .module = subject.module,
                  .guarded = subject.guarded,
                  .candidate_run = subject.rehearsal.run_id(),
                  .plan_digest = {},
                  .clean_release = {},
                  .selves = {},
                  .now_ns = now_ns});
}

// What no approval could make up for.
Status check_conditions(const ApproveSubject& subject) {
  const GateJudgement judged = judge_gate(subject.question);
  for (const v1::Condition& condition : judged.verdict.conditions()) {
    const bool needed = condition.name() == "policy" || condition.name() == "clock" ||
                        condition.name() == "candidate";
    if (!needed || condition.verdict() == v1::VERDICT_OK) continue;
    return fail(ErrorCode::kRefused,
                condition.detail() +
                    (condition.next().empty() ? std::string() : "; next: " + condition.next()));
  }
  return {};
}

Status fill_rehearsal(const ApproveOptions& options, const LogReader& log, std::int64_t now_ns,
                      ApproveSubject& out) {
  Result<v1::RunState> run = find_rehearsal(log, options.run, options.guarded);
  if (!run) return pass(run);
  out.module = options.module;
  out.guarded = options.guarded.empty() ? run->purpose() : options.guarded;
  out.plan_digest = run->plan_digest();
  out.rehearsal = std::move(*run);
  if (out.guarded != out.rehearsal.purpose()) {
    return fail(ErrorCode::kInvalid, "run " + out.rehearsal.run_id() + " rehearsed `" +
                                         inert_short(out.rehearsal.purpose(), kShown) +
                                         "`, which is no " + in_quotes(out.guarded) +
                                         "; an approval of one never opens the other");
  }
  if (Status status = check_plan(out); !status) return status;
  Result<GateQuestion> question = ask(log, out, now_ns);
  if (!question) return pass(question);
  out.question = std::move(*question);
  return check_conditions(out);
}

// A change is judged by the policy in force: its question has no candidate.
GateQuestion change_question(const ApproveSubject& subject, std::int64_t now_ns) {
  GateQuestion out;
  out.gate = subject.gate;
  out.plan_digest = subject.plan_digest;
  out.origin = subject.rules.origin;
  out.log_keys = subject.rules.log_keys;
  out.now_ns = now_ns;
  return out;
}

Status fill_change(const LogReader& log, std::int64_t now_ns, ApproveSubject& out) {
  const auto stated = out.rules.stated.find(out.gate);
  const std::string gate = "gate " + in_quotes(out.gate);
  if (stated == out.rules.stated.end() || !stated->second.fault.empty()) {
    return fail(ErrorCode::kInvalid, stated == out.rules.stated.end()
                                         ? "the manifest states no policy of " + gate
                                         : stated->second.fault);
  }
  out.guarded = std::string(kPolicyWord);
  out.plan_digest = policy_digest(stated->second.policy);
  if (out.plan_digest == out.policy.digest) {
    return fail(ErrorCode::kInvalid, "the policy of " + gate +
                                         " in the manifest is the one in force; there is no change "
                                         "to approve");
  }
  out.next = stated->second;
  out.question = change_question(out, now_ns);
  Result<std::optional<std::uint64_t>> forked = newest_fork(log);
  if (!forked) return pass(forked);
  out.question.forked = *forked;
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  out.question.head = state->size();
  Result<std::vector<GateApproval>> approvals = read_approvals(log, out.rules, out.policy);
  if (!approvals) return pass(approvals);
  out.question.approvals = std::move(*approvals);
  return {};
}

std::optional<std::string> fault_in(const GateApproval& approval, const ApproveSubject& subject,
                                    const GateQuestion& question, std::int64_t now_ns) {
  if (subject.is_change()) {
    return fault_of_change(approval, subject.policy.policy, question, now_ns);
  }
  return fault_of(approval, question, std::max(now_ns, question.candidate->finished_ns));
}

}  // namespace

std::string confirmation_of(const ApproveSubject& subject) {
  return subject.gate + "@" + subject.plan_digest.substr(0, 8);
}

Result<ApproveSubject> find_subject(const ApproveOptions& options, const Manifest& manifest,
                                    const OpenLog& log, const std::string& guard,
                                    std::int64_t now_ns) {
  if (Status status = check_words(options, manifest); !status) return pass(status);
  Result<ApproveSubject> out = begin(options, manifest, log, guard);
  if (!out) return out;
  Status filled = options.policy ? fill_change(*log.reader, now_ns, *out)
                                 : fill_rehearsal(options, *log.reader, now_ns, *out);
  if (!filled) return pass(filled);
  return out;
}

std::optional<std::string> fault_of_signed(const ApproveSubject& subject,
                                           const ApprovalStatement& statement,
                                           const SignatureCheck& signature, std::int64_t now_ns) {
  GateApproval approval;
  approval.submitted = subject.question.head;
  approval.accepted = subject.question.head;
  approval.statement = statement;
  approval.signature = signature;
  approval.actor_kind = v1::ACTOR_KIND_OPERATOR;
  approval.recorded_ns = now_ns;
  return fault_in(approval, subject, subject.question, now_ns);
}

Result<std::uint32_t> count_keys(const LogReader& log, const ApproveSubject& subject,
                                 std::int64_t now_ns) {
  GateQuestion question;
  if (subject.is_change()) {
    question = change_question(subject, now_ns);
    Result<std::vector<GateApproval>> approvals =
        read_approvals(log, subject.rules, subject.policy);
    if (!approvals) return pass(approvals);
    question.approvals = std::move(*approvals);
  } else {
    Result<GateQuestion> asked = ask(log, subject, now_ns);
    if (!asked) return pass(asked);
    question = std::move(*asked);
  }
  const Result<v1::StoreState> state = log.state();
  if (!state) return std::unexpected(state.error());
  std::set<std::string> keys;
  for (const GateApproval& approval : question.approvals) {
    if (approval.accepted < state->size() && !fault_in(approval, subject, question, now_ns)) {
      keys.insert(approval.signature.fingerprint);
    }
  }
  return static_cast<std::uint32_t>(keys.size());
}

}  // namespace muniment
