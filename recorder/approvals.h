// What becomes of an approval that was submitted: accepted or rejected, each a fact of its own.
#ifndef MUNIMENT_RECORDER_APPROVALS_H_
#define MUNIMENT_RECORDER_APPROVALS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/gate_facts.h"
#include "recorder/log/event_log.h"
#include "recorder/stamper.h"

namespace muniment {

struct Settled {
  v1::Event event;  // ApprovalAccepted, ApprovalRejected …
  std::uint64_t sequence = 0;
};

// Judges each submission that has no verdict yet, in order, and records the verdict. A change of a
// policy that has its approvals now is recorded too (GatePolicyRecorded, ApprovalConsumed).
// The events are facts about the log itself: they have no run_id; about_run is the rehearsal.
// `reader` sees what `log` has made durable. REQUIRES: the caller holds the store.
Result<std::vector<Settled>> settle_submissions(LogWriter& log, const LogReader& reader,
                                                const GateRules& rules, Stamper& stamper,
                                                std::int64_t now_ns);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_APPROVALS_H_
