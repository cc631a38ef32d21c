// From events to rows: the one apply path. The log in memory, the log on disk and reindex all go
// through it, so that the rows are the same whoever made them.
#ifndef MUNIMENT_RECORDER_LOG_APPEND_GROUP_H_
#define MUNIMENT_RECORDER_LOG_APPEND_GROUP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/log/merkle.h"
#include "recorder/log/prepared_entry.h"
#include "recorder/log/run_cache.h"
#include "recorder/log/tables.h"

namespace muniment {

// Where rows go: a batch of the database, or a list.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void put(Table table, std::string_view key, std::string_view value) = 0;
  // The row is there, or was put before.
  virtual void remove(Table table, std::string_view key) = 0;
};

// The head of the log and what is needed to move it on. A group is: any number of append() or
// replay(), then seal(), then the rows become durable, then settled(). When they do not become
// durable, the object no longer agrees with the log and must not be used again.
// Not thread-safe. `rows`, which must outlive it, are the durable rows.
class AppendGroup {
 public:
  // Fails with kCorrupt when the state contradicts itself.
  static Result<AppendGroup> resume(const LogReader& rows, const v1::StoreState& state);

  // Takes one append: emits the rows of what is new in it and the removal of the blob that it
  // erases, or refuses and emits nothing; other appends of the group are not affected. kRefused: an
  // event id with other bytes, or something to append but another head than the expected one (a
  // repetition of an append that is in the log gives its first sequences whatever the head is). kIo
  // and kCorrupt come from `rows`.
  Result<Appended> append(PendingAppend& pending, RowSink& sink);

  // Emits the derived rows (kNode, kIndex, kRun) of an event that is in the log already.
  Status replay(PreparedEntry& stored, RowSink& sink);

  // Whether something was emitted since settled().
  bool has_rows() const { return has_rows_; }

  // Emits the state as of the group.
  void seal(RowSink& sink) const;

  // The group is durable.
  void settled();

  v1::StoreState state() const;
  std::uint64_t size() const { return tree_.size(); }

  // Rows of tables that replay() does not emit.
  void set_rows(Table table, std::uint64_t count) { counts_[slot(table)] = count; }

 private:
  struct Fold {
    const std::string* run_id;
    v1::RunState* state;
  };
  struct Placed {
    std::uint64_t sequence;
    Digest leaf;
  };
  // What is to be done for an entry that is not in the log yet.
  struct Step {
    PreparedEntry* entry;
    std::vector<Fold> folds;
    std::vector<std::size_t> new_blobs;  // positions in entry->blobs
  };

  AppendGroup(const LogReader& rows, v1::StoreState state, CompactRange tree);

  Result<std::optional<Placed>> find_placed(const PreparedEntry& entry) const;
  Result<std::vector<Fold>> runs_of(const PreparedEntry& entry);
  Result<Step> plan(PreparedEntry& entry);
  Result<std::vector<Step>> plan(PendingAppend& pending, Appended& appended);
  void emit(const Step& step, RowSink& sink);
  Result<bool> has_blob(const std::string& key) const;
  Result<std::optional<std::string>> signed_bytes(const std::string& key) const;
  void keep(const SignedRow& row, const std::optional<std::string>& old, RowSink& sink);
  void erase(const std::string& blob, bool was_there, RowSink& sink);
  void put(RowSink& sink, Table table, std::string_view key, std::string_view value);
  void emit_derived(const PreparedEntry& entry, const std::vector<Fold>& folds, RowSink& sink);
  void fold(const v1::Event& event, std::uint64_t sequence, const Fold& into, RowSink& sink);

  const LogReader* rows_;
  v1::StoreState fixed_;  // format and origin
  CompactRange tree_;
  RowCounts counts_;
  RunCache runs_;
  // What this group has changed and the rows do not show yet.
  std::unordered_map<std::string, Placed> new_ids_;
  std::unordered_map<std::string, bool> blobs_;  // digest -> there or erased
  std::unordered_map<std::string, std::string> signed_;
  bool has_rows_ = false;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_APPEND_GROUP_H_
