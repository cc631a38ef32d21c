// A log as bare rows that a test may change behind everybody's back.
#ifndef MUNIMENT_TESTS_SUPPORT_ROWS_LOG_H_
#define MUNIMENT_TESTS_SUPPORT_ROWS_LOG_H_

#include <array>
#include <map>
#include <optional>
#include <string>

#include "recorder/log/tables.h"

namespace muniment {

// Reads whatever rows it holds; promises nothing about them.
class RowsLog : public LogReader {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  // A copy of all rows of `log`.
  explicit RowsLog(const LogReader& log) {
    for (const Table which : kTables) {
      const Status scanned =
          log.scan(which, "", Direction::kForward, [&](auto key, std::string_view value) {
            table(which).emplace(key, value);
            return true;
          });
      if (!scanned) table(Table::kMeta).clear();  // an unreadable log has no state
    }
  }

  Rows& table(Table which) { return tables_[slot(which)]; }
  const Rows& table(Table which) const { return tables_[slot(which)]; }

  Result<v1::StoreState> state() const override { return read_state(*this); }

  Result<std::optional<std::string>> get(Table from, std::string_view key) const override {
    const auto found = table(from).find(key);
    if (found == table(from).end()) return std::nullopt;
    return found->second;
  }

  Status scan(Table from_table, std::string_view from, Direction direction,
              const RowVisitor& visit) const override {
    const Rows& rows = table(from_table);
    if (direction == Direction::kForward) {
      for (auto at = rows.lower_bound(from); at != rows.end(); ++at) {
        if (!visit(at->first, at->second)) break;
      }
      return {};
    }
    for (auto at = from.empty() ? rows.end() : rows.upper_bound(from); at != rows.begin();) {
      --at;
      if (!visit(at->first, at->second)) break;
    }
    return {};
  }

  Status refresh() override { return {}; }

 private:
  std::array<Rows, kTables.size()> tables_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_ROWS_LOG_H_
