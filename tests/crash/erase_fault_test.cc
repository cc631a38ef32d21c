// A text is erased while the program is killed, or its file system fails, at each call once:
// whoever erases it again finishes, and what exits 0 has finished.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "tests/crash/sweep.h"
#include "tests/support/files_holding.h"

namespace muniment {
namespace {

constexpr std::string_view kText = "the name of Zebulon Quartermaine";
const Commands kANote = {{"note", "latest", std::string(kText)}};

// The note's sequence, which is the same in each copy of the store.
std::string sequence_of_note() {
  const Trial trial;
  trial.init();
  trial.expect_done({"backup", "--all"});
  const std::string out = trial.expect_done(kANote.front()).out;
  return out.substr(1, out.find(' ') - 1);
}

TEST(EraseFault, AtAnyCallIsFinishedByTheNextErasure) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::string note = sequence_of_note();
  std::atomic<int> cut_short = 0;
  const auto judge = [&](const Struck& struck) {
    const std::string store = struck.trial.here().store();
    const bool recorded =
        !struck.trial.expect_done({"events", "--jsonl", "--type", "erased"}).out.empty();
    const std::vector<std::string> holding = files_holding(store, kText);
    if (struck.run.ran.exit_code == 0 && struck.run.ran.signal == 0) {
      EXPECT_TRUE(recorded);
      EXPECT_EQ(holding, std::vector<std::string>());
    }
    const bool holds = !holding.empty() && !holding.front().ends_with(')');
    if (recorded && holds) ++cut_short;
    const std::string shown = struck.trial.expect_done({"show", note}).out;
    EXPECT_EQ(shown.find(kText) == shown.npos, recorded) << shown;
    struck.trial.expect_done({"erase", note, "--field", "text", "--reason", "once more"});
    EXPECT_EQ(files_holding(store, kText), std::vector<std::string>());
    const std::string events =
        struck.trial.expect_done({"events", "--jsonl", "--type", "erased"}).out;
    EXPECT_EQ(lines_of(events).size(), 1U) << events;
  };
  Sweep({"erase", note, "--field", "text", "--reason", "named a person"}, 2, judge, kANote)
      .run(generator);
  EXPECT_GT(cut_short, 0) << "no case lay between the write and the cleaning";
}

}  // namespace
}  // namespace muniment
