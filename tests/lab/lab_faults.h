// A place to run the real binary against a lab engine, through a proxy or without one.
#ifndef MUNIMENT_TESTS_LAB_LAB_FAULTS_H_
#define MUNIMENT_TESTS_LAB_LAB_FAULTS_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/lab/lab.h"
#include "tests/support/run_binary.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace muniment {

// A folder with manifest, store and backups, whose modules live behind `selector`.
class LabRun {
 public:
  // `root`: where the backups go, else a folder of its own.
  explicit LabRun(const std::string& selector, const std::string& modules,
                  const std::string& root = "")
      : root_(root.empty() ? dir_ / "backups" : root) {
    std::filesystem::create_directory(secrets());
    std::filesystem::permissions(secrets(), std::filesystem::perms(0700));
    write_private(manifest(), "schema = 1\n[host]\nname = \"lab\"\nengine = \"" + selector +
                                  "\"\nsecrets = \"" + secrets() + "\"\n[store]\npath = \"" +
                                  store() + "\"\n[backup]\nroot = \"" + root_ +
                                  "\"\nmin_free = \"1KiB\"\n" + modules);
  }

  // How long a command may stay silent.
  void set_stall(const std::string& duration) { stall_ = duration; }

  std::string manifest() const { return dir_ / "muniment.toml"; }
  std::string store() const { return dir_ / "store"; }
  std::string secrets() const { return dir_ / "secrets"; }
  const std::string& root() const { return root_; }
  const std::string& folder() const { return dir_.path; }

  void write_secret(const std::string& name, const std::string& value, unsigned mode = 0600) const {
    write_private(secrets() + "/" + name, value);
    std::filesystem::permissions(secrets() + "/" + name, std::filesystem::perms(mode));
  }

  Ran run(const std::vector<std::string>& arguments) const {
    return run_muniment(arguments, surroundings());
  }
  RunWith surroundings() const {
    return {.environment = {{"HOME", dir_.path},
                            {"MUNIMENT_GUARD", dir_.path + "/guard"},
                            {"USER", "tester"},
                            {"MUNIMENT_STALL", stall_},
                            {"MUNIMENT_MANIFEST", manifest()}},
            .umask = {},
            .cwd = dir_.path};
  }
  Ran init() const {
    const Ran ran = run({"init"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran;
  }

  // Everything below the backup root, folders too.
  std::vector<std::string> left_in_root() const {
    std::vector<std::string> out;
    std::error_code none;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_, none)) {
      out.push_back(entry.path().string().substr(root_.size()));
    }
    return out;
  }

 private:
  static void write_private(const std::string& path, const std::string& text) {
    write_text(path, text);
    std::filesystem::permissions(path, std::filesystem::perms(0600));
  }

  TempDir dir_;
  std::string root_;
  std::string stall_ = "60s";
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_LAB_LAB_FAULTS_H_
