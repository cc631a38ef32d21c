// A few events of a log, read like a log: what a bundle holds.
#ifndef MUNIMENT_REPLAY_SPARSE_LOG_H_
#define MUNIMENT_REPLAY_SPARSE_LOG_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "recorder/core/digest.h"
#include "recorder/core/result.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/log/event_log.h"
#include "recorder/log/tables.h"

namespace muniment {

struct SparseParts {
  Checkpoint checkpoint;
  std::string checkpoint_note;                    // as signed
  std::map<std::uint64_t, std::string> events;    // stored bytes by sequence
  std::map<std::string, std::string> blobs;       // by SHA-256 (32 bytes)
  std::map<std::string, std::string> statements;  // envelopes by run id
};

// Has the rows that the whole log would have for these events: event, blob, index, run, checkpoint.
// Its origin, size and root are the checkpoint's; the nodes of the tree are not there, nor the
// events in between, so that what reads all events or computes a root finds rows missing. A run is
// folded from those of its events that are here. Nothing is checked: whoever fills it has done so.
// A value that never changes; thread-safe.
class SparseLog : public LogReader {
 public:
  // kCorrupt: an event does not parse.
  static Result<SparseLog> of(SparseParts parts);

  Result<v1::StoreState> state() const override;
  Result<std::optional<std::string>> get(Table table, std::string_view key) const override;
  Status scan(Table table, std::string_view from, Direction direction,
              const RowVisitor& visit) const override;
  Status refresh() override { return {}; }

 private:
  using Rows = std::map<std::string, std::string, std::less<>>;

  SparseLog() = default;
  Rows& rows(Table table) { return tables_[slot(table)]; }
  const Rows& rows(Table table) const { return tables_[slot(table)]; }

  std::array<Rows, kTables.size()> tables_;
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_SPARSE_LOG_H_
