// The rules about the source tree, as functions of a tree: so that they can be shown bad trees too.
#ifndef MUNIMENT_TESTS_SUPPORT_TREE_RULES_H_
#define MUNIMENT_TESTS_SUPPORT_TREE_RULES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace muniment {

struct SourceFile {
  std::string path;  // from the root of the repository
  std::string text;
};
using Tree = std::vector<SourceFile>;

// The project's own text files below `root`, in order of path: top level, folders of the
// architecture, scripts. Not what a build left, not hidden folders but .ci.
Tree read_tree(const std::string& root);

// "FILE:LINE: what is wrong; what the rule is" for each place that breaks a rule.
using Violations = std::vector<std::string>;

// Includes follow the arrows of the layers; schemas import schemas.
Violations find_wrong_arrows(const Tree& tree);
// RocksDB is named by recorder/log and tests alone.
Violations find_foreign_rocksdb(const Tree& tree);
// Standard output is written by cli/view*.cc alone.
Violations find_foreign_output(const Tree& tree);
// The wall clock is read by recorder/clock.cc alone.
Violations find_foreign_clocks(const Tree& tree);
// No branch on the mode of a run: its words stand in recorder/ only where the manifest's condition
// and the withholding sink do. Comments are not code, and a message may name the option --dry-run.
Violations find_words_of_the_mode(const Tree& tree);

// Source files and functions do not grow beyond these.
inline constexpr std::size_t kMostLinesPerFile = 400;
inline constexpr std::size_t kMostLinesPerFunction = 70;
Violations find_long_files(const Tree& tree);
Violations find_long_functions(const Tree& tree);

// Headers of recorder/ and replay/ are prose to this share (comment_share()).
inline constexpr double kLeastCommentShare = 0.25;
Violations find_bare_headers(const Tree& tree);

// Words and paths that no file of the project holds.
Violations find_leftovers(const Tree& tree);
// Every *_test.cc is matched by a pattern of tests/CMakeLists.txt.
Violations find_tests_without_target(const Tree& tree);
// README.md is there, and short enough to be read.
inline constexpr std::size_t kMostLinesOfReadme = 150;
Violations find_long_readme(const Tree& tree);
// The names at the top level are the ones that were agreed on.
Violations find_new_names_at_top(const std::vector<std::string>& names);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_TREE_RULES_H_
