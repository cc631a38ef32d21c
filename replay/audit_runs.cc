#include "replay/audit_runs.h"

#include <utility>

#include "recorder/core/run_state.h"
#include "replay/trust.h"

namespace muniment {

void RunFolds::fold(const v1::Event& event, std::uint64_t sequence) {
  if (event.has_run_started()) open(event.run_id(), sequence);
  if (event.has_run_finished() && event.mode() == v1::MODE_EXECUTION) ++finished_executions_;
  fold_into(event.run_id(), event, sequence);
  if (event.about_run() != event.run_id()) fold_into(event.about_run(), event, sequence);
}

void RunFolds::open(const std::string& run_id, std::uint64_t sequence) {
  ++runs_;
  OpenRun run;
  Result<std::optional<std::string>> stored = log_.get(Table::kRun, run_id);
  v1::RunState summary;
  if (!stored || !stored->has_value() || !summary.ParseFromString(**stored)) {
    add_finding(report_, kTampered,
                "the summary of run " + run_id + " is missing or does not parse", "a summary",
                "none", sequence);
    return;
  }
  run.stored = std::move(**stored);
  run.stored_to = summary.last_sequence();
  open_.emplace(run_id, std::move(run));
}

void RunFolds::fold_into(const std::string& run_id, const v1::Event& event,
                         std::uint64_t sequence) {
  const auto found = open_.find(run_id);
  if (found == open_.end()) return;
  OpenRun& run = found->second;
  run.folded = evolve(std::move(run.folded), event, sequence);
  if (sequence < run.stored_to) return;
  if (run.folded.SerializeAsString() != run.stored) {
    // Not at the run's start: what was changed may be any of the events that are folded here.
    add_finding(report_, kTampered, "the summary of run " + run_id + " is not its events'",
                "the fold of events up to " + std::to_string(sequence), "another summary",
                sequence);
  }
  open_.erase(found);
}

void RunFolds::finish(std::uint64_t events, std::uint64_t claimed) {
  for (const auto& [run_id, run] : open_) {
    // What the summary speaks of and is not there: the event itself, where another lies in its
    // place; the first one missing, where the tail is cut; else the summary is what is wrong.
    const bool is_cut = run.stored_to >= events && claimed > events;
    const std::uint64_t first = run.stored_to < events ? run.stored_to
                                : is_cut               ? events
                                                       : run.folded.last_sequence();
    add_finding(report_, is_cut ? kTruncated : kTampered,
                "the summary of run " + run_id + " speaks of events that are not there",
                "at most event " + std::to_string(run.folded.last_sequence()),
                "event " + std::to_string(run.stored_to), first);
  }
}

}  // namespace muniment
