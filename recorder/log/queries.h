// Typed questions to a LogReader: thin functions over its rows.
#ifndef MUNIMENT_RECORDER_LOG_QUERIES_H_
#define MUNIMENT_RECORDER_LOG_QUERIES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/log/key_codec.h"

namespace muniment {

struct StoredEvent {
  std::uint64_t sequence = 0;
  std::string bytes;  // as stored
  v1::Event event;    // parsed
};

// Returns false to stop.
using EventVisitor = std::function<bool(const StoredEvent&)>;

// kNotFound beyond the head; kCorrupt when the row is missing or does not parse.
Result<StoredEvent> read_event(const LogReader& log, std::uint64_t sequence);

// Events with sequence >= from, in order.
Status read_events(const LogReader& log, std::uint64_t from, const EventVisitor& visit);

// Events behind one index value, in the given direction, from the sequence on (kForward) or down
// from it (kBackward).
Status read_indexed(const LogReader& log, IndexTag tag, std::string_view value, std::uint64_t from,
                    Direction direction, const EventVisitor& visit);

// Absent: the blob is not in the store (it may have been erased).
Result<std::optional<std::string>> read_blob(const LogReader& log, std::string_view sha256);

// The text of an Erasable; absent when it was erased.
Result<std::optional<std::string>> read_erasable(const LogReader& log, const v1::Erasable& field);

// The run as of the reader's state: the stored snapshot, then the events of the run behind it.
// kNotFound when no run with exactly this id has started.
Result<v1::RunState> run_state(const LogReader& log, std::string_view run_id);

// Ids of started runs, newest first, below the sequence `before`. Visitor returns false to stop.
Status list_runs(const LogReader& log, std::uint64_t before,
                 const std::function<bool(std::string_view run_id, std::uint64_t sequence)>& visit);

// The sequence of an event by its id; absent when it is not in the log.
Result<std::optional<std::uint64_t>> find_event(const LogReader& log, std::string_view event_id);

// A checkpoint that the writer signed, as it lies in the table kCheckpoint.
struct StoredCheckpoint {
  std::uint64_t size = 0;
  std::string note;  // a signed note
};

// The one of the largest size; absent: none was signed yet.
Result<std::optional<StoredCheckpoint>> newest_checkpoint(const LogReader& log);

// The first one that covers an event: what is said of the event by it stays so when more are
// signed. Absent: none covers it yet.
Result<std::optional<StoredCheckpoint>> checkpoint_over(const LogReader& log,
                                                        std::uint64_t sequence);

// How the log holds an event: every one is durable and in the tree before its appender hears of it
// ("integrated"); "checkpointed" when a signed checkpoint covers it.
Result<std::string> log_state_of(const LogReader& log, std::uint64_t sequence);

// The statement that was signed when the run ended (a DSSE envelope, one line of JSON); absent:
// none was.
Result<std::optional<std::string>> read_statement(const LogReader& log, std::string_view run_id);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_QUERIES_H_
