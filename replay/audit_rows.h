// Rows that must be those which the events give, compared as multisets: their order in a table is
// not the order in which events give them.
#ifndef MUNIMENT_REPLAY_AUDIT_ROWS_H_
#define MUNIMENT_REPLAY_AUDIT_ROWS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// The sum of seeded 128-bit hashes of rows, modulo 2^128. It does not depend on their order; a row
// that is missing, changed or doubled changes it. Not thread-safe; sums of parts can be added.
class RowSum {
 public:
  explicit RowSum(std::uint64_t seed) : seed_(seed) {}

  void add(std::string_view key, std::string_view value);
  void add(const RowSum& other);

  std::uint64_t rows() const { return rows_; }
  bool operator==(const RowSum& other) const {
    return low_ == other.low_ && high_ == other.high_ && rows_ == other.rows_;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
  std::uint64_t rows_ = 0;
  std::string row_;
};

// Where a table can be cut into pieces of about the same size, for a log of about `events`: the
// first key of each piece but the first one.
std::vector<std::string> piece_boundaries(Table table, std::uint64_t events);

// Adds the rows with from <= key < end; an empty `end` is the end of the table.
Status sum_rows(const LogReader& log, Table table, std::string_view from, std::string_view end,
                RowSum& sum);

// What the slow search needs to know once two sums differ.
struct RowSearch {
  const LogReader& log;
  std::uint64_t seed = 0;
  std::uint64_t events = 0;  // that are there, without a gap
  bool is_cut = false;       // something speaks of more events than that
};

// Names the first row of kNode, or of kIndex, that is not what the events give, in a second pass
// over them. Rows of events behind the end of a log that was cut are not other findings than the
// cut itself. `derived` is the sum of what the events give, `seen` of what the table holds.
Status find_bad_node(const RowSearch& search, const RowSum& derived, const RowSum& seen,
                     v1::VerifyReport& report);
Status find_bad_index_row(const RowSearch& search, const RowSum& derived, v1::VerifyReport& report);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_ROWS_H_
