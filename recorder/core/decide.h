// What a run does next, and how it ends. Pure: state in, answer out.
#ifndef MUNIMENT_RECORDER_CORE_DECIDE_H_
#define MUNIMENT_RECORDER_CORE_DECIDE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/manifest.h"
#include "recorder/core/plan.h"

namespace muniment {

// One step to carry out now.
struct Directive {
  std::uint32_t index = 0;
  v1::Step step;
  bool planned = true;
};

// The next step, or none when the run is done.
// A module whose step failed gets no further planned step: its partial folder is discarded, at
// once. With `stopping`, no planned step starts any more and every uncommitted folder is discarded.
// REQUIRES: `state` was folded from this plan's events.
std::optional<Directive> next_step(const v1::RunState& state, const Plan& plan, bool stopping);

// Steps that remove folders which dead runs left behind, one for each.
std::vector<v1::Step> discard_steps(const std::vector<v1::PathObserved>& left_behind,
                                    const std::vector<std::string>& known_runs);

// The module and the run that a partial folder's path names; absent when the name is none of ours.
struct PartialName {
  std::string module;
  std::string run_id;
};
std::optional<PartialName> parse_partial(std::string_view path);

// How the run ended, from its state alone. `problem`, if not empty, stopped it before its first
// step.
v1::RunFinished finish(const v1::RunState& state, const std::string& problem, bool stopped);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_DECIDE_H_
