// A git checkout for manifests that name a release root.
#ifndef MUNIMENT_TESTS_SUPPORT_RELEASE_ROOT_H_
#define MUNIMENT_TESTS_SUPPORT_RELEASE_ROOT_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/run_binary.h"

namespace muniment {

// Makes the folder `release` with one commit of one file, runs `then`, a shell script, in it, and
// writes the manifest anew so that it names the checkout beside the two modules.
inline void add_release_root(const Workspace& workspace, const std::string& then) {
  const std::string folder = workspace.path("release");
  std::filesystem::create_directory(folder);
  RunWith with = workspace.surroundings();
  with.cwd = folder;
  const Ran ran =
      run_program({"sh", "-c",
                   "set -e; git init -q .; echo 1 > deployed; git add .; "
                   "git -c user.name=t -c user.email=t@example.org commit -q -m first; " +
                       then},
                  with);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  write_text(workspace.manifest(), "schema = 1\n[host]\nname = \"testhost\"\nrelease_root = \"" +
                                       folder + "\"\n[store]\npath = \"" + workspace.store() +
                                       "\"\n[backup]\nroot = \"" + workspace.root() + "\"\n" +
                                       workspace.modules());
}

// The file is as it was, its time is not: `git status` reads it again and, if it may, writes the
// index anew.
inline constexpr const char* kMakeIndexStale = "touch -d 2020-09-13 deployed";

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RELEASE_ROOT_H_
