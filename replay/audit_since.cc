#include <algorithm>
#include <bit>
#include <utility>

#include "muniment/v1/event.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/tlog/tree_proof.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/merkle.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "replay/audit.h"
#include "replay/audit_blobs.h"
#include "replay/audit_checkpoints.h"
#include "replay/audit_runs.h"
#include "replay/trust.h"

namespace muniment {
namespace {

std::string hex_or_nothing(const Result<std::optional<std::string>>& row) {
  if (!row || !row->has_value()) return "nothing";
  return (*row)->empty() ? "an empty value" : to_hex(**row);
}

// The check of what came after a checkpoint, in one thread: every row is looked up.
class Since {
 public:
  Since(const LogReader& log, const AuditRequest& request, SignedBy signed_by, BlobJudge blobs,
        v1::StoreState state, v1::VerifyReport& report)
      : log_(log),
        request_(request),
        signed_by_(std::move(signed_by)),
        blobs_(std::move(blobs)),
        state_(std::move(state)),
        report_(report),
        runs_(log, report) {}

  Status run(const KnownCheckpoint& since) {
    const std::optional<Claim> start = signed_by_.judge_known(since, report_);
    if (!start) return {};
    start_ = *start;
    Result<LogExtent> extent = read_extent(log_, state_);
    if (!extent) return pass(extent);
    extent_ = *extent;
    extent_.events = state_.size();
    extent_.signed_to = std::max(extent_.signed_to.value_or(0), start_.size);
    report_.set_checkpoint_size(start_.size);
    for (const std::string& signer : start_.signers) report_.add_signers(signer);
    if (start_.size > state_.size()) {
      judge_unreached({start_}, extent_, report_);
      return {};
    }
    Result<bool> begun = begin();
    if (!begun) return pass(begun);
    if (!*begun) return {};
    if (Status claimed = gather_claims(); !claimed) return claimed;
    if (Status checked = check_events(); !checked) return checked;
    finish();
    return {};
  }

 private:
  // The tree at the checkpoint, from its nodes. False: they do not give its root.
  Result<bool> begin() {
    std::vector<Digest> peaks;
    for (std::uint64_t rest = start_.size; rest != 0;) {
      const auto level = static_cast<std::uint8_t>(std::bit_width(rest) - 1);
      rest -= 1ULL << level;
      const std::uint64_t index = ((start_.size - rest) >> level) - 1;
      Result<std::optional<std::string>> row = log_.get(Table::kNode, node_key(level, index));
      if (!row) return pass(row);
      if (!row->has_value() || (*row)->size() != Digest().size()) {
        add_finding(report_, kTampered,
                    "a tree node (level " + std::to_string(level) + ", index " +
                        std::to_string(index) + ") is no hash",
                    "32 bytes", hex_or_nothing(row));
        return false;
      }
      peaks.push_back(digest_from_bytes(**row));
    }
    tree_ = CompactRange::from_peaks(start_.size, std::move(peaks)).value_or(CompactRange());
    if (tree_.root() == start_.root) return true;
    add_finding(report_, kTampered,
                start_.from + ": the log does not extend the checkpoint of " +
                    std::to_string(start_.size) + " events",
                to_hex(start_.root), to_hex(tree_.root()));
    return false;
  }

  Status gather_claims() {
    Status judged = signed_by_.judge_rows(start_.size, UINT64_MAX, report_, claims_);
    if (!judged) return judged;
    for (const KnownCheckpoint& known : request_.known) {
      std::optional<Claim> claim = signed_by_.judge_known(known, report_);
      if (!claim) continue;
      if (claim->size >= start_.size) {
        claims_.push_back(*std::move(claim));
      } else if (Status older = compare_older(*claim); !older) {
        return older;
      }
    }
    std::sort(claims_.begin(), claims_.end(), is_before);
    return {};
  }

  // By a proof: the events are not read.
  Status compare_older(const Claim& claim) {
    if (claim.size == 0) return {};
    Result<std::vector<Digest>> proof = prove_consistency(log_, claim.size, start_.size);
    if (!proof) return pass(proof);
    const Status proven =
        verify_consistency(claim.size, start_.size, *proof, claim.root, start_.root);
    if (proven) return {};
    add_finding(report_, kTampered,
                claim.from + ": the log does not extend the checkpoint of " +
                    std::to_string(claim.size) + " events",
                to_hex(claim.root), proven.error().message);
    return {};
  }

  Status check_events() {
    v1::Event event;
    Status scanned = log_.scan(
        Table::kEvent, sequence_key(start_.size), Direction::kForward,
        [&](std::string_view key, std::string_view bytes) {
          const std::uint64_t sequence = tree_.size();
          if (key != sequence_key(sequence)) {
            add_finding(report_, kTampered, "an event is missing",
                        "event " + std::to_string(sequence), "another key", sequence);
            has_gap_ = true;
            return false;
          }
          if (tree_.size() % 1024 == 0) seen_.clear();
          compare_claims();
          check_nodes(sequence, bytes);
          if (event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
            check_rows(event, sequence);
          } else {
            add_finding(report_, kTampered, "an event does not parse", "a serialized Event",
                        std::to_string(bytes.size()) + " bytes", sequence);
          }
          is_stopped_ = request_.progress && tree_.size() % 1024 == 0 &&
                        !request_.progress(tree_.size() - start_.size, state_.size() - start_.size);
          return !is_stopped_;
        });
    if (!scanned) return scanned;
    if (is_stopped_) return fail(ErrorCode::kInterrupted, "stopped, as asked");
    compare_claims();
    return {};
  }

  void compare_claims() {
    for (; met_ < claims_.size() && claims_[met_].size == tree_.size(); ++met_) {
      const Digest root = tree_.root();
      if (claims_[met_].root == root) continue;
      const std::string& from = claims_[met_].from;
      add_finding(report_, kTampered,
                  (from.empty() ? "" : from + ": ") +
                      "the events have another root than the checkpoint of " +
                      std::to_string(tree_.size()) + " events",
                  to_hex(claims_[met_].root), to_hex(root));
    }
  }

  void check_nodes(std::uint64_t sequence, std::string_view bytes) {
    tree_.append(leaf_hash(bytes), [&](std::uint8_t level, std::uint64_t index,
                                       const Digest& hash) {
      const Result<std::optional<std::string>> row = log_.get(Table::kNode, node_key(level, index));
      if (row && row->has_value() && **row == as_bytes(hash)) return;
      add_finding(report_, kTampered,
                  "a tree node (level " + std::to_string(level) + ", index " +
                      std::to_string(index) + ") differs",
                  to_hex(hash), hex_or_nothing(row), sequence);
    });
  }

  void check_rows(const v1::Event& event, std::uint64_t sequence) {
    for (const auto& [key, value] : index_rows(event, sequence)) {
      const Result<std::optional<std::string>> row = log_.get(Table::kIndex, key);
      if (row && row->has_value() && **row == value) continue;
      add_finding(report_, kTampered, "an index row is missing or differs",
                  to_hex(key) + " -> " + to_hex(value), hex_or_nothing(row), sequence);
    }
    blobs_.judge(event, sequence, seen_, [&](const BlobJudge::Finding& found) {
      add_finding(report_, kTampered, found.what, to_hex(found.sha256), found.found,
                  found.sequence);
    });
    runs_.fold(event, sequence);
    if (!event.has_run_finished()) return;
    const Result<std::optional<std::string>> statement =
        log_.get(Table::kCheckpoint, event.run_id());
    if (statement && statement->has_value()) {
      signed_by_.judge_statement(event.run_id(), **statement, report_);
    }
  }

  void finish() {
    extent_.events = tree_.size();
    const bool is_cut = !has_gap_ && extent_.claimed > extent_.events;
    if (is_cut || state_.size() != extent_.events) {
      add_finding(report_, is_cut ? kTruncated : kTampered, "the log's length differs",
                  std::to_string(extent_.claimed) + " events", std::to_string(extent_.events),
                  std::min(state_.size(), extent_.events));
    } else if (state_.root() != as_bytes(tree_.root())) {
      add_finding(report_, kTampered, "the root differs from the recorded one",
                  to_hex(state_.root()), to_hex(tree_.root()));
    }
    if (!has_gap_) {
      runs_.finish(extent_.events, extent_.claimed);
      std::vector<Claim> beyond(claims_.begin() + static_cast<std::ptrdiff_t>(met_), claims_.end());
      std::erase_if(beyond, [](const Claim& claim) { return claim.from.empty(); });
      judge_unreached(beyond, extent_, report_);
    }
    judge_newest(extent_, request_.trust.min_size, runs_.finished_executions(), report_);
    const std::string first = std::to_string(start_.size);
    add_caveat(report_, "what lies before event " + first + " was not read: the checkpoint of " +
                            first +
                            " events stands for its events; their rows, blobs and statements, the "
                            "summaries of runs that began with them, rows that no event made, and "
                            "the checksums of files were not checked");
    report_.set_origin(state_.origin());
    report_.set_events(extent_.events);
    report_.set_root_hash(std::string(as_bytes(tree_.root())));
    report_.set_runs(runs_.runs());
    worsen(report_, kIntact);
  }

  const LogReader& log_;
  const AuditRequest& request_;
  SignedBy signed_by_;
  BlobJudge blobs_;
  BlobJudge::Seen seen_;
  v1::StoreState state_;
  v1::VerifyReport& report_;
  RunFolds runs_;
  Claim start_;
  LogExtent extent_;
  CompactRange tree_;
  std::vector<Claim> claims_;
  std::size_t met_ = 0;
  bool has_gap_ = false;
  bool is_stopped_ = false;
};

}  // namespace

Status audit_since(const LogReader& log, const AuditRequest& request, const KnownCheckpoint& since,
                   v1::VerifyReport& report) {
  Result<v1::StoreState> state = log.state();
  if (!state) return pass(state);
  Result<SignedBy> signed_by = SignedBy::read(log, request.trust, report);
  if (!signed_by) return pass(signed_by);
  Result<BlobJudge> blobs = BlobJudge::read(log, BlobJudge::Look::kEach);
  if (!blobs) return pass(blobs);
  return Since(log, request, *std::move(signed_by), *std::move(blobs), *std::move(state), report)
      .run(since);
}

}  // namespace muniment
