// Databases in the states in which they are met: what is copied, what is said, what is left alone.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
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

// A folder with a source and one that takes the artifact.
struct Scene {
  std::string source(const std::string& name = "notes.db") const { return data / name; }

  Result<Capture> capture(const std::string& path, Compression compression) const {
    const Folder folder = open_folder(target.path);
    v1::SqliteCapture step;
    step.set_path(path);
    CueProgress progress;
    return capture_sqlite(step, CaptureTarget{folder, "artifact", compression, {}}, progress);
  }

  // Unpacks the artifact and removes it.
  std::string take_copy(Compression compression) const {
    const std::string path = target / "copy";
    fs::remove(path);
    write_text(path, content_of_stored(target / "artifact", compression));
    fs::remove(target / "artifact");
    return path;
  }

  TempDir data{TempDir::fast_parent()};
  TempDir target{TempDir::fast_parent()};
};

// All that a database holds, by a program that is not ours.
std::string dump_of(const std::string& path) {
  return output_of({"sqlite3", path, ".dump"});
}

void expect_faithful(const Scene& scene, const std::string& path, Compression compression) {
  const Result<Capture> done = scene.capture(path, compression);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->check, "integrity_check ok, foreign_key_check ok");
  EXPECT_EQ(mode_of(scene.target / "artifact"), 0600U);
  EXPECT_EQ(to_hex(done->file.sha256), sha256_by_program(scene.target / "artifact"));
  std::vector<std::string> names;
  for (const auto& item : fs::directory_iterator(scene.target.path)) {
    names.push_back(item.path().filename());
  }
  EXPECT_EQ(names, std::vector<std::string>{"artifact"}) << "something was left beside it";
  const std::string copy = scene.take_copy(compression);
  EXPECT_EQ(done->file.content_bytes, fs::file_size(copy));
  EXPECT_EQ(to_hex(done->file.content_sha256), sha256_by_program(copy));
  EXPECT_EQ(output_of({"sqlite3", copy, "PRAGMA integrity_check"}), "ok\n");
  // The source last: to read it may change what lies beside it.
  const Scene aside;
  for (const char* suffix : {"", "-wal"}) {
    if (!exists(path + suffix)) continue;
    fs::copy_file(path + suffix, aside.source("twin.db") + suffix);
  }
  EXPECT_EQ(dump_of(copy), dump_of(aside.source("twin.db")));
  fs::remove(copy);
}

TEST(CaptureSqlite, CopiesDatabasesOfEveryPageSize) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int size = 512; size <= 65536; size *= 2) {
    for (const char* journal : {"WAL", "DELETE"}) {
      SCOPED_TRACE(std::string(journal) + ", pages of " + std::to_string(size));
      const Scene scene;
      {
        const TestDatabase db(scene.source());
        db.run("PRAGMA page_size=" + std::to_string(size));
        db.run(std::string("PRAGMA journal_mode=") + journal);
        db.run("CREATE TABLE t(a, b BLOB); CREATE INDEX i ON t(a)");
        for (std::size_t rows = generator.below(40); rows > 0; --rows) {
          db.run("INSERT INTO t VALUES(random(), randomblob(" +
                 std::to_string(generator.below(9000)) + "))");
        }
      }
      expect_faithful(scene, scene.source(), Compression{generator.one_in(2) ? 1 : 0});
    }
  }
}

TEST(CaptureSqlite, CopiesADatabaseWhateverItsName) {
  const std::vector<std::string> names{
      "a?mode=memory", "a#b",        "100%",         "%41.db",     "%00",      "with space",
      "'quote'",       "\"double\"", "semi;colon",   "new\nline",  "\xff\xfe", "\x1b[31mred",
      "a&b=c",         ":memory:",   "file:x?vfs=y", "back\\slash"};
  for (const std::string& name : names) {
    for (const bool wal : {false, true}) {
      const Scene scene;
      SCOPED_TRACE(name);
      make_database(scene.source("plain.db"), {.wal = wal, .rows = 20});
      fs::rename(scene.source("plain.db"), scene.source(name));
      const Result<Capture> done = scene.capture(scene.source(name), Compression{});
      ASSERT_TRUE(done.has_value()) << done.error().message;
      EXPECT_EQ(output_of({"sqlite3", scene.take_copy(Compression{}),
                           "SELECT count(*), sum(id) FROM item"}),
                "20|210\n");
      for (const auto& item : fs::directory_iterator(scene.data.path)) {
        EXPECT_TRUE(item.path().filename().string().starts_with(name)) << item.path();
      }
    }
  }
}

TEST(CaptureSqlite, CopiesAnEmptyDatabaseThatHasAHeader) {
  const Scene scene;
  make_database(scene.source(), {.wal = false, .rows = 0});
  expect_faithful(scene, scene.source(), Compression{});
  expect_faithful(scene, scene.source(), Compression{3});
}

TEST(CaptureSqlite, LeavesADatabaseWithARollbackJournalAndItsFolderAsTheyAre) {
  const Scene scene;
  make_database(scene.source(), {.wal = false, .rows = 500});
  const TreeSnapshot before = take_snapshot(scene.data.path, "");
  expect_faithful(scene, scene.source(), Compression{1});
  EXPECT_EQ(changes_between(before, take_snapshot(scene.data.path, "")),
            std::vector<std::string>{});
}

// SQLite's own reader makes -shm and an empty -wal where they are missing, and a reader that may
// not write cannot remove them again. They are the database's: its owner, its mode.
TEST(CaptureSqlite, LeavesBesideAClosedWalDatabaseWhatEveryReaderLeavesAndNothingElse) {
  const Scene scene;
  make_database(scene.source(), {.wal = true, .rows = 500});
  ASSERT_EQ(::chmod(scene.source().c_str(), 0640), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(scene.source().c_str(), 12345, 23456), 0);
  }
  TreeSnapshot before = take_snapshot(scene.data.path, "");
  expect_faithful(scene, scene.source(), Compression{1});
  TreeSnapshot after = take_snapshot(scene.data.path, "");
  EXPECT_EQ(after.erase(scene.source("notes.db-shm")), 1U);
  EXPECT_EQ(after.erase(scene.source("notes.db-wal")), 1U);
  before.erase(scene.data.path);  // its own time changes with what is made in it
  after.erase(scene.data.path);
  EXPECT_EQ(changes_between(before, after), std::vector<std::string>{});
  const struct stat database = lstat_of(scene.source());
  for (const char* suffix : {"-shm", "-wal"}) {
    const struct stat made = lstat_of(scene.source() + suffix);
    EXPECT_EQ(made.st_uid, database.st_uid) << suffix;
    EXPECT_EQ(made.st_gid, database.st_gid) << suffix;
    EXPECT_EQ(made.st_mode, database.st_mode) << suffix;
  }
  EXPECT_EQ(lstat_of(scene.source("notes.db-wal")).st_size, 0);
}

// A snapshot as others may look at it: without -shm, which is readers' to write, and without the
// ctime of -wal and -journal: as root, SQLite gives them to the owner of the database, who has
// them.
TreeSnapshot without_readers_marks(TreeSnapshot snapshot, const std::string& database) {
  snapshot.erase(database + "-shm");
  for (const char* suffix : {"-wal", "-journal"}) {
    const auto found = snapshot.find(database + suffix);
    if (found == snapshot.end()) continue;
    std::string& facts = found->second;
    const std::size_t begin = facts.find(" ctime ");
    facts.erase(begin, facts.find(' ', begin + 7) - begin);
  }
  return snapshot;
}

TEST(CaptureSqlite, CopiesWhatAKilledWriterLeftInItsWalAndChangesOnlyTheSharedMemory) {
  for (const bool with_shm : {true, false}) {
    const Scene scene;
    make_database_with_hot_wal(scene.source(), 3000);
    if (!with_shm) fs::remove(scene.source("notes.db-shm"));
    const TreeSnapshot before = take_snapshot(scene.data.path, "");
    const Result<Capture> done = scene.capture(scene.source(), Compression{1});
    ASSERT_TRUE(done.has_value()) << done.error().message;
    const TreeSnapshot after = take_snapshot(scene.data.path, "");
    const auto changes = changes_between(without_readers_marks(before, scene.source()),
                                         without_readers_marks(after, scene.source()));
    // The folder itself changes when -shm is made in it.
    EXPECT_EQ(changes.size(), with_shm ? 0U : 1U) << testing::PrintToString(changes);
    const std::string copy = scene.take_copy(Compression{1});
    EXPECT_EQ(output_of({"sqlite3", copy, "SELECT count(*) FROM item"}), "3001\n");
    fs::remove(copy);
    expect_faithful(scene, scene.source(), Compression{});
  }
}

TEST(CaptureSqlite, LeavesAJournalOfAKilledWriterAloneAndSaysWhatToDo) {
  const Scene scene;
  make_database(scene.source(), {.wal = false, .rows = 3000});
  HeldProcess writer([&](const std::function<void()>& stay) {
    const TestDatabase db(scene.source());
    db.run("PRAGMA cache_size=5; PRAGMA cache_spill=1; BEGIN EXCLUSIVE");
    db.run("UPDATE item SET name = name || ' changed'");
    stay();
    return true;
  });
  ASSERT_TRUE(writer.started());
  writer.kill_now();
  ASSERT_GT(fs::file_size(scene.source("notes.db-journal")), 0U);
  const TreeSnapshot before = take_snapshot(scene.data.path, "");
  const Result<Capture> done = scene.capture(scene.source(), Compression{1});
  ASSERT_FALSE(done.has_value());
  EXPECT_NE(done.error().message.find(scene.source()), std::string::npos) << done.error().message;
  EXPECT_NE(done.error().message.find("left a journal"), std::string::npos) << done.error().message;
  EXPECT_EQ(
      changes_between(without_readers_marks(before, scene.source()),
                      without_readers_marks(take_snapshot(scene.data.path, ""), scene.source())),
      std::vector<std::string>{});
  EXPECT_TRUE(fs::is_empty(scene.target.path));
  // Its application opens it once, as the message says.
  EXPECT_EQ(TestDatabase(scene.source()).run("SELECT count(*) FROM item"), "3000");
  expect_faithful(scene, scene.source(), Compression{1});
}

TEST(CaptureSqlite, SaysWhichForeignKeysAreBroken) {
  const Scene scene;
  TestDatabase(scene.source())
      .run(
          "CREATE TABLE parent(id INTEGER PRIMARY KEY);"
          "CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES parent(id));"
          "INSERT INTO child VALUES(1, 77), (2, 78)");
  const Result<Capture> done = scene.capture(scene.source(), Compression{});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->check,
            "integrity_check ok, foreign_key_check found 2 violations, first child | 1 | parent | "
            "0");
}

int compare_as_bytes(void*, int left_size, const void* left, int right_size, const void* right) {
  const std::string_view a(static_cast<const char*>(left), static_cast<std::size_t>(left_size));
  const std::string_view b(static_cast<const char*>(right), static_cast<std::size_t>(right_size));
  return a.compare(b);
}

void always_true(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_int(context, 1);
}

TEST(CaptureSqlite, ChecksTheStructureOfADatabaseWhoseFunctionsOnlyItsApplicationHas) {
  const std::map<std::string, std::string> schemas{
      {"no such collation sequence: own",
       "CREATE TABLE t(a TEXT COLLATE own, CHECK(own(a))); CREATE INDEX i ON t(a)"},
      {"unknown function: own()", "CREATE TABLE t(a TEXT); CREATE INDEX i ON t(own(a))"},
  };
  for (const auto& [what, schema] : schemas) {
    SCOPED_TRACE(what);
    const Scene scene;
    {
      const TestDatabase db(scene.source());
      sqlite3_create_collation(db.get(), "own", SQLITE_UTF8, nullptr, compare_as_bytes);
      sqlite3_create_function(db.get(), "own", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                              always_true, nullptr, nullptr);
      db.run(schema + "; INSERT INTO t VALUES('x'), ('a'), ('m')");
    }
    const Result<Capture> done = scene.capture(scene.source(), Compression{1});
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_TRUE(
        done->check.starts_with("quick_check ok (integrity_check could not run: " + what + ")"))
        << done->check;
    EXPECT_EQ(TestDatabase(scene.take_copy(Compression{1})).run("SELECT a FROM t NOT INDEXED"),
              "x\na\nm");
  }
}

TEST(CaptureSqlite, FindsDamageWhereTheCollationIsOnlyItsApplications) {
  const Scene scene;
  {
    const TestDatabase db(scene.source());
    sqlite3_create_collation(db.get(), "own", SQLITE_UTF8, nullptr, compare_as_bytes);
    db.run(
        "CREATE TABLE t(a TEXT COLLATE own); CREATE INDEX i ON t(a);"
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)"
        "INSERT INTO t SELECT 'text ' || x FROM n");
  }
  std::string bytes = read_file(scene.source());
  bytes.replace(bytes.size() / 4096 / 2 * 4096, 4096, std::string(4096, '\x77'));
  write_text(scene.source(), bytes);
  const Result<Capture> done = scene.capture(scene.source(), Compression{1});
  ASSERT_FALSE(done.has_value()) << done->check;
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt) << done.error().message;
  EXPECT_NE(done.error().message.find(scene.source()), std::string::npos) << done.error().message;
  EXPECT_TRUE(fs::is_empty(scene.target.path));
}

}  // namespace
}  // namespace muniment
