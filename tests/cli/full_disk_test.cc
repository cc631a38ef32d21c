// No space for the backups, none for the store, a root that takes no writing: said with the path
// and the reason, nothing under a final name, and all is well once there is space.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/cli/small_disk.h"
#include "tests/support/generator.h"
#include "tests/support/left_on_disk.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// What make_database() of 100 rows answers.
constexpr const char* kRows = "100|5050";

class FullDisk : public testing::Test {
 protected:
  FullDisk() { here_.populate(); }

  std::string joined(const std::vector<std::string>& lines) const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }

  // Bytes that do not get smaller.
  void add_noise(std::size_t bytes) {
    write_text(here_.files() + "/noise", generator_.bytes(bytes));
  }

  std::string outcome_of_latest() const {
    return jq(here_, here_.run({"show", "latest", "--json"}).out, ".outcome");
  }

  // Whatever the run did: nothing half done can be taken for a backup.
  void expect_sound(const std::string& root) const {
    const Ran verified = here_.run({"verify"});
    EXPECT_EQ(verified.exit_code, 0) << shown(verified);
    EXPECT_EQ(joined(find_incomplete(root, kRows, here_.path("tmp"))), "");
    EXPECT_EQ(joined(find_partial_folders(root)), "");
  }

  Generator generator_;
  Workspace here_;
};

TEST_F(FullDisk, UnderTheBackupRootFailsBeforeOrWhileItWritesAndLeavesNothingHalf) {
  SCOPED_TRACE(generator_.seed_line());
  const SmallDisk disk(here_.root(), "size=2m");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  here_.write_manifest(here_.modules(), "min_free = \"1B\"\n");
  add_noise(500'000);
  here_.init();
  int failed = 0;
  for (const std::uint64_t free_kib : {0U, 8U, 64U, 512U, 576U, 600U, 640U, 680U}) {
    SCOPED_TRACE(free_kib);
    ASSERT_TRUE(disk.fill_up_to(free_kib * 1024));
    const Ran ran = here_.run({"backup", "--all"});
    disk.empty();
    if (ran.exit_code == 0) {
      EXPECT_EQ(outcome_of_latest(), "ok");
    } else {
      ++failed;
      expect_ended(ran, 1, {here_.root()});
      const bool has_reason = contains(ran.err, "No space left") || contains(ran.err, "free");
      EXPECT_TRUE(has_reason) << shown(ran);
      EXPECT_EQ(outcome_of_latest(), "failed") << shown(ran);
    }
    expect_sound(here_.root());
    // As an operator makes space.
    for (const auto& entry : fs::directory_iterator(here_.root())) fs::remove_all(entry.path());
  }
  EXPECT_GE(failed, 4);
  const Ran with_space = here_.run({"backup", "--all"});
  EXPECT_EQ(with_space.exit_code, 0) << shown(with_space);
  expect_sound(here_.root());
}

// The estimate cannot know of this one: the disk says no in the middle of things.
TEST_F(FullDisk, WithoutInodesFailsInTheMiddleAndLeavesNothingHalf) {
  const SmallDisk disk(here_.root(), "size=8m,nr_inodes=1");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  here_.write_manifest(here_.modules(), "min_free = \"1B\"\n");
  here_.init();
  int failed = 0;
  int inodes = 1;
  for (; inodes <= 16; ++inodes) {
    SCOPED_TRACE(inodes);
    ASSERT_TRUE(disk.remount("size=8m,nr_inodes=" + std::to_string(inodes)));
    const Ran ran = here_.run({"backup", "--all"});
    expect_sound(here_.root());
    if (ran.exit_code == 0) break;
    ++failed;
    expect_ended(ran, 1, {here_.root(), "No space left on device"});
    EXPECT_EQ(outcome_of_latest(), "failed");
    for (const auto& entry : fs::directory_iterator(here_.root())) fs::remove_all(entry.path());
  }
  EXPECT_LE(inodes, 16) << "never enough";
  EXPECT_GE(failed, 4);
}

TEST_F(FullDisk, UnderTheStoreFailsAndWhatWasRecordedStays) {
  const std::string store = here_.path("small/store");
  const SmallDisk disk(here_.path("small"), "size=8m");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  write_text(here_.manifest(), "schema = 1\n[host]\nname = \"testhost\"\n[store]\npath = \"" +
                                   store + "\"\n[backup]\nroot = \"" + here_.root() + "\"\n" +
                                   here_.modules());
  here_.init();
  ASSERT_EQ(here_.run({"backup", "--all"}).exit_code, 0);
  const std::string whole = here_.run({"events", "--jsonl", "--limit", "100000"}).out;
  int failed = 0;
  for (const std::uint64_t free_kib : {0U, 4U, 36U, 44U, 60U, 100U, 200U}) {
    SCOPED_TRACE(free_kib);
    ASSERT_TRUE(disk.fill_up_to(free_kib * 1024));
    const Ran ran = here_.run({"backup", "--all"});
    const Ran read_when_full = here_.run({"runs"});
    EXPECT_EQ(read_when_full.exit_code, 0) << shown(read_when_full);
    disk.empty();
    if (ran.exit_code != 0) {
      ++failed;
      expect_ended(ran, 1, {store, "No space left on device"});
    }
    const Ran events = here_.run({"events", "--jsonl", "--limit", "100000"});
    EXPECT_TRUE(events.out.starts_with(whole)) << shown(ran);
    // What died on the way is recorded as that by the next that writes.
    EXPECT_EQ(here_.run({"note", "latest", "made space"}).exit_code, 0);
    const Ran verified = here_.run({"verify"});
    EXPECT_EQ(verified.exit_code, 0) << shown(verified);
    EXPECT_EQ(joined(find_incomplete(here_.root(), kRows, here_.path("tmp"))), "");
  }
  EXPECT_GE(failed, 2);
  const Ran with_space = here_.run({"backup", "--all"});
  EXPECT_EQ(with_space.exit_code, 0) << shown(with_space);
  expect_sound(here_.root());
}

TEST_F(FullDisk, CannotBeInitializedAndCanLater) {
  const std::string store = here_.path("small/store");
  const SmallDisk disk(here_.path("small"), "size=4m");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  for (const std::uint64_t free_kib : {0U, 8U, 40U}) {
    SCOPED_TRACE(free_kib);
    ASSERT_TRUE(disk.fill_up_to(free_kib * 1024));
    const Ran ran = here_.run({"-s", store, "init"});
    expect_ended(ran, 1, {store, "No space left on device"});
    EXPECT_EQ(here_.run({"-s", store, "runs"}).exit_code, 2);
    disk.empty();
  }
  EXPECT_EQ(here_.run({"-s", store, "init"}).exit_code, 0);
  EXPECT_EQ(here_.run({"-s", store, "verify"}).exit_code, 0);
}

TEST_F(FullDisk, ByTheRuleOfMinFreeIsRefusedBeforeAnythingIsWritten) {
  const SmallDisk disk(here_.root(), "size=8m");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  here_.write_manifest(here_.modules(), "min_free = \"1GiB\"\n");
  here_.init();
  const std::string before = list_tree(here_.root());
  const Ran ran = here_.run({"backup", "--all"});
  expect_ended(ran, 1, {here_.root(), "min_free", "1.0 GiB"});
  EXPECT_EQ(list_tree(here_.root()), before);
  EXPECT_EQ(outcome_of_latest(), "failed");
  // A rehearsal finds out what the deed would: that is what it is for.
  const Ran rehearsed = here_.run({"backup", "--all", "--dry-run"});
  expect_ended(rehearsed, 1, {here_.root(), "min_free", "1.0 GiB"});
  EXPECT_EQ(list_tree(here_.root()), before);
}

TEST_F(FullDisk, ThatIsReadOnlyFailsWithItsReason) {
  const SmallDisk disk(here_.root(), "size=8m");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  here_.write_manifest(here_.modules(), "min_free = \"1B\"\n");
  here_.init();
  ASSERT_TRUE(disk.remount("size=8m", MS_RDONLY));
  const Ran ran = here_.run({"backup", "--all"});
  expect_ended(ran, 1, {here_.root(), "read-only"});
  expect_ended(here_.run({"backup", "--all", "--dry-run"}), 1, {here_.root(), "read-only"});
  EXPECT_EQ(outcome_of_latest(), "failed");
  expect_sound(here_.root());
  ASSERT_TRUE(disk.remount("size=8m"));
  EXPECT_EQ(here_.run({"backup", "--all"}).exit_code, 0);
  expect_sound(here_.root());
}

}  // namespace
}  // namespace muniment
