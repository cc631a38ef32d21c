// What both checks, of the whole log and of its newer part, say about its end.
#include <algorithm>

#include "recorder/core/text.h"
#include "recorder/log/queries.h"
#include "replay/audit_checkpoints.h"

namespace muniment {
Result<LogExtent> read_extent(const LogReader& log, const v1::StoreState& state) {
  Result<std::optional<StoredCheckpoint>> newest = newest_checkpoint(log);
  if (!newest) return pass(newest);
  LogExtent extent;
  if (newest->has_value()) extent.signed_to = (*newest)->size;
  extent.claimed = std::max(state.size(), extent.signed_to.value_or(0));
  return extent;
}

void judge_unreached(const std::vector<Claim>& beyond, const LogExtent& extent,
                     v1::VerifyReport& report) {
  for (const Claim& known : beyond) {
    const bool is_cut = extent.claimed >= known.size;
    add_finding(report, is_cut ? kTruncated : kOlder,
                known.from +
                    ": the log does not reach this checkpoint: it was cut, or an older "
                    "copy lies in its place",
                counted(known.size, "event"), counted(extent.events, "event"),
                is_cut ? std::optional(extent.events) : std::nullopt);
  }
}

void judge_newest(const LogExtent& extent, std::uint64_t min_size,
                  std::uint64_t finished_executions, v1::VerifyReport& report) {
  if (!extent.signed_to) {
    if (min_size > 0) {
      add_finding(report, kUnsigned, "there is no checkpoint",
                  "one of at least " + counted(min_size, "event"), "none");
    } else if (finished_executions > 0) {
      add_finding(report, kUnsigned,
                  "there is no checkpoint, although executions have finished; sign the log with "
                  "`muniment checkpoint`",
                  "a checkpoint", "none");
    } else if (extent.events > 0) {
      add_caveat(report, "no signature covers this log: no execution has finished in it");
    }
    return;
  }
  const std::uint64_t size = *extent.signed_to;
  if (size < min_size) {
    add_finding(report, kOlder, "the newest checkpoint is older than what was seen before",
                "at least " + counted(min_size, "event"), counted(size, "event"));
  }
  if (size >= extent.events) return;
  const std::uint64_t behind = extent.events - size;
  add_caveat(report, counted(behind, "event") + (behind == 1 ? " lies" : " lie") +
                         " behind the newest checkpoint, of " + counted(size, "event") +
                         ": no signature covers " + (behind == 1 ? "it" : "them"));
}

}  // namespace muniment
