// Group commit: many appenders, one at a time writes, and writes for all that wait.
#ifndef MUNIMENT_RECORDER_LOG_APPEND_QUEUE_H_
#define MUNIMENT_RECORDER_LOG_APPEND_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/log/append_group.h"
#include "recorder/log/event_log.h"
#include "recorder/log/prepared_entry.h"

namespace muniment {

// An append in the queue; lives on its appender's stack.
class QueuedAppend {
 public:
  enum class Turn { kWaits, kLeads, kDone };

  explicit QueuedAppend(PendingAppend append) : pending(std::move(append)) {}

  PendingAppend pending;
  std::optional<Result<Appended>> outcome;  // set by the commit

  // Ends a wait(). After kDone the appender may destroy the object.
  void call(Turn turn);
  // The turn that it was called for.
  Turn wait();

 private:
  // Its own: appenders that wake up have nothing to do with one another or with the next leader.
  std::mutex mutex_;
  std::condition_variable called_;
  Turn turn_ = Turn::kWaits;
};

// Leader and followers: whoever is first in the queue leads, takes all that waits up to a bound,
// commits it without holding the queue's lock and wakes the others with their outcomes.
// Thread-safe.
class AppendQueue {
 public:
  // Sets the outcome of each append of a group. Calls never overlap.
  using Commit = std::function<void(const std::vector<QueuedAppend*>& group)>;

  explicit AppendQueue(Commit commit) : commit_(std::move(commit)) {}

  // Returns when the append has its outcome.
  Result<Appended> run(PendingAppend pending);

 private:
  std::vector<QueuedAppend*> next_group();
  void finish(const std::vector<QueuedAppend*>& group);

  Commit commit_;
  std::mutex mutex_;
  std::deque<QueuedAppend*> waiting_;
};

// What a store's three ways to write are, wherever the rows go; see store.h.
Result<Appended> append_through(AppendQueue& queue, std::vector<Entry> entries,
                                std::optional<std::uint64_t> expected_head);
Status keep_signed_through(AppendQueue& queue, std::string key, std::string bytes);
Result<std::uint64_t> erase_through(AppendQueue& queue, Entry event, std::string commitment);

// What a commit does, wherever the rows go: gives each append its rows or its refusal, seals the
// group, calls `write` if there is anything to write, and settles the group. Fails when rows could
// not be read or written: every append that counted on them has that error as its outcome, and
// `group` must not be used again.
Status commit_group(AppendGroup& group, const std::vector<QueuedAppend*>& queued, RowSink& sink,
                    const std::function<Status()>& write);

// Gives every append of a group the same error.
void fail_group(const std::vector<QueuedAppend*>& queued, const Error& error);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_APPEND_QUEUE_H_
