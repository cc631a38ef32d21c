// What the rehearsal and the execution see of paths, without changing them.
#ifndef MUNIMENT_RECORDER_WORLD_PATH_FACTS_H_
#define MUNIMENT_RECORDER_WORLD_PATH_FACTS_H_

#include <string>
#include <vector>

#include "muniment/v1/resolution.pb.h"

namespace muniment {

// Role SOURCE: kind, mode, owner and size; for a regular file the SQLite header and the size of
// its WAL; for files and folders what lies there, with the hits of each pattern. What cannot be
// seen is said in `kind` and `error`.
v1::PathObserved observe_source(const std::string& path, const std::vector<std::string>& exclude);

// Role BACKUP_ROOT: free bytes of the file system that holds or will hold it, whether this process
// may write there (asked, not tried), the nearest existing parent where it is missing. `error` says
// why an existing root will be refused.
v1::PathObserved observe_backup_root(const std::string& root);

// Role LEFT_BEHIND: each ROOT/MODULE/.RUN_ID.partial, in bytewise order of path; `size_bytes` is of
// the regular files in it. Folders that cannot be read are passed over: observe_backup_root() and
// the capture say so.
std::vector<v1::PathObserved> observe_left_behind(const std::string& root);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_PATH_FACTS_H_
