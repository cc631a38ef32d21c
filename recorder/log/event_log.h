// The append-only log: two ports and the words they share. The format behind them is
// proto/README.md.
#ifndef MUNIMENT_RECORDER_LOG_EVENT_LOG_H_
#define MUNIMENT_RECORDER_LOG_EVENT_LOG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"

namespace muniment {

// A leaf of the tree is a stored event; entry bundles of the tlog-tiles standard have 16-bit
// lengths.
inline constexpr std::size_t kMaxEventBytes = 65'535;

// Keys of every table are in key_codec.h. Only kEvent and kBlob are facts; the rest is derived.
enum class Table { kEvent, kBlob, kNode, kIndex, kRun, kCheckpoint, kMeta };

enum class Direction { kForward, kBackward };

// One event to be appended, with the blobs it refers to.
struct Entry {
  std::string bytes;               // a serialized v1::Event
  std::vector<std::string> blobs;  // each is stored under its SHA-256
};

// Sequences of the entries of one append, in their order.
struct Appended {
  std::vector<std::uint64_t> sequences;
  std::uint64_t size = 0;  // of the log, after this append
};

// The write side. Thread-safe.
class LogWriter {
 public:
  virtual ~LogWriter() = default;

  // Appends all entries or none, next to each other, and returns when they are durable.
  // An entry whose event id is already in the log with the same bytes is not appended again: its
  // first sequence is returned. `expected_head`, if set, is the size the log must have; an append
  // that only repeats what is in the log is not held to it, so that a retry after a lost answer
  // gives that answer.
  // Errors: kInvalid (bytes that do not parse back as an Event, an event id that is no UUID, two
  // entries with one id, more than kMaxEventBytes), kRefused (same event id with other bytes; the
  // head is not the expected one), kIo (disk full …), kCorrupt. After kIo or kCorrupt from the
  // storage the log takes no further appends until it is opened again; nothing acknowledged is
  // lost.
  virtual Result<Appended> append(std::vector<Entry> entries,
                                  std::optional<std::uint64_t> expected_head) = 0;
};

// Called with each row; returns false to stop. The views live until it returns.
using RowVisitor = std::function<bool(std::string_view key, std::string_view value)>;

// The read side: a consistent state of the log, fixed until refresh(). Thread-compatible.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // Size, root and row counts of what is seen.
  virtual Result<v1::StoreState> state() const = 0;

  // The value under a key; absent is not an error.
  virtual Result<std::optional<std::string>> get(Table table, std::string_view key) const = 0;

  // Visits rows in key order from the first key >= `from` (kForward), or in reverse order from the
  // last key <= `from` (kBackward; an empty `from` means the last row).
  virtual Status scan(Table table, std::string_view from, Direction direction,
                      const RowVisitor& visit) const = 0;

  // Moves on to what the writer has made durable since. kCorrupt when rows are missing.
  virtual Status refresh() = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_EVENT_LOG_H_
