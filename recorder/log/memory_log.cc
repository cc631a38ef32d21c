#include "recorder/log/memory_log.h"

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/log/append_group.h"
#include "recorder/log/append_queue.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/tables.h"

namespace muniment {
namespace {

struct StagedRow {
  Table table;
  std::string key;
  std::optional<std::string> value;  // none: to be removed
};

class StagedRows : public RowSink {
 public:
  void put(Table table, std::string_view key, std::string_view value) override {
    rows.push_back({table, std::string(key), std::string(value)});
  }
  void remove(Table table, std::string_view key) override {
    rows.push_back({table, std::string(key), std::nullopt});
  }

  std::vector<StagedRow> rows;
};

class MemoryLog : public Store {
 public:
  explicit MemoryLog(std::string_view origin)
      : queue_([this](const std::vector<QueuedAppend*>& group) { commit(group); }) {
    const v1::StoreState state = empty_state(origin);
    table(Table::kMeta).emplace(kStateKey, state.SerializeAsString());
    Result<AppendGroup> group = AppendGroup::resume(*this, state);
    check(group.has_value(), "the state of an empty log is consistent");
    group_.emplace(*std::move(group));
  }

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

  Result<v1::StoreState> state() const override { return read_state(*this); }

  Result<std::optional<std::string>> get(Table from, std::string_view key) const override {
    const std::scoped_lock lock(mutex_);
    const Rows& rows = table(from);
    const auto found = rows.find(key);
    if (found == rows.end()) return std::nullopt;
    return found->second;
  }

  Status scan(Table from_table, std::string_view from, Direction direction,
              const RowVisitor& visit) const override {
    std::optional<std::pair<std::string, std::string>> row = first_row(from_table, from, direction);
    while (row && visit(row->first, row->second)) {
      row = row_behind(from_table, row->first, direction);
    }
    return {};
  }

  Status refresh() override { return {}; }

 private:
  using Rows = std::map<std::string, std::string, std::less<>>;
  using Row = std::optional<std::pair<std::string, std::string>>;

  Rows& table(Table which) { return tables_[slot(which)]; }
  const Rows& table(Table which) const { return tables_[slot(which)]; }

  // A scan holds the lock for one row at a time: its visitor may read, and even append.
  Row first_row(Table which, std::string_view from, Direction direction) const {
    const std::scoped_lock lock(mutex_);
    const Rows& rows = table(which);
    if (direction == Direction::kForward) return row_at(rows, rows.lower_bound(from));
    return row_before(rows, from.empty() ? rows.end() : rows.upper_bound(from));
  }

  Row row_behind(Table which, const std::string& key, Direction direction) const {
    const std::scoped_lock lock(mutex_);
    const Rows& rows = table(which);
    if (direction == Direction::kForward) return row_at(rows, rows.upper_bound(key));
    return row_before(rows, rows.lower_bound(key));
  }

  static Row row_at(const Rows& rows, Rows::const_iterator at) {
    if (at == rows.end()) return std::nullopt;
    return *at;
  }

  static Row row_before(const Rows& rows, Rows::const_iterator end) {
    if (end == rows.begin()) return std::nullopt;
    return *std::prev(end);
  }

  void commit(const std::vector<QueuedAppend*>& queued) {
    StagedRows staged;
    const Status committed = commit_group(*group_, queued, staged, [&]() -> Status {
      const std::scoped_lock lock(mutex_);
      for (StagedRow& row : staged.rows) {
        if (row.value) {
          table(row.table).insert_or_assign(std::move(row.key), *std::move(row.value));
        } else {
          table(row.table).erase(row.key);
        }
      }
      return {};
    });
    check(committed.has_value(), "a log in memory cannot fail");
  }

  std::string folder_;
  mutable std::mutex mutex_;
  std::array<Rows, kTables.size()> tables_;
  std::optional<AppendGroup> group_;
  AppendQueue queue_;
};

}  // namespace

std::unique_ptr<Store> make_memory_log(std::string origin) {
  return std::make_unique<MemoryLog>(origin);
}

}  // namespace muniment
