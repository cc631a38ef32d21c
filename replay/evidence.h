// The evidence report as a value: built from the log alone, rendered elsewhere.
#ifndef MUNIMENT_REPLAY_EVIDENCE_H_
#define MUNIMENT_REPLAY_EVIDENCE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "muniment/v1/report.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// What a report says of the log that holds the run, where its reader has no log at hand.
struct SignedTree {
  std::uint64_t size = 0;
  Digest root{};
  std::string checkpoint;      // the signed note with these two
  std::string verify_command;  // what checks the report's source
};

// Same events, same value, on any machine. Without a `signed_tree` the report names the tree that
// ends with the run's last event, from the stored nodes; with one, no node is read.
// kNotFound when no such run has started.
Result<v1::Evidence> make_evidence(const LogReader& log, const std::string& run_id,
                                   const std::optional<SignedTree>& signed_tree = std::nullopt);

// One line, stable enough to parse: the first of the report.
//   DRY RUN OK: 3 modules, 9 steps, 0 written, 0 drift · run 0199…
//   EXECUTED: 3 modules, 3 artifacts, 1.2 GiB, all 0600, verified · run 0199…
//   FAILED at step 4 of 9 (notes capture): … · run 0199…
//   GATE CLOSED: …   DRIFT: …   INTERRUPTED: …   ABANDONED: …   RUNNING: …   RESOLVED: …
std::string verdict_line(const v1::RunState& run);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_EVIDENCE_H_
