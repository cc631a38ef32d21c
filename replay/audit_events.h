// The one pass over the events: hashes them into the tree, derives rows, folds runs, and holds the
// roots on the way against what was signed.
//
// Events are taken in pieces of 2^piece_level that begin at a multiple of it, so that the nodes
// inside a piece are nodes of the whole tree. Threads read pieces at the same time; what is left to
// do in order (the tree above the pieces, folds that go on from one to the next) is done by each in
// its turn.
#ifndef MUNIMENT_REPLAY_AUDIT_EVENTS_H_
#define MUNIMENT_REPLAY_AUDIT_EVENTS_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/log/merkle.h"
#include "replay/audit.h"
#include "replay/audit_blobs.h"
#include "replay/audit_checkpoints.h"
#include "replay/audit_rows.h"
#include "replay/audit_runs.h"

namespace muniment {

// Thread-safe as far as work() goes; the rest is for afterwards.
class EventPass {
 public:
  // Everything given must outlive this object; `known` is in order of size. Findings go to
  // `report`.
  EventPass(const LogReader& log, const AuditRequest& request, const SignedBy& signed_by,
            const BlobJudge& blobs, std::vector<Claim> known, std::uint64_t expected_events,
            v1::VerifyReport& report);

  // Takes pieces until there are no more. Any number of threads may be in it at once. An error ends
  // the pass for all of them.
  Status work();

  std::uint64_t events() const { return events_; }
  // An event is missing although later ones are there: what lies behind it was not read.
  bool has_gap() const { return has_gap_; }
  // Of all events.
  const CompactRange& tree() const { return tree_; }
  const RowSum& nodes() const { return nodes_; }
  const RowSum& index() const { return index_; }
  RunFolds& runs() { return runs_; }
  // Checkpoint rows of this size and more were not judged.
  std::uint64_t judged_to() const { return merged_ * piece_events(); }
  // Known checkpoints of more events than there are.
  std::vector<Claim> beyond() const;
  // Says which blobs are missing, and of all claims that were met and have another root what is
  // wrong with them. Where no
  // finding names an event yet, the first one that no good checkpoint covers stands for it.
  void report_claims();

 private:
  struct Piece;

  std::uint64_t piece_events() const { return 1ULL << request_.piece_level; }

  void read(std::uint64_t number, Piece& piece) const;
  bool take(Piece& piece, std::string_view key, std::string_view value) const;
  void derive(Piece& piece, std::string_view value, std::uint64_t sequence) const;
  void merge(Piece& piece);
  void compare(const Piece& piece);
  CompactRange tree_up_to(std::uint64_t size, const std::vector<Digest>& peaks) const;

  const LogReader& log_;
  const AuditRequest& request_;
  const SignedBy& signed_by_;
  const BlobJudge& blobs_;
  const std::vector<Claim> known_;
  const std::uint64_t expected_events_;
  v1::VerifyReport& report_;

  mutable BlobFindings blob_findings_;
  std::atomic<std::uint64_t> next_ = 0;
  std::mutex turn_;  // guards all below
  std::condition_variable turned_;
  std::uint64_t merged_ = 0;  // pieces
  bool is_over_ = false;
  Status status_;
  bool has_gap_ = false;
  std::uint64_t events_ = 0;
  CompactRange pieces_;  // the tree whose leaves are the roots of whole pieces
  CompactRange tree_;
  RowSum nodes_;
  RowSum index_;
  RunFolds runs_;
  std::vector<std::pair<Claim, Digest>> wrong_;  // claims, and the root that is there
  std::uint64_t vouched_ = 0;  // the size of the last good checkpoint before the first wrong one
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_EVENTS_H_
