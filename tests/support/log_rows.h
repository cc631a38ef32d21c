// All rows of a log, to compare two of them or two moments of one.
#ifndef MUNIMENT_TESTS_SUPPORT_LOG_ROWS_H_
#define MUNIMENT_TESTS_SUPPORT_LOG_ROWS_H_

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/log/tables.h"

namespace muniment {

struct LogRow {
  Table table;
  std::string key;
  std::string value;
  bool operator==(const LogRow&) const = default;
};

inline void PrintTo(const LogRow& row, std::ostream* out) {
  *out << table_name(row.table) << ' ' << to_hex(row.key) << " -> " << to_hex(row.value);
}

inline std::vector<LogRow> rows_of(const LogReader& log) {
  std::vector<LogRow> rows;
  for (const Table table : kTables) {
    const Status scanned =
        log.scan(table, "", Direction::kForward, [&](std::string_view key, std::string_view value) {
          rows.push_back({table, std::string(key), std::string(value)});
          return true;
        });
    EXPECT_TRUE(scanned) << scanned.error().message;
  }
  return rows;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_LOG_ROWS_H_
