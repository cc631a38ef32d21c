// The runs that the writer is folding, so that an append need not read a run's events again.
#ifndef MUNIMENT_RECORDER_LOG_RUN_CACHE_H_
#define MUNIMENT_RECORDER_LOG_RUN_CACHE_H_

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// Least recently used first out, but only when trim() is called: within a group every run stays,
// because the group's own events are not in the rows yet and could not be folded again.
// Not thread-safe; owned by the one who writes.
class RunCache {
 public:
  explicit RunCache(std::size_t capacity = 256) : capacity_(capacity) {}

  // The state of a run as of everything folded so far; read from `rows` when it is not cached, and
  // empty when the run has not started. The pointer lives until trim(). Fails as run_state() does.
  Result<v1::RunState*> find(const LogReader& rows, const std::string& run_id);

  // Drops the oldest beyond the capacity. Call between groups.
  void trim();

 private:
  using Order = std::list<std::pair<std::string, v1::RunState>>;

  std::size_t capacity_;
  Order order_;  // most recently used first
  std::unordered_map<std::string_view, Order::iterator> by_id_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_RUN_CACHE_H_
