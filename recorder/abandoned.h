// Runs whose process died: found, recorded, cleaned up after.
#ifndef MUNIMENT_RECORDER_ABANDONED_H_
#define MUNIMENT_RECORDER_ABANDONED_H_

#include <set>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/world/source.h"

namespace muniment {

// Runs that have started and not ended, newest first. Whoever holds the store's lock and calls this
// knows that their processes are dead. Stops at the first run that is over: a run's start is
// appended together with the end of all open runs before it.
Result<std::vector<v1::RunState>> find_open_runs(const LogReader& log);

// The partial folders that lie under these backup roots, in order of root and path.
Result<std::vector<v1::PathObserved>> find_left_behind(Source& source,
                                                       const std::set<std::string>& roots);

// RunAbandoned for each, with the partial folders among `left_behind` that are its own.
std::vector<v1::Event> abandon(const std::vector<v1::RunState>& open,
                               const std::vector<v1::Step>& left_behind);

// Of the runs that the names of these folders speak of, those that the log knows.
Result<std::vector<std::string>> known_runs(const LogReader& log,
                                            const std::vector<v1::PathObserved>& left_behind);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_ABANDONED_H_
