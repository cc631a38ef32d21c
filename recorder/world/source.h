// The one window in: reads the world and changes nothing.
#ifndef MUNIMENT_RECORDER_WORLD_SOURCE_H_
#define MUNIMENT_RECORDER_WORLD_SOURCE_H_

#include <string>
#include <variant>
#include <vector>

#include "muniment/v1/event.pb.h"
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

using Query = std::variant<PathQuery, RootQuery, LeftBehindQuery>;

class Source {
 public:
  virtual ~Source() = default;
  // What was seen, as events whose bodies the recorder records as they are. What cannot be read is
  // an observation (kind, error), not an error.
  virtual Result<std::vector<v1::Event>> observe(const Query& query) = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SOURCE_H_
