// Each file system call of one append and of one artifact commit fails once with EIO, once with
// ENOSPC, and once the program is killed there.
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
namespace {

const std::string kText = "the queue was drained by hand";

// The contract of cli.md.
bool is_contractual(int exit_code) {
  return (exit_code >= 0 && exit_code <= 8) || exit_code == 130;
}

// A store that holds one backup, copied for each case: the calls of a command on it are the same
// each time.
class Pattern {
 public:
  Pattern() {
    trial_.init();
    trial_.expect_done({"backup", "--all"});
  }
  void copy_into(const Trial& trial) const {
    const Ran ran =
        run_program({"cp", "-a", trial_.here().store(), trial.here().store()}, RunWith());
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
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
bool is_worth(Fault fault, const FileCall& call) {
  return call.name != "close" || fault == Fault::kIoError;
}

// What became of a command of which one call failed.
struct Struck {
  const Trial& trial;
  const FaultyRun& run;
};

void expect_contract(const Struck& struck) {
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
  Sweep(std::vector<std::string> arguments, std::size_t essential_stride,
        std::function<void(const Struck&)> judge)
      : arguments_(std::move(arguments)),
        essential_stride_(essential_stride),
        judge_(std::move(judge)) {}

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
    return run_with_fault(muniment_argv(arguments_), trial.here().surroundings(),
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

// Exit 0 means that the note is in the log, under the sequence that was printed; and it is never
// there twice.
void judge_note(const Struck& struck) {
  const std::string events =
      struck.trial.expect_done({"events", "--jsonl", "--type", "note_added"}).out;
  const std::vector<std::string> notes = lines_of(events);
  EXPECT_LE(notes.size(), 1U) << events;
  if (struck.run.ran.exit_code != 0) return;
  ASSERT_EQ(notes.size(), 1U);
  const std::string& printed = struck.run.ran.out;
  const std::string sequence = printed.substr(1, printed.find(' ') - 1);
  EXPECT_NE(notes[0].find("\"sequence\":" + sequence + ","), notes[0].npos) << printed << notes[0];
  EXPECT_NE(notes[0].find(kText), notes[0].npos) << notes[0];
}

// Exit 0 means a folder under the final name, and a run that says so.
void judge_backup(const Struck& struck) {
  const Ran& ran = struck.run.ran;
  const auto events = struck.trial.event_lines();
  for (const std::string& event : acknowledged(ran.err)) {
    EXPECT_TRUE(events.contains(event)) << "acknowledged and not there: " << event;
  }
  if (ran.signal == 0 && ran.exit_code != 0) {
    // The run tidied up, or said that it could not and left the rest to the next one.
    EXPECT_LE(struck.trial.partial_folders().size(), 1U);
  }
  if (ran.exit_code != 0) return;
  EXPECT_EQ(joined(struck.trial.partial_folders()), "");
  const std::string run = struck.trial.expect_done({"runs", "--jsonl", "--limit", "1"}).out;
  EXPECT_EQ(quoted_behind(run, "\"outcome\":\""), "ok");
  const std::string path = quoted_behind(run.substr(run.find("\"artifacts\"")), "\"path\":\"");
  EXPECT_TRUE(std::filesystem::exists(path)) << path;
  EXPECT_NE(path.find(quoted_behind(run, "\"run_id\":\"")), path.npos) << path;
}

TEST(Fault, AtAnyCallOfAnAppendIsToldAndHarmless) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  Sweep({"note", "latest", kText}, 1, judge_note).run(generator);
}

TEST(Fault, AtAnyCallOfADatabaseCommitIsToldAndHarmless) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  Sweep({"backup", "-v", "notes"}, 3, judge_backup).run(generator);
}

TEST(Fault, AtAnyCallOfAnArchiveCommitIsToldAndHarmless) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  Sweep({"backup", "-v", "photos"}, 3, judge_backup).run(generator);
}

}  // namespace
}  // namespace muniment
