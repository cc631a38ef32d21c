#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/support/tree_rules.h"

namespace muniment {
namespace {

// Standard output and error of a shell command, and whether it succeeded.
struct Ran {
  bool ok = false;
  std::string text;
};

Ran run(const std::string& command) {
  Ran ran;
  FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) ran.text += static_cast<char>(c);
  ran.ok = ::pclose(pipe) == 0;
  return ran;
}

bool is_bash(const SourceFile& file) {
  const std::string first = file.text.substr(0, file.text.find('\n'));
  return first.starts_with("#!") && first.find("bash") != std::string::npos;
}

std::string quoted(const std::string& path) {
  return "'" + path + "'";
}

TEST(Scripts, AreValidBash) {
  std::size_t scripts = 0;
  for (const SourceFile& file : read_tree(MUNIMENT_SOURCE_DIR)) {
    if (!is_bash(file)) continue;
    ++scripts;
    const std::string path = std::string(MUNIMENT_SOURCE_DIR) + "/" + file.path;
    const Ran ran = run("bash -n " + quoted(path));
    EXPECT_TRUE(ran.ok) << file.path << ":1: bash -n: " << ran.text;
    // A part of another script is sourced, and has that one's options.
    if (file.text.contains("\n# Sourced by ")) continue;
    EXPECT_EQ(::access(path.c_str(), X_OK), 0) << file.path << ":1: not executable";
    EXPECT_NE(file.text.find("set -"), std::string::npos) << file.path << ":1: has no `set -u`";
  }
  EXPECT_GE(scripts, 7U);
}

TEST(Scripts, AreNotCalledValidWhenTheyAreNot) {
  const TempDir folder;
  const std::string path = folder / "bad";
  ASSERT_TRUE(run("echo 'if true; then' > " + quoted(path)).ok);
  EXPECT_FALSE(run("bash -n " + quoted(path)).ok);
}

// What git ignores is not part of the project; without git (an exported tree) everything is.
TEST(Tree, HasTheAgreedNamesAtItsTop) {
  std::vector<std::string> names;
  const std::string root = MUNIMENT_SOURCE_DIR;
  const std::string git = "git -c safe.directory='*' -C " + quoted(root);
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (name == ".git" || run(git + " check-ignore -q " + quoted(name)).ok) continue;
    names.push_back(name);
  }
  const Violations violations = find_new_names_at_top(names);
  EXPECT_TRUE(violations.empty()) << violations.front();
}

}  // namespace
}  // namespace muniment
