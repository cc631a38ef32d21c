// The owner's check: everything derived is derived again from the events and compared, and what was
// signed is held against the events.
//
// One pass over the events in bounded memory, in pieces that are shared by threads. Rows of index
// and tree are compared as multisets (see audit_rows.h); where the sums differ, a second pass finds
// the row.
#ifndef MUNIMENT_REPLAY_AUDIT_H_
#define MUNIMENT_REPLAY_AUDIT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "replay/trust.h"

namespace muniment {

// A checkpoint that somebody kept outside of the store: the log must extend it.
struct KnownCheckpoint {
  std::string from;  // for messages: "the guard /var/lib/muniment-guard"
  std::string note;  // a signed note
};

struct AuditRequest {
  // The key of the log, one of its history, or none; the origin that is expected. Without an origin
  // or a key, that of the checkpoints is not looked at.
  Trust trust;
  std::vector<KnownCheckpoint> known;
  // Must not be known to whoever may have changed the store.
  std::uint64_t seed = 0;
  unsigned threads = 1;
  // So many events, 2^piece_level, are one thread's at a time. REQUIRES: at most 20.
  std::uint8_t piece_level = 13;
  // Told the number of events done, now and then, from one thread at a time. Returns false to stop:
  // kInterrupted. May be empty.
  std::function<bool(std::uint64_t done, std::uint64_t of)> progress;
};

// Adds to the report what was found, counts and root, and `intact` when nothing was. Verdicts:
//
//   tampered     a row is not what the events give; an event is missing in the middle; a
//                checkpoint, of the store or known, has another root than the events
//   truncated    the last events are missing: the state, a checkpoint or a summary speaks of more
//   older        a known checkpoint covers more events than anything in the store speaks of
//   unsigned     executions have finished, and there is no checkpoint
//   signer unknown   there are checkpoints, and no key is trusted
//
// Events behind the newest checkpoint are a caveat. REQUIRES: `log` may be read by several threads
// at once when threads > 1. An error means that the check could not be made: kCorrupt when rows
// cannot be read.
Status audit(const LogReader& log, const AuditRequest& request, v1::VerifyReport& report);

// The quick check of what came after a signed checkpoint: the tree up to there is taken from its
// nodes, whose root must be the checkpoint's; each later event is there, with its nodes, its index
// rows, its blobs, the summaries of runs that started after it, and the checkpoints. What was not
// looked at is a caveat.
Status audit_since(const LogReader& log, const AuditRequest& request, const KnownCheckpoint& since,
                   v1::VerifyReport& report);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_AUDIT_H_
