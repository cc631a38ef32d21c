#include "replay/blockers.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "replay/json.h"

namespace muniment {
namespace {

using Sequences = std::vector<std::uint64_t>;

// Collects what fails and what is not known; says `pass` only when nothing does and nothing is.
struct Judgement {
  Sequences proof;
  Sequences failed;
  Sequences unknown;
  std::string detail;
};

void add(v1::Evidence& evidence, std::string name, std::string verdict, std::string detail,
         const Sequences& sequences) {
  v1::Blocker& blocker = *evidence.add_blockers();
  blocker.set_name(std::move(name));
  blocker.set_verdict(std::move(verdict));
  blocker.set_detail(std::move(detail));
  for (const std::uint64_t sequence : sequences) blocker.add_sequences(sequence);
}

void add(v1::Evidence& evidence, std::string name, const Judgement& judged) {
  if (!judged.failed.empty())
    return add(evidence, std::move(name), "fail", judged.detail, judged.failed);
  if (!judged.unknown.empty()) {
    return add(evidence, std::move(name), "unknown", judged.detail, judged.unknown);
  }
  add(evidence, std::move(name), "pass", judged.detail, judged.proof);
}

bool is_open(const v1::StepState& step) {
  return step.status() == "unknown" || step.status() == "started";
}

// Of checks with one name the newest counts.
void checks(v1::Evidence& evidence) {
  const auto& all = evidence.run().checks();
  for (const v1::CheckState& check : all) {
    const bool outdated = std::any_of(all.begin(), all.end(), [&](const v1::CheckState& other) {
      return other.name() == check.name() && other.sequence() > check.sequence();
    });
    if (outdated) continue;
    const char* verdict = check.verdict() == v1::VERDICT_OK        ? "pass"
                          : check.verdict() == v1::VERDICT_MISSING ? "unknown"
                                                                   : "fail";
    add(evidence, "check " + inert_short(check.name(), 80), verdict, inert_short(check.url(), 200),
        {check.sequence()});
  }
}

void wrote_nothing(v1::Evidence& evidence) {
  const v1::RunState& run = evidence.run();
  if (run.mode() != v1::MODE_DRY_RUN) {
    return add(evidence, "the dry run wrote nothing", "not applicable", "this run was no dry run",
               {});
  }
  Judgement judged;
  for (const v1::StepState& step : run.steps()) {
    if (step.status() == "applied") judged.failed.push_back(step.settled_sequence());
    if (step.status() == "unknown") judged.unknown.push_back(step.started_sequence());
    if (step.status() == "withheld") judged.proof.push_back(step.settled_sequence());
  }
  for (const v1::ArtifactState& row : run.artifacts()) judged.failed.push_back(row.sequence());
  judged.detail = run.enforcement().enforced() ? "held to it by the kernel (Landlock)"
                                               : "by construction; not enforced by the kernel";
  add(evidence, "the dry run wrote nothing", judged);
}

// What was started may have had effects, whatever became of it.
bool has_acted(const v1::StepState& step) {
  return step.has_started_sequence() && step.status() != "withheld";
}

// The manifest's gate of a step, and those that were asked because of what its module stands for.
std::set<std::string> gates_of(const v1::RunState& run, const v1::StepState& step) {
  std::set<std::string> out;
  if (!step.gate().empty()) out.insert(step.gate());
  for (const v1::GateState& gate : run.gates()) {
    if (step.planned() && gate.module() == step.module()) out.insert(gate.gate());
  }
  return out;
}

// The newest verdict on a gate before the step was started; nullptr: none.
const v1::GateState* verdict_before(const v1::RunState& run, const v1::StepState& step,
                                    const std::string& gate) {
  const v1::GateState* newest = nullptr;
  for (const v1::GateState& row : run.gates()) {
    if (row.gate() == gate && row.module() == step.module() &&
        row.sequence() < step.started_sequence()) {
      newest = &row;
    }
  }
  return newest;
}

// Consumed in this run, before the step, for this gate, its module and the plan of the run.
const v1::ApprovalView* approval_before(const v1::Evidence& evidence, const v1::StepState& step,
                                        const std::string& gate) {
  const v1::RunState& run = evidence.run();
  for (const v1::ApprovalView& row : evidence.approvals()) {
    if (row.has_consumed_sequence() && row.consumed_by() == run.run_id() &&
        row.consumed_sequence() < step.started_sequence() && row.gate() == gate &&
        row.module() == step.module() && row.plan_digest() == run.plan_digest()) {
      return &row;
    }
  }
  return nullptr;
}

void add_once(Sequences& list, std::uint64_t sequence) {
  if (std::find(list.begin(), list.end(), sequence) == list.end()) list.push_back(sequence);
}

void approvals(v1::Evidence& evidence) {
  const char* name = "every gated step had its approval";
  Judgement judged;
  bool gated = false;
  bool acted = false;
  for (const v1::StepState& step : evidence.run().steps()) {
    for (const std::string& gate : gates_of(evidence.run(), step)) {
      gated = true;
      if (!has_acted(step)) continue;
      acted = true;
      const v1::GateState* verdict = verdict_before(evidence.run(), step, gate);
      const v1::ApprovalView* approval = approval_before(evidence, step, gate);
      if (verdict == nullptr || !verdict->open() || approval == nullptr) {
        add_once(judged.failed, step.started_sequence());
        continue;
      }
      add_once(judged.proof, verdict->sequence());
      add_once(judged.proof, approval->consumed_sequence());
    }
  }
  if (!gated) {
    return add(evidence, name, "not applicable", "no step is gated", {});
  }
  if (!acted) {
    for (const v1::GateState& gate : evidence.run().gates())
      add_once(judged.proof, gate.sequence());
    if (judged.proof.empty()) judged.proof.push_back(evidence.run().first_sequence());
  }
  judged.detail = !judged.failed.empty() ? "started without an approval for this candidate"
                  : acted                ? "approved for this very candidate, and consumed before"
                                         : "no gated step was carried out";
  add(evidence, name, judged);
}

void artifacts(v1::Evidence& evidence) {
  Judgement modes;
  Judgement verified;
  for (const v1::StepState& step : evidence.run().steps()) {
    if (step.kind() != v1::STEP_KIND_CAPTURE || !is_open(step)) continue;
    modes.unknown.push_back(step.started_sequence());
    verified.unknown.push_back(step.started_sequence());
  }
  for (const v1::ArtifactState& row : evidence.run().artifacts()) {
    if (row.status() == "removed") continue;
    (row.mode() == 0600 ? modes.proof : modes.failed).push_back(row.sequence());
    if (!row.has_verified()) {
      verified.unknown.push_back(row.sequence());
    } else {
      (row.verified() == v1::VERDICT_OK ? verified.proof : verified.failed)
          .push_back(row.verified_sequence());
    }
  }
  const bool none = modes.proof.empty() && modes.failed.empty() && modes.unknown.empty();
  if (none) {
    const char* why = evidence.run().artifacts().empty() ? "no artifact was written"
                                                         : "what was written was removed";
    add(evidence, "every artifact is mode 0600", "not applicable", why, {});
    return add(evidence, "every artifact is verified", "not applicable", why, {});
  }
  modes.detail = modes.failed.empty() && !modes.unknown.empty()
                     ? "a capture was started, and no end of it is recorded"
                     : "as fstat saw it";
  verified.detail = verified.failed.empty() && !verified.unknown.empty() ? "not read again"
                                                                         : "read again from disk";
  add(evidence, "every artifact is mode 0600", modes);
  add(evidence, "every artifact is verified", verified);
}

void drift(v1::Evidence& evidence) {
  const v1::RunState& run = evidence.run();
  const char* name = "no drift between rehearsal and execution";
  if (run.drift()) {
    Sequences proof;
    for (const v1::Statement& row : evidence.divergences()) {
      if (proof.empty()) proof.assign(row.sequences().begin(), row.sequences().end());
    }
    return add(evidence, name, "fail", "the world is not what was rehearsed", proof);
  }
  if (run.mode() != v1::MODE_EXECUTION) {
    return add(evidence, name, "not applicable", "this run was no execution", {});
  }
  if (run.follows_run().empty()) {
    return add(evidence, name, "unknown", "the execution was not bound to a rehearsal (--plan RUN)",
               {run.first_sequence()});
  }
  // The plans are compared before the first planned step is started.
  const bool compared = std::any_of(
      run.steps().begin(), run.steps().end(),
      [](const v1::StepState& step) { return step.planned() && step.has_started_sequence(); });
  if (!compared) {
    return add(evidence, name, "unknown", "no step of the plan was started",
               {run.first_sequence()});
  }
  add(evidence, name, "pass", "executed the plan of run " + inert(run.follows_run()),
      {run.first_sequence()});
}

void unknown_steps(v1::Evidence& evidence) {
  Judgement judged;
  for (const v1::StepState& step : evidence.run().steps()) {
    if (is_open(step)) {
      judged.unknown.push_back(step.started_sequence());
    } else if (step.has_settled_sequence()) {
      judged.proof.push_back(step.settled_sequence());
    }
  }
  if (judged.unknown.empty() && judged.proof.empty()) {
    return add(evidence, "no step is in an unknown state", "not applicable", "no step was started",
               {});
  }
  judged.detail =
      judged.unknown.empty() ? "each start has its end" : "started, and no end is recorded";
  add(evidence, "no step is in an unknown state", judged);
}

}  // namespace

void add_blockers(v1::Evidence& evidence) {
  checks(evidence);
  wrote_nothing(evidence);
  approvals(evidence);
  artifacts(evidence);
  drift(evidence);
  unknown_steps(evidence);
}

}  // namespace muniment
