// Keys of the tables. Integers are big-endian, so that byte order is number order.
//
//   kEvent       sequence(8)             -> the stored bytes of the event
//   kBlob        SHA-256(32)             -> the bytes
//   kNode        level(1) index(8)       -> hash(32); level 0 holds the leaf hashes; only perfect
//                                           subtrees have a row
//   kIndex       tag(1) value seq(8)     -> ""   (tags below)
//                kById: tag(1) id(36)    -> sequence(8)
//   kRun         run id (36, text)       -> RunState, a snapshot: see queries.h run_state()
//   kCheckpoint  size(8)                 -> the signed checkpoint
//                run id (36, text)       -> the signed statement about the run, a DSSE envelope
//   kMeta        "state"                 -> StoreState
//                "reindex"               -> StoreState as it was when a reindex began; only while
//                                           one is under way
#ifndef MUNIMENT_RECORDER_LOG_KEY_CODEC_H_
#define MUNIMENT_RECORDER_LOG_KEY_CODEC_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "muniment/v1/event.pb.h"

namespace muniment {

// First byte of a key in kIndex.
enum class IndexTag : char {
  kById = 'e',      // event id (36)                      -> sequence: the idempotency key
  kByRun = 'r',     // run id (36): events with that run_id or about_run
  kByModule = 'm',  // module name, 0x00
  kByType = 't',    // body field number (2)
  kByActor = 'a',   // commitment of the claimed actor (32); only for RunStarted
  kByTime = 'w',    // recorded_at, nanoseconds since 1970 with the sign bit flipped (8)
  kByStart = 's',   // no value: one row for each RunStarted, so that runs are listed newest first
};

std::string sequence_key(std::uint64_t sequence);
// REQUIRES: eight_bytes.size() == 8.
std::uint64_t decode_sequence(std::string_view eight_bytes);
std::string node_key(std::uint8_t level, std::uint64_t index);

// Prefix of all rows with this tag and value; sequence_key() follows.
std::string index_prefix(IndexTag tag, std::string_view value);
std::string time_value(std::int64_t nanoseconds);
std::string type_value(std::uint32_t body_number);

// All kIndex rows of an event: the one definition for append, reindex and verify.
using IndexRow = std::pair<std::string, std::string>;
std::vector<IndexRow> index_rows(const v1::Event& event, std::uint64_t sequence);

// The same rows one by one, for whoever looks at very many: the views live until `visit` returns.
using IndexRowVisitor = std::function<void(std::string_view key, std::string_view value)>;
void visit_index_rows(const v1::Event& event, std::uint64_t sequence, const IndexRowVisitor& visit);

// Moves rows that index_rows() made for one sequence to another, so that an appender can build them
// before it knows its place.
void set_sequence(std::vector<IndexRow>& rows, std::uint64_t sequence);

// The key of an event id's row in kIndex.
std::string id_key(std::string_view event_id);

inline constexpr std::string_view kStateKey = "state";
inline constexpr std::string_view kReindexKey = "reindex";

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_KEY_CODEC_H_
