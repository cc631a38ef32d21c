#include "recorder/log/append_group.h"

#include <algorithm>
#include <utility>

#include "recorder/core/run_state.h"
#include "recorder/log/key_codec.h"

namespace muniment {

AppendGroup::AppendGroup(const LogReader& rows, v1::StoreState state, CompactRange tree)
    : rows_(&rows), fixed_(std::move(state)), tree_(std::move(tree)), counts_(row_counts(fixed_)) {}

Result<AppendGroup> AppendGroup::resume(const LogReader& rows, const v1::StoreState& state) {
  const auto broken = [](const char* what) {
    return fail(ErrorCode::kCorrupt, std::string("the state row of the log contradicts itself (") +
                                         what + "); run `muniment verify`");
  };
  std::vector<Digest> peaks;
  for (const std::string& peak : state.peaks()) {
    if (peak.size() != Digest().size()) return broken("a peak is no SHA-256");
    peaks.push_back(digest_from_bytes(peak));
  }
  std::optional<CompactRange> tree = CompactRange::from_peaks(state.size(), std::move(peaks));
  if (!tree) return broken("the peaks do not fit the size");
  if (as_bytes(tree->root()) != state.root()) return broken("the peaks do not give the root");
  return AppendGroup(rows, state, *std::move(tree));
}

Result<std::optional<AppendGroup::Placed>> AppendGroup::find_placed(
    const PreparedEntry& entry) const {
  const auto in_group = new_ids_.find(entry.event.event_id());
  if (in_group != new_ids_.end()) return in_group->second;
  Result<std::optional<std::string>> row =
      rows_->get(Table::kIndex, id_key(entry.event.event_id()));
  if (!row) return pass(row);
  if (!row->has_value()) return std::nullopt;
  if ((*row)->size() != sizeof(std::uint64_t)) {
    return fail(ErrorCode::kCorrupt, "the index row of event " + entry.event.event_id() +
                                         " holds no sequence; run `muniment reindex`");
  }
  const std::uint64_t sequence = decode_sequence(**row);
  Result<std::optional<std::string>> bytes = rows_->get(Table::kEvent, sequence_key(sequence));
  if (!bytes) return pass(bytes);
  if (!bytes->has_value()) {
    return fail(ErrorCode::kCorrupt, "event " + std::to_string(sequence) +
                                         " is indexed but not there; run `muniment verify`");
  }
  return Placed{sequence, leaf_hash(**bytes)};
}

Result<std::vector<AppendGroup::Fold>> AppendGroup::runs_of(const PreparedEntry& entry) {
  std::vector<Fold> folds;
  const std::string& run = entry.event.run_id();
  const std::string& about = entry.event.about_run();
  for (const std::string* id : {&run, &about}) {
    if (id->empty() || (id == &about && about == run)) continue;
    Result<v1::RunState*> state = runs_.find(*rows_, *id);
    if (!state) return pass(state);
    folds.push_back({id, *state});
  }
  return folds;
}

Result<bool> AppendGroup::has_blob(const std::string& key) const {
  const auto in_group = blobs_.find(key);
  if (in_group != blobs_.end()) return in_group->second;
  Result<std::optional<std::string>> row = rows_->get(Table::kBlob, key);
  if (!row) return pass(row);
  return row->has_value();
}

Result<std::optional<std::string>> AppendGroup::signed_bytes(const std::string& key) const {
  const auto in_group = signed_.find(key);
  if (in_group != signed_.end()) return in_group->second;
  return rows_->get(Table::kCheckpoint, key);
}

void AppendGroup::put(RowSink& sink, Table table, std::string_view key, std::string_view value) {
  sink.put(table, key, value);
  ++counts_[slot(table)];
  has_rows_ = true;
}

void AppendGroup::keep(const SignedRow& row, const std::optional<std::string>& old, RowSink& sink) {
  if (old == row.bytes) return;
  put(sink, Table::kCheckpoint, row.key, row.bytes);
  if (old) --counts_[slot(Table::kCheckpoint)];
  signed_.insert_or_assign(row.key, row.bytes);
}

void AppendGroup::erase(const std::string& blob, bool was_there, RowSink& sink) {
  const auto [in_group, is_first] = blobs_.try_emplace(blob, was_there);
  if (!in_group->second) return;
  sink.remove(Table::kBlob, blob);
  --counts_[slot(Table::kBlob)];
  in_group->second = false;
  has_rows_ = true;
}

void AppendGroup::fold(const v1::Event& event, std::uint64_t sequence, const Fold& into,
                       RowSink& sink) {
  v1::RunState& state = *into.state;
  const bool had_started = has_started(state);
  // An event *about* a run that is not in this log must not be taken for that run's beginning.
  if (!had_started && event.run_id() != *into.run_id) return;
  state = evolve(std::move(state), event, sequence);
  if (!has_started(state)) return;
  if (!had_started) ++counts_[slot(Table::kRun)];
  if (!is_snapshot_due(event, *into.run_id, state.event_count())) return;
  sink.put(Table::kRun, *into.run_id, state.SerializeAsString());
}

void AppendGroup::emit_derived(const PreparedEntry& entry, const std::vector<Fold>& folds,
                               RowSink& sink) {
  const std::uint64_t sequence = tree_.size();
  tree_.append(entry.leaf, [&](std::uint8_t level, std::uint64_t index, const Digest& hash) {
    put(sink, Table::kNode, node_key(level, index), as_bytes(hash));
  });
  for (const auto& [key, value] : entry.index) put(sink, Table::kIndex, key, value);
  for (const Fold& into : folds) fold(entry.event, sequence, into, sink);
}

Result<AppendGroup::Step> AppendGroup::plan(PreparedEntry& entry) {
  Result<std::vector<Fold>> folds = runs_of(entry);
  if (!folds) return pass(folds);
  Step step{&entry, *std::move(folds), {}};
  for (std::size_t i = 0; i < entry.blobs.size(); ++i) {
    Result<bool> is_there = has_blob(entry.blobs[i].first);
    if (!is_there) return pass(is_there);
    if (!*is_there) step.new_blobs.push_back(i);
  }
  return step;
}

Result<std::vector<AppendGroup::Step>> AppendGroup::plan(PendingAppend& pending,
                                                         Appended& appended) {
  std::vector<Step> steps;
  for (PreparedEntry& entry : pending.entries) {
    Result<std::optional<Placed>> placed = find_placed(entry);
    if (!placed) return pass(placed);
    if (!placed->has_value()) {
      Result<Step> step = plan(entry);
      if (!step) return pass(step);
      appended.sequences.push_back(tree_.size() + steps.size());
      steps.push_back(*std::move(step));
      continue;
    }
    const Placed& first = **placed;
    if (first.leaf != entry.leaf) {
      return fail(ErrorCode::kRefused, "event " + entry.event.event_id() +
                                           " is in the log with other bytes, at sequence " +
                                           std::to_string(first.sequence) +
                                           "; a new fact needs a new event id");
    }
    appended.sequences.push_back(first.sequence);
  }
  return steps;
}

void AppendGroup::emit(const Step& step, RowSink& sink) {
  PreparedEntry& entry = *step.entry;
  const std::uint64_t sequence = tree_.size();
  set_sequence(entry.index, sequence);
  put(sink, Table::kEvent, sequence_key(sequence), entry.bytes);
  for (const std::size_t i : step.new_blobs) {
    const auto& [key, bytes] = entry.blobs[i];
    if (!std::exchange(blobs_[key], true)) put(sink, Table::kBlob, key, bytes);
  }
  emit_derived(entry, step.folds, sink);
  new_ids_.emplace(entry.event.event_id(), Placed{sequence, entry.leaf});
}

Result<Appended> AppendGroup::append(PendingAppend& pending, RowSink& sink) {
  // All that can fail comes first: a refused append must leave nothing in the sink.
  Appended appended;
  Result<std::vector<Step>> steps = plan(pending, appended);
  if (!steps) return pass(steps);
  const bool repeats_all = steps->empty() && !pending.entries.empty();
  if (pending.expected_head && *pending.expected_head != tree_.size() && !repeats_all) {
    return fail(ErrorCode::kRefused, "the log has " + std::to_string(tree_.size()) +
                                         " events where " + std::to_string(*pending.expected_head) +
                                         " were expected; read what was added and decide again");
  }
  Result<std::optional<std::string>> old =
      pending.signed_row ? signed_bytes(pending.signed_row->key) : std::nullopt;
  if (!old) return pass(old);
  Result<bool> was_there = pending.erased_blob.empty() ? false : has_blob(pending.erased_blob);
  if (!was_there) return pass(was_there);
  for (const Step& step : *steps) emit(step, sink);
  if (pending.signed_row) keep(*pending.signed_row, *old, sink);
  if (!pending.erased_blob.empty()) erase(pending.erased_blob, *was_there, sink);
  appended.size = tree_.size();
  return appended;
}

Status AppendGroup::replay(PreparedEntry& stored, RowSink& sink) {
  Result<std::vector<Fold>> folds = runs_of(stored);
  if (!folds) return pass(folds);
  set_sequence(stored.index, tree_.size());
  emit_derived(stored, *folds, sink);
  return {};
}

void AppendGroup::seal(RowSink& sink) const {
  sink.put(Table::kMeta, kStateKey, state().SerializeAsString());
}

void AppendGroup::settled() {
  new_ids_.clear();
  blobs_.clear();
  signed_.clear();
  has_rows_ = false;
  runs_.trim();
}

v1::StoreState AppendGroup::state() const {
  v1::StoreState state;
  state.set_format_version(fixed_.format_version());
  state.set_origin(fixed_.origin());
  state.set_size(tree_.size());
  state.set_root(std::string(as_bytes(tree_.root())));
  for (const Digest& peak : tree_.peaks()) state.add_peaks(std::string(as_bytes(peak)));
  set_row_counts(state, counts_);
  return state;
}

}  // namespace muniment
