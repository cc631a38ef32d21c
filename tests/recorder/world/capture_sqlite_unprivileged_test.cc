// Databases in folders where the one who copies may not write: read without locks, or not at all.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "recorder/world/capture.h"
#include "tests/support/process.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_database.h"
#include "tests/support/tree_snapshot.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class CaptureSqliteUnprivileged : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    ASSERT_EQ(::chmod(data_.path.c_str(), 0755), 0);
    ASSERT_EQ(::chmod(target_.path.c_str(), 0777), 0);
  }

  std::string source() const { return data_ / "notes.db"; }

  // By a user who may read in the folder and not write; "captured", or why not.
  std::string capture(const std::function<void()>& meanwhile) const {
    return in_child([&] {
      if (!become_nobody()) return std::string("cannot become another user");
      const Folder folder = open_folder(target_.path);
      v1::SqliteCapture step;
      step.set_path(source());
      CueProgress progress(1, meanwhile);
      const Result<Capture> done =
          capture_sqlite(step, CaptureTarget{folder, "artifact", Compression{}, {}}, progress,
                         std::chrono::milliseconds(500));
      return done ? std::string("captured") : done.error().message;
    });
  }

  std::string items_of_copy() const {
    return output_of({"sqlite3", target_ / "artifact", "SELECT count(*) FROM item"});
  }

  TempDir data_;
  TempDir target_;
};

TEST_F(CaptureSqliteUnprivileged, CopiesAClosedDatabaseAndTouchesNothing) {
  for (const bool wal : {true, false}) {
    make_database(source(), {.wal = wal, .rows = 70});
    const TreeSnapshot before = take_snapshot(data_.path, "");
    ASSERT_EQ(capture(nullptr), "captured");
    EXPECT_EQ(changes_between(before, take_snapshot(data_.path, "")), std::vector<std::string>{});
    EXPECT_EQ(items_of_copy(), "70\n");
    fs::remove(target_ / "artifact");
    fs::remove(source());
  }
}

TEST_F(CaptureSqliteUnprivileged, CopiesWhatStandsInTheWalOfAKilledWriter) {
  make_database_with_hot_wal(source(), 900);
  fs::remove(source() + "-shm");
  const TreeSnapshot before = take_snapshot(data_.path, "");
  ASSERT_EQ(capture(nullptr), "captured");
  EXPECT_EQ(changes_between(before, take_snapshot(data_.path, "")), std::vector<std::string>{});
  EXPECT_EQ(items_of_copy(), "901\n");
}

TEST_F(CaptureSqliteUnprivileged, CopiesADatabaseThatItsWriterHasOpen) {
  make_database(source(), {.wal = true, .rows = 5});
  HeldProcess writer([&](const std::function<void()>& stay) {
    const TestDatabase db(source());
    db.run("PRAGMA wal_autocheckpoint=0; INSERT INTO item(name) VALUES('six')");
    stay();
    return true;
  });
  ASSERT_TRUE(writer.started());
  ASSERT_EQ(capture(nullptr), "captured");
  EXPECT_EQ(items_of_copy(), "6\n");
}

// What is read without locks must be found unchanged afterwards: else the copy is of no one state.
TEST_F(CaptureSqliteUnprivileged, RefusesADatabaseThatIsWrittenWhileItIsReadWithoutLocks) {
  make_database(source(), {.wal = true, .rows = 100'000});
  std::array<int, 2> cue{};
  ASSERT_EQ(::pipe2(cue.data(), O_CLOEXEC), 0);
  const pid_t writer = ::fork();
  if (writer == 0) {
    char byte = 0;
    if (::read(cue[0], &byte, 1) == 1) TestDatabase(source()).run("UPDATE item SET name = 'other'");
    ::_exit(0);
  }
  const struct stat before = lstat_of(source());
  const std::string said = capture([&] {
    const ssize_t written = ::write(cue[1], "+", 1);
    // Closing the database moves what is in the WAL into the file.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    struct stat now = before;
    while (written == 1 && now.st_mtim.tv_sec == before.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before.st_mtim.tv_nsec &&
           std::chrono::steady_clock::now() < patience) {
      ::stat(source().c_str(), &now);
    }
  });
  ::close(cue[0]);
  ::close(cue[1]);
  ::waitpid(writer, nullptr, 0);
  EXPECT_TRUE(said.find("was written while it was read without locks") != std::string::npos ||
              said.find("does not pass integrity_check") != std::string::npos)
      << said;
  EXPECT_NE(said.find(source()), std::string::npos) << said;
  EXPECT_FALSE(exists(target_ / "artifact"));
}

TEST_F(CaptureSqliteUnprivileged, NamesADatabaseThatMayNotBeRead) {
  make_database(source(), {.wal = false, .rows = 5});
  ASSERT_EQ(::chmod(source().c_str(), 0600), 0);
  const std::string said = capture(nullptr);
  EXPECT_NE(said.find("cannot open database " + source()), std::string::npos) << said;
  EXPECT_NE(said.find("(EACCES); run as a user who may"), std::string::npos) << said;
  EXPECT_TRUE(fs::is_empty(target_.path));
}

}  // namespace
}  // namespace muniment
