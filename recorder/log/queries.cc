#include "recorder/log/queries.h"

#include <limits>
#include <utility>

#include "recorder/core/run_state.h"

namespace muniment {
namespace {

constexpr std::size_t kSequenceBytes = 8;
constexpr std::size_t kUuidBytes = 36;
constexpr std::size_t kSaltBytes = 32;

std::unexpected<Error> damaged(std::uint64_t sequence, const char* what) {
  return fail(ErrorCode::kCorrupt,
              "event " + std::to_string(sequence) + " " + what + "; run `muniment verify`");
}

Result<StoredEvent> parse_stored(std::uint64_t sequence, std::string_view bytes) {
  StoredEvent stored{sequence, std::string(bytes), {}};
  if (!stored.event.ParseFromString(stored.bytes)) return damaged(sequence, "does not parse");
  return stored;
}

// The sequence that a row of kIndex ends with, when the row has exactly this prefix: a module's
// name may be the beginning of another row's value.
std::optional<std::uint64_t> sequence_behind(std::string_view prefix, std::string_view key) {
  if (key.size() != prefix.size() + kSequenceBytes) return std::nullopt;
  return decode_sequence(key.substr(prefix.size()));
}

using SequenceVisitor = std::function<bool(std::uint64_t sequence)>;

Status scan_index(const LogReader& log, const std::string& prefix, std::uint64_t from,
                  Direction direction, const SequenceVisitor& visit) {
  return log.scan(Table::kIndex, prefix + sequence_key(from), direction,
                  [&](std::string_view key, std::string_view) {
                    if (!key.starts_with(prefix)) return false;
                    const std::optional<std::uint64_t> sequence = sequence_behind(prefix, key);
                    return !sequence || visit(*sequence);
                  });
}

// A row of the index or of the log that is below the head must be there.
Result<StoredEvent> read_known(const LogReader& log, std::uint64_t sequence) {
  Result<std::optional<std::string>> bytes = log.get(Table::kEvent, sequence_key(sequence));
  if (!bytes) return pass(bytes);
  if (!bytes->has_value()) return damaged(sequence, "is missing");
  return parse_stored(sequence, **bytes);
}

}  // namespace

Result<StoredEvent> read_event(const LogReader& log, std::uint64_t sequence) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  if (sequence >= state->size()) {
    return fail(ErrorCode::kNotFound, "no event " + std::to_string(sequence) + ": the log has " +
                                          std::to_string(state->size()) +
                                          "; see `muniment events`");
  }
  return read_known(log, sequence);
}

Status read_events(const LogReader& log, std::uint64_t from, const EventVisitor& visit) {
  Status outcome;
  std::uint64_t next = from;
  const auto read_row = [&](std::string_view key, std::string_view value) {
    if (key != sequence_key(next)) {
      outcome = damaged(next, "is missing");
      return false;
    }
    Result<StoredEvent> stored = parse_stored(next++, value);
    if (!stored) {
      outcome = pass(stored);
      return false;
    }
    return visit(*stored);
  };
  Status scanned = log.scan(Table::kEvent, sequence_key(from), Direction::kForward, read_row);
  return scanned ? outcome : scanned;
}

Status read_indexed(const LogReader& log, IndexTag tag, std::string_view value, std::uint64_t from,
                    Direction direction, const EventVisitor& visit) {
  Status outcome;
  const auto read_row = [&](std::uint64_t sequence) {
    Result<StoredEvent> stored = read_known(log, sequence);
    if (!stored) {
      outcome = pass(stored);
      return false;
    }
    return visit(*stored);
  };
  Status scanned = scan_index(log, index_prefix(tag, value), from, direction, read_row);
  return scanned ? outcome : scanned;
}

Result<std::optional<std::string>> read_blob(const LogReader& log, std::string_view sha256) {
  return log.get(Table::kBlob, sha256);
}

Result<std::optional<std::string>> read_erasable(const LogReader& log, const v1::Erasable& field) {
  Result<std::optional<std::string>> blob = read_blob(log, field.commitment());
  if (!blob || !blob->has_value()) return blob;
  if ((*blob)->size() < kSaltBytes) {
    return fail(ErrorCode::kCorrupt,
                "the blob of an erasable text is shorter than its salt; run "
                "`muniment verify`");
  }
  return (*blob)->substr(kSaltBytes);
}

Result<v1::RunState> run_state(const LogReader& log, std::string_view run_id) {
  Result<std::optional<std::string>> row = log.get(Table::kRun, run_id);
  if (!row) return pass(row);
  // The event that starts a run writes its first snapshot: without one there is no run.
  if (!row->has_value()) {
    return fail(ErrorCode::kNotFound,
                "no run " + std::string(run_id) + " in this log; see `muniment runs`");
  }
  v1::RunState state;
  if (!state.ParseFromString(**row)) {
    return fail(ErrorCode::kCorrupt, "the snapshot of run " + std::string(run_id) +
                                         " does not parse; run `muniment reindex`");
  }
  Status tail = read_indexed(log, IndexTag::kByRun, run_id, state.last_sequence() + 1,
                             Direction::kForward, [&](const StoredEvent& stored) {
                               state = evolve(std::move(state), stored.event, stored.sequence);
                               return true;
                             });
  if (!tail) return pass(tail);
  return state;
}

Status list_runs(
    const LogReader& log, std::uint64_t before,
    const std::function<bool(std::string_view run_id, std::uint64_t sequence)>& visit) {
  if (before == 0) return {};
  return read_indexed(
      log, IndexTag::kByStart, "", before - 1, Direction::kBackward,
      [&](const StoredEvent& stored) { return visit(stored.event.run_id(), stored.sequence); });
}

Result<std::optional<std::uint64_t>> find_event(const LogReader& log, std::string_view event_id) {
  if (event_id.size() != kUuidBytes) return std::nullopt;
  Result<std::optional<std::string>> row = log.get(Table::kIndex, id_key(event_id));
  if (!row) return pass(row);
  if (!row->has_value()) return std::nullopt;
  if ((*row)->size() != kSequenceBytes) {
    return fail(ErrorCode::kCorrupt, "the index row of event " + std::string(event_id) +
                                         " holds no sequence; run `muniment reindex`");
  }
  return decode_sequence(**row);
}

Result<std::optional<StoredCheckpoint>> newest_checkpoint(const LogReader& log) {
  // Statements lie behind all checkpoints: their keys begin with a digit of text, 0x30 or more.
  constexpr std::uint64_t kBelowText = 0x2fffffffffffffff;
  std::optional<StoredCheckpoint> newest;
  Status scanned = log.scan(Table::kCheckpoint, sequence_key(kBelowText), Direction::kBackward,
                            [&](std::string_view key, std::string_view value) {
                              // Whatever else lies there is for `verify` to find.
                              if (key.size() != kSequenceBytes) return true;
                              newest = {.size = decode_sequence(key), .note = std::string(value)};
                              return false;
                            });
  if (!scanned) return pass(scanned);
  return newest;
}

Result<std::optional<StoredCheckpoint>> checkpoint_over(const LogReader& log,
                                                        std::uint64_t sequence) {
  std::optional<StoredCheckpoint> first;
  Status scanned = log.scan(Table::kCheckpoint, sequence_key(sequence + 1), Direction::kForward,
                            [&](std::string_view key, std::string_view value) {
                              if (key.size() == kSequenceBytes)
                                first = {decode_sequence(key), std::string(value)};
                              return false;
                            });
  if (!scanned) return pass(scanned);
  return first;
}

Result<std::string> log_state_of(const LogReader& log, std::uint64_t sequence) {
  Result<std::optional<StoredCheckpoint>> over = checkpoint_over(log, sequence);
  if (!over) return pass(over);
  return over->has_value() ? "checkpointed" : "integrated";
}

Result<std::optional<std::string>> read_statement(const LogReader& log, std::string_view run_id) {
  return log.get(Table::kCheckpoint, run_id);
}

}  // namespace muniment
