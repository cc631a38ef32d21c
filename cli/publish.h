// Publishing a log: the files of its newest signed checkpoint, in a folder that may hold those of
// an older one.
#ifndef MUNIMENT_CLI_PUBLISH_H_
#define MUNIMENT_CLI_PUBLISH_H_

#include <functional>

#include "cli/publish_folder.h"
#include "muniment/v1/report.pb.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

struct PublishOptions {
  bool compare_all = false;  // read again what an earlier checkpoint covers, and mend it
  std::function<bool()> stop_requested;
};

// What is in the folder and covered by its checkpoint is kept when it is there with a size that it
// may have; all else is compared with the log byte by byte and written where it differs. The
// checkpoint comes last; then partial tiles go that a full one has replaced.
// `log` must have been refreshed since the folder was locked: what another publisher put there in
// between would look like the future.
// kCorrupt: the folder's checkpoint is of another log, contradicts this one, or is of a larger
// size. kInterrupted: what is there stays valid, and the next publisher goes on from it.
Result<v1::PublishReport> publish(const LogReader& log, PublishFolder& folder,
                                  const PublishOptions& options);

}  // namespace muniment

#endif  // MUNIMENT_CLI_PUBLISH_H_
