#include "replay/audit.h"

#include <xxhash.h>

#include <algorithm>
#include <map>

#include "muniment/v1/event.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/run_state.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/merkle.h"
#include "recorder/log/queries.h"
#include "recorder/log/store.h"
#include "recorder/log/tables.h"

namespace muniment {
namespace {

constexpr std::size_t kMostFindings = 20;

// A sum does not depend on order; a row that is missing, changed or doubled changes it.
class RowSum {
 public:
  explicit RowSum(std::uint64_t seed) : seed_(seed) {}

  void add(std::string_view key, std::string_view value) {
    row_.assign(key);
    row_.push_back(static_cast<char>(key.size()));
    row_.append(value);
    const XXH128_hash_t hash = XXH3_128bits_withSeed(row_.data(), row_.size(), seed_);
    low_ += hash.low64;
    high_ += hash.high64;
    ++rows_;
  }

  std::uint64_t rows() const { return rows_; }
  bool operator==(const RowSum& other) const {
    return low_ == other.low_ && high_ == other.high_ && rows_ == other.rows_;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
  std::uint64_t rows_ = 0;
  std::string row_;
};

std::string shown(std::string_view bytes) {
  return bytes.empty() ? "an empty value" : to_hex(bytes);
}

struct OpenRun {
  v1::RunState folded;
  std::string stored;
  std::uint64_t stored_to = 0;  // the last sequence that the stored summary speaks for
};

class Audit {
 public:
  Audit(const LogReader& log, std::uint64_t seed)
      : log_(log), nodes_(seed), index_(seed ^ 0x9e3779b97f4a7c15ULL), seed_(seed) {}

  Result<AuditResult> run(const std::function<void(std::uint64_t)>& progress) {
    Result<v1::StoreState> state = log_.state();
    if (!state) return pass(state);
    state_ = std::move(*state);
    for (const auto& check : {&Audit::check_events, &Audit::check_nodes, &Audit::check_index,
                              &Audit::check_runs, &Audit::check_blobs}) {
      progress_ = progress;
      if (Status status = (this->*check)(); !status) return pass(status);
    }
    if (Status status = check_state(); !status) return pass(status);
    return std::move(out_);
  }

 private:
  void find(std::optional<std::uint64_t> sequence, std::string what, std::string expected,
            std::string found) {
    const auto place =
        std::upper_bound(out_.findings.begin(), out_.findings.end(), sequence.value_or(UINT64_MAX),
                         [](std::uint64_t at, const Finding& row) {
                           return at < row.sequence.value_or(UINT64_MAX);
                         });
    out_.findings.insert(place, {sequence, std::move(what), std::move(expected), std::move(found)});
    if (out_.findings.size() > kMostFindings) out_.findings.pop_back();
  }

  Status check_events() {
    return log_.scan(
        Table::kEvent, "", Direction::kForward,
        [&](std::string_view key, std::string_view value) { return check_event(key, value); });
  }

  bool check_event(std::string_view key, std::string_view value) {
    const std::uint64_t sequence = out_.events;
    if (key != sequence_key(sequence)) {
      find(sequence, "an event is missing", "event " + std::to_string(sequence),
           key.size() == 8 ? "event " + std::to_string(decode_sequence(key)) : "another key");
      has_gap_ = true;
      return false;
    }
    const auto add_node = [&](std::uint8_t level, std::uint64_t index, const Digest& hash) {
      nodes_.add(node_key(level, index), as_bytes(hash));
    };
    tree_.append(leaf_hash(value), add_node);
    v1::Event event;
    if (!event.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      find(sequence, "an event does not parse", "a serialized Event",
           std::to_string(value.size()) + " bytes");
    } else {
      for (const auto& [row_key, row_value] : index_rows(event, sequence)) {
        index_.add(row_key, row_value);
      }
      check_references(event, sequence);
      fold(event, sequence);
    }
    ++out_.events;
    if (out_.events % 4096 == 0 && progress_) progress_(out_.events);
    return true;
  }

  // Blobs that nothing may erase.
  void check_references(const v1::Event& event, std::uint64_t sequence) {
    std::vector<std::pair<const char*, std::string>> wanted;
    if (event.has_run_started()) {
      wanted.emplace_back("the manifest", event.run_started().manifest_sha256());
      wanted.emplace_back("the context", event.run_started().context_sha256());
    }
    if (event.has_plan_sealed()) {
      wanted.emplace_back("the plan", event.plan_sealed().canonical_sha256());
    }
    for (const auto& [name, digest] : wanted) {
      if (digest.empty()) continue;
      const Result<std::optional<std::string>> blob = read_blob(log_, digest);
      if (blob && blob->has_value()) continue;
      find(sequence, std::string("the blob of ") + name + " is missing", to_hex(digest), "nothing");
    }
  }

  void fold(const v1::Event& event, std::uint64_t sequence) {
    if (event.has_run_started()) open_run(event.run_id(), sequence);
    fold_into(event.run_id(), event, sequence);
    if (event.about_run() != event.run_id()) fold_into(event.about_run(), event, sequence);
  }

  void open_run(const std::string& run_id, std::uint64_t sequence) {
    ++out_.runs;
    OpenRun run;
    Result<std::optional<std::string>> stored = log_.get(Table::kRun, run_id);
    v1::RunState summary;
    if (!stored || !stored->has_value() || !summary.ParseFromString(**stored)) {
      find(sequence, "the summary of run " + run_id + " is missing or does not parse", "a summary",
           "none");
      return;
    }
    run.stored = std::move(**stored);
    run.stored_to = summary.last_sequence();
    open_.emplace(run_id, std::move(run));
  }

  void fold_into(const std::string& run_id, const v1::Event& event, std::uint64_t sequence) {
    const auto found = open_.find(run_id);
    if (found == open_.end()) return;
    OpenRun& run = found->second;
    run.folded = evolve(std::move(run.folded), event, sequence);
    if (sequence < run.stored_to) return;
    if (run.folded.SerializeAsString() != run.stored) {
      // Not at the run's start: what was changed may be any of the events that are folded here.
      find(sequence, "the summary of run " + run_id + " is not its events'",
           "the fold of events up to " + std::to_string(sequence), "another summary");
    }
    open_.erase(found);
  }

  Status check_nodes() {
    RowSum seen(seed_);
    Status status = sum(Table::kNode, seen);
    out_.nodes = seen.rows();
    if (!status || seen == nodes_) return status;
    return find_bad_node();
  }

  Status check_index() {
    RowSum seen(seed_ ^ 0x9e3779b97f4a7c15ULL);
    Status status = sum(Table::kIndex, seen);
    out_.index_rows = seen.rows();
    if (!status || seen == index_) return status;
    return find_bad_index_row();
  }

  Status sum(Table table, RowSum& sum) const {
    return log_.scan(table, "", Direction::kForward, [&](auto key, auto value) {
      sum.add(key, value);
      return true;
    });
  }

  Status find_bad_node() {
    CompactRange tree;
    bool found = false;
    const Status status = log_.scan(
        Table::kEvent, "", Direction::kForward, [&](std::string_view, std::string_view value) {
          const std::uint64_t sequence = tree.size();
          tree.append(leaf_hash(value),
                      [&](std::uint8_t level, std::uint64_t index, const Digest& hash) {
                        const Result<std::optional<std::string>> row =
                            log_.get(Table::kNode, node_key(level, index));
                        if (found || (row && row->has_value() && **row == as_bytes(hash))) return;
                        found = true;
                        find(sequence,
                             "a tree node (level " + std::to_string(level) + ", index " +
                                 std::to_string(index) + ") differs",
                             to_hex(hash), row && row->has_value() ? shown(**row) : "nothing");
                      });
          return !found;
        });
    if (status && !found)
      find(std::nullopt, "the tree has nodes that no event made",
           std::to_string(nodes_.rows()) + " rows", std::to_string(out_.nodes) + " rows");
    return status;
  }

  // Events that are damaged themselves are passed over: they are findings already.
  Status find_bad_index_row() {
    bool found = false;
    Status status = log_.scan(
        Table::kEvent, "", Direction::kForward, [&](std::string_view at, std::string_view bytes) {
          v1::Event event;
          const bool readable =
              at.size() == 8 && event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
          found = readable && lacks_index_row(event, decode_sequence(at));
          return !found;
        });
    if (!status || found) return status;
    return find_surplus_index_row();
  }

  bool lacks_index_row(const v1::Event& event, std::uint64_t sequence) {
    for (const auto& [key, value] : index_rows(event, sequence)) {
      const Result<std::optional<std::string>> row = log_.get(Table::kIndex, key);
      if (row && row->has_value() && **row == value) continue;
      find(sequence, "an index row is missing or differs", to_hex(key) + " -> " + to_hex(value),
           row && row->has_value() ? to_hex(key) + " -> " + to_hex(**row) : "nothing");
      return true;
    }
    return false;
  }

  Status find_surplus_index_row() {
    return log_.scan(
        Table::kIndex, "", Direction::kForward, [&](std::string_view key, std::string_view value) {
          const std::string_view encoded = value.size() == 8 ? value
                                           : key.size() > 8  ? key.substr(key.size() - 8)
                                                             : std::string_view();
          if (encoded.size() == 8) {
            const Result<StoredEvent> stored = read_event(log_, decode_sequence(encoded));
            if (stored) {
              const auto rows = index_rows(stored->event, stored->sequence);
              const auto own = [&](const IndexRow& row) {
                return row.first == key && row.second == value;
              };
              if (std::any_of(rows.begin(), rows.end(), own)) return true;
            }
          }
          find(encoded.size() == 8 ? std::optional(decode_sequence(encoded)) : std::nullopt,
               "an index row that no event made", "nothing", to_hex(key) + " -> " + to_hex(value));
          return false;
        });
  }

  Status check_runs() {
    if (has_gap_) open_.clear();  // behind a gap nothing was folded
    for (const auto& [run_id, run] : open_) {
      find(first_missing(run),
           "the summary of run " + run_id + " speaks of events that are not there",
           "at most event " + std::to_string(run.folded.last_sequence()),
           "event " + std::to_string(run.stored_to));
    }
    Status status = count_rows(Table::kRun);
    if (status && !has_gap_ && rows_[slot(Table::kRun)] != out_.runs) {
      find(std::nullopt, "the number of run summaries differs", std::to_string(out_.runs),
           std::to_string(rows_[slot(Table::kRun)]));
    }
    return status;
  }

  // What the summary speaks of and is not there: the event itself, where another lies in its place;
  // the first one missing, where the tail is cut; else the summary is what is wrong.
  std::uint64_t first_missing(const OpenRun& run) const {
    if (run.stored_to < out_.events) return run.stored_to;
    return state_.size() > out_.events ? out_.events : run.folded.last_sequence();
  }

  Status count_rows(Table table) {
    return log_.scan(table, "", Direction::kForward,
                     [&](auto, auto) { return ++rows_[slot(table)] > 0; });
  }

  Status check_blobs() {
    return log_.scan(Table::kBlob, "", Direction::kForward,
                     [&](std::string_view key, std::string_view value) {
                       ++out_.blobs;
                       const Digest digest = sha256(value);
                       if (key != as_bytes(digest)) {
                         find(first_reference(key), "a blob is not what its key says", to_hex(key),
                              to_hex(digest));
                       }
                       return true;
                     });
  }

  std::optional<std::uint64_t> first_reference(std::string_view digest) const {
    std::optional<std::uint64_t> first;
    const auto refers = [&](std::string_view key, std::string_view bytes) {
      if (key.size() == 8 && bytes.find(digest) != std::string_view::npos) {
        first = decode_sequence(key);
      }
      return !first;
    };
    const Status scanned = log_.scan(Table::kEvent, "", Direction::kForward, refers);
    return scanned ? first : std::nullopt;
  }

  // The origin has no second witness: events carry the origin of the manifest of their time.
  Status check_state() {
    out_.root = std::string(as_bytes(tree_.root()));
    check_head();
    if (Status status = check_counts(); !status) return status;
    v1::StoreState expected = state_;
    expected.set_format_version(kStoreFormat);
    expected.set_size(out_.events);
    expected.set_root(out_.root);
    expected.clear_peaks();
    for (const Digest& peak : tree_.peaks()) expected.add_peaks(std::string(as_bytes(peak)));
    set_row_counts(expected, rows_);
    const std::string wanted = expected.SerializeAsString();
    return log_.scan(Table::kMeta, "", Direction::kForward, [&](auto key, std::string_view value) {
      if (key != kStateKey) {
        find(std::nullopt, "a row of the table meta that nobody wrote", "nothing", to_hex(key));
      } else if (value != wanted && out_.findings.empty()) {
        find(std::nullopt, "the state row is not what the events give", to_hex(wanted),
             shown(value));
      }
      return true;
    });
  }

  // Each table against the number of its rows that the state row has.
  Status check_counts() {
    if (Status status = count_rows(Table::kEvent); !status) return status;
    if (Status status = count_rows(Table::kCheckpoint); !status) return status;
    rows_[slot(Table::kNode)] = out_.nodes;
    rows_[slot(Table::kIndex)] = out_.index_rows;
    rows_[slot(Table::kBlob)] = out_.blobs;
    const RowCounts recorded = row_counts(state_);
    for (const Table table : kTables) {
      if (table == Table::kMeta || recorded[slot(table)] == rows_[slot(table)]) continue;
      find(std::nullopt,
           "the number of rows of table " + std::string(table_name(table)) +
               " differs from the recorded one",
           std::to_string(recorded[slot(table)]), std::to_string(rows_[slot(table)]));
    }
    return {};
  }

  void check_head() {
    if (state_.size() != out_.events) {
      find(std::min(state_.size(), out_.events), "the log's length differs",
           std::to_string(state_.size()) + " events", std::to_string(out_.events));
    }
    if (state_.root() != out_.root) {
      find(std::nullopt,
           "the root differs from the recorded one: an event was changed, removed or added",
           to_hex(state_.root()), to_hex(out_.root));
    }
  }

  const LogReader& log_;
  v1::StoreState state_;
  RowCounts rows_{};
  bool has_gap_ = false;  // an event is missing: what lies behind it was not read
  RowSum nodes_;
  RowSum index_;
  std::uint64_t seed_;
  CompactRange tree_;
  std::map<std::string, OpenRun> open_;
  std::function<void(std::uint64_t)> progress_;
  AuditResult out_;
};

}  // namespace

Result<AuditResult> audit(const LogReader& log, std::uint64_t seed,
                          const std::function<void(std::uint64_t)>& progress) {
  return Audit(log, seed).run(progress);
}

}  // namespace muniment
