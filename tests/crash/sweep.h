// Sweeps over the file system calls of a command: each fails once with EIO, once with ENOSPC, and
// once the program is killed there.
#ifndef MUNIMENT_TESTS_CRASH_SWEEP_H_
#define MUNIMENT_TESTS_CRASH_SWEEP_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/crash/trial.h"
#include "tests/support/file_faults.h"

namespace muniment {

// The contract of cli.md.
inline bool is_contractual(int exit_code) {
  return (exit_code >= 0 && exit_code <= 8) || exit_code == 130;
}

using Commands = std::vector<std::vector<std::string>>;

// The words of a command with "../NAME" as an absolute path in the workspace: calls are counted by
// their paths.
inline std::vector<std::string> in_workspace(const Trial& trial, std::vector<std::string> words) {
  for (std::string& word : words) {
    if (word.starts_with("../")) word = trial.here().path(word.substr(3));
  }
  return words;
}

// A store that holds one backup and what `further` commands made, copied for each case together
// with what else lies in the workspace: the calls of a command on it are the same each time.
class Pattern {
 public:
  explicit Pattern(const Commands& further) {
    trial_.init();
    trial_.expect_done({"backup", "--all"});
    for (const std::vector<std::string>& command : further)
      trial_.expect_done(in_workspace(trial_, command));
  }
  void copy_into(const Trial& trial) const {
    for (const char* name : {"store", "export"}) {
      if (!std::filesystem::exists(trial_.here().path(name))) continue;
      const Ran ran =
          run_program({"cp", "-a", trial_.here().path(name), trial.here().path(name)}, RunWith());
      ASSERT_EQ(ran.exit_code, 0) << ran.err;
    }
  }

 private:
  Trial trial_;
};

struct Case {
  Fault fault;
  std::size_t at;
};

// Killed before it closes something, a program leaves what it leaves when it is killed at its next
// call; and a close() that fails with one error fails like one with another.
inline bool is_worth(Fault fault, const FileCall& call) {
  return call.name != "close" || fault == Fault::kIoError;
}

// What became of a command of which one call failed.
struct Struck {
  const Trial& trial;
  const FaultyRun& run;
};

inline void expect_contract(const Struck& struck) {
  const Ran& ran = struck.run.ran;
  EXPECT_FALSE(struck.run.hung);
  EXPECT_EQ(ran.err.find("terminate called"), ran.err.npos) << ran.err;
  EXPECT_EQ(ran.err.find("broken contract"), ran.err.npos) << ran.err;
  if (ran.signal != 0) {
    EXPECT_EQ(ran.signal, SIGKILL) << ran.err;
    return;
  }
  EXPECT_TRUE(is_contractual(ran.exit_code)) << ran.exit_code << ran.err;
  if (ran.exit_code == 0) return;
  // Which file or folder, among many: the message has to say.
  EXPECT_NE(ran.err.find(struck.trial.here().path("")), ran.err.npos)
      << "exit " << ran.exit_code << " and no object named: " << ran.err;
}

// Sweeps over the calls of `arguments`; `judge` looks at what each case left. Quick: each eighth
// call, and of the essential ones each `essential_stride`-th.
class Sweep {
 public:
  // `before`: commands that are run on the store once, before the cases.
  Sweep(std::vector<std::string> arguments, std::size_t essential_stride,
        std::function<void(const Struck&)> judge, const Commands& before = {})
      : arguments_(std::move(arguments)),
        essential_stride_(essential_stride),
        judge_(std::move(judge)),
        pattern_(before) {}

  void run(Generator& generator) {
    const FaultyRun whole = strike(Trial(), {Fault::kNone, 0});
    if (whole.refused) GTEST_SKIP() << "the kernel does not let this process trace another";
    ASSERT_EQ(whole.ran.exit_code, 0) << whole.ran.err;
    const std::vector<Case> cases = draw_cases(generator, whole.calls);
    const std::string seed = generator.seed_line();
    in_two_lanes(cases.size(), [&](std::size_t i) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, seed);
      take(cases[i]);
    });
    std::map<std::string, int> names;
    for (const FileCall& call : whole.calls) ++names[call.name];
    std::printf("%s: %zu calls (%s)\n%zu cases, %zu struck, of those %zu exited 0; %s\n",
                arguments_.front().c_str(), whole.calls.size(), counted(names).c_str(),
                cases.size(), struck_, done_, seed.c_str());
    // Threads of the store do not end in the same order each time: the last calls may be missing.
    EXPECT_GE(struck_ * 10, cases.size() * 9);
  }

 private:
  // The calls that make a fact durable, or an artifact, more often than those that only look.
  bool is_essential(const FileCall& call) const {
    if (call.name == "openat" || call.name == "close") return false;
    return call.path.ends_with(".log") || call.path.find("/backups/") != call.path.npos;
  }

  std::vector<Case> draw_cases(Generator& generator, const std::vector<FileCall>& calls) const {
    std::vector<Case> cases;
    for (const Fault fault : {Fault::kKill, Fault::kIoError, Fault::kNoSpace}) {
      std::size_t essential = generator.below(8);
      std::size_t other = generator.below(8);
      for (std::size_t at = 0; at < calls.size(); ++at) {
        const bool is_due =
            is_essential(calls[at]) ? essential++ % essential_stride_ == 0 : other++ % 8 == 0;
        if (is_worth(fault, calls[at]) && (is_due || is_full())) cases.push_back({fault, at});
      }
    }
    return cases;
  }

  FaultyRun strike(const Trial& trial, const Case& c) {
    pattern_.copy_into(trial);
    return run_with_fault(muniment_argv(in_workspace(trial, arguments_)),
                          trial.here().surroundings(),
                          {.under = trial.here().path(""), .fault = c.fault, .at = c.at});
  }

  void take(const Case& c) {
    const Trial trial;
    const FaultyRun run = strike(trial, c);
    SCOPED_TRACE(fault_name(c.fault) + " at call " + std::to_string(c.at) + ", " +
                 (run.struck ? run.calls[c.at].name + " " + run.calls[c.at].path : "not reached") +
                 ", exit " + std::to_string(run.ran.exit_code) + "\n" + run.ran.err);
    {
      const std::scoped_lock lock(mutex_);
      if (run.struck) ++struck_;
      if (run.struck && run.ran.exit_code == 0) ++done_;
    }
    expect_contract({trial, run});
    trial.expect_done({"runs"});
    judge_({trial, run});
    trial.expect_whole_backups();
    trial.expect_done({"note", "latest", "one more fact"});
    trial.expect_intact();
    trial.expect_clean_execution();
  }

  std::vector<std::string> arguments_;
  std::size_t essential_stride_;
  std::function<void(const Struck&)> judge_;
  Pattern pattern_;
  std::mutex mutex_;
  std::size_t struck_ = 0;
  std::size_t done_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_CRASH_SWEEP_H_
