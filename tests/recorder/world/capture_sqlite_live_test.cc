// The copy of a database that is written meanwhile is one committed state of it, whole.
//
// Every transaction takes the next number, adds a row under it, two or three rows to a second
// table, and carries number, sum and hash on in a single row. So a copy says by itself whether it
// is one state, and the source's own history says whether it is a state that was.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "recorder/world/capture.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_database.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWriters = 4;
constexpr int kCommitsPerSecond = 1200;  // of all writers together, as far as the machine keeps up
constexpr long long kModulus = 1'000'003;

struct Shared {
  std::atomic<bool> stop = false;
  std::atomic<long long> commits = 0;
};

// Memory that forked writers and the test both see.
class SharedMemory {
 public:
  SharedMemory() {
    void* const place =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(place != MAP_FAILED, "memory can be shared");
    shared_ = new (place) Shared;
  }
  ~SharedMemory() { ::munmap(shared_, sizeof(Shared)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  Shared* operator->() const { return shared_; }

 private:
  Shared* shared_;
};

void make_ledger(const std::string& path, const std::string& journal_mode) {
  const TestDatabase db(path);
  db.run("PRAGMA journal_mode=" + journal_mode);
  db.run(
      "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), n, sum, hash);"
      "INSERT INTO state VALUES(1, 0, 0, 0);"
      "CREATE TABLE entry(id INTEGER PRIMARY KEY, n INTEGER, part INTEGER, amount INTEGER);"
      "CREATE TABLE ballast(id INTEGER PRIMARY KEY, bytes BLOB);"
      "CREATE TABLE commits(n INTEGER PRIMARY KEY, writer INTEGER, amount INTEGER);"
      "CREATE INDEX entry_of ON entry(n);"
      // Large enough for many commits to fall into the time of one copy.
      "WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 2000)"
      "INSERT INTO ballast SELECT x, randomblob(8000) FROM i;");
}

void commit_once(const TestDatabase& db, int writer, long long draw) {
  db.run("BEGIN IMMEDIATE");
  const long long n = db.number("SELECT n + 1 FROM state");
  const std::string number = std::to_string(n);
  const std::string amount = std::to_string(draw % 1000);
  db.run("INSERT INTO commits VALUES(" + number + "," + std::to_string(writer) + "," + amount +
         ")");
  for (long long part = 0; part < 2 + n % 2; ++part) {
    db.run("INSERT INTO entry(n, part, amount) VALUES(" + number + "," + std::to_string(part) +
           "," + amount + ")");
  }
  db.run("UPDATE state SET n = " + number + ", sum = sum + " + amount + ", hash = (hash * 31 + " +
         amount + " + n) % " + std::to_string(kModulus));
  db.run("UPDATE ballast SET bytes = randomblob(8000) WHERE id = 1 + " + std::to_string(draw) +
         " % 2000");
  db.run("COMMIT");
}

// The writers' processes. They end with the object.
class Writers {
 public:
  Writers(const std::string& path, SharedMemory& shared) : shared_(shared) {
    for (int writer = 0; writer < kWriters; ++writer) {
      const pid_t pid = ::fork();
      check(pid >= 0, "a writer can be started");
      if (pid == 0) {
        run(path, writer);
        ::_exit(0);
      }
      pids_.push_back(pid);
    }
  }
  ~Writers() { end(); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  // Their exit statuses, or'ed.
  int end() {
    shared_->stop = true;
    int all = 0;
    for (const pid_t pid : std::exchange(pids_, {})) {
      int status = 0;
      ::waitpid(pid, &status, 0);
      all |= status;
    }
    return all;
  }

 private:
  void run(const std::string& path, int writer) {
    const TestDatabase db(path);
    db.run("PRAGMA synchronous=OFF");
    auto next = Clock::now();
    unsigned draw = static_cast<unsigned>(writer) + 1;
    while (!shared_->stop) {
      draw = draw * 1664525U + 1013904223U;
      commit_once(db, writer, draw >> 8U);
      ++shared_->commits;
      next += std::chrono::microseconds(1'000'000 * kWriters / kCommitsPerSecond);
      std::this_thread::sleep_until(next);
    }
  }

  SharedMemory& shared_;
  std::vector<pid_t> pids_;
};

struct Copy {
  std::string path;  // unpacked
  long long least = 0;
  long long most = 0;  // the state is between these two numbers of commits
};

// What the state says of itself against what its rows say.
void expect_one_state(const TestDatabase& db, const Copy& copy) {
  const long long n = db.number("SELECT n FROM state");
  EXPECT_GE(n, copy.least) << "commits from before the capture are missing";
  EXPECT_LE(n, copy.most) << "commits from after the capture are there";
  const std::string last = std::to_string(n);
  EXPECT_EQ(db.run("SELECT count(*), ifnull(min(n), 1), ifnull(max(n), 0) FROM commits"),
            last + "|1|" + last);
  EXPECT_EQ(db.run("SELECT ifnull(sum(amount), 0) FROM commits"), db.run("SELECT sum FROM state"));
  EXPECT_EQ(db.run("SELECT count(*) FROM commits c WHERE 2 + n % 2 != (SELECT count(*) FROM entry "
                   "e WHERE e.n = c.n AND e.amount = c.amount)"),
            "0");
  EXPECT_EQ(db.run("SELECT count(*) FROM entry WHERE n > " + last), "0");
  std::istringstream amounts(db.run("SELECT amount FROM commits ORDER BY n"));
  long long hash = 0;
  long long amount = 0;
  for (long long before = 0; amounts >> amount; ++before) {
    hash = (hash * 31 + amount + before) % kModulus;
  }
  EXPECT_EQ(db.number("SELECT hash FROM state"), hash);
}

// Row by row: the copy is the source's history up to its number, and nothing else.
void expect_prefix_of(const TestDatabase& db, const std::string& source) {
  db.run("ATTACH '" + source + "' AS source");
  const std::string up_to = " WHERE n <= (SELECT n FROM main.state)";
  for (const std::string table : {"commits", "entry"}) {
    const std::string ours = "SELECT * FROM main." + table;
    const std::string theirs = "SELECT * FROM source." + table + up_to;
    EXPECT_EQ(db.run("SELECT count(*) FROM (" + ours + " EXCEPT " + theirs + ")"), "0") << table;
    EXPECT_EQ(db.run("SELECT count(*) FROM (" + theirs + " EXCEPT " + ours + ")"), "0") << table;
  }
  db.run("DETACH source");
}

Copy take_copy(const std::string& source, const TempDir& dir, const std::string& name,
               Compression compression, SharedMemory& shared) {
  const Folder folder = open_folder(dir.path);
  v1::SqliteCapture capture;
  capture.set_path(source);
  CueProgress progress;
  Copy copy{dir / (name + ".copy"), shared->commits, 0};
  const Result<Capture> done =
      capture_sqlite(capture, CaptureTarget{folder, name, compression, {}}, progress);
  // Each writer may have committed what it has not counted yet.
  copy.most = shared->commits + kWriters;
  EXPECT_TRUE(done.has_value()) << done.error().message;
  if (!done) return copy;
  EXPECT_EQ(done->check, "integrity_check ok, foreign_key_check ok");
  EXPECT_EQ(done->file.mode, 0600U);
  EXPECT_EQ(to_hex(done->file.sha256), sha256_by_program(dir / name));
  write_text(copy.path, content_of_stored(dir / name, compression));
  EXPECT_EQ(to_hex(done->file.content_sha256), sha256_by_program(copy.path));
  return copy;
}

// Answers how many commits a second there were.
long long capture_while_written(const std::string& journal_mode, std::chrono::milliseconds span) {
  const TempDir data(TempDir::fast_parent());
  const TempDir target(TempDir::fast_parent());
  const std::string source = data / "ledger.db";
  make_ledger(source, journal_mode);
  SharedMemory shared;
  std::vector<Copy> copies;
  Writers writers(source, shared);
  const auto begun = Clock::now();
  while (Clock::now() - begun < span || copies.size() < 2) {
    const Compression compression{copies.size() % 2 == 0 ? 0 : 1};
    copies.push_back(
        take_copy(source, target, "copy" + std::to_string(copies.size()), compression, shared));
  }
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
  const long long commits = shared->commits;
  EXPECT_EQ(writers.end(), 0) << "a writer failed";
  const bool moved = std::any_of(copies.begin(), copies.end(), [](const Copy& copy) {
    return copy.most - copy.least > kWriters;
  });
  EXPECT_TRUE(moved) << "nobody committed while a copy was taken: nothing was proven";
  for (const Copy& copy : copies) {
    SCOPED_TRACE(copy.path);
    EXPECT_EQ(output_of({"sqlite3", copy.path, "PRAGMA integrity_check"}), "ok\n");
    const TestDatabase db(copy.path);
    expect_one_state(db, copy);
    expect_prefix_of(db, source);
  }
  const long long rate = commits * 1000 / passed.count();
  std::printf("[   seen   ] %s: %lld commits a second by %d writers, %zu copies\n",
              journal_mode.c_str(), rate, kWriters, copies.size());
  testing::Test::RecordProperty("commits_per_second", std::to_string(rate));
  return rate;
}

TEST(CaptureSqliteLive, IsOneCommittedStateWhileFourWritersCommitInWalMode) {
  const std::chrono::seconds span(wants_full() ? 60 : 2);
  const long long rate = capture_while_written("WAL", span);
  if (wants_full()) {
    EXPECT_GE(rate, 1000) << "the writers were too slow for what this is to show";
  }
  EXPECT_GT(rate, 0);
}

TEST(CaptureSqliteLive, IsOneCommittedStateWhileFourWritersCommitWithARollbackJournal) {
  const std::chrono::seconds span(wants_full() ? 30 : 1);
  EXPECT_GT(capture_while_written("DELETE", span), 0);
}

}  // namespace
}  // namespace muniment
