// Doors to a store on disk. No RocksDB type appears here: callers outside recorder/log see the two
// ports alone.
//
// STORE/            0700 (2750 with a reading group)
//   lock            flock: exclusive by the writer, shared by a reader while it opens;
//                   text: pid, command, start
//   db/             RocksDB; files 0600 (0640 with a reading group) whatever the umask
//   inbox/          0700, facts left for the holder (inbox.h)
//   db.creating/    only while a store is being created
#ifndef MUNIMENT_RECORDER_LOG_STORE_H_
#define MUNIMENT_RECORDER_LOG_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

inline constexpr std::uint32_t kStoreFormat = 1;

struct CreateOptions {
  std::string origin;
  std::string reading_group;  // empty: none
};

// Creates an empty store. kRefused when something is already at `folder` that is not an empty
// folder.
Status create_store(const std::string& folder, const CreateOptions& options);

enum class StoreKind { kAbsent, kPresent, kForeign };
// What lies at `folder`: nothing (or an empty folder), a store, something else.
StoreKind probe_store(const std::string& folder);

struct LockRequest {
  std::chrono::milliseconds wait{0};
  std::string command;  // redacted; shown to whoever finds the lock taken
};

// The writer: also a reader of what it wrote (its reads need no refresh()).
class Store : public LogWriter, public LogReader {
 public:
  virtual const std::string& folder() const = 0;

  // Keeps what was signed about the log in the table kCheckpoint, durably: key_codec.h has the
  // keys. The same bytes under the same key again are no error, other bytes take the place of the
  // first (a checkpoint gets the signature of a second key). Errors: as append(), kInvalid for a
  // key of another form.
  virtual Status keep_signed(std::string key, std::string bytes) = 0;

  // Appends an event and deletes a blob in one write, then removes the blob's bytes from the files
  // of the database (the WAL, what compaction has not dropped yet): on return no file of the store
  // holds them. The event's sequence. A blob that is not there is no error, so that an erasure that
  // was cut short can be made again. Not from within a scan, which holds the files that must go.
  // Errors: as append(), kInvalid for an event that is not the `Erased` of this commitment; kIo
  // also when the event is durable and the blob deleted, but the files could not be cleaned.
  virtual Result<std::uint64_t> erase(Entry event, std::string commitment) = 0;
};

// Opens for writing and takes the lock until the object dies; flushes at destruction.
// Errors: kNotFound (no store; the message names `muniment init`), kBusy (names the holder's pid,
// command and start), kCorrupt (damage; names what `muniment verify` will show), kInvalid (a newer
// format), kIo.
Result<std::unique_ptr<Store>> open_store(const std::string& folder, const LockRequest& lock);

// Opens for reading, beside a writer or without one, without write permission, and compares row
// counts and heads: kCorrupt when data is missing. Never blocks a writer for longer than the
// opening.
Result<std::unique_ptr<LogReader>> open_reader(const std::string& folder);

// What can still be read of a store that open_reader() refuses, to find out what is wrong with it:
// nothing is compared, rows may be missing, reading may fail at any of them. Only while nobody
// writes: kBusy else. kCorrupt when the database does not open at all.
Result<std::unique_ptr<LogReader>> open_damaged(const std::string& folder);

// Rebuilds all derived tables from the events. Takes the writer's lock. Returns the number of
// events.
Result<std::uint64_t> rebuild_store(const std::string& folder, const LockRequest& lock,
                                    const std::function<void(std::uint64_t done)>& progress);

// What a scan of files found, below the level of rows.
struct FileFinding {
  std::string file;
  std::uint64_t offset = 0;
  std::string what;
  std::uint64_t last_good_sequence = 0;  // the last event seen whole before the damage …
  bool any_good_sequence = false;        // … if there was one
};

// Checks every file of the database: checksums of SSTs against the database's manifest, and each
// WAL record by its own checksum. Works on a store that does not open. An empty list: nothing
// found.
Result<std::vector<FileFinding>> check_files(const std::string& folder);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_STORE_H_
