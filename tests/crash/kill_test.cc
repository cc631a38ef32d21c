// kill -9 at random moments of an execution. What it has called durable is there, what lies under a
// final name is whole, and the next execution cleans up.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/trial.h"
#include "tests/support/file_faults.h"

namespace muniment {
namespace {

constexpr std::uint64_t kRows = 120'000;  // about 2.5 MiB
constexpr std::size_t kNoiseBytes = 3 << 20;
constexpr std::size_t kMoments = 1'000;

// Where a run is killed, and what comes next.
struct Blow {
  bool by_calls;                     // at a file system call; else at a time
  std::size_t moment;                // of kMoments, in an undisturbed run
  std::vector<std::string> between;  // a command that may not clean up; empty: none
  bool recover;  // by an execution; else the next run is killed upon this one's remains
};

// What is told at the end.
struct Tally {
  std::mutex mutex;
  std::size_t killed = 0;
  std::size_t with_partial_folder = 0;
  std::size_t acknowledged = 0;
  std::map<std::string, int> last_event;
};

// One store on which one run after the other dies.
class Lane {
 public:
  Lane(const std::string& noise, Tally& tally) : trial_(kRows, noise), tally_(tally) {
    trial_.init();
    expect_traceable();
    const auto begin = std::chrono::steady_clock::now();
    trial_.expect_done(kBackup);
    duration_ = std::chrono::steady_clock::now() - begin;
  }

  void take(const Blow& blow) {
    const Ran ran = blow.by_calls ? kill_at_call(blow) : kill_at_time(blow);
    EXPECT_TRUE(ran.signal == SIGKILL || ran.exit_code == 0) << ran.exit_code << ran.err;
    for (std::string& event : acknowledged(ran.err)) said_.push_back(std::move(event));
    count(ran);
    check_remains();
    if (!blow.between.empty()) find_dead_runs(blow.between);
    if (blow.recover) recover();
  }

  void recover() {
    trial_.expect_recovery();
    trial_.remove_backups();
  }

 private:
  inline static const std::vector<std::string> kBackup{"-v", "backup", "--all"};

  void expect_traceable() {
    const FaultyRun whole = run_with_fault(muniment_argv(kBackup), trial_.here().surroundings(),
                                           {.under = trial_.here().path("")});
    can_trace_ = !whole.refused;
    calls_ = whole.calls.size();
    if (can_trace_) {
      EXPECT_EQ(whole.ran.exit_code, 0) << whole.ran.err;
    }
  }

  Ran kill_at_time(const Blow& blow) {
    RunningProgram program(muniment_argv(kBackup), trial_.here().surroundings());
    std::this_thread::sleep_for(duration_ * static_cast<int>(blow.moment) /
                                static_cast<int>(kMoments));
    program.send(SIGKILL);
    return program.wait();
  }

  Ran kill_at_call(const Blow& blow) {
    if (!can_trace_) return kill_at_time(blow);
    return run_with_fault(muniment_argv(kBackup), trial_.here().surroundings(),
                          {.under = trial_.here().path(""),
                           .fault = Fault::kKill,
                           .at = calls_ * blow.moment / kMoments})
        .ran;
  }

  void count(const Ran& ran) {
    const std::scoped_lock lock(tally_.mutex);
    if (ran.signal != SIGKILL) return;
    ++tally_.killed;
    if (!trial_.partial_folders().empty()) ++tally_.with_partial_folder;
    const std::vector<std::string> events = acknowledged(ran.err);
    tally_.acknowledged += events.size();
    const std::string last = events.empty() ? "# none" : events.back();
    const std::size_t begin = last.find(' ') + 1;
    ++tally_.last_event[last.substr(begin, last.find_first_of(" :", begin) - begin)];
  }

  void check_remains() {
    trial_.expect_intact();
    const auto events = trial_.event_lines();
    for (const std::string& event : said_) {
      EXPECT_TRUE(events.contains(event)) << "acknowledged and not there: " << event;
    }
    trial_.expect_whole_backups();
  }

  // Records that runs have died and lists what they left; touches nothing.
  void find_dead_runs(const std::vector<std::string>& command) {
    const std::vector<std::string> open = trial_.runs_with("running");
    const std::vector<std::string> partial = trial_.partial_folders();
    const std::string before = list_tree(trial_.here().root());
    trial_.expect_done(command);
    EXPECT_EQ(list_tree(trial_.here().root()), before);
    EXPECT_EQ(joined(trial_.runs_with("running")), "");
    const auto outcomes = trial_.outcomes();
    const std::vector<std::string> found =
        lines_of(trial_.expect_done({"events", "--jsonl", "--type", "run_abandoned"}).out);
    for (const std::string& run : open) {
      EXPECT_EQ(outcomes.at(run), "abandoned") << run;
      std::string event;
      for (const std::string& line : found) {
        if (quoted_behind(line, "\"about_run\":\"") == run) event += line;
      }
      EXPECT_NE(event, "") << "no run_abandoned about " << run;
      for (const std::string& folder : partial) {
        const bool own = folder.find(run) != folder.npos;
        EXPECT_EQ(event.find(folder) != event.npos, own) << folder << " in " << event;
      }
    }
  }

  Trial trial_;
  Tally& tally_;
  bool can_trace_ = false;
  std::size_t calls_ = 0;
  std::chrono::steady_clock::duration duration_{};
  std::vector<std::string> said_;  // by all runs that were killed
};

std::vector<Blow> draw_blows(Generator& generator, std::size_t count) {
  const std::vector<std::vector<std::string>> between{
      {}, {"backup", "--all", "--dry-run"}, {"note", "latest", "it went dark"}};
  std::vector<Blow> blows;
  for (std::size_t i = 0; i < count; ++i) {
    // One moment from each of `count` equal parts of the run: spread, and still random.
    blows.push_back({.by_calls = i / 2 % 2 == 0,
                     .moment = (i * kMoments + generator.below(kMoments)) / count,
                     .between = between[generator.below(between.size())],
                     .recover = !generator.one_in(4)});
  }
  return blows;
}

TEST(Kill, LosesNothingThatWasAcknowledgedAndLeavesNothingHalfUnderAFinalName) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::vector<Blow> blows = draw_blows(generator, is_full() ? 200 : 20);
  const std::string noise = generator.bytes(kNoiseBytes);
  const std::string seed = generator.seed_line();
  Tally tally;
  in_two_lanes(2, [&](std::size_t half) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, seed);
    Lane lane(noise, tally);
    for (std::size_t i = half; i < blows.size(); i += 2) {
      SCOPED_TRACE("blow " + std::to_string(i));
      lane.take(blows[i]);
    }
    lane.recover();
  });
  std::printf("kills: %zu of %zu runs, %zu left a partial folder, %zu events acknowledged, %s\n",
              tally.killed, blows.size(), tally.with_partial_folder, tally.acknowledged,
              seed.c_str());
  std::printf("last acknowledged before a kill: %s\n", counted(tally.last_event).c_str());
  EXPECT_GE(tally.killed, blows.size() / 2) << "the moments do not fall into the runs";
  EXPECT_GT(tally.with_partial_folder, 0U);
  EXPECT_GE(tally.last_event.size(), 2U) << "the moments cluster";
}

}  // namespace
}  // namespace muniment
