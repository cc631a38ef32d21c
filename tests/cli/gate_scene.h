// A host with a gate: a module that it guards, people with keys, and the three commands that lead
// through it. For system tests.
#ifndef MUNIMENT_TESTS_CLI_GATE_SCENE_H_
#define MUNIMENT_TESTS_CLI_GATE_SCENE_H_

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/comes_true.h"
#include "tests/support/ssh_keys.h"

namespace muniment {

// What the gate F3 of a scene is like.
struct GateShape {
  unsigned approvals = 1;
  std::string more;            // further lines of [gate.F3]
  bool guards_photos = false;  // the second module too
  std::string tables;          // further tables of the manifest
};

// A workspace whose module `notes` gate F3 guards for backup and exec. The signers are anna and
// ben; carla has a key and is none.
class GateScene {
 public:
  explicit GateScene(const GateShape& shape = {})
      : anna(make_ssh_key(here.path("home/anna"))),
        ben(make_ssh_key(here.path("home/ben"), {.options = {"-t", "ecdsa"}, .passphrase = {}})),
        carla(make_ssh_key(here.path("home/carla"))) {
    here.populate();
    write_signers(signer_line("anna@example.org", anna) + signer_line("ben", ben));
    write_manifest(shape);
    here.init();
  }

  std::string signers() const { return here.path("allowed_signers"); }
  void write_signers(const std::string& text) const {
    write_text(signers(), text);
    std::filesystem::permissions(signers(), std::filesystem::perms(0600));
  }
  void write_manifest(const GateShape& shape) const {
    std::string tables = here.modules();
    tables.insert(tables.find("\n[[module]]\nname = \"photos\""), "gate = \"F3\"\n");
    if (shape.guards_photos) tables += "gate = \"F3\"\n";
    tables += "\n" + shape.tables + "\n[gate.F3]\nguards = [\"backup\", \"exec\"]\nsigners = \"" +
              signers() + "\"\napprovals = " + std::to_string(shape.approvals) + "\n" + shape.more;
    here.write_manifest(tables);
  }

  // Expects success of a dry run; its run id.
  std::string rehearse(std::vector<std::string> modules = {"notes"}) const {
    modules.insert(modules.begin(), {"backup", "--dry-run", "--json"});
    const Ran ran = here.run(modules);
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
    return jq(here, ran.out, ".run_id");
  }
  // "F3@1a2b3c4d".
  std::string confirmation(const std::string& run) const {
    return "F3@" + jq(here, here.run({"show", run, "--json"}).out, ".plan_digest[0:8]");
  }

  // `approve` of the module notes, `more` behind it: --key and --confirm are the caller's.
  static std::vector<std::string> approve_words(const std::string& run,
                                                std::vector<std::string> more = {}) {
    std::vector<std::string> words{"approve", run, "--gate", "F3", "--module", "notes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // By somebody with a key in a file, who confirms.
  Ran approve(const std::string& run, const SshKey& key,
              const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words =
        approve_words(run, {"--key", key.file, "--confirm", confirmation(run)});
    words.insert(words.end(), more.begin(), more.end());
    return here.run(words);
  }
  Ran execute(const std::string& run) const { return here.run({"backup", "--plan", run}); }

  // With further variables.
  Ran run_with(const std::map<std::string, std::string>& variables,
               const std::vector<std::string>& words) const {
    RunWith with = here.surroundings();
    for (const auto& [name, value] : variables) with.environment[name] = value;
    return run_muniment(words, with);
  }

  // How many events the log has; of one type, if that is named.
  std::string count(const std::string& type = "") const {
    std::vector<std::string> words{"events", "--json", "--limit", "100000"};
    if (!type.empty()) words.insert(words.end(), {"--type", type});
    return jq(here, here.run(words).out, ".events | length");
  }
  std::string newest(const std::string& type, const std::string& filter) const {
    const Ran ran = here.run({"events", "--json", "--limit", "100000", "--type", type});
    return jq(here, ran.out, ".events | last | " + filter);
  }

  Workspace here;
  SshKey anna;
  SshKey ben;
  SshKey carla;
};

// A program on a terminal of its own, which a test reads and types on.
class OnTerminal {
 public:
  OnTerminal(const std::vector<std::string>& argv, const RunWith& with) {
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ == 0) start(argv, with);
    EXPECT_GT(pid_, 0);
  }
  ~OnTerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(terminal_);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  // Whether the terminal shows `text`, behind what was waited for before.
  bool shows(std::string_view text) {
    return comes_true([&] {
      drain();
      const std::size_t at = seen_.find(text, from_);
      if (at == std::string::npos) return false;
      from_ = at + text.size();
      return true;
    });
  }
  void type(const std::string& text) const {
    EXPECT_EQ(::write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  const std::string& seen() const { return seen_; }
  // Waits for its end; 128 + N where signal N ended it.
  int wait() {
    int status = 0;
    const bool ended = comes_true([&] {
      drain();
      return ::waitpid(pid_, &status, WNOHANG) == pid_;
    });
    EXPECT_TRUE(ended) << seen_;
    if (!ended) return -1;
    drain();
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  [[noreturn]] static void start(const std::vector<std::string>& argv, const RunWith& with) {
    const std::string path = std::getenv("PATH");
    ::clearenv();
    ::setenv("PATH", path.c_str(), 1);
    ::setenv("LC_ALL", "C.UTF-8", 1);
    for (const auto& [name, value] : with.environment) ::setenv(name.c_str(), value.c_str(), 1);
    if (!with.cwd.empty() && ::chdir(with.cwd.c_str()) != 0) ::_exit(126);
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  // Where the program has gone, the terminal answers EIO.
  void drain() {
    pollfd waited{terminal_, POLLIN, 0};
    std::array<char, 4096> block{};
    while (::poll(&waited, 1, 0) > 0 && (waited.revents & POLLIN) != 0) {
      const ssize_t n = ::read(terminal_, block.data(), block.size());
      if (n <= 0) return;
      seen_.append(block.data(), static_cast<std::size_t>(n));
    }
  }

  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string seen_;
  std::size_t from_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_CLI_GATE_SCENE_H_
