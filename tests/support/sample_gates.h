// The runs of sample_runs.h that have to do with a gate: what was rehearsed, approved, revoked,
// refused and carried out; and a command.
#ifndef MUNIMENT_TESTS_SUPPORT_SAMPLE_GATES_H_
#define MUNIMENT_TESTS_SUPPORT_SAMPLE_GATES_H_

#include <string>

#include "muniment/v1/event.pb.h"
#include "tests/support/run_writer.h"

namespace muniment {

// Who approves the candidate, and why.
inline constexpr const char* kSamplePrincipal = "ben";
inline constexpr const char* kSampleReason = "The ledger moves tonight.";

// Ids; see SampleRuns.
struct SampleGates {
  std::string candidate;
  std::string closed;
  std::string opened;
  std::string commanded;
};
SampleGates write_sample_gates(LogScript& script, const v1::Enforcement& held);

// A verdict of gate F3 for backups, closed by one condition; `next` is what it advises.
v1::Event closed_gate(const std::string& module, const std::string& name, const std::string& detail,
                      const std::string& next);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_SAMPLE_GATES_H_
