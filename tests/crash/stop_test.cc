// Ctrl-C (SIGINT) and SIGTERM at random moments of an execution: it undoes or finishes what it has
// begun, records that it was interrupted, and says 130.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/trial.h"
#include "tests/support/file_faults.h"

namespace muniment {
namespace {

constexpr std::uint64_t kRows = 120'000;
constexpr std::size_t kNoiseBytes = 3 << 20;
constexpr std::size_t kMoments = 1'000;

struct Tally {
  std::mutex mutex;
  std::size_t interrupted = 0;
  std::size_t interrupted_in_steps = 0;
  std::size_t done = 0;
  std::size_t not_yet_begun = 0;
};

// One store on which one run after the other is stopped.
class Lane {
 public:
  Lane(const std::string& noise, Tally& tally) : trial_(kRows, noise), tally_(tally) {
    trial_.init();
    const FaultyRun whole = run_with_fault(muniment_argv(kBackup), trial_.here().surroundings(),
                                           {.under = trial_.here().path("")});
    can_trace_ = !whole.refused;
    calls_ = whole.calls.size();
    const auto begin = std::chrono::steady_clock::now();
    trial_.expect_done(kBackup);
    duration_ = std::chrono::steady_clock::now() - begin;
  }

  // SIGINT comes at a file system call, SIGTERM at a time.
  void stop_at(std::size_t moment, int signal) {
    const std::size_t runs_before = trial_.outcomes().size();
    const bool by_calls = can_trace_ && signal == SIGINT;
    const Ran ran = by_calls ? stop_at_call(moment) : stop_at_time(moment, signal);
    judge(ran, signal, runs_before);
    EXPECT_EQ(joined(trial_.partial_folders()), "");
    EXPECT_EQ(joined(trial_.runs_with("running")), "");
    trial_.expect_whole_backups();
    trial_.expect_intact();
    trial_.remove_backups();
  }

 private:
  inline static const std::vector<std::string> kBackup{"-v", "backup", "--all"};

  Ran stop_at_call(std::size_t moment) const {
    return run_with_fault(muniment_argv(kBackup), trial_.here().surroundings(),
                          {.under = trial_.here().path(""),
                           .fault = Fault::kInterrupt,
                           .at = calls_ * moment / kMoments})
        .ran;
  }

  Ran stop_at_time(std::size_t moment, int signal) const {
    RunningProgram program(muniment_argv(kBackup), trial_.here().surroundings());
    std::this_thread::sleep_for(duration_ * static_cast<int>(moment) / static_cast<int>(kMoments));
    program.send(signal);
    return program.wait();
  }

  void judge(const Ran& ran, int signal, std::size_t runs_before) {
    const std::scoped_lock lock(tally_.mutex);
    const std::size_t runs = trial_.outcomes().size();
    if (ran.signal != 0) {
      // It came before the program was ready to take it: then it has done nothing yet.
      ++tally_.not_yet_begun;
      EXPECT_EQ(ran.signal, signal);
      EXPECT_EQ(ran.err, "");
      EXPECT_EQ(runs, runs_before);
      return;
    }
    EXPECT_EQ(runs, runs_before + 1);
    const std::string newest = trial_.expect_done({"runs", "--jsonl", "--limit", "1"}).out;
    const std::string outcome = quoted_behind(newest, "\"outcome\":\"");
    if (ran.exit_code == 0) {
      ++tally_.done;
      EXPECT_EQ(outcome, "ok");
      return;
    }
    ++tally_.interrupted;
    if (ran.err.find("step_started") != ran.err.npos) ++tally_.interrupted_in_steps;
    EXPECT_EQ(ran.exit_code, 130) << ran.err;
    EXPECT_EQ(outcome, "interrupted");
  }

  Trial trial_;
  Tally& tally_;
  bool can_trace_ = false;
  std::size_t calls_ = 0;
  std::chrono::steady_clock::duration duration_{};
};

TEST(Stop, LeavesNoPartialFolderAndIsRecordedAsInterrupted) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::size_t count = is_full() ? 200 : 20;
  std::vector<std::size_t> moments;
  for (std::size_t i = 0; i < count; ++i) {
    moments.push_back((i * kMoments + generator.below(kMoments)) / count);
  }
  const std::string noise = generator.bytes(kNoiseBytes);
  const std::string seed = generator.seed_line();
  Tally tally;
  in_two_lanes(2, [&](std::size_t half) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, seed);
    Lane lane(noise, tally);
    for (std::size_t i = half; i < count; i += 2) {
      SCOPED_TRACE("stop " + std::to_string(i));
      lane.stop_at(moments[i], i / 2 % 2 == 0 ? SIGINT : SIGTERM);
    }
  });
  std::printf(
      "stops: %zu, %zu interrupted (%zu after the first step began), %zu done before, "
      "%zu before they were listened to, %s\n",
      count, tally.interrupted, tally.interrupted_in_steps, tally.done, tally.not_yet_begun,
      seed.c_str());
  EXPECT_GE(tally.interrupted, count / 4);
  EXPECT_GT(tally.interrupted_in_steps, 0U);
}

}  // namespace
}  // namespace muniment
