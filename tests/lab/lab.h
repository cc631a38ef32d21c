// The project's lab of real containers, for tests of the real binary against a real engine.
#ifndef MUNIMENT_TESTS_LAB_LAB_H_
#define MUNIMENT_TESTS_LAB_LAB_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/comes_true.h"
#include "tests/support/run_program.h"

namespace muniment {

// An answer's lines, or its other parts, without what stands between them.
inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t end = text.find(separator); end != text.npos;
       end = text.find(separator, begin)) {
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

// One engine of script/lab with its services.
class Lab {
 public:
  using Variables = std::map<std::string, std::string>;

  // Brings it up, once for each engine in a process.
  static const Lab& up(const std::string& engine) {
    static std::map<std::string, Lab> labs;
    const auto at = labs.find(engine);
    return at != labs.end() ? at->second : labs.emplace(engine, Lab(engine)).first->second;
  }

  // "lab: unavailable: …" where no engine can run here; empty: it can.
  const std::string& unavailable() const { return unavailable_; }
  // What else went wrong; empty: it is up.
  const std::string& trouble() const { return trouble_; }
  bool is_podman() const { return engine_ == "podman"; }

  // What `script/lab env` says of `name`, "" where it says nothing.
  std::string setting(const std::string& name) const {
    const auto at = settings_.find(name);
    return at == settings_.end() ? "" : at->second;
  }
  std::string docker_host() const { return setting("DOCKER_HOST"); }
  std::string socket() const { return setting("MUNIMENT_LAB_SOCKET"); }
  // The surroundings of a docker client that speaks with this engine.
  RunWith client() const {
    const std::string folder =
        std::filesystem::path(setting("MUNIMENT_LAB_SOCKET")).parent_path() / "client";
    return {.environment = {{"DOCKER_HOST", docker_host()}, {"DOCKER_CONFIG", folder}},
            .umask = {},
            .cwd = ""};
  }
  static std::vector<std::string> docker_argv(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "docker");
    return arguments;
  }
  static std::vector<std::string> exec_argv(const std::string& container,
                                            const Variables& variables,
                                            const std::vector<std::string>& command) {
    std::vector<std::string> argv{"exec"};
    for (const auto& [name, value] : variables) {
      argv.insert(argv.end(), {"-e", std::string(name).append("=").append(value)});
    }
    argv.push_back(container);
    argv.insert(argv.end(), command.begin(), command.end());
    return docker_argv(argv);
  }

  // Runs `docker ARGUMENTS`.
  Ran docker(const std::vector<std::string>& arguments) const {
    return run_program(docker_argv(arguments), client());
  }
  Ran exec(const std::string& container, const Variables& variables,
           const std::vector<std::string>& command) const {
    return run_program(exec_argv(container, variables, command), client());
  }
  // Runs `docker ARGUMENTS`; whether it ended with 0. What it said is shown where it did not.
  bool done(const std::vector<std::string>& arguments) const {
    const Ran ran = docker(arguments);
    if (ran.exit_code != 0) ADD_FAILURE() << "docker " << arguments.front() << ": " << ran.err;
    return ran.exit_code == 0;
  }
  // Until it ends with 0; false after 30 s.
  bool becomes_true(const std::vector<std::string>& arguments) const {
    return comes_true([&] { return docker(arguments).exit_code == 0; }, std::chrono::seconds(30),
                      std::chrono::milliseconds(50));
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

  // What a Bash script in the container writes. Fails the test where it does not end well.
  std::string out_of(const std::string& container, const Variables& variables,
                     const std::string& script) const {
    const std::string strict = "set -euo pipefail; " + script;
    const Ran ran = exec(container, variables, {"bash", "-c", strict});
    EXPECT_EQ(ran.exit_code, 0) << container << ": " << script.substr(0, 200) << "\n" << ran.err;
    return ran.out;
  }

 private:
  explicit Lab(std::string engine) : engine_(std::move(engine)) {
    const Ran started = script("up");
    if (started.exit_code == 75) {
      unavailable_ = line_with(started.out + started.err, "lab: unavailable:");
      return;
    }
    if (started.exit_code != 0) {
      trouble_ = "script/lab up " + engine_ + ": exit " + std::to_string(started.exit_code) + "\n" +
                 started.out + started.err;
      return;
    }
    read_settings(script("env").out);
    if (docker_host().empty()) trouble_ = "script/lab env " + engine_ + " names no DOCKER_HOST";
  }

  Ran script(const std::string& command) const {
    RunWith with;
    for (const char* name : {"MUNIMENT_LAB_DIR", "MUNIMENT_LAB_CACHE", "HOME"}) {
      const char* const value = std::getenv(name);
      if (value != nullptr) with.environment[name] = value;
    }
    return run_program({std::string(MUNIMENT_SOURCE_DIR) + "/script/lab", command, engine_}, with);
  }

  static std::string line_with(const std::string& text, const std::string& mark) {
    const std::size_t begin = text.find(mark);
    if (begin == text.npos) return mark + " no reason was given";
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  // Lines `export NAME='VALUE'`.
  void read_settings(const std::string& text) {
    const std::string mark = "export ";
    for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, at)) {
      at += mark.size();
      const std::size_t equals = text.find("='", at);
      const std::size_t end = equals == text.npos ? text.npos : text.find('\'', equals + 2);
      if (end == text.npos) return;
      settings_[text.substr(at, equals - at)] = text.substr(equals + 2, end - equals - 2);
      at = end;
    }
  }

  std::string engine_;
  Variables settings_;
  std::string unavailable_;
  std::string trouble_;
};

// Leaves the test where the engine is not there.
#define MUNIMENT_NEED_LAB(lab)                                                 \
  if (::geteuid() != 0) GTEST_SKIP() << "only root can run the lab's engines"; \
  if (!(lab).unavailable().empty()) GTEST_SKIP() << (lab).unavailable();       \
  ASSERT_EQ((lab).trouble(), "")

}  // namespace muniment

#endif  // MUNIMENT_TESTS_LAB_LAB_H_
