#include "replay/audit_runs.h"

#include <iterator>
#include <map>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/core/run_state.h"
#include "replay/trust.h"

namespace muniment {

void RunFolds::begin(const v1::Event& event, std::uint64_t sequence) {
  if (event.has_run_started()) open(event.run_id(), sequence);
  if (event.has_run_finished() && event.mode() == v1::MODE_EXECUTION) ++finished_executions_;
}

void RunFolds::fold(const v1::Event& event, std::uint64_t sequence) {
  begin(event, sequence);
  fold_into(event.run_id(), event, sequence);
  if (event.about_run() != event.run_id()) fold_into(event.about_run(), event, sequence);
}

void RunFolds::fold_in_piece(const v1::Event& event, std::uint64_t sequence,
                             std::string_view bytes) {
  begin(event, sequence);
  if (event.has_run_started()) started_.insert(event.run_id());
  fold_or_put_off(event.run_id(), event, sequence, bytes);
  if (event.about_run() == event.run_id()) return;
  fold_or_put_off(event.about_run(), event, sequence, bytes);
}

void RunFolds::fold_or_put_off(const std::string& run_id, const v1::Event& event,
                               std::uint64_t sequence, std::string_view bytes) {
  if (run_id.empty()) return;
  if (started_.contains(run_id)) return fold_into(run_id, event, sequence);
  put_off_.push_back({run_id, sequence, std::string(bytes)});
}

void RunFolds::take_over(RunFolds& piece) {
  v1::Event event;
  for (const PutOff& put_off : piece.put_off_) {
    if (!open_.contains(put_off.run_id)) continue;
    const bool parsed = event.ParseFromString(put_off.bytes);
    check(parsed, "what was parsed once can be parsed again");
    fold_into(put_off.run_id, event, put_off.sequence);
  }
  open_.merge(piece.open_);
  runs_ += std::exchange(piece.runs_, 0);
  finished_executions_ += std::exchange(piece.finished_executions_, 0);
  piece.open_.clear();
  piece.started_.clear();
  piece.put_off_.clear();
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
  evolve_in_place(run.folded, event, sequence);
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
  const std::map<std::string, OpenRun> in_order(std::make_move_iterator(open_.begin()),
                                                std::make_move_iterator(open_.end()));
  open_.clear();
  for (const auto& [run_id, run] : in_order) {
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
