#include "recorder/recorder.h"

#include <algorithm>
#include <set>

#include "recorder/abandoned.h"
#include "recorder/core/decide.h"
#include "recorder/core/digest.h"
#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/queries.h"
#include "recorder/observation.h"

namespace muniment {
namespace {

std::optional<v1::Event> last_event(const LogReader& reader) {
  const Result<v1::StoreState> state = reader.state();
  if (!state || state->size() == 0) return std::nullopt;
  Result<StoredEvent> event = read_event(reader, state->size() - 1);
  if (!event) return std::nullopt;
  return std::move(event->event);
}

}  // namespace

// What a sink says, put behind the intent it belongs to.
class Recorder::StepFacts : public Facts {
 public:
  StepFacts(Recorder& recorder, const v1::Step& step) : recorder_(recorder), step_(step) {}

  Status record(v1::Event event) override { return record_with(std::move(event), {}); }

  Status record_with(v1::Event event, std::vector<std::string> blobs) override {
    event.set_module(step_.module());
    recorder_.about_run_ = step_.of_run();
    Bodies bodies;
    bodies.push_back(std::move(event));
    Status status = recorder_.record(std::move(bodies), std::move(blobs));
    recorder_.about_run_.clear();
    if (!status) failed_ = status.error();
    return status;
  }

  const std::optional<Error>& failed() const { return failed_; }

 private:
  Recorder& recorder_;
  const v1::Step& step_;
  std::optional<Error> failed_;
};

Recorder::Recorder(Ports ports, RunRequest request, Envelope envelope)
    : ports_(ports),
      request_(std::move(request)),
      stamper_(ports.clock, std::move(envelope), last_event(ports.reader)),
      gatekeeper_(ports.log, ports.reader, stamper_, request_.gates, request_.started.purpose()) {}

Result<v1::RunState> Recorder::run() {
  if (Status status = begin(); !status) return pass(status);
  Status status = run_stages();
  // An event that the log cannot hold is a failure of the recorder, not of the log: it is recorded.
  if (!status && status.error().code == ErrorCode::kInvalid)
    status = record_failure(status.error());
  if (status) status = close();
  if (!status) return pass(status);
  return state_;
}

Status Recorder::run_stages() {
  Result<Resolution> resolution = observe_and_resolve();
  if (!resolution) return pass(resolution);
  // Behind the look at the world, so that a rehearsal, which removes nothing, sees the same.
  if (Status status = recover(); !status) return status;
  if (!problem_.empty() || request_.resolve_only || is_stopped()) return {};
  if (Status status = plan_and_check(*resolution); !status) return status;
  return carry_out();
}

Status Recorder::record_failure(const Error& error) {
  v1::Event event;
  event.mutable_recording_failed()->set_what("an event was refused by the log");
  event.mutable_recording_failed()->set_error(error.message);
  problem_ = error.message;
  return record_one(std::move(event));
}

// Dead runs are found and recorded in the same append as the start, so that a run that has started
// proves that all before it are over: see find_open_runs().
Status Recorder::begin() {
  Result<std::vector<v1::RunState>> open = find_open_runs(ports_.reader);
  if (!open) return pass(open);
  std::set<std::string> roots;
  if (!request_.manifest->backup_root.empty()) roots.insert(request_.manifest->backup_root);
  for (const v1::RunState& run : *open) {
    if (!run.backup_root().empty()) roots.insert(run.backup_root());
  }
  Result<std::vector<v1::PathObserved>> seen = find_left_behind(ports_.source, roots);
  if (!seen) return pass(seen);
  Result<std::vector<std::string>> known = known_runs(ports_.reader, *seen);
  if (!known) return pass(known);
  left_behind_ = discard_steps(*seen, *known);

  Bodies bodies(1);
  v1::RunStarted& started = *bodies[0].mutable_run_started();
  started = request_.started;
  for (const Module* module : request_.modules) started.add_modules(module->name);
  started.set_all(request_.all);
  started.set_backup_root(request_.manifest->backup_root);
  for (v1::Event& event : abandon(*open, left_behind_)) bodies.push_back(std::move(event));
  for (const v1::PathObserved& path : *seen) *bodies.emplace_back().mutable_path_observed() = path;
  return record(std::move(bodies), std::move(request_.blobs));
}

// A run that only resolves has no business with what others left.
Status Recorder::recover() {
  if (request_.resolve_only) return {};
  std::uint32_t index = 0;
  for (const v1::Step& step : left_behind_) {
    if (Status status = perform(++index, step, false); !status) return status;
  }
  return {};
}

// Asked once, before the first module. An engine that cannot be reached is recorded: whoever reads
// the run later shall not take its silence for an empty host.
Status Recorder::observe_engine(ResolveInput& input) {
  if (!needs_engine(request_.modules)) return {};
  Result<Bodies> seen = ports_.source.observe(EngineQuery{});
  if (!seen) return pass(seen);
  for (const v1::Event& event : *seen) {
    if (event.engine_observed().reachable()) continue;
    for (const Module* module : request_.modules) {
      if (!is_container_module(*module)) continue;
      input.inside[module->name].engine_error = event.engine_observed().error();
    }
  }
  return record(std::move(*seen));
}

Result<Resolution> Recorder::observe_and_resolve() {
  ResolveInput input{.manifest = *request_.manifest,
                     .modules = request_.modules,
                     .all = request_.all,
                     .seen = {},
                     .protected_paths = request_.protected_paths};
  if (Status status = observe_engine(input); !status) return pass(status);
  for (const Module* module : request_.modules) {
    if (is_stopped()) break;
    Result<Bodies> seen = observe_module(ports_.source, *module, input);
    if (!seen) {
      problem_ = module->name + ": " + seen.error().message;
      return Resolution{};
    }
    if (Status status = record(std::move(*seen)); !status) return pass(status);
  }
  if (is_stopped()) return Resolution{};
  Resolution resolution = resolve(input);
  if (Status status = record(resolution.events); !status) return pass(status);
  if (!resolution.problems.empty()) problem_ = resolution.problems.front();
  if (resolution.problems.size() > 1) {
    problem_ += " (and " + std::to_string(resolution.problems.size() - 1) + " more)";
  }
  return resolution;
}

Status Recorder::plan_and_check(const Resolution& resolution) {
  if (request_.command) {
    Result<Plan> plan = make_command_plan(resolution, *request_.command, request_.masked);
    if (!plan) {
      problem_ = plan.error().message;
      return {};
    }
    plan_ = std::move(*plan);
  } else {
    plan_ = make_plan(*request_.manifest, resolution, stamper_.envelope().run_id);
  }
  if (Status status = record(plan_events(plan_), {plan_.canonical}); !status) return status;
  if (Status status = check_drift(); !status || !problem_.empty()) return status;
  if (Status status = observe_root(); !status || !problem_.empty()) return status;
  return check_gates(resolution);
}

Status Recorder::check_drift() {
  if (request_.rehearsed_plan.empty() || request_.rehearsed_plan == plan_.canonical) return {};
  v1::Event event;
  v1::DriftDetected& body = *event.mutable_drift_detected();
  body.set_against_run(request_.started.follows_run());
  for (v1::Difference& difference : compare_plans(request_.rehearsed_plan, plan_.canonical)) {
    *body.add_differences() = std::move(difference);
  }
  const v1::Difference& first = body.differences(0);
  problem_ = "the world is not what run " + body.against_run() + " rehearsed: " +
             counted(static_cast<std::uint64_t>(body.differences_size()), "difference") +
             ", first: " + first.before() +
             (first.before().empty() || first.after().empty() ? "" : ", now ") + first.after() +
             "; rehearse again";
  return record_one(std::move(event));
}

// A command writes no artifact: it needs no place for one.
Status Recorder::observe_root() {
  if (request_.command) return {};
  Result<Bodies> seen = ports_.source.observe(RootQuery{request_.manifest->backup_root});
  if (!seen) {
    problem_ = seen.error().message;
    return {};
  }
  for (const v1::Event& event : *seen) root_seen_ = event.path_observed();
  if (Status status = record(std::move(*seen)); !status) return status;
  problem_ = refuse_root(root_seen_, plan_, request_.manifest->min_free_bytes).value_or("");
  return {};
}

Status Recorder::carry_out() {
  if (!problem_.empty()) return {};
  while (std::optional<Directive> next = next_step(state_, plan_, is_stopped() || gate_closed_)) {
    if (next->planned) {
      if (Status status = pass_gates(next->step); !status) return status;
      if (gate_closed_) continue;
    }
    if (Status status = perform(next->index, next->step, next->planned); !status) return status;
  }
  return {};
}

// Intent, sink, outcome. A start without a settlement is what a crash leaves behind.
Status Recorder::perform(std::uint32_t index, const v1::Step& step, bool planned) {
  v1::Event start;
  start.set_module(step.module());
  start.mutable_step_started()->set_index(index);
  start.mutable_step_started()->set_kind(step.kind());
  if (!planned) *start.mutable_step_started()->mutable_unplanned() = step;
  if (Status status = record_one(std::move(start)); !status) return status;

  caused_by_ = state_.last_event_id();
  const Instant from = ports_.clock.now();
  StepFacts facts(*this, step);
  Outcome outcome = ports_.sink.perform(step, facts);
  if (facts.failed()) return std::unexpected(*facts.failed());
  if (outcome.interrupted) stopped_ = true;

  v1::Event end;
  end.set_module(step.module());
  v1::StepSettled& body = *end.mutable_step_settled();
  body.set_index(index);
  body.set_kind(step.kind());
  body.set_result(outcome.result);
  *body.mutable_duration() = duration_of(ports_.clock.now().boottime_ns - from.boottime_ns);
  if (outcome.bytes) body.set_bytes(*outcome.bytes);
  if (outcome.exit_status) body.set_exit_status(*outcome.exit_status);
  body.set_error_tail(outcome.error_tail);
  body.set_detail(request_.redactor == nullptr ? outcome.detail
                                               : request_.redactor->redact(outcome.detail));
  Status status = record_one(std::move(end));
  caused_by_.clear();
  return status;
}

Status Recorder::close() {
  v1::Event event;
  *event.mutable_run_finished() = finish(state_, problem_, stopped_);
  return record_one(std::move(event));
}

bool Recorder::is_stopped() {
  stopped_ = stopped_ || request_.stop_requested();
  return stopped_;
}

Status Recorder::record_one(v1::Event body) {
  Bodies bodies;
  bodies.push_back(std::move(body));
  return record(std::move(bodies));
}

// The only function that touches log and state: append, then evolve.
Status Recorder::record(Bodies bodies, std::vector<std::string> blobs,
                        std::optional<std::uint64_t> expected_head) {
  if (bodies.empty()) return {};
  std::vector<v1::Event> events;
  std::vector<Entry> entries;
  std::string cause = caused_by_.empty() ? state_.last_event_id() : caused_by_;
  for (v1::Event& body : bodies) {
    body.set_caused_by(cause);
    if (body.about_run().empty()) body.set_about_run(about_run_);
    for (v1::Event& event : stamper_.stamp(std::move(body))) {
      entries.push_back(make_entry(event));
      if (caused_by_.empty()) cause = event.event_id();
      events.push_back(std::move(event));
    }
  }
  entries.back().blobs = std::move(blobs);
  const Result<Appended> appended = ports_.log.append(std::move(entries), expected_head);
  if (!appended) return std::unexpected(appended.error());
  for (std::size_t i = 0; i < events.size(); ++i) {
    state_ = evolve(std::move(state_), events[i], appended->sequences[i]);
    if (request_.on_recorded) request_.on_recorded(events[i], appended->sequences[i]);
  }
  return {};
}

}  // namespace muniment
