// The walk through the records of a database's write-ahead logs, one log after the other.
//
// wal_scan.h is the door; this is what stands between it and the framing of wal_format.h.
#ifndef MUNIMENT_RECORDER_LOG_WAL_WALK_H_
#define MUNIMENT_RECORDER_LOG_WAL_WALK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "recorder/log/wal_format.h"
#include "recorder/log/wal_scan.h"

namespace muniment {

// Reads logs in the order of their numbers and gathers what is wrong with them. What it knows of
// events spans the logs: sequences go on from one to the next without a gap. Does no I/O.
class WalWalk {
 public:
  // `event_family` is RocksDB's number of the table of events.
  explicit WalWalk(std::uint32_t event_family) : family_(event_family) {}

  // Walks one log to its end. `file` stands in findings; `log` is all of its bytes.
  void walk(std::string file, std::uint64_t number, std::string_view log);

  // A log between two others has been deleted meanwhile: what follows need not join.
  void skip() { next_.reset(); }

  // The log that was walked last cannot be read from `offset` on.
  void cannot_read(std::uint64_t offset, const std::string& why);

  // What was found. Nothing may be called afterwards.
  WalScan finish() { return std::move(result_); }

 private:
  // Each returns where to go on.
  std::size_t take(std::string_view log, const Fragment& fragment, std::size_t at);
  std::size_t resume(std::string_view log, std::size_t at, std::size_t end,
                     const std::string& what);
  std::size_t judge_cut(std::string_view log, std::size_t at);
  void take_record(std::string_view record, std::size_t at);
  void take_sequence(std::uint64_t sequence, std::size_t at);
  void report(std::size_t at, std::string what);
  void report_torn(std::size_t at);
  bool is_rest_of_record(std::string_view log, std::size_t at) const;
  FileFinding finding(std::size_t at, std::string what) const;

  std::uint32_t family_;
  WalScan result_;
  std::optional<std::uint64_t> next_;  // the sequence that should come next
  bool after_damage_ = false;          // the last finding does not know yet what it cost

  // Of the log that is being walked.
  std::string file_;
  std::uint64_t number_ = 0;
  std::size_t findings_here_ = 0;
  std::string pieces_;  // of a record whose last fragment has not come
  std::optional<std::size_t> record_at_;
  std::optional<std::size_t> zeros_at_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_WAL_WALK_H_
