// Everything that lies below a folder, as it is now.
#ifndef MUNIMENT_TESTS_SUPPORT_TREE_SNAPSHOT_H_
#define MUNIMENT_TESTS_SUPPORT_TREE_SNAPSHOT_H_

#include <map>
#include <string>
#include <vector>

namespace muniment {

// By path: type, mode, owner, links, size, mtime and ctime to the nanosecond, and the SHA-256 of a
// file or the target of a link. Not the access time: reading is allowed.
using TreeSnapshot = std::map<std::string, std::string>;

// `folder` itself and all below it, but for `left_out` and what is below that. Links are not
// followed.
TreeSnapshot take_snapshot(const std::string& folder, const std::string& left_out);

// One line for each path that came, went or changed; empty: nothing did.
std::vector<std::string> changes_between(const TreeSnapshot& before, const TreeSnapshot& after);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_TREE_SNAPSHOT_H_
