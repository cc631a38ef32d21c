#include <gtest/gtest.h>

#include <string>

#include "tests/support/tree_rules.h"

namespace muniment {
namespace {

const Tree& tree() {
  static const Tree kTree = read_tree(MUNIMENT_SOURCE_DIR);
  return kTree;
}

// All at once, one a line: whoever breaks a rule wants the whole list.
void expect_none(const Violations& violations) {
  std::string list;
  for (const std::string& violation : violations) list += violation + "\n";
  EXPECT_TRUE(violations.empty()) << violations.size() << " places:\n" << list;
}

TEST(Tree, IsReadWhole) {
  std::size_t sources = 0;
  bool sees_itself = false;
  for (const SourceFile& file : tree()) {
    if (file.path.ends_with(".cc")) ++sources;
    if (file.path == "tests/tree/layering_test.cc") sees_itself = true;
  }
  EXPECT_TRUE(sees_itself);
  EXPECT_GT(sources, 50U);
}

TEST(Tree, IncludesFollowTheArrowsOfTheLayers) {
  expect_none(find_wrong_arrows(tree()));
}

TEST(Tree, KnowsRocksDbInTheLogAlone) {
  expect_none(find_foreign_rocksdb(tree()));
}

TEST(Tree, WritesStandardOutputInTheViewAlone) {
  expect_none(find_foreign_output(tree()));
}

TEST(Tree, ReadsTheWallClockInOnePlace) {
  expect_none(find_foreign_clocks(tree()));
}

TEST(Tree, HasNoBranchOnTheModeOfARun) {
  expect_none(find_words_of_the_mode(tree()));
}

TEST(Tree, HasNoLongFile) {
  expect_none(find_long_files(tree()));
}

TEST(Tree, HasNoLongFunction) {
  expect_none(find_long_functions(tree()));
}

TEST(Tree, HasHeadersThatAreProse) {
  expect_none(find_bare_headers(tree()));
}

TEST(Tree, HoldsNothingThatWasLeftForLater) {
  expect_none(find_leftovers(tree()));
}

TEST(Tree, BuildsEveryTest) {
  expect_none(find_tests_without_target(tree()));
}

TEST(Tree, HasAReadmeThatIsShort) {
  expect_none(find_long_readme(tree()));
}

}  // namespace
}  // namespace muniment
