// Each file system call of one append and of one artifact commit fails once with EIO, once with
// ENOSPC, and once the program is killed there.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/crash/sweep.h"

namespace muniment {
namespace {

const std::string kText = "the queue was drained by hand";

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
