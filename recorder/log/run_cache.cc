#include "recorder/log/run_cache.h"

#include "recorder/log/queries.h"

namespace muniment {

Result<v1::RunState*> RunCache::find(const LogReader& rows, const std::string& run_id) {
  if (const auto found = by_id_.find(run_id); found != by_id_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }
  Result<v1::RunState> state = run_state(rows, run_id);
  if (!state && state.error().code != ErrorCode::kNotFound) return pass(state);
  order_.emplace_front(run_id, state ? *std::move(state) : v1::RunState());
  by_id_.emplace(order_.front().first, order_.begin());
  return &order_.front().second;
}

void RunCache::trim() {
  while (order_.size() > capacity_) {
    by_id_.erase(order_.back().first);
    order_.pop_back();
  }
}

}  // namespace muniment
