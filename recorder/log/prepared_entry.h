// What an appender does for itself before its turn comes: everything that needs no knowledge of the
// log.
#ifndef MUNIMENT_RECORDER_LOG_PREPARED_ENTRY_H_
#define MUNIMENT_RECORDER_LOG_PREPARED_ENTRY_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/log/key_codec.h"

namespace muniment {

// An entry that is fit to be appended, with all that can be computed without its sequence.
struct PreparedEntry {
  std::string bytes;
  v1::Event event;  // parsed from `bytes`
  Digest leaf{};
  std::vector<IndexRow> index;                             // see set_sequence()
  std::vector<std::pair<std::string, std::string>> blobs;  // SHA-256, bytes; no digest twice
};

// A row of kCheckpoint.
struct SignedRow {
  std::string key;
  std::string bytes;
};

// What waits for its turn to be written at once: events, and what else goes with them.
struct PendingAppend {
  std::vector<PreparedEntry> entries;
  std::optional<std::uint64_t> expected_head;
  std::optional<SignedRow> signed_row;
  std::string erased_blob;  // its digest; empty: none. Deleted after the entries' own blobs are put
};

// 8-4-4-4-12 lower-case hexadecimal digits.
bool is_uuid_text(std::string_view text);

// Fails with kInvalid for bytes that do not parse back as an Event, an event_id that is no UUID, a
// run_id or about_run that is neither empty nor a UUID, more than kMaxEventBytes.
Result<PreparedEntry> prepare(Entry entry);

// All entries of one append; kInvalid also for two entries with one id.
Result<PendingAppend> prepare_append(std::vector<Entry> entries,
                                     std::optional<std::uint64_t> expected_head);

// kInvalid for a key that is neither a size nor a run id.
Result<PendingAppend> prepare_signed(std::string key, std::string bytes);

// kInvalid also for an event that does not say that the blob under `commitment` was erased: a blob
// does not vanish without a record.
Result<PendingAppend> prepare_erasure(Entry event, std::string commitment);

// The rows of an event that lies in a log already; kInvalid when it does not parse.
Result<PreparedEntry> prepare_stored(std::string_view bytes);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_PREPARED_ENTRY_H_
