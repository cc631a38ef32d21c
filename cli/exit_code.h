// Exit codes: the command line's contract.
#ifndef MUNIMENT_CLI_EXIT_CODE_H_
#define MUNIMENT_CLI_EXIT_CODE_H_

#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"

namespace muniment {

enum ExitCode : int {
  kExitDone = 0,
  kExitFailed = 1,       // it ran and failed; the failure is recorded
  kExitUsage = 2,        // usage, or a manifest that does not hold
  kExitClosed = 3,       // a gate is closed
  kExitDrift = 4,        // the world is not what was rehearsed
  kExitCorrupt = 5,      // the log or an artifact is not what it claims
  kExitBusy = 6,         // the store is held by another writer
  kExitNotFound = 7,     // nothing by that name
  kExitUnreachable = 8,  // engine, forge or fleet
  kExitInterrupted = 130,
};

ExitCode exit_code_of(ErrorCode code);
ExitCode exit_code_of(const v1::RunState& run);

}  // namespace muniment

#endif  // MUNIMENT_CLI_EXIT_CODE_H_
