// What Muniment makes is for its owner alone, whatever the umask.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/run_binary.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

struct Found {
  std::size_t folders = 0;
  std::size_t files = 0;
};

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode));
  return text;
}

// Expects each folder 0700 and each file 0600, `folder` itself included.
Found expect_private(const std::string& folder) {
  Found found;
  const auto look = [&](const std::string& path) {
    struct stat facts{};
    ASSERT_EQ(::lstat(path.c_str(), &facts), 0) << path;
    const bool is_folder = S_ISDIR(facts.st_mode);
    ++(is_folder ? found.folders : found.files);
    EXPECT_TRUE(is_folder || S_ISREG(facts.st_mode)) << path;
    EXPECT_EQ(octal(facts.st_mode & 07777U), is_folder ? "0700" : "0600") << path;
    EXPECT_EQ(facts.st_uid, ::geteuid()) << path;
  };
  look(folder);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    look(entry.path().string());
  }
  return found;
}

class Umask : public testing::TestWithParam<mode_t> {};

TEST_P(Umask, DoesNotReachStoreOrArtifacts) {
  const Workspace workspace;
  workspace.populate();
  RunWith with = workspace.surroundings();
  with.umask = GetParam();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"init"},
                                                {"backup", "--dry-run", "--all"},
                                                {"backup", "--all"},
                                                {"note", "latest", "looked at"},
                                                {"verify"},
                                                {"reindex"}}) {
    const Ran ran = run_muniment(words, with);
    ASSERT_EQ(ran.exit_code, 0) << words[0] << ": " << ran.err;
  }
  const Found store = expect_private(workspace.store());
  EXPECT_GE(store.files, 5U);
  const Found root = expect_private(workspace.root());
  EXPECT_EQ(root.folders, 5U);  // the root, two modules, a run in each
  EXPECT_EQ(root.files, 4U);    // an artifact and a manifest.json in each
}

TEST_P(Umask, DoesNotReachABackupRootWithMissingParents) {
  const Workspace workspace;
  write_text(workspace.manifest(), "schema = 1\n[store]\npath = \"" + workspace.store() +
                                       "\"\n[backup]\nroot = \"" + workspace.path("a/b/root") +
                                       "\"\ncompression = \"none\"\n" + workspace.modules());
  workspace.populate();
  workspace.init();
  RunWith with = workspace.surroundings();
  with.umask = GetParam();
  const Ran ran = run_muniment({"backup", "--all"}, with);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(expect_private(workspace.path("a")).folders, 7U);
}

INSTANTIATE_TEST_SUITE_P(Each, Umask, testing::Values(0000, 0077, 0777),
                         [](const testing::TestParamInfo<mode_t>& umask) {
                           return octal(umask.param);
                         });

}  // namespace
}  // namespace muniment
