// The project's lab of real containers, for tests of the real binary against a real engine.
#ifndef MUNIMENT_TESTS_LAB_LAB_FIXTURE_H_
#define MUNIMENT_TESTS_LAB_LAB_FIXTURE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/lab/lab.h"
#include "tests/support/comes_true.h"
#include "tests/support/run_binary.h"
#include "tests/support/run_program.h"
#include "tests/support/sample_data.h"

namespace muniment {

// A container of the test's own, without a network, removed at the end with its volumes.
class FreshContainer {
 public:
  // `image` is one of the lab's. Made, not started.
  FreshContainer(const Lab& lab, const std::vector<std::string>& options, const std::string& image)
      : lab_(&lab) {
    std::vector<std::string> argv{"create", "--network", "none", "--label", "muniment-test"};
    // `script/lab down` ends what lies below; for dockerd that is a setting of its own.
    if (lab.is_podman()) argv.insert(argv.end(), {"--cgroup-parent", "/muniment-lab-podman"});
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back("localhost/lab/" + image);
    const Ran made = lab.docker(argv);
    EXPECT_EQ(made.exit_code, 0) << made.err;
    id_ = made.out.substr(0, made.out.find('\n'));
  }
  ~FreshContainer() {
    if (!id_.empty()) lab_->docker({"rm", "-f", "-v", id_});
  }
  FreshContainer(const FreshContainer&) = delete;
  FreshContainer& operator=(const FreshContainer&) = delete;

  const std::string& id() const { return id_; }
  void copy_in(const std::string& from, const std::string& to) const {
    const Ran ran = lab_->docker({"cp", from, id_ + ":" + to});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
  // Starts it and waits until `question`, a command inside, succeeds.
  void start(const std::vector<std::string>& question) const {
    const Ran started = lab_->docker({"start", id_});
    ASSERT_EQ(started.exit_code, 0) << started.err;
    const auto answers = [&] { return lab_->exec(id_, {}, question).exit_code == 0; };
    ASSERT_TRUE(comes_true(answers, std::chrono::seconds(60), std::chrono::milliseconds(50)))
        << lab_->docker({"logs", id_}).err;
  }

 private:
  const Lab* lab_;
  std::string id_;
};

// A loop that writes inside a container until it is stopped. `script` is Bash: it goes on while
// `writing` succeeds, and prints something after each thing that it has written.
class Writer {
 public:
  Writer(const Lab& lab, std::string container, Lab::Variables variables, const std::string& script)
      : lab_(&lab),
        container_(std::move(container)),
        stop_("/tmp/muniment-test-stop-" + std::to_string(::getpid())),
        program_(Lab::exec_argv(container_, with_stop(std::move(variables), stop_),
                                {"bash", "-c", kHead + script}),
                 lab.client()) {
    // Something is written before the test goes on.
    comes_true([&] { return !program_.out().empty() || program_.has_ended(); });
    EXPECT_FALSE(program_.out().empty()) << "the writer wrote nothing: " << program_.err();
    EXPECT_FALSE(program_.has_ended()) << "the writer ended at once: " << program_.err();
  }
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Once; it must have written until now, and without a failure.
  void stop() {
    if (stopped_) return;
    stopped_ = true;
    EXPECT_FALSE(program_.has_ended()) << "the writer ended too early: " << program_.err();
    lab_->exec(container_, {}, {"touch", stop_});
    const Ran ran = program_.wait();
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    lab_->exec(container_, {}, {"rm", "-f", stop_});
  }

 private:
  // It ends by itself too: a client that is killed leaves its program running in the container.
  static constexpr const char* kHead =
      "set -euo pipefail; writing() { [ ! -e \"$STOP\" ] && [ $SECONDS -lt 60 ]; }; ";

  static Lab::Variables with_stop(Lab::Variables variables, const std::string& stop) {
    variables["STOP"] = stop;
    return variables;
  }

  const Lab* lab_;
  std::string container_;
  std::string stop_;
  RunningProgram program_;
  bool stopped_ = false;
};

// The lab of the engine that the parameter names, and a workspace for modules of it.
class LabTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    lab_ = &Lab::up(GetParam());
    MUNIMENT_NEED_LAB(*lab_);
  }

  const Lab& lab() const { return *lab_; }
  const Workspace& world() const { return world_; }

  // `tables` are the [[module]] tables.
  void write_manifest(const std::string& tables) const {
    std::string head = world_.head();
    const std::string mark = "name = \"testhost\"\n";
    head.insert(head.find(mark) + mark.size(), "engine = \"" + lab().docker_host() + "\"\n");
    write_text(world_.manifest(), head + tables);
    std::filesystem::permissions(world_.manifest(), std::filesystem::perms(0600));
  }
  static std::string module_table(const std::string& name, const std::string& service,
                                  const std::string& more = "") {
    return "[[module]]\nname = \"" + name + "\"\ncontainer = { compose = \"" + service + "\" }\n" +
           more;
  }

  // A rehearsal of all modules in a new store …
  void rehearse() const {
    world_.init();
    const Ran ran = world_.run({"backup", "--all", "--dry-run"});
    ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
    EXPECT_FALSE(std::filesystem::exists(world_.root())) << "a rehearsal made the backup root";
  }
  // … and its execution.
  void execute() const {
    const Ran ran = world_.run({"backup", "--plan", "latest:dry-run"});
    ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  }

  // The folder of the module's one backup.
  std::string backup_of(const std::string& module) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(world_.root() + "/" + module)) {
      found.push_back(entry.path());
    }
    EXPECT_EQ(found.size(), 1U) << "backups of " << module;
    return found.empty() ? "" : found.front();
  }
  // `zstd -d` of an artifact; the path of what came out.
  std::string decompressed(const std::string& artifact) const {
    const std::string out = world_.path("tmp/") + std::filesystem::path(artifact).stem().string();
    const Ran ran = run_program({"zstd", "-dqf", artifact, "-o", out});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return out;
  }

  // Nothing in the backup root is open to others, and the store holds together.
  void expect_private_and_intact() const {
    using std::filesystem::perms;
    std::size_t files = 0;
    EXPECT_EQ(std::filesystem::status(world_.root()).permissions(), perms(0700));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world_.root())) {
      const bool folder = entry.is_directory();
      EXPECT_EQ(entry.symlink_status().permissions(), folder ? perms(0700) : perms(0600))
          << entry.path();
      files += folder ? 0U : 1U;
    }
    EXPECT_GE(files, 2U) << "an artifact and its manifest";
    const Ran verified = world_.run({"verify"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  }

 private:
  const Lab* lab_ = nullptr;
  Workspace world_;
};

inline auto engines() {
  return ::testing::Values("docker", "podman");
}

inline std::string engine_name(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

// The number that the text begins with; 0 where there is none.
inline std::uint64_t number(const std::string& text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// Says where the two differ first: whole tables would drown it.
inline void expect_same_lines(const std::string& restored, const std::string& source,
                              const std::string& what, std::size_t at_least,
                              char separator = '\n') {
  const std::vector<std::string> left = split(restored, separator);
  const std::vector<std::string> right = split(source, separator);
  EXPECT_GE(right.size(), at_least) << what << ": too little was compared";
  EXPECT_EQ(left.size(), right.size()) << what;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    ASSERT_EQ(left[i].substr(0, 500), right[i].substr(0, 500)) << what << ", line " << i;
    ASSERT_EQ(left[i], right[i]) << what << ", line " << i;
  }
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_LAB_LAB_FIXTURE_H_
