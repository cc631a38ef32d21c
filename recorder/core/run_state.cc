#include "recorder/core/run_state.h"

#include <algorithm>
#include <limits>

#include "recorder/core/container_match.h"

namespace muniment {
namespace {

using v1::RunState;

bool is_discard(v1::StepKind kind) {
  return kind == v1::STEP_KIND_DISCARD;
}

v1::StepState* mutable_step(RunState& state, v1::StepKind kind, std::uint32_t index) {
  for (v1::StepState& step : *state.mutable_steps()) {
    if (step.index() == index && is_discard(step.kind()) == is_discard(kind)) return &step;
  }
  return nullptr;
}

v1::ModuleState& module_of(RunState& state, const std::string& name) {
  for (v1::ModuleState& module : *state.mutable_modules()) {
    if (module.module() == name) return module;
  }
  v1::ModuleState& added = *state.add_modules();
  added.set_module(name);
  return added;
}

void start_run(RunState& state, const v1::Event& event, std::uint64_t sequence) {
  if (!state.run_id().empty()) return;
  const v1::RunStarted& body = event.run_started();
  state.set_run_id(event.run_id());
  state.set_mode(event.mode());
  state.set_outcome(v1::RUN_OUTCOME_RUNNING);
  state.set_purpose(body.purpose());
  *state.mutable_started_at() = event.recorded_at();
  *state.mutable_actor() = event.actor().claimed();
  state.set_actor_kind(event.actor().kind());
  state.set_host(event.host().name());
  state.set_origin(event.host().origin());
  state.set_first_sequence(sequence);
  *state.mutable_enforcement() = body.enforcement();
  state.set_follows_run(body.follows_run());
  state.set_program_version(body.program_version());
  state.set_backup_root(body.backup_root());
  *state.mutable_requested() = body.modules();
}

// Once a run is over, nobody will settle what was only started.
void end_run(RunState& state, v1::RunOutcome outcome) {
  state.set_outcome(outcome);
  for (v1::StepState& step : *state.mutable_steps()) {
    if (step.status() == "started") step.set_status("unknown");
  }
}

// A run that was abandoned has no such moment: its event says when it was found, not when it died.
void finish_run(RunState& state, const v1::Event& event) {
  state.set_reason(event.run_finished().reason());
  *state.mutable_finished_at() = event.recorded_at();
  end_run(state, event.run_finished().outcome());
}

void observe_container(RunState& state, const v1::Event& event) {
  const v1::ContainerObserved& seen = event.container_observed();
  if (!seen.inspected()) return;
  module_of(state, event.module()).add_containers(short_name(seen));
}

void resolve_module(RunState& state, const v1::Event& event, std::uint64_t sequence) {
  v1::ModuleState& module = module_of(state, event.module());
  module.set_sequence(sequence);
  if (event.has_module_resolved()) {
    const v1::ModuleResolved& body = event.module_resolved();
    module.set_status("resolved");
    module.set_backup_class(body.backup_class());
    module.set_rung(body.rung());
    *module.mutable_paths() = body.paths();
    module.set_detail(body.evidence());
  } else if (event.has_module_unresolved()) {
    module.set_status("unresolved");
    module.set_detail(event.module_unresolved().detail());
  } else {
    module.set_status("excluded");
    module.set_detail(event.module_excluded().reason());
  }
}

void describe_step(v1::StepState& state, const v1::Step& step) {
  state.set_module(step.module());
  state.set_kind(step.kind());
  state.set_backup_class(step.backup_class());
  state.set_artifact(step.artifact());
  state.set_gate(step.gate());
  state.set_partial_folder(step.partial_folder());
  state.set_of_run(step.of_run());
}

void propose_step(RunState& state, const v1::PlanStepProposed& body, std::uint64_t sequence) {
  v1::StepState& step = *state.add_steps();
  step.set_index(body.index());
  describe_step(step, body.step());
  step.set_fidelity(body.fidelity());
  if (body.has_expected_bytes()) step.set_expected_bytes(body.expected_bytes());
  step.set_status("proposed");
  step.set_planned(true);
  step.set_proposed_sequence(sequence);
}

void seal_plan(RunState& state, const v1::PlanSealed& body) {
  state.set_plan_digest(body.digest());
  if (body.has_space_needed_bytes()) state.set_space_needed_bytes(body.space_needed_bytes());
}

void start_step(RunState& state, const v1::StepStarted& body, std::uint64_t sequence) {
  v1::StepState* step = mutable_step(state, body.kind(), body.index());
  if (step == nullptr) {
    step = state.add_steps();
    step->set_index(body.index());
    describe_step(*step, body.unplanned());
    step->set_kind(body.kind());
    step->set_proposed_sequence(sequence);
  }
  step->set_status("started");
  step->set_started_sequence(sequence);
}

const char* word_of(v1::StepResult result) {
  switch (result) {
    case v1::STEP_RESULT_APPLIED:
      return "applied";
    case v1::STEP_RESULT_WITHHELD:
      return "withheld";
    case v1::STEP_RESULT_FAILED:
      return "failed";
    case v1::STEP_RESULT_UNSPECIFIED:
    case v1::StepResult_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::StepResult_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "unknown";
}

// Saturates: an event may claim any duration.
std::int64_t milliseconds_of(const google::protobuf::Duration& duration) {
  std::int64_t scaled = 0;
  std::int64_t sum = 0;
  if (__builtin_mul_overflow(duration.seconds(), std::int64_t{1000}, &scaled) ||
      __builtin_add_overflow(scaled, duration.nanos() / 1'000'000, &sum)) {
    return duration.seconds() < 0 ? std::numeric_limits<std::int64_t>::min()
                                  : std::numeric_limits<std::int64_t>::max();
  }
  return sum;
}

void settle_step(RunState& state, const v1::StepSettled& body, std::uint64_t sequence) {
  v1::StepState* step = mutable_step(state, body.kind(), body.index());
  if (step == nullptr) return;
  step->set_status(word_of(body.result()));
  step->set_settled_sequence(sequence);
  step->set_detail(body.detail());
  if (body.has_bytes()) step->set_bytes(body.bytes());
  if (body.has_duration()) {
    step->set_duration_ms(milliseconds_of(body.duration()));
  }
  if (step->kind() != v1::STEP_KIND_COMMIT || body.result() != v1::STEP_RESULT_APPLIED) return;
  for (v1::ArtifactState& artifact : *state.mutable_artifacts()) {
    if (artifact.module() == step->module() && artifact.status() == "written") {
      artifact.set_status("committed");
    }
  }
}

void write_artifact(RunState& state, const v1::Event& event, std::uint64_t sequence) {
  const v1::BackupWritten& body = event.backup_written();
  v1::ArtifactState& artifact = *state.add_artifacts();
  artifact.set_module(event.module());
  artifact.set_path(body.path());
  artifact.set_size_bytes(body.size_bytes());
  artifact.set_sha256(body.sha256());
  artifact.set_mode(body.file_mode());
  artifact.set_status("written");
  artifact.set_check(body.check());
  artifact.set_content_bytes(body.content_bytes());
  artifact.set_changed_count(body.changed_count());
  artifact.set_vanished_count(body.vanished_count());
  artifact.set_not_archived_count(body.not_archived_count());
  artifact.set_sequence(sequence);
}

void verify_artifact(RunState& state, const v1::ArtifactVerified& body, std::uint64_t sequence) {
  for (v1::ArtifactState& artifact : *state.mutable_artifacts()) {
    if (artifact.path() != body.path()) continue;
    artifact.set_verified(body.verdict());
    artifact.set_verified_sequence(sequence);
  }
}

void remove_artifacts(RunState& state, const std::string& module) {
  for (v1::ArtifactState& artifact : *state.mutable_artifacts()) {
    if (artifact.module() == module && artifact.status() == "written") {
      artifact.set_status("removed");
    }
  }
}

void evaluate_gate(RunState& state, const v1::Event& event, std::uint64_t sequence) {
  const v1::GateEvaluated& body = event.gate_evaluated();
  v1::GateState& gate = *state.add_gates();
  gate.set_module(event.module());
  gate.set_gate(body.gate());
  gate.set_guarded(body.guarded());
  gate.set_open(body.open());
  gate.set_sequence(sequence);
  for (const v1::Condition& condition : body.conditions()) {
    if (condition.verdict() == v1::VERDICT_OK) continue;
    gate.set_detail(condition.detail());
    gate.set_next(condition.next());
    break;
  }
}

// One in a container is part of a capture; this is what a run was asked to run on the host.
void execute_command(RunState& state, const v1::Event& event, std::uint64_t sequence) {
  const v1::CommandExecuted& body = event.command_executed();
  if (!body.container_id().empty()) return;
  v1::CommandState& command = *state.add_commands();
  command.set_module(event.module());
  *command.mutable_argv() = body.argv();
  if (body.has_exit_status()) command.set_exit_status(body.exit_status());
  command.set_timed_out(body.timed_out());
  command.set_stdout_tail(body.stdout_tail());
  command.set_error_tail(body.error_tail());
  command.set_transcript_sha256(body.transcript_sha256());
  command.set_sequence(sequence);
}

void record_check(RunState& state, const v1::CheckRecorded& body, std::uint64_t sequence) {
  v1::CheckState& check = *state.add_checks();
  check.set_name(body.name());
  check.set_verdict(body.verdict());
  check.set_url(body.url());
  check.set_sequence(sequence);
}

// No `default`: an event that nobody thought of here does not compile.
void apply(RunState& state, const v1::Event& event, std::uint64_t sequence) {
  switch (event.body_case()) {
    case v1::Event::kRunStarted:
      return start_run(state, event, sequence);
    case v1::Event::kRunFinished:
      return finish_run(state, event);
    case v1::Event::kRunAbandoned:
      if (event.about_run() != state.run_id()) return;
      return end_run(state, v1::RUN_OUTCOME_ABANDONED);
    case v1::Event::kModuleResolved:
    case v1::Event::kModuleUnresolved:
    case v1::Event::kModuleExcluded:
      return resolve_module(state, event, sequence);
    case v1::Event::kPlanStepProposed:
      return propose_step(state, event.plan_step_proposed(), sequence);
    case v1::Event::kPlanSealed:
      return seal_plan(state, event.plan_sealed());
    case v1::Event::kDriftDetected:
      return state.set_drift(true);
    case v1::Event::kGateEvaluated:
      return evaluate_gate(state, event, sequence);
    case v1::Event::kStepStarted:
      return start_step(state, event.step_started(), sequence);
    case v1::Event::kStepSettled:
      return settle_step(state, event.step_settled(), sequence);
    case v1::Event::kBackupWritten:
      return write_artifact(state, event, sequence);
    case v1::Event::kArtifactVerified:
      return verify_artifact(state, event.artifact_verified(), sequence);
    case v1::Event::kArtifactRemoved:
      return remove_artifacts(state, event.module());
    case v1::Event::kNoteAdded:
      return state.add_notes(sequence);
    case v1::Event::kCheckRecorded:
      return record_check(state, event.check_recorded(), sequence);
    case v1::Event::kEngineObserved:
      return state.set_engine_unreachable(!event.engine_observed().reachable());
    case v1::Event::kContainerObserved:
      return observe_container(state, event);
    case v1::Event::kCommandExecuted:
      return execute_command(state, event, sequence);
    case v1::Event::kApprovalAccepted:
      if (event.about_run() != state.run_id()) return;
      return state.add_approvals(sequence);
    case v1::Event::kPathObserved:
    case v1::Event::kGatePolicyRecorded:
    case v1::Event::kApprovalRequested:
    case v1::Event::kApprovalSubmitted:
    case v1::Event::kApprovalRejected:
    case v1::Event::kApprovalConsumed:
    case v1::Event::kApprovalRevoked:
    case v1::Event::kContainerQuiesced:
    case v1::Event::kContainerResumed:
    case v1::Event::kManifestWritten:
    case v1::Event::kCopyWritten:
    case v1::Event::kEvidenceAttached:
    case v1::Event::kRestoreTested:
    case v1::Event::kCandidateRecommended:
    case v1::Event::kKeyRotated:
    case v1::Event::kForkAccepted:
    case v1::Event::kErased:
    case v1::Event::kClockStepped:
    case v1::Event::kTailDropped:
    case v1::Event::kRecordingFailed:
    case v1::Event::BODY_NOT_SET:
      return;
  }
}

}  // namespace

void evolve_in_place(RunState& state, const v1::Event& event, std::uint64_t sequence) {
  if (!has_started(state) && !event.has_run_started()) return;
  apply(state, event, sequence);
  if (event.run_id() == state.run_id()) state.set_event_count(state.event_count() + 1);
  state.set_last_sequence(sequence);
  state.set_last_event_id(event.event_id());
}

RunState evolve(RunState state, const v1::Event& event, std::uint64_t sequence) {
  evolve_in_place(state, event, sequence);
  return state;
}

bool is_snapshot_due(const v1::Event& event, std::string_view run_id, std::uint64_t event_count) {
  if (event.run_id() != run_id) return true;
  return event.has_run_started() || event.has_run_finished() || event_count % 64 == 0;
}

v1::RunCounts count(const RunState& state) {
  v1::RunCounts counts;
  counts.set_modules(static_cast<std::uint32_t>(
      std::count_if(state.modules().begin(), state.modules().end(),
                    [](const v1::ModuleState& module) { return module.status() == "resolved"; })));
  for (const v1::StepState& step : state.steps()) {
    if (step.planned()) counts.set_steps(counts.steps() + 1);
    if (step.status() == "applied") counts.set_applied(counts.applied() + 1);
    if (step.status() == "withheld") counts.set_withheld(counts.withheld() + 1);
    if (step.status() == "failed") counts.set_failed(counts.failed() + 1);
    if (step.status() == "proposed") counts.set_not_started(counts.not_started() + 1);
  }
  for (const v1::ArtifactState& artifact : state.artifacts()) {
    if (artifact.status() != "committed") continue;
    counts.set_artifacts(counts.artifacts() + 1);
    counts.set_artifact_bytes(counts.artifact_bytes() + artifact.size_bytes());
  }
  return counts;
}

const v1::StepState* find_step(const RunState& state, v1::StepKind kind, std::uint32_t index) {
  return mutable_step(const_cast<RunState&>(state), kind, index);
}

}  // namespace muniment
