// Gates as text for a person at a terminal. Pure: value in, text out; foreign text is made inert.
#ifndef MUNIMENT_REPLAY_RENDER_GATE_H_
#define MUNIMENT_REPLAY_RENDER_GATE_H_

#include <string>

#include "muniment/v1/report.pb.h"
#include "replay/json.h"

namespace muniment {

// The verdict in a line, then each condition with its proofs and the command that would supply what
// is missing:
//   GATE CLOSED: F3 for notes (backup), run 0199…, plan 1a2b3c4d
//     ✓ ok       policy    policy 0a1b2c3d, as the manifest states it  #12
//     ✗ missing  approval  0 of 1 approvals for run 0199…
//         muniment approve 0199… --gate F3 --module notes
std::string render_gate(const v1::GateReport& gate);

// The command that comes next: the execution of the candidate where the gate is open, else the
// first that would supply what is missing; empty: nothing that a command could supply.
std::string next_command(const v1::GateReport& gate);

// One block for each candidate, the first is the one to be recommended.
std::string render_candidates(const v1::CandidateList& list);

// The report's section on plan, gates and approvals; empty where the run had none of them.
std::string render_gates(const v1::Evidence& evidence, const Resolver& resolve);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_RENDER_GATE_H_
