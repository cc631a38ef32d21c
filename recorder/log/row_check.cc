#include "recorder/log/row_check.h"

#include <bit>

#include "recorder/log/key_codec.h"
#include "recorder/log/merkle.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "recorder/log/tables.h"

namespace muniment {
namespace {

std::unexpected<Error> missing(const std::string& store, Table table, const std::string& what) {
  return fail(ErrorCode::kCorrupt, "store " + store + ": table " + std::string(table_name(table)) +
                                       " " + what + "; run `muniment verify`");
}

Result<std::uint64_t> count_slowly(const RocksRows& rows, Table table) {
  std::uint64_t found = 0;
  Status scanned = rows.scan(table, "", Direction::kForward, [&](std::string_view, auto) {
    ++found;
    return true;
  });
  if (!scanned) return pass(scanned);
  return found;
}

Status check_count(const RocksRows& rows, const std::string& store, Table table,
                   std::uint64_t expected) {
  Result<std::uint64_t> found = rows.count_quickly(table);
  if (found && *found != expected) found = count_slowly(rows, table);
  if (!found) return pass(found);
  if (*found == expected) return {};
  return missing(store, table,
                 "has " + std::to_string(*found) + " rows where " + std::to_string(expected) +
                     " are expected");
}

Status check_value(const RocksRows& rows, const std::string& store, Table table,
                   const std::string& key, std::string_view expected, const std::string& what) {
  Result<std::optional<std::string>> row = rows.get(table, key);
  if (!row) return pass(row);
  if (!row->has_value()) return missing(store, table, "lacks the row of " + what);
  if (**row != expected) return missing(store, table, "has another value for " + what);
  return {};
}

Status check_last_event(const RocksRows& rows, const std::string& store, std::uint64_t size) {
  const std::string key = sequence_key(size - 1);
  const std::string what = "event " + std::to_string(size - 1);
  std::string last_key;
  std::string bytes;
  Status scanned = rows.scan(Table::kEvent, "", Direction::kBackward,
                             [&](std::string_view found, std::string_view value) {
                               last_key = found;
                               bytes = value;
                               return false;
                             });
  if (!scanned) return scanned;
  if (last_key != key) return missing(store, Table::kEvent, "does not end with " + what);
  v1::Event event;
  if (!event.ParseFromString(bytes)) {
    return missing(store, Table::kEvent, "ends with bytes that are no event (" + what + ")");
  }
  Status leaf = check_value(rows, store, Table::kNode, node_key(0, size - 1),
                            as_bytes(leaf_hash(bytes)), what);
  if (!leaf) return leaf;
  return check_value(rows, store, Table::kIndex, id_key(event.event_id()), key, what);
}

// The peak of each set bit of the size, largest first, is a node of the tree.
Status check_peaks(const RocksRows& rows, const std::string& store, const v1::StoreState& state) {
  std::uint64_t rest = state.size();
  for (const std::string& peak : state.peaks()) {
    if (rest == 0) break;
    const auto level = static_cast<std::uint8_t>(std::bit_width(rest) - 1);
    const std::uint64_t index = (state.size() >> level) - 1;
    Status node = check_value(rows, store, Table::kNode, node_key(level, index), peak,
                              "the peak of level " + std::to_string(level));
    if (!node) return node;
    rest -= 1ULL << level;
  }
  return {};
}

Result<v1::StoreState> checked_state(const RocksRows& rows, const std::string& store) {
  Result<v1::StoreState> state = rows.state();
  if (!state) return fail(state.error().code, "store " + store + ": " + state.error().message);
  if (Status format = check_format(*state, store); !format) return pass(format);
  Result<std::optional<std::string>> reindex = rows.get(Table::kMeta, kReindexKey);
  if (!reindex) return pass(reindex);
  if (!reindex->has_value()) return state;
  return fail(ErrorCode::kCorrupt, "store " + store +
                                       ": a reindex was begun and not finished; run `muniment "
                                       "reindex` to finish it");
}

}  // namespace

Status check_format(const v1::StoreState& state, const std::string& store_folder) {
  if (state.format_version() <= kStoreFormat) return {};
  return fail(ErrorCode::kInvalid, "store " + store_folder + " has format " +
                                       std::to_string(state.format_version()) +
                                       ", this program reads up to " +
                                       std::to_string(kStoreFormat) + "; use a newer muniment");
}

Error explain_opening(Error error, const std::string& store_folder) {
  Result<std::optional<std::string>> row =
      RocksRows::peek(db_folder(store_folder), Table::kMeta, kStateKey);
  v1::StoreState state;
  if (!row || !row->has_value() || !state.ParseFromString(**row)) return error;
  Status format = check_format(state, store_folder);
  return format ? error : format.error();
}

Status check_rows(const RocksRows& rows, const std::string& store_folder) {
  Result<v1::StoreState> state = checked_state(rows, store_folder);
  if (!state) return pass(state);
  RowCounts expected = row_counts(*state);
  expected[slot(Table::kEvent)] = state->size();
  expected[slot(Table::kNode)] = node_count(state->size());
  for (const Table table :
       {Table::kEvent, Table::kBlob, Table::kNode, Table::kIndex, Table::kCheckpoint}) {
    Status count = check_count(rows, store_folder, table, expected[slot(table)]);
    if (!count) return count;
  }
  if (state->size() == 0) return {};
  if (Status last = check_last_event(rows, store_folder, state->size()); !last) return last;
  return check_peaks(rows, store_folder, *state);
}

}  // namespace muniment
