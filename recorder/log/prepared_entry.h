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

// An append that waits for its turn.
struct PendingAppend {
  std::vector<PreparedEntry> entries;
  std::optional<std::uint64_t> expected_head;
};

// 8-4-4-4-12 lower-case hexadecimal digits.
bool is_uuid_text(std::string_view text);

// Fails with kInvalid for bytes that do not parse back as an Event, an event_id that is no UUID, a
// run_id or about_run that is neither empty nor a UUID, more than kMaxEventBytes.
Result<PreparedEntry> prepare(Entry entry);

// All entries of one append; kInvalid also for two entries with one id.
Result<PendingAppend> prepare_append(std::vector<Entry> entries,
                                     std::optional<std::uint64_t> expected_head);

// The rows of an event that lies in a log already; kInvalid when it does not parse.
Result<PreparedEntry> prepare_stored(std::string_view bytes);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_PREPARED_ENTRY_H_
