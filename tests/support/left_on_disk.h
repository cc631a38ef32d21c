// What a backup root holds, judged by programs that are not ours: zstd, sqlite3, tar.
#ifndef MUNIMENT_TESTS_SUPPORT_LEFT_ON_DISK_H_
#define MUNIMENT_TESTS_SUPPORT_LEFT_ON_DISK_H_

#include <string>
#include <vector>

namespace muniment {

// What is wrong under the final names ROOT/MODULE/RUN_ID, one line each: a manifest.json that does
// not parse or speaks of another run, a file too many or too few, one whose size or SHA-256 is not
// what manifest.json says, a database that does not pass integrity_check or whose table `item` does
// not answer `rows` ("COUNT|SUM OF IDS"), an archive that tar cannot list whole. Copies are
// unpacked in `scratch`. No root: nothing is wrong.
std::vector<std::string> find_incomplete(const std::string& root, const std::string& rows,
                                         const std::string& scratch);

// ROOT/MODULE/.RUN_ID.partial, sorted.
std::vector<std::string> find_partial_folders(const std::string& root);

// Files that are not 0600 and folders that are not 0700, the root with them; and links, FIFOs and
// the like.
std::vector<std::string> find_wrong_modes(const std::string& root);

// Every path below with its kind, mode, size and time of last change: equal texts mean that nothing
// was touched.
std::string list_tree(const std::string& folder);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_LEFT_ON_DISK_H_
