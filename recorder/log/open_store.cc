#include <optional>
#include <utility>

#include "recorder/log/append_group.h"
#include "recorder/log/append_queue.h"
#include "recorder/log/lock.h"
#include "recorder/log/purge.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/row_check.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"

namespace muniment {
namespace {

// The writer. Appends go through the queue; `group_` and `poison_` belong to the queue's leader.
class RocksLog : public Store {
 public:
  RocksLog(std::string folder, StoreLock lock, std::unique_ptr<RocksRows> rows, AppendGroup group)
      : folder_(std::move(folder)),
        lock_(std::move(lock)),
        rows_(std::move(rows)),
        group_(std::move(group)),
        queue_([this](const std::vector<QueuedAppend*>& queued) { commit(queued); }) {}

  ~RocksLog() override {
    if (poison_) return;
    // Without it the next opening replays the WAL instead; nothing is lost.
    const Status flushed = rows_->flush();
    static_cast<void>(flushed);
  }

  RocksLog(const RocksLog&) = delete;
  RocksLog& operator=(const RocksLog&) = delete;

  const std::string& folder() const override { return folder_; }

  Result<Appended> append(std::vector<Entry> entries,
                          std::optional<std::uint64_t> expected_head) override {
    return append_through(queue_, std::move(entries), expected_head);
  }

  Status keep_signed(std::string key, std::string bytes) override {
    return keep_signed_through(queue_, std::move(key), std::move(bytes));
  }

  Result<std::uint64_t> erase(Entry event, std::string commitment) override {
    return erase_through(queue_, std::move(event), std::move(commitment));
  }

  Result<v1::StoreState> state() const override { return rows_->state(); }

  Result<std::optional<std::string>> get(Table table, std::string_view key) const override {
    return rows_->get(table, key);
  }

  Status scan(Table table, std::string_view from, Direction direction,
              const RowVisitor& visit) const override {
    return rows_->scan(table, from, direction, visit);
  }

  Status refresh() override { return {}; }

 private:
  void commit(const std::vector<QueuedAppend*>& queued) {
    if (poison_) return fail_group(queued, *poison_);
    BatchSink sink(*rows_);
    const Status committed =
        commit_group(group_, queued, sink, [&] { return rows_->write(sink.batch(), true); });
    if (committed) return clean_up(queued);
    poison_ =
        Error{committed.error().code == ErrorCode::kCorrupt ? ErrorCode::kCorrupt : ErrorCode::kIo,
              "store " + folder_ + " takes no further appends until it is opened again, after: " +
                  committed.error().message};
  }

  // In the leader's turn, so that nobody writes meanwhile; once for all erasures of a group.
  void clean_up(const std::vector<QueuedAppend*>& queued) {
    std::vector<QueuedAppend*> erasures;
    for (QueuedAppend* append : queued) {
      const bool done = append->outcome->has_value();
      if (done && !append->pending.erased_blob.empty()) erasures.push_back(append);
    }
    if (erasures.empty()) return;
    const Status purged = purge_table(*rows_, Table::kBlob);
    if (purged) return;
    for (QueuedAppend* erasure : erasures) {
      const std::uint64_t sequence = (*erasure->outcome)->sequences.front();
      erasure->outcome = fail(ErrorCode::kIo, "event " + std::to_string(sequence) +
                                                  " erased the text, but files still hold it: " +
                                                  purged.error().message + "; then erase it again");
    }
  }

  std::string folder_;
  StoreLock lock_;
  std::unique_ptr<RocksRows> rows_;
  AppendGroup group_;
  std::optional<Error> poison_;
  AppendQueue queue_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_store(const std::string& folder, const LockRequest& lock) {
  if (Status there = require_store(folder); !there) return pass(there);
  Result<StoreLock> held = StoreLock::exclusive(folder, lock);
  if (!held) return pass(held);
  Result<std::unique_ptr<RocksRows>> rows =
      RocksRows::open(db_folder(folder), access_of(folder).file_mode());
  if (!rows) return std::unexpected(explain_opening(std::move(rows.error()), folder));
  if (Status checked = check_rows(**rows, folder); !checked) return pass(checked);
  const Result<v1::StoreState> state = (*rows)->state();
  if (!state) return std::unexpected(state.error());
  Result<AppendGroup> group = AppendGroup::resume(**rows, *state);
  if (!group) return pass(group);
  return std::make_unique<RocksLog>(folder, *std::move(held), *std::move(rows), *std::move(group));
}

}  // namespace muniment
