// RUN, as the command line spells it: an id, a unique prefix, or "the latest of".
#ifndef MUNIMENT_REPLAY_FIND_RUN_H_
#define MUNIMENT_REPLAY_FIND_RUN_H_

#include <string>
#include <string_view>

#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// `word` is a run id, a unique prefix of at least 6 characters, `latest`, `latest:MODULE` or
// `latest:MODE`. kNotFound when nothing matches; kInvalid for a prefix that is too short, or that
// several runs share (the message names them).
Result<v1::RunState> find_run(const LogReader& log, std::string_view word);

// The same, among successful dry runs alone: what a plan or an approval may follow. With a
// `purpose` (backup, exec) `latest…` looks among its rehearsals alone. kNotFound when the run is
// not one, with what it is.
Result<v1::RunState> find_rehearsal(const LogReader& log, std::string_view word,
                                    std::string_view purpose = "");

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_FIND_RUN_H_
