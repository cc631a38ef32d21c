// The tables by name, and the counts of their rows that StoreState keeps.
#ifndef MUNIMENT_RECORDER_LOG_TABLES_H_
#define MUNIMENT_RECORDER_LOG_TABLES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

inline constexpr std::array kTables = {Table::kEvent, Table::kBlob, Table::kNode,
                                       Table::kIndex, Table::kRun,  Table::kCheckpoint,
                                       Table::kMeta};

// "event", "blob" …: the name of the column family and of the row count.
std::string_view table_name(Table table);

// Rows per table, indexed by Table; kMeta is not counted.
using RowCounts = std::array<std::uint64_t, kTables.size()>;

inline std::size_t slot(Table table) {
  return static_cast<std::size_t>(table);
}

// The counts of a state; a table that the state does not name has none.
RowCounts row_counts(const v1::StoreState& state);
void set_row_counts(v1::StoreState& state, const RowCounts& counts);

// The state row as a reader sees it; kCorrupt when it is missing or does not parse.
Result<v1::StoreState> read_state(const LogReader& rows);

// The state of a log without events.
v1::StoreState empty_state(std::string_view origin);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_TABLES_H_
