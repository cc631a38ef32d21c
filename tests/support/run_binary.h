// The real binary, run in a world of its own. For system tests alone: MUNIMENT_BINARY names it.
#ifndef MUNIMENT_TESTS_SUPPORT_RUN_BINARY_H_
#define MUNIMENT_TESTS_SUPPORT_RUN_BINARY_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/run_program.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"

namespace muniment {

// `arguments` follow the program's name. `wrapper` stands before it ("strace", "-f", …).
inline std::vector<std::string> muniment_argv(const std::vector<std::string>& arguments,
                                              std::vector<std::string> wrapper = {}) {
  wrapper.emplace_back(MUNIMENT_BINARY);
  wrapper.insert(wrapper.end(), arguments.begin(), arguments.end());
  return wrapper;
}

inline Ran run_muniment(const std::vector<std::string>& arguments, const RunWith& with = {}) {
  return run_program(muniment_argv(arguments), with);
}

// A folder with a manifest for the modules `notes` (sqlite, data/notes.db) and `photos` (files,
// data/photos), and places for the store, the backups, a home, temporary files and a working
// folder. At first only manifest, home, tmp, cwd and an empty data folder are there.
class Workspace {
 public:
  Workspace() {
    for (const char* name : {"data", "home", "tmp", "cwd"}) {
      std::filesystem::create_directory(dir_ / name);
    }
    write_manifest(modules());
  }

  std::string path(const std::string& name) const { return dir_ / name; }
  std::string manifest() const { return dir_ / "muniment.toml"; }
  std::string store() const { return dir_ / "store"; }
  std::string root() const { return dir_ / "backups"; }
  std::string database() const { return dir_ / "data/notes.db"; }
  std::string files() const { return dir_ / "data/photos"; }

  // The manifest's first tables, with `backup` as further lines of [backup] …
  std::string head(const std::string& backup = "") const {
    return "schema = 1\n\n[host]\nname = \"testhost\"\n\n[store]\npath = \"" + store() +
           "\"\n\n[backup]\nroot = \"" + root() + "\"\n" + backup + "\n";
  }
  // … and the two modules.
  std::string modules() const {
    return "[[module]]\nname = \"notes\"\nhost = { path = \"" + database() +
           "\" }\nclass = \"sqlite\"\n\n[[module]]\nname = \"photos\"\nhost = { path = \"" +
           files() + "\" }\nclass = \"files\"\n";
  }
  void write_manifest(const std::string& tables, const std::string& backup = "") const {
    write_text(manifest(), head(backup) + tables);
    // One that others may write would be refused, whatever the test's umask is.
    std::filesystem::permissions(manifest(), std::filesystem::perms(0600));
  }

  // Makes the data of both modules: a database in WAL mode that was closed, and make_tree().
  void populate() const {
    make_database(database(), {.wal = true, .rows = 100});
    make_tree(files());
  }
  // Makes the store. Expects success.
  void init() const {
    const Ran ran = run({"init"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }

  // Surroundings inside the workspace. No MUNIMENT_ variable is set but the manifest's.
  RunWith surroundings() const {
    return {.environment = {{"HOME", path("home")},
                            {"TMPDIR", path("tmp")},
                            {"USER", "tester"},
                            {"XDG_STATE_HOME", path("home/state")},
                            {"MUNIMENT_MANIFEST", manifest()}},
            .umask = {},
            .cwd = path("cwd")};
  }
  Ran run(const std::vector<std::string>& arguments) const {
    return run_muniment(arguments, surroundings());
  }
  // With `wrapper` before the program.
  Ran run_under(const std::vector<std::string>& wrapper,
                const std::vector<std::string>& arguments) const {
    return run_program(muniment_argv(arguments, wrapper), surroundings());
  }

 private:
  TempDir dir_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RUN_BINARY_H_
