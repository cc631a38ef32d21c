// A capture of a database that cannot be: what is said, that nothing is left, nothing made.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "recorder/world/capture.h"
#include "tests/support/generator.h"
#include "tests/support/process.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_database.h"
#include "tests/support/tree_snapshot.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// Asked often while a database is locked.
struct AskedProgress : Progress {
  void advance(std::uint64_t) override {}
  bool stop_requested() override { return asked(++times); }
  int times = 0;
  std::function<bool(int)> asked = [](int) { return false; };
};

class CaptureSqliteRefusal : public testing::Test {
 protected:
  std::string source() const { return data_ / "notes.db"; }

  Result<Capture> capture(Progress& progress, Compression compression = {},
                          milliseconds busy = kBusyTimeout) const {
    const Folder folder = open_folder(target_.path);
    v1::SqliteCapture step;
    step.set_path(source());
    return capture_sqlite(step, CaptureTarget{folder, "artifact", compression, {}}, progress, busy);
  }

  // Nothing is left in the target, nothing is touched at the source, the message names the source.
  void expect_refused(ErrorCode code, const std::string& words) const {
    for (const Compression compression : {Compression{}, Compression{1}}) {
      const TreeSnapshot before = take_snapshot(data_.path, "");
      CueProgress progress;
      const Result<Capture> done = capture(progress, compression, milliseconds(100));
      ASSERT_FALSE(done.has_value()) << words;
      EXPECT_EQ(done.error().code, code) << done.error().message;
      EXPECT_NE(done.error().message.find(source()), std::string::npos) << done.error().message;
      EXPECT_NE(done.error().message.find(words), std::string::npos) << done.error().message;
      EXPECT_TRUE(fs::is_empty(target_.path)) << words;
      EXPECT_EQ(changes_between(before, take_snapshot(data_.path, "")), std::vector<std::string>{});
    }
  }

  // Holds the database locked until it is let go.
  std::unique_ptr<HeldProcess> lock() const {
    auto held = std::make_unique<HeldProcess>([this](const std::function<void()>& stay) {
      const TestDatabase db(source());
      db.run("BEGIN EXCLUSIVE");
      stay();
      db.run("COMMIT");
      return true;
    });
    check(held->started(), "a process holds the lock");
    return held;
  }

  TempDir data_{TempDir::fast_parent()};
  TempDir target_{TempDir::fast_parent()};
};

TEST_F(CaptureSqliteRefusal, MakesNothingWhereTheDatabaseIsMissing) {
  expect_refused(ErrorCode::kIo, "check that it exists");
  EXPECT_TRUE(fs::is_empty(data_.path));
}

TEST_F(CaptureSqliteRefusal, NamesWhatIsNoDatabase) {
  write_text(source(), "");
  expect_refused(ErrorCode::kInvalid, "it is empty (0 bytes), not a database");
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  write_text(source(), noise(generator, 100'000));
  expect_refused(ErrorCode::kInvalid, "correct the module's path or class");
  write_text(source(), "SQLite format 3");
  expect_refused(ErrorCode::kInvalid, "does not start with a SQLite header");
  const std::string head("SQLite format 3\0", 16);
  write_text(source(), head + std::string("\x12\x34", 2) + std::string(4096, '\0'));
  expect_refused(ErrorCode::kInvalid, "impossible page size 4660");
  write_text(source(), head + std::string("\x10\x00", 2) + std::string(82, '\0'));
  expect_refused(ErrorCode::kCorrupt, "encrypted or no SQLite database");
}

TEST_F(CaptureSqliteRefusal, NamesWhatIsNoFileAndDoesNotWaitForAFifo) {
  ASSERT_EQ(::mkfifo(source().c_str(), 0600), 0);
  expect_refused(ErrorCode::kInvalid, "it is not a regular file");
  fs::remove(source());
  fs::create_directory(source());
  expect_refused(ErrorCode::kInvalid, "it is not a regular file");
  fs::remove(source());
  fs::create_symlink("nowhere", source());
  expect_refused(ErrorCode::kIo, "check that it exists");
}

// One page at a time is filled with other bytes. Not every page can tell: one that is free, or one
// that holds only a value.
TEST_F(CaptureSqliteRefusal, NamesADatabaseThatIsDamagedInside) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  TestDatabase(source()).run(
      "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t(b);"
      "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)"
      "INSERT INTO t SELECT x, 'text ' || x FROM n");
  const std::string whole = read_file(source());
  for (std::size_t page = 1; page < whole.size() / 4096; page += wants_full() ? 1U : 5U) {
    std::string damaged = whole;
    damaged.replace(page * 4096, 4096, noise(generator, 4096));
    write_text(source(), damaged);
    SCOPED_TRACE("page " + std::to_string(page + 1));
    expect_refused(ErrorCode::kCorrupt, "");
  }
  write_text(source(), whole.substr(0, whole.size() / 2));
  expect_refused(ErrorCode::kCorrupt, "");
}

TEST_F(CaptureSqliteRefusal, WaitsForALockAsLongAsItWasToldAndSaysSo) {
  make_database(source(), {.wal = false, .rows = 10});
  const auto held = lock();
  AskedProgress progress;
  const auto begun = std::chrono::steady_clock::now();
  const Result<Capture> done = capture(progress, Compression{1}, milliseconds(300));
  const auto passed = std::chrono::steady_clock::now() - begun;
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kBusy);
  for (const std::string& words :
       {source(), std::string("locked for 300 ms"), std::string("fuser")}) {
    EXPECT_NE(done.error().message.find(words), std::string::npos) << done.error().message;
  }
  EXPECT_GE(passed, milliseconds(300));
  EXPECT_LT(passed, std::chrono::seconds(20));
  EXPECT_TRUE(fs::is_empty(target_.path));
}

TEST_F(CaptureSqliteRefusal, GoesOnWhenTheLockIsGivenUpInTime) {
  make_database(source(), {.wal = false, .rows = 10});
  const auto held = lock();
  AskedProgress progress;
  progress.asked = [&held](int times) {
    if (times == 4) held->let_go();
    return false;
  };
  const Result<Capture> done = capture(progress);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_GE(progress.times, 4);
  EXPECT_EQ(output_of({"sqlite3", target_ / "artifact", "SELECT count(*) FROM item"}), "10\n");
}

TEST_F(CaptureSqliteRefusal, StopsWhereItIsAskedTo) {
  make_database(source(), {.wal = false, .rows = 100'000});
  for (const Compression compression : {Compression{}, Compression{1}}) {
    for (const bool locked : {true, false}) {
      for (const int times : {1, 2, 3}) {
        const auto held = locked ? lock() : nullptr;
        AskedProgress progress;
        progress.asked = [times](int asked) { return asked >= times; };
        const Result<Capture> done = capture(progress, compression);
        ASSERT_FALSE(done.has_value()) << times;
        EXPECT_EQ(done.error().code, ErrorCode::kInterrupted) << done.error().message;
        if (!compression.none() && !locked) fs::remove(target_ / "artifact");
        EXPECT_TRUE(fs::is_empty(target_.path)) << times;
      }
    }
  }
}

TEST_F(CaptureSqliteRefusal, LeavesWhatHasTheArtifactsName) {
  make_database(source(), {.wal = false, .rows = 10});
  write_text(target_ / "artifact", "of yesterday");
  for (const Compression compression : {Compression{}, Compression{1}}) {
    CueProgress progress;
    const Result<Capture> done = capture(progress, compression);
    ASSERT_FALSE(done.has_value());
    EXPECT_NE(done.error().message.find("EEXIST"), std::string::npos) << done.error().message;
    EXPECT_EQ(read_file(target_ / "artifact"), "of yesterday");
  }
  EXPECT_FALSE(exists(target_ / ".artifact.raw"));
}

TEST_F(CaptureSqliteRefusal, NamesTheTargetAndTheCauseWhereItMayNotGrow) {
  make_database(source(), {.wal = true, .rows = 100'000});
  for (const Compression compression : {Compression{}, Compression{1}}) {
    const std::string said = in_child([&] {
      constexpr rlim_t kLimit = 1 << 20;
      const rlimit size{kLimit, kLimit};
      if (::setrlimit(RLIMIT_FSIZE, &size) != 0) return std::string("no limit");
      ::signal(SIGXFSZ, SIG_IGN);
      CueProgress progress;
      const Result<Capture> done = capture(progress, compression);
      return done ? std::string("captured") : done.error().message;
    });
    EXPECT_NE(said.find("cannot write " + target_.path), std::string::npos) << said;
    EXPECT_NE(said.find("(EFBIG); raise the limit"), std::string::npos) << said;
    EXPECT_TRUE(fs::is_empty(target_.path));
  }
}

TEST_F(CaptureSqliteRefusal, NamesTheTargetAndTheCauseOnAFullDisk) {
  make_database(source(), {.wal = true, .rows = 200'000});
  const std::vector<std::string> mount{"mount",   "-t",   "tmpfs",     "-o",
                                       "size=1m", "none", target_.path};
  if (run_program(mount).exit_code != 0) {
    GTEST_SKIP() << "a small file system cannot be mounted; the limit on files was tried above";
  }
  CueProgress progress;
  const Result<Capture> done = capture(progress, Compression{1});
  EXPECT_TRUE(fs::is_empty(target_.path));
  EXPECT_EQ(run_program({"umount", target_.path}).exit_code, 0);
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(done.error().message.find("cannot write " + target_.path), std::string::npos)
      << done.error().message;
  EXPECT_NE(done.error().message.find("(ENOSPC); free space"), std::string::npos)
      << done.error().message;
}

}  // namespace
}  // namespace muniment
