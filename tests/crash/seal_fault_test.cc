// A log is signed and published while its file system fails at each call once: what was signed or
// served before stays what it was, and the next try succeeds.
#include <gtest/gtest.h>

#include <string>

#include "tests/crash/sweep.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

const Commands kAFactMore = {{"note", "latest", "behind the checkpoint"}};

std::string vkey(const Trial& trial) {
  const std::string line = trial.expect_done({"key", "show"}).out;
  return line.substr(0, line.find('\n'));
}

// Exit 0 means that what was printed is what the store has; and signing again gives the same bytes,
// since the events are the same, whoever heard of the first signature.
void judge_checkpoint(const Struck& struck) {
  const std::string again = struck.trial.expect_done({"checkpoint"}).out;
  EXPECT_EQ(again, struck.trial.expect_done({"checkpoint"}).out);
  if (struck.run.ran.exit_code == 0 && struck.run.ran.signal == 0) {
    EXPECT_EQ(struck.run.ran.out, again);
  }
}

// The rotation is finished by whoever signs next, or never was.
void judge_rotation(const Struck& struck) {
  struck.trial.expect_done({"checkpoint"});
  const std::string rotations =
      struck.trial.expect_done({"events", "--jsonl", "--type", "key_rotated"}).out;
  EXPECT_LE(lines_of(rotations).size(), 1U) << rotations;
  const std::string recorded = quoted_behind(rotations, "\"new_vkey\":\"");
  if (!recorded.empty()) {
    EXPECT_EQ(recorded, vkey(struck.trial));
  }
}

// Whoever reads the published log at this moment finds it whole: the old one or the new one.
void judge_publish(const Struck& struck) {
  struck.trial.expect_done({"verify", "../export", "--key", vkey(struck.trial)});
  struck.trial.expect_done({"publish", "../export"});
  struck.trial.expect_done({"verify", "../export", "--key", vkey(struck.trial)});
}

TEST(SealFault, AtAnyCallOfACheckpointIsHarmless) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  Sweep({"checkpoint"}, 1, judge_checkpoint, kAFactMore).run(generator);
}

TEST(SealFault, AtAnyCallOfARotationIsHarmless) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  Sweep({"key", "rotate"}, 2, judge_rotation).run(generator);
}

TEST(SealFault, AtAnyCallOfAPublicationIsHarmless) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  Sweep({"publish", "../export"}, 1, judge_publish,
        {{"publish", "../export"}, {"note", "latest", "one more"}, {"checkpoint"}})
      .run(generator);
}

}  // namespace
}  // namespace muniment
