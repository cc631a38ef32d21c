#include "recorder/log/tables.h"

#include <optional>
#include <string>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/store.h"

namespace muniment {

std::string_view table_name(Table table) {
  switch (table) {
    case Table::kEvent:
      return "event";
    case Table::kBlob:
      return "blob";
    case Table::kNode:
      return "node";
    case Table::kIndex:
      return "index";
    case Table::kRun:
      return "run";
    case Table::kCheckpoint:
      return "checkpoint";
    case Table::kMeta:
      return "meta";
  }
  check(false, "a table has a name");
  return "";
}

RowCounts row_counts(const v1::StoreState& state) {
  RowCounts counts{};
  for (const v1::TableState& row : state.tables()) {
    for (const Table table : kTables) {
      if (table_name(table) == row.table()) counts[slot(table)] = row.rows();
    }
  }
  return counts;
}

void set_row_counts(v1::StoreState& state, const RowCounts& counts) {
  state.clear_tables();
  for (const Table table : kTables) {
    if (table == Table::kMeta) continue;
    v1::TableState* row = state.add_tables();
    row->set_table(std::string(table_name(table)));
    row->set_rows(counts[slot(table)]);
  }
}

Result<v1::StoreState> read_state(const LogReader& rows) {
  Result<std::optional<std::string>> row = rows.get(Table::kMeta, kStateKey);
  if (!row) return pass(row);
  if (!row->has_value()) {
    return fail(ErrorCode::kCorrupt,
                "table meta: the row \"state\" is missing; run `muniment verify`");
  }
  v1::StoreState state;
  if (!state.ParseFromString(**row)) {
    return fail(ErrorCode::kCorrupt,
                "table meta: the row \"state\" does not parse; run `muniment verify`");
  }
  return state;
}

v1::StoreState empty_state(std::string_view origin) {
  v1::StoreState state;
  state.set_format_version(kStoreFormat);
  state.set_origin(std::string(origin));
  state.set_root(std::string(as_bytes(sha256(""))));
  set_row_counts(state, {});
  return state;
}

}  // namespace muniment
