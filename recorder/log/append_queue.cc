#include "recorder/log/append_queue.h"

#include <utility>

namespace muniment {
namespace {

// Beyond this the fsync is paid for and a longer batch only makes the first of them wait.
constexpr std::size_t kMaxGroupBytes = 1U << 20U;

std::size_t size_bytes(const PendingAppend& pending) {
  std::size_t bytes = pending.signed_row ? pending.signed_row->bytes.size() : 0;
  for (const PreparedEntry& entry : pending.entries) {
    bytes += entry.bytes.size();
    for (const auto& [key, blob] : entry.blobs) bytes += blob.size();
  }
  return bytes;
}

}  // namespace

void QueuedAppend::call(Turn turn) {
  const std::scoped_lock lock(mutex_);
  turn_ = turn;
  called_.notify_one();
}

QueuedAppend::Turn QueuedAppend::wait() {
  std::unique_lock lock(mutex_);
  called_.wait(lock, [this] { return turn_ != Turn::kWaits; });
  return turn_;
}

Result<Appended> AppendQueue::run(PendingAppend pending) {
  QueuedAppend mine(std::move(pending));
  bool leads = false;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(&mine);
    leads = waiting_.size() == 1;
  }
  if (leads || mine.wait() == QueuedAppend::Turn::kLeads) {
    const std::vector<QueuedAppend*> group = next_group();
    commit_(group);
    finish(group);
  }
  return *std::move(mine.outcome);
}

// They stay in the queue meanwhile: whoever comes sees that somebody leads.
std::vector<QueuedAppend*> AppendQueue::next_group() {
  const std::scoped_lock lock(mutex_);
  std::vector<QueuedAppend*> group;
  std::size_t bytes = 0;
  for (QueuedAppend* append : waiting_) {
    bytes += size_bytes(append->pending);
    if (!group.empty() && bytes > kMaxGroupBytes) break;
    group.push_back(append);
  }
  return group;
}

void AppendQueue::finish(const std::vector<QueuedAppend*>& group) {
  QueuedAppend* next = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(group.size()));
    if (!waiting_.empty()) next = waiting_.front();
  }
  // The next leader first: its fsync runs while the others wake up.
  if (next != nullptr) next->call(QueuedAppend::Turn::kLeads);
  // The first of the group is the leader, whose call this is.
  for (std::size_t i = 1; i < group.size(); ++i) group[i]->call(QueuedAppend::Turn::kDone);
}

Result<Appended> append_through(AppendQueue& queue, std::vector<Entry> entries,
                                std::optional<std::uint64_t> expected_head) {
  Result<PendingAppend> pending = prepare_append(std::move(entries), expected_head);
  if (!pending) return pass(pending);
  return queue.run(*std::move(pending));
}

Status keep_signed_through(AppendQueue& queue, std::string key, std::string bytes) {
  Result<PendingAppend> pending = prepare_signed(std::move(key), std::move(bytes));
  if (!pending) return pass(pending);
  const Result<Appended> kept = queue.run(*std::move(pending));
  return kept ? Status() : std::unexpected(kept.error());
}

Result<std::uint64_t> erase_through(AppendQueue& queue, Entry event, std::string commitment) {
  Result<PendingAppend> pending = prepare_erasure(std::move(event), std::move(commitment));
  if (!pending) return pass(pending);
  const Result<Appended> erased = queue.run(*std::move(pending));
  if (!erased) return std::unexpected(erased.error());
  return erased->sequences.front();
}

void fail_group(const std::vector<QueuedAppend*>& queued, const Error& error) {
  for (QueuedAppend* append : queued) append->outcome = std::unexpected(error);
}

Status commit_group(AppendGroup& group, const std::vector<QueuedAppend*>& queued, RowSink& sink,
                    const std::function<Status()>& write) {
  Status storage;
  for (QueuedAppend* append : queued) {
    append->outcome = group.append(append->pending, sink);
    if (append->outcome->has_value()) continue;
    const Error& error = append->outcome->error();
    const bool is_storage = error.code == ErrorCode::kIo || error.code == ErrorCode::kCorrupt;
    if (is_storage && storage) storage = std::unexpected(error);
  }
  if (group.has_rows()) {
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
