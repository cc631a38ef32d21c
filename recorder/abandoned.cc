#include "recorder/abandoned.h"

#include <limits>
#include <optional>

#include "recorder/core/decide.h"
#include "recorder/log/queries.h"

namespace muniment {

Result<std::vector<v1::RunState>> find_open_runs(const LogReader& log) {
  std::vector<v1::RunState> open;
  std::optional<Error> failure;
  const Status listed = list_runs(log, std::numeric_limits<std::uint64_t>::max(),
                                  [&](std::string_view run_id, std::uint64_t) {
                                    Result<v1::RunState> state = run_state(log, run_id);
                                    if (!state) {
                                      failure = state.error();
                                      return false;
                                    }
                                    if (state->outcome() != v1::RUN_OUTCOME_RUNNING) return false;
                                    open.push_back(std::move(*state));
                                    return true;
                                  });
  if (failure) return std::unexpected(*failure);
  if (!listed) return std::unexpected(listed.error());
  return open;
}

Result<std::vector<v1::PathObserved>> find_left_behind(Source& source,
                                                       const std::set<std::string>& roots) {
  std::vector<v1::PathObserved> out;
  for (const std::string& root : roots) {
    Result<std::vector<v1::Event>> seen = source.observe(LeftBehindQuery{root});
    if (!seen) return pass(seen);
    for (const v1::Event& event : *seen) out.push_back(event.path_observed());
  }
  return out;
}

std::vector<v1::Event> abandon(const std::vector<v1::RunState>& open,
                               const std::vector<v1::Step>& left_behind) {
  std::vector<v1::Event> events;
  for (const v1::RunState& run : open) {
    v1::Event& event = events.emplace_back();
    event.set_about_run(run.run_id());
    v1::RunAbandoned& body = *event.mutable_run_abandoned();
    body.set_event_count(run.event_count());
    for (const v1::Step& step : left_behind) {
      if (step.of_run() == run.run_id()) body.add_left_behind(step.partial_folder());
    }
  }
  return events;
}

Result<std::vector<std::string>> known_runs(const LogReader& log,
                                            const std::vector<v1::PathObserved>& left_behind) {
  std::vector<std::string> known;
  for (const v1::PathObserved& seen : left_behind) {
    const std::optional<PartialName> name = parse_partial(seen.path());
    if (!name) continue;
    const Result<v1::RunState> state = run_state(log, name->run_id);
    if (state) {
      known.push_back(name->run_id);
    } else if (state.error().code != ErrorCode::kNotFound) {
      return std::unexpected(state.error());
    }
  }
  return known;
}

}  // namespace muniment
