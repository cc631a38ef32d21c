// Files of the source tree, for tests that hold them against the program.
#ifndef MUNIMENT_TESTS_SUPPORT_READ_FILE_H_
#define MUNIMENT_TESTS_SUPPORT_READ_FILE_H_

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace muniment {

// All bytes; fails the test, and is empty, where the file cannot be read.
inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path << " cannot be read";
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// The inside of the one fence of a Markdown text that begins with "```text LABEL"; fails the test
// where there is none.
inline std::string fenced(std::string_view markdown, std::string_view label) {
  const std::string head = "```text " + std::string(label) + "\n";
  const std::size_t begin = markdown.find(head);
  const std::size_t end =
      markdown.find("```", begin == markdown.npos ? begin : begin + head.size());
  EXPECT_NE(end, markdown.npos) << "no fence " << label;
  if (end == markdown.npos) return {};
  return std::string(markdown.substr(begin + head.size(), end - begin - head.size()));
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_READ_FILE_H_
