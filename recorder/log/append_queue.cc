#include "recorder/log/append_queue.h"

#include <utility>

namespace muniment {
namespace {

// Beyond this the fsync is paid for and a longer batch only makes the first of them wait.
constexpr std::size_t kMaxGroupBytes = 1U << 20U;

std::size_t size_bytes(const PendingAppend& pending) {
  std::size_t bytes = 0;
  for (const PreparedEntry& entry : pending.entries) {
    bytes += entry.bytes.size();
    for (const auto& [key, blob] : entry.blobs) bytes += blob.size();
  }
  return bytes;
}

}  // namespace

Result<Appended> AppendQueue::run(PendingAppend pending) {
  QueuedAppend mine{std::move(pending), std::nullopt, false, {}};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  mine.turn.wait(lock, [&] { return mine.done || waiting_.front() == &mine; });
  if (!mine.done) {
    const std::vector<QueuedAppend*> group = next_group();
    lock.unlock();
    commit_(group);
    lock.lock();
    finish(group.size(), &mine);
  }
  return *std::move(mine.outcome);
}

std::vector<QueuedAppend*> AppendQueue::next_group() const {
  std::vector<QueuedAppend*> group;
  std::size_t bytes = 0;
  for (QueuedAppend* append : waiting_) {
    bytes += size_bytes(append->pending);
    if (!group.empty() && bytes > kMaxGroupBytes) break;
    group.push_back(append);
  }
  return group;
}

void AppendQueue::finish(std::size_t count, const QueuedAppend* leader) {
  // The next leader first: its fsync runs while the others wake up.
  if (waiting_.size() > count) waiting_[count]->turn.notify_one();
  for (std::size_t i = 0; i < count; ++i) {
    QueuedAppend* append = waiting_.front();
    waiting_.pop_front();
    append->done = true;
    if (append != leader) append->turn.notify_one();
  }
}

void fail_group(const std::vector<QueuedAppend*>& queued, const Error& error) {
  for (QueuedAppend* append : queued) append->outcome = std::unexpected(error);
}

Status commit_group(AppendGroup& group, const std::vector<QueuedAppend*>& queued, RowSink& sink,
                    const std::function<Status()>& write) {
  const std::uint64_t size_before = group.size();
  Status storage;
  for (QueuedAppend* append : queued) {
    append->outcome = group.append(append->pending, sink);
    if (append->outcome->has_value()) continue;
    const Error& error = append->outcome->error();
    const bool is_storage = error.code == ErrorCode::kIo || error.code == ErrorCode::kCorrupt;
    if (is_storage && storage) storage = std::unexpected(error);
  }
  if (group.size() != size_before) {
    group.seal(sink);
    if (Status written = write(); !written) {
      fail_group(queued, written.error());
      return written;
    }
  }
  group.settled();
  return storage;
}

}  // namespace muniment
