// Trees of files that are as odd as file systems allow, and what one is, to compare two.
#ifndef MUNIMENT_TESTS_SUPPORT_RANDOM_TREE_H_
#define MUNIMENT_TESTS_SUPPORT_RANDOM_TREE_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tests/support/generator.h"

namespace muniment {

// A name that some program or other stumbles over: control characters, quotes, no UTF-8, 255 bytes,
// a leading dash … Never with a slash or NUL, never "." or "..".
std::string odd_name(Generator& draw);

// Fills the empty `folder` with about `entries` files (empty ones, sparse ones, up to some 300 KB),
// nested folders, symbolic links that lead inside, outside or nowhere, hard links and FIFOs, under
// odd names. Modes are drawn of all twelve bits, owners too where this is root; times reach from
// 1901 to 2200. Fails the program (check.h) where something cannot be made.
void make_random_tree(Generator& draw, const std::string& folder, std::size_t entries);

// By path relative to `folder` ("." for itself): kind, mode, numeric owner, mtime to the
// nanosecond, and the SHA-256 of a file, the target of a link, the number of a device; names of one
// file say which is the first of them.
using TreeContent = std::map<std::string, std::string>;
TreeContent content_of_tree(const std::string& folder);

// One line for each path that is in one of them alone or differs; names inert.
std::vector<std::string> differences(const TreeContent& expected, const TreeContent& found);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RANDOM_TREE_H_
