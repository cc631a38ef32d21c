// The folders that hold artifacts: made 0700 whatever the umask, opened without following a link,
// trusted only when nobody else can write in them, and fsynced together with their parents.
#ifndef MUNIMENT_RECORDER_WORLD_FOLDERS_H_
#define MUNIMENT_RECORDER_WORLD_FOLDERS_H_

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/world/os.h"
#include "recorder/world/place.h"

namespace muniment {

// Why a folder of backups cannot be trusted: it is a link, not a folder, of another owner, or
// writable by group or others; with how to mend it. "" when it can. `facts` come from lstat or
// fstat.
std::string unsafe_because(std::string_view path, const struct stat& facts);

// An open folder together with the path that messages name.
struct Folder {
  Fd fd;
  std::string path;
};

// Opens ROOT/MODULE and makes what is missing: ROOT with its parents, then MODULE, each 0700 and
// durable. A ROOT that exists keeps its mode; MODULE becomes 0700. Symbolic links are followed
// above ROOT, never at ROOT or MODULE. Fails on a folder that unsafe_because() names.
Result<Folder> make_module_folder(const Place& place);

// Opens ROOT/MODULE under the same rules and makes nothing. kNotFound when one of them is missing.
Result<Folder> open_module_folder(const Place& place);

// Makes the partial folder, 0700 and durable. A folder of that name already there is an error: it
// belongs to somebody else.
Result<Folder> make_partial_folder(const Folder& module_folder, const Place& place);

// Opens the partial folder without following a link; it must be safe as above. kNotFound when it is
// missing.
Result<Folder> open_partial_folder(const Folder& module_folder, const Place& place);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_FOLDERS_H_
