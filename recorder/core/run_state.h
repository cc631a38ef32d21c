// What is known of a run: a fold over its events, written once.
//
// The live run, recovery after a crash, run summaries, reports and the audit all call evolve().
#ifndef MUNIMENT_RECORDER_CORE_RUN_STATE_H_
#define MUNIMENT_RECORDER_CORE_RUN_STATE_H_

#include <cstdint>
#include <string_view>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/store.pb.h"

namespace muniment {

// The state after `event`, which has `sequence`. Total, pure, cannot refuse.
// REQUIRES: `event` carries the run's id as run_id or about_run; events come in order of sequence;
// the first is the run's RunStarted. An event that arrives before any RunStarted leaves the state
// empty (run_id stays ""): single facts, such as a note, carry the id of an invocation that is no
// run.
v1::RunState evolve(v1::RunState state, const v1::Event& event, std::uint64_t sequence);

// The same where the state lies: for whoever folds very many events.
void evolve_in_place(v1::RunState& state, const v1::Event& event, std::uint64_t sequence);

// Whether evolve() has anything to say of this run, i.e. it has started.
inline bool has_started(const v1::RunState& state) {
  return !state.run_id().empty();
}

// Whether the stored snapshot of a run's state (table kRun) is written anew with this event: when
// the run starts or ends, when a later fact is about it, and each 64 events. Between snapshots
// readers fold the tail.
bool is_snapshot_due(const v1::Event& event, std::string_view run_id, std::uint64_t event_count);

// What RunFinished says of the run so far.
v1::RunCounts count(const v1::RunState& state);

// The step with this kind and index, or nullptr.
const v1::StepState* find_step(const v1::RunState& state, v1::StepKind kind, std::uint32_t index);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_RUN_STATE_H_
