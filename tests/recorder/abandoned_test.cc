#include "recorder/abandoned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "recorder/core/decide.h"
#include "recorder/log/memory_log.h"
#include "tests/support/generator.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

std::string run_id(std::uint64_t number) {
  return sample_uuid(number, 2);
}

// Writes runs as the recorder does: a start is appended together with the end of all open runs.
class History {
 public:
  void start(std::uint64_t run, std::uint64_t later_events) {
    const Result<std::vector<v1::RunState>> open = find_open_runs(*log_);
    ASSERT_TRUE(open) << open.error().message;
    std::vector<v1::Event> events(1);
    events[0].mutable_run_started()->set_purpose("backup");
    for (v1::Event& event : abandon(*open, {})) events.push_back(std::move(event));
    append(run, std::move(events));
    for (std::uint64_t i = 0; i < later_events; ++i) note(run);
    open_ = {run};
  }

  void finish(std::uint64_t run) {
    v1::Event event;
    event.mutable_run_finished()->set_outcome(v1::RUN_OUTCOME_OK);
    append(run, {std::move(event)});
    open_.erase(run);
  }

  // A fact by an invocation that is no run, about one that is.
  void remark(std::uint64_t invocation, std::uint64_t about) {
    v1::Event event;
    event.set_about_run(run_id(about));
    event.mutable_note_added();
    append(invocation, {std::move(event)});
  }

  void note(std::uint64_t run) {
    v1::Event event;
    event.mutable_note_added();
    append(run, {std::move(event)});
  }

  const LogReader& log() const { return *log_; }
  const std::set<std::uint64_t>& open() const { return open_; }
  std::uint64_t events_of(std::uint64_t run) const { return counts_.at(run); }

 private:
  void append(std::uint64_t run, std::vector<v1::Event> events) {
    std::vector<Entry> entries;
    for (v1::Event& event : events) {
      event.set_event_id(sample_event_id(next_id_++));
      event.set_run_id(run_id(run));
      entries.push_back({event.SerializeAsString(), {}});
      ++counts_[run];
    }
    const Result<Appended> appended = log_->append(std::move(entries), std::nullopt);
    ASSERT_TRUE(appended) << appended.error().message;
  }

  std::unique_ptr<Store> log_ = make_memory_log("rs2000.example/muniment");
  std::set<std::uint64_t> open_;
  std::map<std::uint64_t, std::uint64_t> counts_;
  std::uint64_t next_id_ = 1;
};

TEST(FindOpenRuns, FindsNoneInAnEmptyLog) {
  const History history;
  const auto open = find_open_runs(history.log());
  ASSERT_TRUE(open) << open.error().message;
  EXPECT_TRUE(open->empty());
}

TEST(FindOpenRuns, FindsWhatStartedAndDidNotEnd) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int round = 0; round < 20; ++round) {
    History history;
    for (std::uint64_t run = 1; run < 15; ++run) {
      history.start(run, draw.below(70));  // across the snapshot of each 64 events
      if (draw.one_in(3)) history.remark(100 + run, run);
      if (!draw.one_in(3)) history.finish(run);
      if (draw.one_in(3)) history.remark(200 + run, draw.between(1, run));
      const auto open = find_open_runs(history.log());
      ASSERT_TRUE(open) << open.error().message;
      std::set<std::string> expected;
      for (const std::uint64_t id : history.open()) expected.insert(run_id(id));
      std::set<std::string> found;
      for (const v1::RunState& state : *open) found.insert(state.run_id());
      ASSERT_EQ(found, expected);
      for (const v1::RunState& state : *open) {
        EXPECT_EQ(state.outcome(), v1::RUN_OUTCOME_RUNNING);
        EXPECT_EQ(state.event_count(), history.events_of(run));
      }
    }
  }
}

// Runs that several processes left open before anybody looked, newest first.
TEST(FindOpenRuns, FindsSeveralNewestFirst) {
  const auto log = make_memory_log("rs2000.example/muniment");
  std::uint64_t id = 1;
  for (const std::uint64_t run : {7U, 3U, 5U}) {
    v1::Event event;
    event.set_event_id(sample_event_id(id++));
    event.set_run_id(run_id(run));
    event.mutable_run_started();
    ASSERT_TRUE(log->append({{event.SerializeAsString(), {}}}, std::nullopt));
  }
  const auto open = find_open_runs(*log);
  ASSERT_TRUE(open) << open.error().message;
  std::vector<std::string> found;
  for (const v1::RunState& state : *open) found.push_back(state.run_id());
  EXPECT_EQ(found, (std::vector<std::string>{run_id(5), run_id(3), run_id(7)}));
}

TEST(Abandon, EndsEachRunAndListsItsOwnFoldersAlone) {
  std::vector<v1::RunState> open(2);
  open[0].set_run_id(run_id(1));
  open[0].set_event_count(12);
  open[1].set_run_id(run_id(2));
  std::vector<v1::Step> left(3);
  for (std::size_t i = 0; i < left.size(); ++i) {
    left[i].set_of_run(run_id(i == 1 ? 9 : 1));
    left[i].set_partial_folder("/b/m" + std::to_string(i));
  }
  const std::vector<v1::Event> events = abandon(open, left);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].about_run(), run_id(1));
  EXPECT_EQ(events[0].run_abandoned().event_count(), 12U);
  ASSERT_EQ(events[0].run_abandoned().left_behind_size(), 2);
  EXPECT_EQ(events[0].run_abandoned().left_behind(0), "/b/m0");
  EXPECT_EQ(events[0].run_abandoned().left_behind(1), "/b/m2");
  EXPECT_EQ(events[1].about_run(), run_id(2));
  EXPECT_EQ(events[1].run_abandoned().left_behind_size(), 0);
}

TEST(Abandon, MakesARunReadAsAbandoned) {
  History history;
  history.start(1, 3);
  history.start(2, 0);
  history.finish(2);
  const auto open = find_open_runs(history.log());
  ASSERT_TRUE(open);
  EXPECT_TRUE(open->empty());
}

// A folder that the log does not know is never touched: not a stranger's, not one without a start.
TEST(KnownRuns, AreThoseThatStartedInThisLog) {
  History history;
  history.start(1, 0);
  history.finish(1);
  history.remark(50, 1);
  history.start(2, 0);
  std::vector<v1::PathObserved> seen;
  for (const std::string& path :
       {partial_folder("/b", "m", run_id(1)), partial_folder("/b", "m", run_id(2)),
        partial_folder("/b", "m", run_id(50)), partial_folder("/b", "m", run_id(77)),
        final_folder("/b", "m", run_id(1)), std::string("/b/m/.other.partial")}) {
    seen.emplace_back().set_path(path);
  }
  const auto known = known_runs(history.log(), seen);
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_EQ(*known, (std::vector<std::string>{run_id(1), run_id(2)}));
  EXPECT_EQ(discard_steps(seen, *known).size(), 2U);
}

}  // namespace
}  // namespace muniment
