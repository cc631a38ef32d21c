// What the writer signs when an execution has ended.
#ifndef MUNIMENT_CLI_SEAL_H_
#define MUNIMENT_CLI_SEAL_H_

#include <string>

#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/store.h"

namespace muniment {

// Signs the log as it is, and the statement about the run. The artifacts are there whether this
// succeeds or not: a failure says that the run is durable and not checkpointed, why, and what to
// do.
Status seal_execution(Store& store, const v1::RunState& run, const std::string& guard);

}  // namespace muniment

#endif  // MUNIMENT_CLI_SEAL_H_
