// One way to walk a tree, for the inventory of a rehearsal and for the capture alike.
#ifndef MUNIMENT_RECORDER_WORLD_TREE_WALK_H_
#define MUNIMENT_RECORDER_WORLD_TREE_WALK_H_

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

// Something that was found. Valid during the call alone.
struct WalkEntry {
  const std::string& path;   // absolute
  int folder;                // descriptor of the folder that holds it …
  const char* name;          // … and its name there
  const struct stat& facts;  // of lstat; for a folder of fstat
  int opened;                // a folder's own descriptor, else -1
};

// What a walk tells. An error from any of them ends the walk.
class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  // A folder comes before what is in it.
  virtual Status entry(const WalkEntry& entry) = 0;
  // Pruned by the patterns with these indices, at least one.
  virtual Status excluded(const std::string& path, const std::vector<std::size_t>& patterns) = 0;
  virtual Status unreadable(const std::string& path, int error) = 0;
  // Listed in its folder, gone when its turn came.
  virtual Status vanished(const std::string& path) = 0;
};

// A folder that is not entered, wherever it is met: the place that backups go to.
struct FolderIdentity {
  dev_t device = 0;
  ino_t inode = 0;
};

struct WalkRules {
  std::vector<std::string> exclude;  // glob.h; a folder that matches is pruned
  std::optional<FolderIdentity> skip;
};

// Walks `root` and all below it: names sorted bytewise, links never followed, nothing but folders
// opened, at most kOpenFolders descriptors in use however deep the tree is. `root` itself may be of
// any kind; a root that is missing is reported as unreadable (ENOENT). A folder that `rules.skip`
// names is handed to excluded() with no pattern. The only errors are the visitor's and a tree that
// is moved about while it is walked.
Status walk_tree(const std::string& root, const WalkRules& rules, TreeVisitor& visitor);

inline constexpr std::size_t kOpenFolders = 128;

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_TREE_WALK_H_
