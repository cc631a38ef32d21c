#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "recorder/log/merkle.h"
#include "recorder/log/queries.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "tests/support/log_rows.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class OpenReader : public testing::Test {
 protected:
  void SetUp() override {
    const Status created = create_store(store_, {"test/muniment", ""});
    ASSERT_TRUE(created) << created.error().message;
  }

  std::unique_ptr<Store> writer() {
    Result<std::unique_ptr<Store>> opened = open_store(store_, {});
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }

  std::unique_ptr<LogReader> reader() {
    Result<std::unique_ptr<LogReader>> opened = open_reader(store_);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }

  void fill(std::uint64_t count) {
    const std::unique_ptr<Store> log = writer();
    ASSERT_TRUE(log->append(sample_entries(0, count), {}));
  }

  TempDir folder_;
  std::string store_ = folder_ / "store";
};

TEST_F(OpenReader, SeesTheRowsOfTheWriterWithAndWithoutOne) {
  fill(300);
  std::unique_ptr<Store> log = writer();
  ASSERT_TRUE(log->append(sample_entries(300, 30), {}));
  const std::vector<LogRow> rows = rows_of(*log);
  EXPECT_EQ(rows_of(*reader()), rows);
  log.reset();
  EXPECT_EQ(rows_of(*reader()), rows);
}

TEST_F(OpenReader, MovesOnlyWhenItIsRefreshed) {
  fill(10);
  const std::unique_ptr<LogReader> before = reader();
  std::unique_ptr<Store> log = writer();
  const std::unique_ptr<LogReader> beside = reader();
  ASSERT_TRUE(log->append(sample_entries(10, 5), {}));
  for (LogReader* each : {before.get(), beside.get()}) {
    EXPECT_EQ(each->state()->size(), 10U);
    EXPECT_FALSE(*each->get(Table::kEvent, sequence_key(10)));
    ASSERT_TRUE(each->refresh());
    EXPECT_EQ(each->state()->size(), 15U);
    EXPECT_EQ(*each->get(Table::kEvent, sequence_key(14)), sample_entry(14).bytes);
  }
  log.reset();
  log = writer();
  ASSERT_TRUE(log->append(sample_entries(15, 2000), {}));
  log.reset();
  for (LogReader* each : {before.get(), beside.get()}) {
    ASSERT_TRUE(each->refresh());
    EXPECT_EQ(each->state()->size(), 2015U);
  }
}

// Writes through many flushes and compactions while a reader looks.
TEST_F(OpenReader, SeesAGrowingConsistentPrefixBesideABusyWriter) {
  constexpr std::uint64_t kEvents = 20'000;
  std::unique_ptr<Store> log = writer();
  std::atomic<bool> done = false;
  std::thread writing([&] {
    for (std::uint64_t i = 0; i < kEvents; i += 20) {
      const Result<Appended> appended = log->append(sample_entries(i, 20), i);
      EXPECT_TRUE(appended) << appended.error().message;
      if (!appended) break;
    }
    done = true;
  });
  std::unique_ptr<LogReader> following = reader();
  std::uint64_t seen = 0;
  int rounds = 0;
  for (bool last = false; !last && following != nullptr; ++rounds) {
    last = done;
    const Status refreshed = following->refresh();
    EXPECT_TRUE(refreshed) << refreshed.error().message;
    const Result<std::unique_ptr<LogReader>> fresh = open_reader(store_);
    EXPECT_TRUE(fresh) << fresh.error().message;
    const Result<v1::StoreState> state = following->state();
    EXPECT_GE(state->size(), seen);
    seen = state->size();
    CompactRange tree;
    EXPECT_TRUE(read_events(*following, 0, [&](const StoredEvent& stored) {
      tree.append(leaf_hash(stored.bytes), [](auto, auto, const Digest&) {});
      return true;
    }));
    EXPECT_EQ(tree.size(), state->size());
    EXPECT_EQ(as_bytes(tree.root()), state->root());
  }
  writing.join();
  EXPECT_EQ(seen, kEvents);
  EXPECT_GT(rounds, 2);
}

TEST_F(OpenReader, SeesThatATableFileIsGone) {
  fill(3000);
  std::vector<fs::path> tables;
  for (const auto& entry : fs::directory_iterator(db_folder(store_))) {
    if (entry.path().extension() == ".sst") tables.push_back(entry.path());
  }
  ASSERT_FALSE(tables.empty());
  for (const fs::path& table : tables) {
    fs::rename(table, folder_ / "away");
    const Result<std::unique_ptr<LogReader>> opened = open_reader(store_);
    ASSERT_FALSE(opened) << table;
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << opened.error().message;
    EXPECT_NE(opened.error().message.find("muniment verify"), std::string::npos);
    EXPECT_EQ(open_store(store_, {}).error().code, ErrorCode::kCorrupt);
    fs::rename(folder_ / "away", table);
  }
  EXPECT_NE(reader(), nullptr);
}

TEST_F(OpenReader, SeesThatRowsAreGone) {
  fill(100);
  for (const Table table : {Table::kEvent, Table::kNode, Table::kIndex}) {
    std::string key;
    std::string value;
    {
      Result<std::unique_ptr<RocksRows>> rows = RocksRows::open(db_folder(store_), 0600);
      ASSERT_TRUE((*rows)->scan(table, "", Direction::kForward, [&](auto found, auto bytes) {
        key = found;
        value = bytes;
        return false;
      }));
      ASSERT_TRUE((*rows)->db().Delete({}, (*rows)->handle(table), key).ok());
    }
    const Result<std::unique_ptr<LogReader>> opened = open_reader(store_);
    ASSERT_FALSE(opened) << table_name(table);
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(opened.error().message.find("table " + std::string(table_name(table)) + " has "),
              std::string::npos)
        << opened.error().message;
    Result<std::unique_ptr<RocksRows>> rows = RocksRows::open(db_folder(store_), 0600);
    ASSERT_TRUE((*rows)->db().Put({}, (*rows)->handle(table), key, value).ok());
  }
}

std::vector<std::string> files_of(const std::string& store) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    files.push_back(entry.path().string() + " " +
                    std::to_string(entry.last_write_time().time_since_epoch().count()));
  }
  std::ranges::sort(files);
  return files;
}

// Reads as a user who may read and not write; the child answers through its exit status.
bool reads_as_stranger(const std::string& store, std::uint64_t expected, gid_t group) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65'534;
    if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(kNobody) != 0) ::_exit(9);
    const Result<std::unique_ptr<LogReader>> opened = open_reader(store);
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().message.c_str());
      ::_exit(1);
    }
    ::_exit((*opened)->state()->size() == expected ? 0 : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(OpenReader, ReadsForAGroupThatMayNotWriteAndLeavesNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  TempDir folder;
  ASSERT_EQ(::chmod(folder.path.c_str(), 0755), 0);
  const std::string store = folder / "store";
  ASSERT_TRUE(create_store(store, {"o", "daemon"}));
  struct stat found{};
  ASSERT_EQ(::stat(store.c_str(), &found), 0);
  {
    Result<std::unique_ptr<Store>> log = open_store(store, {});
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE((*log)->append(sample_entries(0, 50), {}));
    const std::vector<std::string> before = files_of(store);
    EXPECT_TRUE(reads_as_stranger(store, 50, found.st_gid)) << "beside a writer";
    EXPECT_EQ(files_of(store), before);
  }
  const std::vector<std::string> before = files_of(store);
  EXPECT_TRUE(reads_as_stranger(store, 50, found.st_gid)) << "without a writer";
  EXPECT_EQ(files_of(store), before);
  EXPECT_FALSE(reads_as_stranger(store, 50, found.st_gid + 1)) << "another group";
}

}  // namespace
}  // namespace muniment
