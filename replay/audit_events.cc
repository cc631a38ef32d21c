#include "replay/audit_events.h"

#include <algorithm>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"
#include "replay/trust.h"

namespace muniment {
// What one thread made of one piece. Used again for the next one.
struct EventPass::Piece {
  Piece(const LogReader& log, std::uint64_t row_seed)
      : seed(row_seed), nodes(row_seed), index(row_seed), runs(log, report) {}

  void begin(std::uint64_t first_event) {
    first = first_event;
    tree = CompactRange();
    nodes = RowSum(seed);
    index = RowSum(seed);
    report.Clear();
    claims.clear();
    seen.clear();
    met.clear();
    has_gap = false;
    status = {};
  }

  std::uint64_t end() const { return first + tree.size(); }

  std::uint64_t seed;
  std::uint64_t first = 0;
  CompactRange tree;  // of this piece alone
  RowSum nodes;
  RowSum index;
  v1::Event event;  // the one at hand
  v1::VerifyReport report;
  RunFolds runs;
  BlobJudge::Seen seen;
  std::vector<Claim> claims;             // of sizes in this piece, in order
  std::vector<std::vector<Digest>> met;  // peaks in this piece at the claims that were met
  bool has_gap = false;
  Status status;
};

EventPass::EventPass(const LogReader& log, const AuditRequest& request, const SignedBy& signed_by,
                     const BlobJudge& blobs, std::vector<Claim> known,
                     std::uint64_t expected_events, v1::VerifyReport& report)
    : log_(log),
      request_(request),
      signed_by_(signed_by),
      blobs_(blobs),
      known_(std::move(known)),
      expected_events_(expected_events),
      report_(report),
      nodes_(request.seed),
      index_(request.seed),
      runs_(log, report) {}

Status EventPass::work() {
  Piece piece(log_, request_.seed);
  while (true) {
    const std::uint64_t number = next_.fetch_add(1);
    {
      const std::lock_guard lock(turn_);
      if (is_over_) return {};
    }
    read(number, piece);
    std::unique_lock lock(turn_);
    turned_.wait(lock, [&] { return is_over_ || merged_ == number; });
    if (is_over_) return {};
    merge(piece);
    ++merged_;
    turned_.notify_all();
    if (is_over_) return status_;
  }
}

void EventPass::read(std::uint64_t number, Piece& piece) const {
  piece.begin(number * piece_events());
  const std::uint64_t end = piece.first + piece_events();
  piece.status = signed_by_.judge_rows(piece.first, end, piece.report, piece.claims);
  if (!piece.status) return;
  for (const Claim& known : known_) {
    if (known.size >= piece.first && known.size < end) piece.claims.push_back(known);
  }
  std::sort(piece.claims.begin(), piece.claims.end(), is_before);
  piece.status = log_.scan(
      Table::kEvent, number == 0 ? "" : sequence_key(piece.first), Direction::kForward,
      [&](std::string_view key, std::string_view value) { return take(piece, key, value); });
  while (piece.met.size() < piece.claims.size() &&
         piece.claims[piece.met.size()].size == piece.end()) {
    piece.met.push_back(piece.tree.peaks());
  }
}

// Also sees the row behind the piece, since none may lie in between.
bool EventPass::take(Piece& piece, std::string_view key, std::string_view value) const {
  const std::uint64_t sequence = piece.end();
  if (key != sequence_key(sequence)) {
    piece.has_gap = true;
    add_finding(piece.report, kTampered, "an event is missing", "event " + std::to_string(sequence),
                key.size() == 8 ? "event " + std::to_string(decode_sequence(key)) : "another key",
                sequence);
    return false;
  }
  if (piece.tree.size() == piece_events()) return false;
  while (piece.met.size() < piece.claims.size() &&
         piece.claims[piece.met.size()].size == sequence) {
    piece.met.push_back(piece.tree.peaks());
  }
  derive(piece, value, sequence);
  piece.tree.append(
      leaf_hash(value), [&](std::uint8_t level, std::uint64_t index, const Digest& hash) {
        piece.nodes.add(node_key(level, (piece.first >> level) + index), as_bytes(hash));
      });
  return true;
}

void EventPass::derive(Piece& piece, std::string_view value, std::uint64_t sequence) const {
  v1::Event& event = piece.event;
  if (!event.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return add_finding(piece.report, kTampered, "an event does not parse", "a serialized Event",
                       std::to_string(value.size()) + " bytes", sequence);
  }
  visit_index_rows(event, sequence, [&](std::string_view row_key, std::string_view row_value) {
    piece.index.add(row_key, row_value);
  });
  blobs_.judge(event, sequence, piece.seen,
               [&](BlobJudge::Finding finding) { blob_findings_.add(std::move(finding)); });
  piece.runs.fold_in_piece(event, sequence, value);
}

void EventPass::merge(Piece& piece) {
  if (!piece.status) {
    status_ = piece.status;
    is_over_ = true;
    return;
  }
  runs_.take_over(piece.runs);
  add_part(report_, piece.report);
  if (piece.report.has_checkpoint_size()) {
    report_.set_checkpoint_size(piece.report.checkpoint_size());
    *report_.mutable_signers() = piece.report.signers();
  }
  compare(piece);
  nodes_.add(piece.nodes);
  index_.add(piece.index);
  events_ += piece.tree.size();
  has_gap_ = piece.has_gap;
  is_over_ = has_gap_ || piece.tree.size() < piece_events();
  if (piece.tree.size() == piece_events()) {
    pieces_.append(piece.tree.root(),
                   [&](std::uint8_t level, std::uint64_t index, const Digest& hash) {
                     if (level == 0) return;  // the piece's own root
                     const auto above = static_cast<std::uint8_t>(request_.piece_level + level);
                     nodes_.add(node_key(above, index), as_bytes(hash));
                   });
    tree_ = tree_up_to(events_, {});
  } else {
    tree_ = tree_up_to(events_, piece.tree.peaks());
  }
  if (is_over_ || !request_.progress) return;
  if (!request_.progress(events_, std::max(events_, expected_events_))) {
    status_ = fail(ErrorCode::kInterrupted, "stopped, as asked; nothing was found out");
    is_over_ = true;
  }
}

// REQUIRES: `peaks` are those in the piece behind the merged ones.
CompactRange EventPass::tree_up_to(std::uint64_t size, const std::vector<Digest>& peaks) const {
  std::vector<Digest> all = pieces_.peaks();
  all.insert(all.end(), peaks.begin(), peaks.end());
  std::optional<CompactRange> tree = CompactRange::from_peaks(size, std::move(all));
  check(tree.has_value(), "the peaks of pieces and piece are those of the tree");
  return std::move(*tree);
}

void EventPass::compare(const Piece& piece) {
  for (std::size_t i = 0; i < piece.met.size(); ++i) {
    const Claim& claim = piece.claims[i];
    const Digest root = tree_up_to(claim.size, piece.met[i]).root();
    if (root != claim.root) {
      if (wrong_.size() < static_cast<std::size_t>(kMostFindings)) wrong_.emplace_back(claim, root);
    } else if (wrong_.empty() && claim.is_trusted) {
      vouched_ = claim.size;
    }
  }
}

void EventPass::report_claims() {
  blob_findings_.report_to(report_);
  const bool is_located = report_.has_first_bad_sequence();
  for (std::size_t i = 0; i < wrong_.size(); ++i) {
    const auto& [claim, root] = wrong_[i];
    const std::string of = " the checkpoint of " + std::to_string(claim.size) + " events";
    std::string what = claim.from.empty() ? "the events have another root than" + of
                                          : claim.from + ": the log does not extend" + of;
    if (claim.size > vouched_) {
      what += "; what differs lies in events " + std::to_string(vouched_) + " to " +
              std::to_string(claim.size - 1);
    }
    add_finding(report_, kTampered, std::move(what), to_hex(claim.root), to_hex(root),
                !is_located && claim.size > vouched_ ? std::optional(vouched_) : std::nullopt);
  }
}

std::vector<Claim> EventPass::beyond() const {
  std::vector<Claim> out;
  std::copy_if(known_.begin(), known_.end(), std::back_inserter(out),
               [&](const Claim& known) { return known.size > events_; });
  return out;
}

}  // namespace muniment
