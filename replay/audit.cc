#include "replay/audit.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/queries.h"
#include "recorder/log/store.h"
#include "recorder/log/tables.h"
#include "replay/audit_blobs.h"
#include "replay/audit_checkpoints.h"
#include "replay/audit_events.h"
#include "replay/audit_rows.h"

namespace muniment {
namespace {

// Does all tasks, in order of their start, on so many threads. The first error, by order of tasks.
Status do_all(const std::vector<std::function<Status()>>& tasks, unsigned threads) {
  std::vector<Status> results(tasks.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks.size(); i = next++) results[i] = tasks[i]();
  };
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  others.clear();
  const auto bad = std::find_if(results.begin(), results.end(),
                                [](const Status& result) { return !result.has_value(); });
  return bad == results.end() ? Status() : *bad;
}

// One check of one log.
class Audit {
 public:
  Audit(const LogReader& log, const AuditRequest& request, SignedBy signed_by, BlobJudge blobs,
        v1::StoreState state, v1::VerifyReport& report)
      : log_(log),
        request_(request),
        signed_by_(std::move(signed_by)),
        blobs_(std::move(blobs)),
        state_(std::move(state)),
        report_(report) {}

  Status run() {
    pass_.emplace(log_, request_, signed_by_, blobs_, judge_known(), state_.size(), report_);
    if (Status done = do_all(tasks(), std::max(1U, request_.threads)); !done) return done;
    for (const Piece& piece : pieces_) {
      (piece.table == Table::kNode ? nodes_ : index_).add(piece.sum);
      rows_[slot(piece.table)] += piece.sum.rows();
    }
    for (const auto& step : {&Audit::check_size, &Audit::check_signed, &Audit::check_rows,
                             &Audit::check_blobs, &Audit::check_counts, &Audit::check_state}) {
      if (Status status = (this->*step)(); !status) return status;
    }
    fill_report();
    return {};
  }

 private:
  // A part of a table whose rows are summed up.
  struct Piece {
    Table table;
    std::string from;
    std::string end;
    RowSum sum;
  };

  std::vector<Claim> judge_known() {
    std::vector<Claim> claims;
    for (const KnownCheckpoint& known : request_.known) {
      if (std::optional<Claim> claim = signed_by_.judge_known(known, report_)) {
        claims.push_back(*std::move(claim));
      }
    }
    std::sort(claims.begin(), claims.end(), is_before);
    return claims;
  }

  // The pass over the events first, by all threads: it takes the longest.
  std::vector<std::function<Status()>> tasks() {
    for (const Table table : {Table::kNode, Table::kIndex}) {
      std::string from;
      std::vector<std::string> ends = piece_boundaries(table, state_.size());
      ends.emplace_back();
      for (std::string& end : ends) {
        pieces_.push_back({table, std::exchange(from, end), std::move(end), RowSum(request_.seed)});
      }
    }
    std::vector<std::function<Status()>> tasks(std::max(1U, request_.threads),
                                               [this] { return pass_->work(); });
    for (Piece& piece : pieces_) {
      tasks.emplace_back(
          [&] { return sum_rows(log_, piece.table, piece.from, piece.end, piece.sum); });
    }
    tasks.emplace_back([this] { return hash_blobs(); });
    tasks.emplace_back([this] { return judge_statements(); });
    tasks.emplace_back([this] { return count_rows(Table::kRun); });
    return tasks;
  }

  Status count_rows(Table table) {
    return log_.scan(table, "", Direction::kForward,
                     [&](auto, auto) { return ++rows_[slot(table)] > 0; });
  }

  Status hash_blobs() {
    return log_.scan(Table::kBlob, "", Direction::kForward,
                     [&](std::string_view key, std::string_view value) {
                       ++rows_[slot(Table::kBlob)];
                       const Digest digest = sha256(value);
                       const bool is_bad = key != as_bytes(digest);
                       if (is_bad && bad_blobs_.size() < static_cast<std::size_t>(kMostFindings)) {
                         bad_blobs_.emplace_back(key, digest);
                       }
                       return true;
                     });
  }

  Status judge_statements() {
    Result<std::uint64_t> rows = signed_by_.judge_statements(statements_);
    if (!rows) return pass(rows);
    rows_[slot(Table::kCheckpoint)] = *rows;
    return {};
  }

  // How many events there are, and how many something in the store speaks of.
  Status check_size() {
    events_ = pass_->events();
    rows_[slot(Table::kEvent)] = events_;
    if (pass_->has_gap()) {
      rows_[slot(Table::kEvent)] = 0;
      if (Status counted = count_rows(Table::kEvent); !counted) return counted;
    }
    Result<LogExtent> extent = read_extent(log_, state_);
    if (!extent) return pass(extent);
    extent_ = *extent;
    extent_.events = events_;
    is_cut_ = !pass_->has_gap() && extent_.claimed > events_;
    if (state_.size() != events_) {
      add_finding(report_, is_cut_ && state_.size() > events_ ? kTruncated : kTampered,
                  "the log's length differs", std::to_string(state_.size()) + " events",
                  std::to_string(events_), std::min(state_.size(), events_));
    }
    if (is_cut_ && extent_.signed_to.value_or(0) > events_) {
      add_finding(report_, kTruncated, "a checkpoint covers events that are not there",
                  std::to_string(*extent_.signed_to) + " events", std::to_string(events_), events_);
    }
    const Digest root = pass_->tree().root();
    if (state_.root() != as_bytes(root) && !(is_cut_ && state_.size() > events_)) {
      add_finding(report_, kTampered,
                  "the root differs from the recorded one: an event was changed, removed or added",
                  to_hex(state_.root()), to_hex(root));
    }
    return {};
  }

  Status check_signed() {
    add_part(report_, statements_);
    std::vector<Claim> unmet;
    Status judged = signed_by_.judge_rows(pass_->judged_to(), UINT64_MAX, report_, unmet);
    if (!judged) return judged;
    // A size that no log reaches, where the newest one is not looked for.
    for (const Claim& claim : unmet) {
      if (claim.size <= extent_.claimed) continue;
      add_finding(report_, kTruncated, "a checkpoint covers events that are not there",
                  std::to_string(claim.size) + " events", std::to_string(events_), events_);
    }
    if (!pass_->has_gap()) judge_unreached(pass_->beyond(), extent_, report_);
    judge_newest(extent_, request_.trust.min_size, pass_->runs().finished_executions(), report_);
    return {};
  }

  Status check_rows() {
    const RowSearch search{log_, request_.seed, events_, is_cut_};
    if (!(nodes_ == pass_->nodes())) {
      Status found = find_bad_node(search, pass_->nodes(), nodes_, report_);
      if (!found) return found;
    }
    if (!(index_ == pass_->index())) {
      if (Status found = find_bad_index_row(search, pass_->index(), report_); !found) return found;
    }
    const std::uint64_t runs = pass_->runs().runs();
    if (!pass_->has_gap()) {
      pass_->runs().finish(events_, extent_.claimed);
      const std::uint64_t summaries = rows_[slot(Table::kRun)];
      if (summaries != runs) {
        add_finding(report_, is_cut_ && summaries > runs ? kTruncated : kTampered,
                    "the number of run summaries differs", std::to_string(runs),
                    std::to_string(summaries));
      }
    }
    pass_->report_claims();
    return {};
  }

  Status check_blobs() {
    for (const auto& [key, digest] : bad_blobs_) {
      add_finding(report_, kTampered, "a blob is not what its key says", to_hex(key),
                  to_hex(digest), first_reference(key));
    }
    return blobs_.judge_erased(report_);
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

  // Each table against the number of its rows that the state row has.
  Status check_counts() {
    const RowCounts recorded = row_counts(state_);
    for (const Table table : kTables) {
      const std::uint64_t rows = rows_[slot(table)];
      if (table == Table::kMeta || recorded[slot(table)] == rows) continue;
      add_finding(
          report_,
          is_cut_ && recorded[slot(table)] > rows && table != Table::kBlob ? kTruncated : kTampered,
          "the number of rows of table " + std::string(table_name(table)) +
              " differs from the recorded one",
          std::to_string(recorded[slot(table)]), std::to_string(rows));
    }
    return {};
  }

  Status check_state() {
    const std::optional<std::string> origin = expected_origin(request_.trust);
    if (origin && state_.origin() != *origin) {
      add_finding(report_, kTampered, "the store is of another log", *origin, state_.origin());
    }
    v1::StoreState expected = state_;
    expected.set_format_version(kStoreFormat);
    expected.set_size(events_);
    expected.set_root(std::string(as_bytes(pass_->tree().root())));
    expected.clear_peaks();
    for (const Digest& peak : pass_->tree().peaks()) {
      expected.add_peaks(std::string(as_bytes(peak)));
    }
    set_row_counts(expected, rows_);
    const std::string wanted = expected.SerializeAsString();
    return log_.scan(Table::kMeta, "", Direction::kForward, [&](auto key, std::string_view value) {
      if (key != kStateKey) {
        add_finding(report_, kTampered, "a row of the table meta that nobody wrote", "nothing",
                    to_hex(key));
      } else if (value != wanted && report_.findings().empty()) {
        add_finding(report_, kTampered, "the state row is not what the events give", to_hex(wanted),
                    value.empty() ? "an empty value" : to_hex(value));
      }
      return true;
    });
  }

  void fill_report() {
    report_.set_origin(state_.origin());
    report_.set_events(events_);
    report_.set_root_hash(std::string(as_bytes(pass_->tree().root())));
    report_.set_nodes(rows_[slot(Table::kNode)]);
    report_.set_index_rows(rows_[slot(Table::kIndex)]);
    report_.set_runs(pass_->runs().runs());
    report_.set_blobs(rows_[slot(Table::kBlob)]);
    worsen(report_, kIntact);
  }

  const LogReader& log_;
  const AuditRequest& request_;
  SignedBy signed_by_;
  BlobJudge blobs_;
  v1::StoreState state_;
  v1::VerifyReport& report_;
  std::optional<EventPass> pass_;
  std::vector<Piece> pieces_;
  RowSum nodes_{request_.seed};
  RowSum index_{request_.seed};
  RowCounts rows_{};
  std::vector<std::pair<std::string, Digest>> bad_blobs_;
  v1::VerifyReport statements_;
  std::uint64_t events_ = 0;
  LogExtent extent_;
  bool is_cut_ = false;
};

}  // namespace

Status audit(const LogReader& log, const AuditRequest& request, v1::VerifyReport& report) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  Result<SignedBy> signed_by = SignedBy::read(log, request.trust, report);
  if (!signed_by) return pass(signed_by);
  Result<BlobJudge> blobs = BlobJudge::read(log, BlobJudge::Look::kAllKeys);
  if (!blobs) return pass(blobs);
  return Audit(log, request, *std::move(signed_by), *std::move(blobs), *std::move(state), report)
      .run();
}

}  // namespace muniment
