#include <optional>
#include <utility>

#include "recorder/log/append_group.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/lock.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/row_check.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "recorder/log/tables.h"

namespace muniment {
namespace {

constexpr std::uint64_t kBatchEvents = 512;

using Progress = std::function<void(std::uint64_t done)>;

// What the log was before: an audit log must not bless other events by indexing them again. While a
// reindex is under way, that is the row which it left when it began.
Result<v1::StoreState> recorded_state(const RocksRows& rows, const std::string& folder) {
  Result<std::optional<std::string>> begun = rows.get(Table::kMeta, kReindexKey);
  if (!begun) return pass(begun);
  v1::StoreState state;
  if (begun->has_value() && state.ParseFromString(**begun)) return state;
  Result<v1::StoreState> current = rows.state();
  if (current) return current;
  return fail(current.error().code,
              "store " + folder +
                  " has no recorded root to compare its events with; restore it from a copy");
}

Status visit_events(const RocksRows& rows,
                    const std::function<Status(std::string_view bytes)>& visit) {
  Status outcome;
  std::uint64_t next = 0;
  Status scanned = rows.scan(
      Table::kEvent, "", Direction::kForward, [&](std::string_view key, std::string_view bytes) {
        if (key != sequence_key(next++)) {
          outcome = fail(ErrorCode::kCorrupt, "event " + std::to_string(next - 1) +
                                                  " is missing; restore the store from a copy");
          return false;
        }
        outcome = visit(bytes);
        return outcome.has_value();
      });
  return scanned ? outcome : scanned;
}

Status compare_root(const RocksRows& rows, const v1::StoreState& recorded,
                    const std::string& folder) {
  CompactRange tree;
  Status visited = visit_events(rows, [&](std::string_view bytes) -> Status {
    tree.append(leaf_hash(bytes), [](std::uint8_t, std::uint64_t, const Digest&) {});
    return {};
  });
  if (!visited) return visited;
  if (tree.size() == recorded.size() && as_bytes(tree.root()) == recorded.root()) return {};
  return fail(ErrorCode::kCorrupt,
              "store " + folder + ": its " + std::to_string(tree.size()) +
                  " events give the root " + to_hex(tree.root()) + ", recorded are " +
                  std::to_string(recorded.size()) + " events with the root " +
                  to_hex(recorded.root()) +
                  "; nothing was changed: run `muniment verify` and restore the store from a copy");
}

Result<std::uint64_t> count_rows(const RocksRows& rows, Table table) {
  std::uint64_t count = 0;
  Status scanned = rows.scan(table, "", Direction::kForward, [&](std::string_view, auto) {
    ++count;
    return true;
  });
  if (!scanned) return pass(scanned);
  return count;
}

Status begin(RocksRows& rows, const v1::StoreState& recorded) {
  BatchSink sink(rows);
  sink.put(Table::kMeta, kReindexKey, recorded.SerializeAsString());
  if (Status marked = rows.write(sink.batch(), true); !marked) return marked;
  for (const Table table : {Table::kNode, Table::kIndex, Table::kRun}) {
    if (Status cleared = rows.clear(table); !cleared) return cleared;
  }
  return {};
}

Status finish(RocksRows& rows, const AppendGroup& group) {
  BatchSink sink(rows);
  group.seal(sink);
  sink.remove(Table::kMeta, kReindexKey);
  if (Status written = rows.write(sink.batch(), true); !written) return written;
  return rows.flush();
}

Result<AppendGroup> empty_group(const RocksRows& rows, const v1::StoreState& recorded) {
  Result<AppendGroup> group = AppendGroup::resume(rows, empty_state(recorded.origin()));
  if (!group) return group;
  group->set_rows(Table::kEvent, recorded.size());
  for (const Table table : {Table::kBlob, Table::kCheckpoint}) {
    Result<std::uint64_t> count = count_rows(rows, table);
    if (!count) return pass(count);
    group->set_rows(table, *count);
  }
  return group;
}

Status replay_all(RocksRows& rows, AppendGroup& group, const Progress& progress) {
  std::optional<BatchSink> sink(rows);
  const auto write = [&]() -> Status {
    // Not synced one by one: until finish() is durable, a crash means to begin again.
    Status written = rows.write(sink->batch(), false);
    if (!written) return written;
    sink.emplace(rows);
    group.settled();
    if (progress) progress(group.size());
    return {};
  };
  Status visited = visit_events(rows, [&](std::string_view bytes) -> Status {
    Result<PreparedEntry> stored = prepare_stored(bytes);
    if (!stored) {
      return fail(ErrorCode::kCorrupt,
                  "event " + std::to_string(group.size()) + ": " + stored.error().message);
    }
    if (Status replayed = group.replay(*stored, *sink); !replayed) return replayed;
    return group.size() % kBatchEvents == 0 ? write() : Status();
  });
  return visited ? write() : visited;
}

}  // namespace

Result<std::uint64_t> rebuild_store(const std::string& folder, const LockRequest& lock,
                                    const Progress& progress) {
  if (Status there = require_store(folder); !there) return pass(there);
  const Result<StoreLock> held = StoreLock::exclusive(folder, lock);
  if (!held) return std::unexpected(held.error());
  Result<std::unique_ptr<RocksRows>> opened =
      RocksRows::open(db_folder(folder), access_of(folder).file_mode());
  if (!opened) return std::unexpected(explain_opening(std::move(opened.error()), folder));
  RocksRows& rows = **opened;
  Result<v1::StoreState> recorded = recorded_state(rows, folder);
  if (!recorded) return pass(recorded);
  if (Status format = check_format(*recorded, folder); !format) return pass(format);
  if (Status same = compare_root(rows, *recorded, folder); !same) return pass(same);
  Result<AppendGroup> group = empty_group(rows, *recorded);
  if (!group) return pass(group);
  if (Status begun = begin(rows, *recorded); !begun) return pass(begun);
  if (Status replayed = replay_all(rows, *group, progress); !replayed) return pass(replayed);
  if (Status finished = finish(rows, *group); !finished) return pass(finished);
  return group->size();
}

}  // namespace muniment
