#include "replay/sparse_log.h"

#include <utility>

#include "recorder/core/run_state.h"
#include "recorder/log/key_codec.h"

namespace muniment {
namespace {

using Runs = std::map<std::string, v1::RunState>;

// As the writer does it: a run starts by an event of its own, not by one that is about it.
void fold(Runs& runs, const v1::Event& event, std::uint64_t sequence) {
  for (const std::string* const id : {&event.run_id(), &event.about_run()}) {
    const bool is_own = *id == event.run_id();
    if (id->empty() || (id == &event.about_run() && is_own)) continue;
    v1::RunState& run = runs[*id];
    if (!has_started(run) && !is_own) continue;
    run = evolve(std::move(run), event, sequence);
  }
}

}  // namespace

Result<SparseLog> SparseLog::of(SparseParts parts) {
  SparseLog log;
  Runs runs;
  for (auto& [sequence, bytes] : parts.events) {
    v1::Event event;
    if (!event.ParseFromString(bytes)) {
      return fail(ErrorCode::kCorrupt, "event " + std::to_string(sequence) + " does not parse");
    }
    for (auto& [key, value] : index_rows(event, sequence)) {
      log.rows(Table::kIndex).insert_or_assign(std::move(key), std::move(value));
    }
    fold(runs, event, sequence);
    log.rows(Table::kEvent).emplace(sequence_key(sequence), std::move(bytes));
  }
  for (const auto& [run_id, run] : runs) {
    if (has_started(run)) log.rows(Table::kRun).emplace(run_id, run.SerializeAsString());
  }
  for (auto& [key, bytes] : parts.blobs) log.rows(Table::kBlob).emplace(key, std::move(bytes));
  for (auto& [run_id, envelope] : parts.statements) {
    log.rows(Table::kCheckpoint).emplace(run_id, std::move(envelope));
  }
  log.rows(Table::kCheckpoint)
      .emplace(sequence_key(parts.checkpoint.size), std::move(parts.checkpoint_note));
  v1::StoreState state = empty_state(parts.checkpoint.origin);
  state.set_size(parts.checkpoint.size);
  state.set_root(std::string(as_bytes(parts.checkpoint.root)));
  state.clear_peaks();
  log.rows(Table::kMeta).emplace(kStateKey, state.SerializeAsString());
  return log;
}

Result<v1::StoreState> SparseLog::state() const {
  return read_state(*this);
}

Result<std::optional<std::string>> SparseLog::get(Table table, std::string_view key) const {
  const auto found = rows(table).find(key);
  if (found == rows(table).end()) return std::nullopt;
  return found->second;
}

Status SparseLog::scan(Table table, std::string_view from, Direction direction,
                       const RowVisitor& visit) const {
  const Rows& all = rows(table);
  if (direction == Direction::kForward) {
    for (auto at = all.lower_bound(from); at != all.end(); ++at) {
      if (!visit(at->first, at->second)) break;
    }
    return {};
  }
  for (auto at = from.empty() ? all.end() : all.upper_bound(from); at != all.begin();) {
    --at;
    if (!visit(at->first, at->second)) break;
  }
  return {};
}

}  // namespace muniment
