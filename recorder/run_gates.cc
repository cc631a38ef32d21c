// The gates of a run: asked for all modules before anything is touched, and for each again directly
// before its first sink, where the approvals are consumed.
#include <algorithm>

#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "recorder/recorder.h"
#include "recorder/world/step_check.h"

namespace muniment {
namespace {

// Other processes append too: a verdict is worth what the log was when it was asked.
constexpr int kMostTries = 10;

std::string why_closed(const std::string& module, const v1::GateEvaluated& verdict) {
  std::string out = "gate " + verdict.gate() + " is closed for " + module;
  for (const v1::Condition& condition : verdict.conditions()) {
    if (condition.verdict() == v1::VERDICT_OK) continue;
    out += ": " + condition.name() + ": " + condition.detail();
    if (!condition.next().empty()) out += "; next: " + condition.next();
    break;
  }
  return out;
}

v1::Event verdict_event(const std::string& module, v1::GateEvaluated verdict) {
  v1::Event event;
  event.set_module(module);
  *event.mutable_gate_evaluated() = std::move(verdict);
  return event;
}

// Of a run that follows no rehearsal and does not act: it is one.
void name_as_candidate(const std::string& run_id, const std::string& module,
                       v1::GateEvaluated& verdict) {
  for (v1::Condition& condition : *verdict.mutable_conditions()) {
    if (condition.name() != "candidate" || condition.verdict() == v1::VERDICT_OK) continue;
    condition.set_detail("this run is the rehearsal: it can be approved once it has ended");
    condition.set_next("muniment approve " + run_id + " --gate " + inert(verdict.gate()) +
                       " --module " + inert(module));
  }
}

}  // namespace

Result<Gatekeeper::Answer> Recorder::ask_gate(const std::string& gate, const std::string& module) {
  const v1::ReleaseRoot& release = request_.started.release_root();
  Gatekeeper::Ask ask{.candidate_run = request_.started.follows_run(),
                      .plan_digest = plan_.digest,
                      .clean_release = {},
                      .actor = stamper_.envelope().actor,
                      .now_ns = ports_.clock.now().wall_ns};
  if (release.has_clean()) ask.clean_release = release.clean();
  Result<Gatekeeper::Answer> answer = gatekeeper_.ask(gate, module, ask);
  if (answer && !request_.gates.acts && ask.candidate_run.empty()) {
    name_as_candidate(stamper_.envelope().run_id, module, answer->judgement.verdict);
  }
  return answer;
}

// Consumes nothing: whatever else stops the run leaves the candidate as it is.
Status Recorder::check_gates(const Resolution& resolution) {
  const std::int64_t now_ns = ports_.clock.now().wall_ns;
  if (Status status = gatekeeper_.open_books(resolution.targets, now_ns); !status) return status;
  std::string closed;
  for (const Target& target : resolution.targets) {
    for (const std::string& gate : gatekeeper_.gates_of(target.module)) {
      Result<Gatekeeper::Answer> answer = ask_gate(gate, target.module);
      if (!answer) return pass(answer);
      v1::GateEvaluated& verdict = answer->judgement.verdict;
      if (!verdict.open() && closed.empty()) closed = why_closed(target.module, verdict);
      Status status = record_one(verdict_event(target.module, std::move(verdict)));
      if (!status) return status;
    }
  }
  if (request_.gates.acts) problem_ = closed;
  return {};
}

// Before the first sink of a module its gates are asked once more, before each later one only
// whether what opened them still holds.
Status Recorder::pass_gates(const v1::Step& step) {
  const std::string& module = step.module();
  if (!passed_.insert(module).second) return hold_gates(module);
  for (const std::string& gate : gatekeeper_.gates_of(module)) {
    if (Status status = pass_gate(gate, module); !status || gate_closed_) return status;
  }
  return {};
}

Status Recorder::pass_gate(const std::string& gate, const std::string& module) {
  // An approval is not spent on a step that no sink would carry out.
  for (const PlannedStep& planned : plan_.steps) {
    if (planned.step.module() != module) continue;
    if (const Status valid = validate_step(planned.step); !valid) return {};
  }
  for (int tried = 1;; ++tried) {
    if (Status status = request_.gates.take_inbox(); !status) return status;
    Result<Gatekeeper::Answer> answer = ask_gate(gate, module);
    if (!answer) return pass(answer);
    if (!request_.gates.acts) {
      return record_one(verdict_event(module, std::move(answer->judgement.verdict)));
    }
    if (!answer->judgement.verdict.open()) {
      return close_gate(module, std::move(answer->judgement.verdict));
    }
    Status opened = open_gate(module, *answer);
    const bool moved = !opened && opened.error().code == ErrorCode::kRefused;
    if (!moved || tried == kMostTries) return opened;
  }
}

// The verdict and the consumption in one append, at the head that was judged.
Status Recorder::open_gate(const std::string& module, Gatekeeper::Answer& answer) {
  GateJudgement& judgement = answer.judgement;
  Bodies bodies;
  v1::Event& consumed = bodies.emplace_back();
  consumed.set_module(module);
  consumed.mutable_approval_consumed()->set_gate(judgement.verdict.gate());
  for (const std::uint64_t sequence : judgement.opened_by) {
    consumed.mutable_approval_consumed()->add_accepted_sequences(sequence);
  }
  bodies.push_back(verdict_event(module, std::move(judgement.verdict)));
  // Both follow from what was before: a rehearsal has the verdict alone.
  caused_by_ = state_.last_event_id();
  Status recorded = record(std::move(bodies), {}, answer.head);
  caused_by_.clear();
  if (!recorded) return recorded;
  gatekeeper_.consumed(module, judgement.opened_by);
  const Status kept = request_.gates.keep();
  if (kept) return {};
  gate_closed_ = true;
  problem_ =
      "the consumed approval could not be made known outside the store: " + kept.error().message;
  return {};
}

Status Recorder::hold_gates(const std::string& module) {
  Result<std::optional<std::uint64_t>> revoked = gatekeeper_.find_revocation(module);
  if (!revoked) return pass(revoked);
  if (!revoked->has_value()) return {};
  v1::GateEvaluated verdict;
  for (const std::string& gate : gatekeeper_.gates_of(module)) verdict.set_gate(gate);
  verdict.set_guarded(request_.started.purpose());
  verdict.set_candidate_run(request_.started.follows_run());
  verdict.set_plan_digest(plan_.digest);
  v1::Condition& condition = *verdict.add_conditions();
  condition.set_name("approval");
  condition.set_verdict(v1::VERDICT_FAILED);
  condition.set_detail("it was revoked by #" + std::to_string(**revoked) +
                       " after it was consumed");
  condition.add_decided_by(**revoked);
  return close_gate(module, std::move(verdict));
}

Status Recorder::close_gate(const std::string& module, v1::GateEvaluated verdict) {
  gate_closed_ = true;
  problem_ = why_closed(module, verdict);
  return record_one(verdict_event(module, std::move(verdict)));
}

}  // namespace muniment
