#include <algorithm>

#include "recorder/core/plan.h"
#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "replay/evidence.h"

namespace muniment {
namespace {

bool all_private(const v1::RunState& run) {
  return std::all_of(run.artifacts().begin(), run.artifacts().end(),
                     [](const v1::ArtifactState& row) {
                       return row.status() != "committed" || row.mode() == 0600;
                     });
}

bool all_verified(const v1::RunState& run) {
  return std::all_of(run.artifacts().begin(), run.artifacts().end(),
                     [](const v1::ArtifactState& row) {
                       return row.status() != "committed" || row.verified() == v1::VERDICT_OK;
                     });
}

// "0", "0 3 unknown"
std::string statuses(const v1::RunState& run) {
  std::string out;
  for (const v1::CommandState& command : run.commands()) {
    out += (out.empty() ? "" : " ") +
           (command.has_exit_status() ? std::to_string(command.exit_status()) : "unknown");
  }
  return out;
}

std::string ok_line(const v1::RunState& run) {
  const v1::RunCounts counts = count(run);
  if (run.mode() == v1::MODE_OBSERVATION) {
    return "RESOLVED: " + counted(counts.modules(), "module");
  }
  if (run.mode() == v1::MODE_DRY_RUN) {
    return "DRY RUN OK: " + counted(counts.modules(), "module") + ", " +
           counted(counts.steps(), "step") + ", " + std::to_string(counts.applied()) +
           " written, 0 drift";
  }
  if (!run.commands().empty() && run.artifacts().empty()) {
    return "EXECUTED: " + counted(static_cast<std::uint64_t>(run.requested_size()), "module") +
           ", " + counted(static_cast<std::uint64_t>(run.commands_size()), "command") +
           ", exit status " + statuses(run);
  }
  std::uint64_t torn = 0;
  for (const v1::ArtifactState& row : run.artifacts()) {
    torn += row.changed_count() + row.vanished_count();
  }
  return "EXECUTED: " + counted(counts.modules(), "module") + ", " +
         counted(counts.artifacts(), "artifact") + ", " + human_bytes(counts.artifact_bytes()) +
         (all_private(run) ? ", all 0600" : ", NOT all 0600") +
         (all_verified(run) ? ", verified" : ", NOT verified") +
         (torn == 0 ? "" : ", " + counted(torn, "file") + " changed while read");
}

std::string failure_line(const v1::RunState& run) {
  const std::string reason = inert_short(run.reason(), 400);
  if (reason.starts_with("step ")) return "FAILED at " + reason;
  return "FAILED: " + reason;
}

std::string body_of(const v1::RunState& run) {
  const std::string reason = inert_short(run.reason(), 400);
  switch (run.outcome()) {
    case v1::RUN_OUTCOME_OK:
      return ok_line(run);
    case v1::RUN_OUTCOME_FAILED:
      return failure_line(run);
    case v1::RUN_OUTCOME_REFUSED:
      return (run.drift() ? "DRIFT: " : "GATE CLOSED: ") + reason;
    case v1::RUN_OUTCOME_INTERRUPTED:
      return "INTERRUPTED: " + reason;
    case v1::RUN_OUTCOME_ABANDONED:
      return "ABANDONED: the process died; what its started steps did is unknown";
    case v1::RUN_OUTCOME_RUNNING:
      return "RUNNING: no end is recorded";
    case v1::RUN_OUTCOME_UNSPECIFIED:
    case v1::RunOutcome_INT_MIN_SENTINEL_DO_NOT_USE_:
    case v1::RunOutcome_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "UNKNOWN: this program has no name for the outcome";
}

}  // namespace

std::string verdict_line(const v1::RunState& run) {
  return body_of(run) + " · run " + inert(run.run_id());
}

}  // namespace muniment
