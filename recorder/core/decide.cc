#include "recorder/core/decide.h"

#include <algorithm>
#include <map>

#include "recorder/core/run_state.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

// What happened to a module's partial folder so far.
struct ModuleProgress {
  bool failed = false;
  bool captured = false;  // a capture was started: the folder may exist
  bool committed = false;
  bool discarded = false;
  const v1::Step* step = nullptr;
};

std::map<std::string, ModuleProgress> survey(const v1::RunState& state, const Plan& plan) {
  std::map<std::string, ModuleProgress> modules;
  for (const PlannedStep& planned : plan.steps) modules[planned.step.module()].step = &planned.step;
  for (const v1::StepState& step : state.steps()) {
    if (!step.of_run().empty()) continue;  // a dead run's folder
    ModuleProgress& module = modules[step.module()];
    if (step.kind() == v1::STEP_KIND_DISCARD) {
      module.discarded = true;
      continue;
    }
    if (step.status() == "failed") module.failed = true;
    if (step.status() == "proposed") continue;
    if (step.kind() == v1::STEP_KIND_CAPTURE) module.captured = true;
    const bool over = step.status() == "applied" || step.status() == "withheld";
    if (step.kind() == v1::STEP_KIND_COMMIT && over) module.committed = true;
  }
  return modules;
}

std::uint32_t count_discards(const v1::RunState& state) {
  return static_cast<std::uint32_t>(std::count_if(
      state.steps().begin(), state.steps().end(),
      [](const v1::StepState& step) { return step.kind() == v1::STEP_KIND_DISCARD; }));
}

v1::Step discard_of(const v1::Step& planned) {
  v1::Step step;
  step.set_kind(v1::STEP_KIND_DISCARD);
  step.set_module(planned.module());
  step.set_partial_folder(planned.partial_folder());
  return step;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !hex) return false;
  }
  return true;
}

std::string first_failure(const v1::RunState& state) {
  const auto planned = std::count_if(state.steps().begin(), state.steps().end(),
                                     [](const v1::StepState& step) { return step.planned(); });
  for (const v1::StepState& step : state.steps()) {
    if (step.status() != "failed") continue;
    const auto* kind = v1::StepKind_descriptor()->FindValueByNumber(step.kind());
    const std::string name = step.module() + " " + kind->options().GetExtension(v1::word);
    if (!step.planned()) return name + ": " + step.detail();
    return "step " + std::to_string(step.index()) + " of " + std::to_string(planned) + " (" + name +
           "): " + step.detail();
  }
  return {};
}

}  // namespace

std::optional<Directive> next_step(const v1::RunState& state, const Plan& plan, bool stopping) {
  const auto modules = survey(state, plan);
  for (const PlannedStep& planned : plan.steps) {
    const ModuleProgress& module = modules.at(planned.step.module());
    const bool lost = module.failed || stopping;
    if (!lost || !module.captured || module.committed || module.discarded) continue;
    return Directive{
        .index = count_discards(state) + 1, .step = discard_of(*module.step), .planned = false};
  }
  if (stopping) return std::nullopt;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i + 1);
    const v1::StepState* step = find_step(state, plan.steps[i].step.kind(), index);
    if (step == nullptr || step->status() != "proposed") continue;
    if (modules.at(plan.steps[i].step.module()).failed) continue;
    return Directive{.index = index, .step = plan.steps[i].step, .planned = true};
  }
  return std::nullopt;
}

std::optional<PartialName> parse_partial(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  std::string_view name = path.substr(slash + 1);
  if (!name.starts_with('.') || !name.ends_with(".partial")) return std::nullopt;
  name.remove_prefix(1);
  name.remove_suffix(8);
  if (!is_uuid(name)) return std::nullopt;
  const std::string_view folder = path.substr(0, slash);
  const std::string_view module = folder.substr(folder.rfind('/') + 1);
  return PartialName{.module = std::string(module), .run_id = std::string(name)};
}

std::vector<v1::Step> discard_steps(const std::vector<v1::PathObserved>& left_behind,
                                    const std::vector<std::string>& known_runs) {
  std::vector<v1::Step> steps;
  for (const v1::PathObserved& seen : left_behind) {
    const std::optional<PartialName> name = parse_partial(seen.path());
    if (!name ||
        std::find(known_runs.begin(), known_runs.end(), name->run_id) == known_runs.end()) {
      continue;
    }
    v1::Step& step = steps.emplace_back();
    step.set_kind(v1::STEP_KIND_DISCARD);
    step.set_module(name->module);
    step.set_partial_folder(seen.path());
    step.set_of_run(name->run_id);
  }
  return steps;
}

v1::RunFinished finish(const v1::RunState& state, const std::string& problem, bool stopped) {
  v1::RunFinished body;
  *body.mutable_counts() = count(state);
  body.set_event_count(state.event_count() + 1);
  const bool closed = std::any_of(state.gates().begin(), state.gates().end(),
                                  [](const v1::GateState& gate) { return !gate.open(); });
  const std::string failure = first_failure(state);
  if (stopped) {
    body.set_outcome(v1::RUN_OUTCOME_INTERRUPTED);
    body.set_reason("a person asked to stop; what had started was finished or removed");
  } else if (!problem.empty()) {
    body.set_outcome(closed || state.drift() ? v1::RUN_OUTCOME_REFUSED : v1::RUN_OUTCOME_FAILED);
    body.set_reason(problem);
  } else if (!failure.empty()) {
    body.set_outcome(v1::RUN_OUTCOME_FAILED);
    body.set_reason(failure);
  } else {
    body.set_outcome(v1::RUN_OUTCOME_OK);
  }
  return body;
}

}  // namespace muniment
