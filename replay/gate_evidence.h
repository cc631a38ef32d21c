// What the report says of gates: the newest verdict on each, and what became of the approvals.
//
// What stands here is what was recorded. Whether a signature holds is asked where it counts, before
// an act (recorder/core/gate.h), and by whoever has the bundle.
#ifndef MUNIMENT_REPLAY_GATE_EVIDENCE_H_
#define MUNIMENT_REPLAY_GATE_EVIDENCE_H_

#include <cstdint>
#include <string>

#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// The verdict of a GateEvaluated on the module of its event.
v1::GateReport gate_report(const v1::GateEvaluated& verdict, const std::string& module);

// A verdict takes the place of an earlier one on the same gate, module and guarded command.
void keep_newest(google::protobuf::RepeatedPtrField<v1::GateReport>& gates, v1::GateReport verdict,
                 std::uint64_t sequence);

// Fills `approvals`, in the order in which they were accepted: those about the run, and those about
// the rehearsal that it follows. The newest of consumption and revocation is the state of one; else
// it is superseded when a newer successful rehearsal of its module is in the log.
// REQUIRES: evidence.run() is filled. Errors: kIo, kCorrupt.
Status add_approvals(const LogReader& log, v1::Evidence& evidence);

// Adds to `done` what the run had run on its host.
void add_commands(v1::Evidence& evidence);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_GATE_EVIDENCE_H_
