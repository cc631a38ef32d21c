// The evidence report as a value: built from the log alone, rendered elsewhere.
#ifndef MUNIMENT_REPLAY_EVIDENCE_H_
#define MUNIMENT_REPLAY_EVIDENCE_H_

#include <string>

#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// Same events, same value, on any machine. kNotFound when no such run has started.
Result<v1::Evidence> make_evidence(const LogReader& log, const std::string& run_id);

// One line, stable enough to parse: the first of the report.
//   DRY RUN OK: 3 modules, 9 steps, 0 written, 0 drift · run 0199…
//   EXECUTED: 3 modules, 3 artifacts, 1.2 GiB, all 0600, verified · run 0199…
//   FAILED at step 4 of 9 (notes capture): … · run 0199…
//   GATE CLOSED: …   DRIFT: …   INTERRUPTED: …   ABANDONED: …   RUNNING: …   RESOLVED: …
std::string verdict_line(const v1::RunState& run);

// The RFC 6962 root over the first `size` events, from the stored nodes. REQUIRES: size <= log
// size.
Result<std::string> root_at(const LogReader& log, std::uint64_t size);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_EVIDENCE_H_
