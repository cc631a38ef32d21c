// A rehearsal leaves everything outside the store as it was, to the nanosecond.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/release_root.h"
#include "tests/support/run_binary.h"
#include "tests/support/tree_snapshot.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

// What `act` changes in the workspace outside the store.
std::string changes_by(const Workspace& workspace, const std::function<void()>& act) {
  const std::string all = fs::path(workspace.store()).parent_path().string();
  const TreeSnapshot before = take_snapshot(all, workspace.store());
  act();
  return joined(changes_between(before, take_snapshot(all, workspace.store())));
}

void expect_rehearsal_changes_nothing(const Workspace& workspace) {
  Ran ran;
  EXPECT_EQ(changes_by(workspace, [&] { ran = workspace.run({"backup", "--dry-run", "--all"}); }),
            "");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("DRY RUN OK"), std::string::npos) << ran.out;
}

TEST(DryRun, LeavesADatabaseInWalModeAsItIs) {
  const Workspace workspace;
  workspace.populate();
  workspace.init();
  expect_rehearsal_changes_nothing(workspace);
  EXPECT_FALSE(fs::exists(workspace.root()));
}

TEST(DryRun, LeavesAHotWalAsItsKilledWriterLeftIt) {
  const Workspace workspace;
  make_database_with_hot_wal(workspace.database(), 500);
  make_tree(workspace.files());
  workspace.init();
  ASSERT_GT(fs::file_size(workspace.database() + "-wal"), 0U);
  ASSERT_TRUE(fs::exists(workspace.database() + "-shm"));
  expect_rehearsal_changes_nothing(workspace);
  EXPECT_FALSE(fs::exists(workspace.root()));
}

TEST(DryRun, LeavesADatabaseWithARollbackJournalAsItIs) {
  const Workspace workspace;
  make_database(workspace.database(), {.wal = false, .rows = 100});
  make_tree(workspace.files());
  workspace.init();
  expect_rehearsal_changes_nothing(workspace);
}

TEST(DryRun, LeavesEarlierBackupsAndTheFoldersOfDeadRunsAsTheyAre) {
  const Workspace workspace;
  workspace.populate();
  workspace.init();
  ASSERT_EQ(workspace.run({"backup", "--all"}).exit_code, 0);
  // Under the name of a run that the log knows: the next execution removes it.
  const fs::path run = *fs::directory_iterator(workspace.root() + "/notes");
  const std::string partial =
      run.parent_path().string() + "/." + run.filename().string() + ".partial";
  fs::create_directory(partial);
  fs::permissions(partial, fs::perms(0700));
  write_text(partial + "/notes.db", "half");
  expect_rehearsal_changes_nothing(workspace);
  EXPECT_EQ(workspace.run({"backup", "--all"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(partial)) << "nobody removes it: this test proves nothing";
}

TEST(DryRun, LeavesTheReleaseRootsIndexAsItIs) {
  const Workspace workspace;
  workspace.populate();
  add_release_root(workspace, kMakeIndexStale);
  workspace.init();
  expect_rehearsal_changes_nothing(workspace);
  const Ran events = workspace.run({"events", "--type", "run_started", "--jsonl"});
  EXPECT_NE(events.out.find("\"clean\":true"), std::string::npos) << events.out << events.err;
  const std::string changes = changes_by(workspace, [&] {
    const std::vector<std::string> words{"git", "-C", workspace.path("release"), "status"};
    EXPECT_EQ(run_program(words, workspace.surroundings()).exit_code, 0);
  });
  EXPECT_NE(changes, "") << "git had no reason to write: this test proves nothing";
}

// The same snapshot sees what an execution does: it can tell.
TEST(DryRun, IsToldFromAnExecutionByTheSnapshot) {
  const Workspace workspace;
  workspace.populate();
  workspace.init();
  const std::string changes =
      changes_by(workspace, [&] { EXPECT_EQ(workspace.run({"backup", "--all"}).exit_code, 0); });
  EXPECT_NE(changes.find("came: " + workspace.root() + "/notes"), std::string::npos) << changes;
}

// What fails writes nothing either.
TEST(DryRun, ThatCannotResolveAModuleLeavesEverythingAsItIs) {
  const Workspace workspace;
  make_tree(workspace.files());
  workspace.init();
  Ran ran;
  EXPECT_EQ(changes_by(workspace, [&] { ran = workspace.run({"backup", "--dry-run", "--all"}); }),
            "");
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
}

}  // namespace
}  // namespace muniment
