// A lab engine and a place to run the real binary against it, through a proxy or without one.
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

#include "tests/support/run_binary.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace muniment {

// Lines without their ends.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// One engine of script/lab.
class LabEngine {
 public:
  // `script/lab up NAME`, once in a process.
  static const LabEngine& of(const std::string& name) {
    static std::map<std::string, LabEngine> engines;
    const auto found = engines.find(name);
    return found != engines.end() ? found->second : engines.emplace(name, name).first->second;
  }
  explicit LabEngine(const std::string& name) {
    const Ran up = lab({"up", name});
    if (up.exit_code == 75) why_not_ = "no engine can run here: " + up.err + up.out;
    if (up.exit_code != 0 && up.exit_code != 75) trouble_ = up.err + up.out;
    if (up.exit_code != 0) return;
    for (const std::string& line : lines_of(lab({"env", name}).out)) {
      const std::size_t equals = line.find('=');
      if (!line.starts_with("export ") || equals == std::string::npos) continue;
      settings_[line.substr(7, equals - 7)] = line.substr(equals + 2, line.size() - equals - 3);
    }
    if (settings_["MUNIMENT_LAB_SOCKET"].empty()) trouble_ = "script/lab env names no socket";
  }

  // Not empty: it cannot run here, and the test is to skip.
  const std::string& why_not() const { return why_not_; }
  // Not empty: it should run here and does not.
  const std::string& trouble() const { return trouble_; }

  std::string setting(const std::string& name) const {
    const auto found = settings_.find(name);
    return found == settings_.end() ? "" : found->second;
  }
  std::string socket() const { return setting("MUNIMENT_LAB_SOCKET"); }

  std::vector<std::string> docker_argv(const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv{"docker", "-H", "unix://" + socket()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }
  Ran docker(const std::vector<std::string>& arguments) const {
    return run_program(docker_argv(arguments));
  }
  // Runs it; whether it ended with 0. What it said is shown where it did not.
  bool done(const std::vector<std::string>& arguments) const {
    const Ran ran = docker(arguments);
    if (ran.exit_code != 0) ADD_FAILURE() << "docker " << arguments.front() << ": " << ran.err;
    return ran.exit_code == 0;
  }
  // Until it ends with 0; false after 30 s.
  bool becomes_true(const std::vector<std::string>& arguments) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (docker(arguments).exit_code != 0) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }

  // Waits for a whole second to begin and returns it: podman's events know no fractions.
  static long next_second() {
    using std::chrono::seconds;
    using std::chrono::system_clock;
    const auto next = std::chrono::ceil<seconds>(system_clock::now());
    std::this_thread::sleep_until(next);
    return next.time_since_epoch() / seconds(1);
  }
  // Those since then, one JSON object a line. Until a moment to come: of the past podman tells
  // none.
  std::string events(long since) const {
    using std::chrono::seconds;
    const auto now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
    const long until = now.time_since_epoch() / seconds(1) + 2;
    const Ran ran = docker({"events", "--since", std::to_string(since), "--until",
                            std::to_string(until), "--format", "{{json .}}"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.out;
  }

 private:
  static Ran lab(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{std::string(MUNIMENT_SOURCE_DIR) + "/script/lab"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    RunWith with;
    for (const char* name : {"MUNIMENT_LAB_DIR", "MUNIMENT_LAB_CACHE", "HOME"}) {
      // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment
      if (const char* value = std::getenv(name)) with.environment[name] = value;
    }
    return run_program(argv, with);
  }

  std::string why_not_;
  std::string trouble_;
  std::map<std::string, std::string> settings_;
};

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

// Leaves the test where the engine is not there.
#define MUNIMENT_NEED_LAB(engine)                                      \
  if (!(engine).why_not().empty()) GTEST_SKIP() << (engine).why_not(); \
  ASSERT_EQ((engine).trouble(), "")

}  // namespace muniment

#endif  // MUNIMENT_TESTS_LAB_LAB_FAULTS_H_
