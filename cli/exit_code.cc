#include "cli/exit_code.h"

namespace muniment {

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return kExitUsage;
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kBusy:
      return kExitBusy;
    case ErrorCode::kCorrupt:
      return kExitCorrupt;
    case ErrorCode::kIo:
      return kExitFailed;
    case ErrorCode::kUnavailable:
      return kExitUnreachable;
    case ErrorCode::kRefused:
      return kExitClosed;
    case ErrorCode::kInterrupted:
      return kExitInterrupted;
  }
  return kExitFailed;
}

ExitCode exit_code_of(const v1::RunState& run) {
  switch (run.outcome()) {
    case v1::RUN_OUTCOME_OK:
      return kExitDone;
    case v1::RUN_OUTCOME_REFUSED:
      return run.drift() ? kExitDrift : kExitClosed;
    case v1::RUN_OUTCOME_INTERRUPTED:
      return kExitInterrupted;
    case v1::RUN_OUTCOME_FAILED:
      return run.engine_unreachable() ? kExitUnreachable : kExitFailed;
    case v1::RUN_OUTCOME_UNSPECIFIED:
    case v1::RUN_OUTCOME_ABANDONED:
    case v1::RUN_OUTCOME_RUNNING:
    case v1::RunOutcome_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::RunOutcome_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return kExitFailed;
}

}  // namespace muniment
