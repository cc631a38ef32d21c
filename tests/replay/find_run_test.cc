#include "replay/find_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "recorder/log/memory_log.h"
#include "tests/support/random_runs.h"

namespace muniment {
namespace {

std::string found(const LogReader& log, std::string_view word) {
  const Result<v1::RunState> run = find_run(log, word);
  return run ? run->run_id() : std::string();
}

bool concerns(const v1::RunState& run, const std::string& module) {
  return std::any_of(run.modules().begin(), run.modules().end(),
                     [&](const v1::ModuleState& row) { return row.module() == module; });
}

class FindRun : public testing::Test {
 protected:
  void SetUp() override {
    write_random_runs(*log_, 40, generator_);
    runs_ = all_runs(all_events(*log_));
  }

  template <class Is>
  std::string newest(const Is& is) const {
    const auto run = std::find_if(runs_.begin(), runs_.end(), is);
    return run == runs_.end() ? "" : run->run_id();
  }

  Generator generator_;
  testing::ScopedTrace trace_{__FILE__, __LINE__, generator_.seed_line()};
  std::unique_ptr<Store> log_ = make_memory_log("o");
  std::vector<v1::RunState> runs_;  // newest first
};

TEST_F(FindRun, FindsEachByItsIdAndByEachUniquePrefix) {
  for (const v1::RunState& run : runs_) {
    EXPECT_EQ(found(*log_, run.run_id()), run.run_id());
    for (std::size_t size = 0; size <= run.run_id().size(); ++size) {
      const std::string prefix = run.run_id().substr(0, size);
      const auto sharing = std::count_if(runs_.begin(), runs_.end(), [&](const auto& other) {
        return other.run_id().starts_with(prefix);
      });
      const Result<v1::RunState> result = find_run(*log_, prefix);
      if (size >= 6 && sharing == 1) {
        ASSERT_TRUE(result) << prefix << ": " << result.error().message;
        EXPECT_EQ(result->SerializeAsString(), run.SerializeAsString());
        continue;
      }
      ASSERT_FALSE(result) << prefix;
      EXPECT_EQ(result.error().code, ErrorCode::kInvalid) << prefix;
      const char* why = size < 6 ? "too short" : "several runs";
      EXPECT_NE(result.error().message.find(why), std::string::npos) << result.error().message;
    }
  }
}

TEST_F(FindRun, NamesTheRunsThatShareAPrefix) {
  const Result<v1::RunState> result = find_run(*log_, "01900000-0");
  ASSERT_FALSE(result);
  int named = 0;
  for (const v1::RunState& run : runs_) {
    if (result.error().message.find(run.run_id()) != std::string::npos) ++named;
  }
  EXPECT_EQ(named, 2) << result.error().message;
}

// Prefixes with bytes that sort before and after every id, and a note by what is no run.
TEST_F(FindRun, FindsNothingByAnotherName) {
  LogScript script{*log_, 1'795'900'000'000'000'000, log_->state()->size()};
  RunWriter later(script, "ffffffff-0000-7002-8000-000000000000", v1::MODE_OBSERVATION, "ci");
  v1::Event note;
  note.set_about_run(runs_[0].run_id());
  note.mutable_note_added();
  later.add(note);
  for (const char* word : {"ffffffff", "000000", "zzzzzz", "01900000-0000-7002-8000-00000000000g",
                           "\xff\xff\xff\xff\xff\xff", "latest:no-such", "latest:", "latestx",
                           "01900000-0000-7002-8000-0000000000000"}) {
    const Result<v1::RunState> result = find_run(*log_, word);
    ASSERT_FALSE(result) << word;
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound) << word;
    EXPECT_NE(result.error().message.find("muniment runs"), std::string::npos);
  }
  for (const char* word : {"", "0", "01900"}) {
    EXPECT_EQ(find_run(*log_, word).error().code, ErrorCode::kInvalid) << word;
  }
  const std::unique_ptr<Store> empty = make_memory_log("o");
  EXPECT_EQ(find_run(*empty, "latest").error().code, ErrorCode::kNotFound);
}

TEST_F(FindRun, FindsTheLatestOfAllOfAModuleAndOfAMode) {
  EXPECT_EQ(found(*log_, "latest"), runs_[0].run_id());
  for (const std::string& module : kSomeModules) {
    EXPECT_EQ(found(*log_, "latest:" + module),
              newest([&](const auto& run) { return concerns(run, module); }))
        << module;
  }
  const std::pair<const char*, v1::Mode> modes[] = {{"dry-run", v1::MODE_DRY_RUN},
                                                    {"execution", v1::MODE_EXECUTION},
                                                    {"observation", v1::MODE_OBSERVATION}};
  for (const auto& [word, mode] : modes) {
    EXPECT_EQ(found(*log_, std::string("latest:") + word),
              newest([&, m = mode](const auto& run) { return run.mode() == m; }))
        << word;
  }
}

// What --plan takes.
TEST_F(FindRun, TakesForARehearsalSuccessfulDryRunsAlone) {
  const auto is_rehearsal = [](const v1::RunState& run) {
    return run.mode() == v1::MODE_DRY_RUN && run.outcome() == v1::RUN_OUTCOME_OK;
  };
  for (const v1::RunState& run : runs_) {
    const Result<v1::RunState> result = find_rehearsal(*log_, run.run_id());
    ASSERT_EQ(result.has_value(), is_rehearsal(run)) << run.DebugString();
    if (result) continue;
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
    EXPECT_NE(result.error().message.find("is no successful dry run (mode "), std::string::npos);
    EXPECT_NE(result.error().message.find("muniment backup --dry-run"), std::string::npos);
  }
  const auto rehearsal = [&](const std::string& word) {
    const Result<v1::RunState> run = find_rehearsal(*log_, word);
    return run ? run->run_id() : std::string();
  };
  EXPECT_EQ(rehearsal("latest"), newest(is_rehearsal));
  EXPECT_EQ(rehearsal("latest:dry-run"), newest(is_rehearsal));
  EXPECT_EQ(rehearsal("latest:execution"), "");
  for (const std::string& module : kSomeModules) {
    EXPECT_EQ(rehearsal("latest:" + module), newest([&](const v1::RunState& run) {
                return is_rehearsal(run) && concerns(run, module);
              }))
        << module;
  }
}

}  // namespace
}  // namespace muniment
