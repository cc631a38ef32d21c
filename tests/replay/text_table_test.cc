#include "replay/text_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/code_scan.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

TEST(TextTable, PadsToTheWidestCellAndEndsNoLineWithBlanks) {
  EXPECT_EQ(text_table({{"step", "what"}, {"1", "capture"}, {"10", ""}}, 2),
            "  step  what\n  1     capture\n  10\n");
}

TEST(TextTable, CountsCodePointsNotBytes) {
  EXPECT_EQ(text_table({{"gr\xc3\xbc\xc3\x9f", "x"}, {"abcd", "y"}}, 0),
            "gr\xc3\xbc\xc3\x9f  x\nabcd  y\n");
}

TEST(TextTable, TakesNoRowsAndRowsOfDifferentLengths) {
  EXPECT_EQ(text_table({}, 4), "");
  EXPECT_EQ(text_table({{"a"}, {"b", "c"}, {}}, 1), " a\n b  c\n\n");
}

// Where a cell stands can be read off the widths of the cells before it.
TEST(TextTable, PutsEachCellBehindTheWidestOnesBeforeIt) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int round = 0; round < 200; ++round) {
    const std::size_t columns = generator.between(1, 6);
    const std::size_t indent = generator.below(5);
    std::vector<std::vector<std::string>> rows(generator.between(1, 8));
    for (auto& row : rows) {
      for (std::size_t i = 0; i < columns; ++i) {
        row.push_back(generator.text(generator.between(1, 9), "abcdef"));
      }
    }
    const std::vector<std::string> lines = split_lines(text_table(rows, indent));
    ASSERT_EQ(lines.size(), rows.size());
    std::size_t start = indent;
    for (std::size_t i = 0; i < columns; ++i) {
      std::size_t widest = 0;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        ASSERT_EQ(lines[k].substr(start, rows[k][i].size()), rows[k][i]) << lines[k];
        widest = std::max(widest, rows[k][i].size());
      }
      start += widest + 2;
    }
  }
}

}  // namespace
}  // namespace muniment
