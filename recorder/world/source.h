// The one window in: reads the world and changes nothing.
#ifndef MUNIMENT_RECORDER_WORLD_SOURCE_H_
#define MUNIMENT_RECORDER_WORLD_SOURCE_H_

#include <string>
#include <variant>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/manifest.h"
#include "recorder/core/result.h"

namespace muniment {

// A path on the host that is to be captured. One PathObserved of role SOURCE. A database is not
// opened: its header is read, its WAL is measured. A folder is walked without following links.
struct PathQuery {
  std::string path;
  std::vector<std::string> exclude;  // glob.h
};

// Where artifacts go. One PathObserved of role BACKUP_ROOT, with the free space of the file system
// that holds it or would hold it.
struct RootQuery {
  std::string root;
};

// Partial folders ROOT/MODULE/.RUN_ID.partial that lie about. One PathObserved of role LEFT_BEHIND
// for each, in order of path; none is not an error, nor is a root that is missing.
struct LeftBehindQuery {
  std::string root;
};

// Which container engine answers. One EngineObserved; an engine that cannot be reached is an
// observation too.
struct EngineQuery {};

// Containers that a selector names, inspected, and near misses, as listed: a ContainerObserved for
// each, in order of id within each of the two. kUnavailable: the engine was lost.
struct ContainerQuery {
  ContainerSelector selector;
};

// A path in a container: one PathObserved of role SOURCE. Where the path lies on a mount that this
// host can read, its host path and, for a database, its header.
struct ContainerPathQuery {
  v1::ContainerObserved container;  // inspected
  std::string path;
};

using Query = std::variant<PathQuery, RootQuery, LeftBehindQuery, EngineQuery, ContainerQuery,
                           ContainerPathQuery>;

class Source {
 public:
  virtual ~Source() = default;
  // What was seen, as events whose bodies the recorder records as they are. What cannot be read is
  // an observation (kind, error), not an error.
  virtual Result<std::vector<v1::Event>> observe(const Query& query) = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SOURCE_H_
