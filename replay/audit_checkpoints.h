// What was signed about a log: by which key of its history, and whether it may be believed.
#ifndef MUNIMENT_REPLAY_AUDIT_CHECKPOINTS_H_
#define MUNIMENT_REPLAY_AUDIT_CHECKPOINTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/report.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "replay/audit.h"
#include "replay/trust.h"

namespace muniment {

// A change of the log's key, as the log tells it.
struct KeyChange {
  std::uint64_t sequence = 0;  // of KeyRotated
  NoteKey old_key;
  NoteKey new_key;
  std::uint64_t first_signed = 0;  // the size of the first checkpoint that covers it; 0: none does
};

// That the first `size` events have this root, as somebody signed it.
struct Claim {
  std::uint64_t size = 0;
  Digest root{};
  std::string from;                  // where the checkpoint came from; empty: a row of the store
  bool is_trusted = false;           // its signature is good
  std::vector<std::string> signers;  // vkeys; of known checkpoints alone
};

// In the order in which one pass over the events meets them.
inline bool is_before(const Claim& a, const Claim& b) {
  return a.size != b.size ? a.size < b.size : a.from < b.from;
}

// The keys by which a log may be signed, and the judge of what they signed.
//
// A key follows another by an event KeyRotated; the first checkpoint that covers that event is
// signed by both. So whoever trusts one key of the history may believe the others: an older one,
// because the trusted key signs a tree in which the change is written; a newer one, because the
// trusted key signed the checkpoint that names it. A value; its const members are thread-safe.
class SignedBy {
 public:
  // Reads the changes of key in the log. That they do not follow each other, or that no trusted key
  // is among them, is a finding. `log` must outlive this object.
  static Result<SignedBy> read(const LogReader& log, const Trust& trust, v1::VerifyReport& report);

  // Judges the checkpoint rows with first <= size < end, in order, and adds what is wrong with
  // them. Those that can be read become claims whatever was found.
  Status judge_rows(std::uint64_t first, std::uint64_t end, v1::VerifyReport& report,
                    std::vector<Claim>& claims) const;

  // Judges what somebody keeps outside of the store. Absent: it cannot be read.
  std::optional<Claim> judge_known(const KnownCheckpoint& known, v1::VerifyReport& report) const;

  // Judges all statements, and names rows that are neither checkpoint nor statement. The number of
  // rows of the table.
  Result<std::uint64_t> judge_statements(v1::VerifyReport& report) const;

  // Judges the envelope that lies under a run's id.
  void judge_statement(std::string_view run_id, std::string_view envelope,
                       v1::VerifyReport& report) const;

  // The keys of the history, the oldest first; without any change, the trusted ones.
  const std::vector<NoteKey>& keys() const { return keys_; }

 private:
  SignedBy(const LogReader& log, const Trust& trust);

  void add_change(KeyChange change, v1::VerifyReport& report);
  std::vector<NoteKey> keys_at(std::uint64_t size) const;

  const LogReader* log_;
  Trust trust_;
  std::vector<KeyChange> changes_;
  std::vector<NoteKey> keys_;
};

// What the store speaks of, and what is there.
struct LogExtent {
  std::uint64_t events = 0;                // that are there, without a gap
  std::uint64_t claimed = 0;               // the most that state and checkpoints speak of
  std::optional<std::uint64_t> signed_to;  // the size of the newest checkpoint
};

// Reads the last two from the store. `events` is left to the caller.
Result<LogExtent> read_extent(const LogReader& log, const v1::StoreState& state);

// Known checkpoints that the log does not reach.
void judge_unreached(const std::vector<Claim>& beyond, const LogExtent& extent,
                     v1::VerifyReport& report);

// Whether the newest checkpoint is as new as it should be, and what lies behind it.
void judge_newest(const LogExtent& extent, std::uint64_t min_size,
                  std::uint64_t finished_executions, v1::VerifyReport& report);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_CHECKPOINTS_H_
