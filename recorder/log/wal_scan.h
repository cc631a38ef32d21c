// Checks the write-ahead logs of a database by themselves: also of one that RocksDB refuses to
// open, and of one that it opens with events missing.
//
// The second case is real. Opened as a store is (kTolerateCorruptedTailRecords), RocksDB 7.8 takes
// a length that leaves the file for a torn tail, and a type with one bit flipped for the end of a
// recycled log; both drop acknowledged events without a word.
#ifndef MUNIMENT_RECORDER_LOG_WAL_SCAN_H_
#define MUNIMENT_RECORDER_LOG_WAL_SCAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/log/store.h"

namespace muniment {

// RocksDB's number of the column family `event`: `default` is 0, and create_store() makes `event`
// first. A constant, because a database that does not open cannot be asked.
inline constexpr std::uint32_t kEventFamily = 1;

struct WalScan {
  // In order of log and offset. The offset is where the damaged record begins. Each finding says
  // what follows the damage, and which events are gone where that can be told.
  std::vector<FileFinding> damage;

  // The newest log ends inside a record: a crash while it was being written. Harmless, since such
  // an event was never acknowledged; worth a line in a report.
  std::optional<FileFinding> torn_tail;

  // The only damage is the newest log's last record, which is all there: cutting the file at its
  // offset loses that record and nothing else.
  bool only_last_record = false;

  // The highest sequence among the logs' whole records. Absent when they hold no event: everything
  // is in tables already.
  std::optional<std::uint64_t> last_sequence;
};

// Reads every NUMBER.log in `db_folder`, in order, and changes nothing; safe beside a writer (a
// record that it is just writing is a torn tail; a log that it deletes meanwhile is skipped).
//
// What a log cannot tell by itself is where it should end: events missing behind the last whole
// record are found by comparing with the head or a checkpoint.
// Errors: kNotFound (no such folder), kIo (a log cannot be opened).
Result<WalScan> scan_wals(const std::string& db_folder, std::uint32_t event_family = kEventFamily);

// The damage alone; an empty list: none.
Result<std::vector<FileFinding>> scan_wal_files(const std::string& db_folder);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_WAL_SCAN_H_
