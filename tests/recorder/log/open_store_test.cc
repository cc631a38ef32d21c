#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "recorder/log/key_codec.h"
#include "recorder/log/queries.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "tests/support/generator.h"
#include "tests/support/log_rows.h"
#include "tests/support/naive_tree.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
}

std::unique_ptr<Store> must_open(const std::string& folder) {
  Result<std::unique_ptr<Store>> opened = open_store(folder, {});
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

void must_create(const std::string& folder) {
  const Status created = create_store(folder, {"test/muniment", ""});
  ASSERT_TRUE(created) << created.error().message;
}

TEST(OpenStore, FindsEveryRowAgainAfterReopening) {
  TempDir folder;
  const std::string store = folder / "store";
  must_create(store);
  std::vector<LogRow> before;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const std::unique_ptr<Store> log = must_open(store);
    if (round > 0) {
      EXPECT_EQ(rows_of(*log), before);
    }
    ASSERT_TRUE(log->append(sample_entries(round * 100, 100), round * 100));
    before = rows_of(*log);
  }
}

TEST(OpenStore, NamesWhatIsMissing) {
  TempDir folder;
  const Result<std::unique_ptr<Store>> opened = open_store(folder / "absent", {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_NE(opened.error().message.find("muniment init"), std::string::npos);
}

TEST(OpenStore, LetsOneWriterIn) {
  TempDir folder;
  must_create(folder / "store");
  const std::unique_ptr<Store> log = must_open(folder / "store");
  const Result<std::unique_ptr<Store>> second = open_store(folder / "store", {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
}

TEST(OpenStore, RefusesANewerFormat) {
  TempDir folder;
  const std::string store = folder / "store";
  must_create(store);
  {
    Result<std::unique_ptr<RocksRows>> rows = RocksRows::open(db_folder(store), 0600);
    ASSERT_TRUE(rows);
    v1::StoreState state = *(*rows)->state();
    state.set_format_version(kStoreFormat + 1);
    BatchSink sink(**rows);
    sink.put(Table::kMeta, kStateKey, state.SerializeAsString());
    ASSERT_TRUE((*rows)->write(sink.batch(), true));
    // A newer format may have tables that this program has never heard of.
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    ASSERT_TRUE((*rows)->db().CreateColumnFamily({}, "later", &handle).ok());
    ASSERT_TRUE((*rows)->db().DestroyColumnFamilyHandle(handle).ok());
  }
  for (const Error& error : {open_store(store, {}).error(), open_reader(store).error(),
                             rebuild_store(store, {}, {}).error()}) {
    EXPECT_EQ(error.code, ErrorCode::kInvalid);
    EXPECT_NE(error.message.find("has format 2, this program reads up to 1"), std::string::npos)
        << error.message;
  }
}

// Kills a process that appends, at a moment that the parent draws, and looks whether all that was
// acknowledged is there.
class Appender {
 public:
  explicit Appender(const std::string& store, std::uint64_t first) {
    EXPECT_EQ(::pipe(pipe_.data()), 0);
    pid_ = ::fork();
    if (pid_ != 0) {
      ::close(pipe_[1]);
      return;
    }
    Result<std::unique_ptr<Store>> log = open_store(store, {});
    for (std::uint64_t number = first; log; number += 3) {
      const Result<Appended> appended = (*log)->append(sample_entries(number, 3), number);
      if (!appended) break;
      const std::uint64_t size = appended->size;
      if (::write(pipe_[1], &size, sizeof size) != sizeof size) break;
    }
    ::_exit(1);
  }

  // The size of the log after the last append that was acknowledged; at least `count` were.
  std::uint64_t kill_after(std::size_t count) {
    std::uint64_t size = 0;
    while (count-- > 0 && ::read(pipe_[0], &size, sizeof size) == sizeof size) {
    }
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the appender ended by itself";
    while (::read(pipe_[0], &size, sizeof size) == sizeof size) {
    }
    ::close(pipe_[0]);
    return size;
  }

 private:
  std::array<int, 2> pipe_{};
  pid_t pid_ = -1;
};

void expect_whole(const LogReader& log, std::uint64_t acknowledged) {
  std::vector<Digest> leaves;
  ASSERT_TRUE(read_events(log, 0, [&](const StoredEvent& stored) {
    EXPECT_EQ(stored.bytes, sample_entry(stored.sequence).bytes);
    leaves.push_back(leaf_hash(stored.bytes));
    return true;
  }));
  const Result<v1::StoreState> state = log.state();
  ASSERT_TRUE(state);
  EXPECT_GE(state->size(), acknowledged);
  EXPECT_LE(state->size(), acknowledged + 3) << "more than the append under way";
  EXPECT_EQ(state->size() % 3, 0U) << "half an append";
  EXPECT_EQ(state->size(), leaves.size());
  EXPECT_EQ(state->root(), as_bytes(naive_root(leaves, 0, leaves.size())));
}

TEST(OpenStore, KeepsWhatWasAcknowledgedWhenItsWriterIsKilled) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  TempDir folder;
  const std::string store = folder / "store";
  must_create(store);
  const int rounds = std::getenv("MUNIMENT_FULL") != nullptr ? 200 : 20;
  std::uint64_t size = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t acknowledged = Appender(store, size).kill_after(generator.between(1, 120));
    {
      const Result<std::unique_ptr<LogReader>> reader = open_reader(store);
      ASSERT_TRUE(reader) << reader.error().message;
      expect_whole(**reader, acknowledged);
    }
    const std::unique_ptr<Store> log = must_open(store);
    ASSERT_NE(log, nullptr);
    expect_whole(*log, acknowledged);
    size = log->state()->size();
  }
}

TEST(CreateStore, KeepsEveryFilePrivateWhateverTheUmask) {
  for (const mode_t umask_now : {0U, 022U, 077U, 0777U}) {
    TempDir folder;
    const std::string store = folder / "store";
    const mode_t old = ::umask(umask_now);
    must_create(store);
    {
      const std::unique_ptr<Store> log = must_open(store);
      ASSERT_NE(log, nullptr);
      ASSERT_TRUE(log->append(sample_entries(0, 200), {}));
    }
    ::umask(old);
    EXPECT_EQ(mode_of(store), 0700U);
    EXPECT_EQ(mode_of(store + "/inbox"), 0700U);
    EXPECT_EQ(mode_of(store + "/lock"), 0600U);
    EXPECT_EQ(mode_of(store + "/db"), 0700U);
    for (const auto& entry : fs::directory_iterator(store + "/db")) {
      EXPECT_EQ(mode_of(entry.path()), 0600U) << entry.path();
    }
  }
}

TEST(CreateStore, LetsAGroupReadAndNobodyElse) {
  TempDir folder;
  const std::string store = folder / "store";
  const mode_t old = ::umask(0);
  const Status created = create_store(store, {"o", "root"});
  ::umask(old);
  if (!created)
    GTEST_SKIP() << "not a member of a group to give it to: " << created.error().message;
  {
    const std::unique_ptr<Store> log = must_open(store);
    ASSERT_TRUE(log->append(sample_entries(0, 200), {}));
  }
  EXPECT_EQ(mode_of(store), 02750U);
  EXPECT_EQ(mode_of(store + "/inbox"), 0700U);
  EXPECT_EQ(mode_of(store + "/lock"), 0640U);
  EXPECT_EQ(mode_of(store + "/db"), 02750U);
  for (const auto& entry : fs::directory_iterator(store + "/db")) {
    EXPECT_EQ(mode_of(entry.path()), 0640U) << entry.path();
  }
}

TEST(CreateStore, RefusesAGroupThatIsNotThere) {
  TempDir folder;
  const Status created = create_store(folder / "store", {"o", "no-such-group-here"});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kInvalid);
  EXPECT_FALSE(fs::exists(folder / "store"));
}

TEST(CreateStore, UsesAnEmptyFolderAndRefusesAForeignOne) {
  TempDir folder;
  const std::string store = folder / "store";
  EXPECT_EQ(probe_store(store), StoreKind::kAbsent);
  fs::create_directory(store);
  EXPECT_EQ(probe_store(store), StoreKind::kAbsent);
  std::ofstream(store + "/letters.txt") << "mine";
  EXPECT_EQ(probe_store(store), StoreKind::kForeign);
  const Status refused = create_store(store, {"o", ""});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_NE(refused.error().message.find("letters.txt"), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(store), {}), 1);
  fs::remove(store + "/letters.txt");
  must_create(store);
  EXPECT_EQ(probe_store(store), StoreKind::kPresent);
  EXPECT_EQ(create_store(store, {"o", ""}).error().code, ErrorCode::kRefused);
}

TEST(CreateStore, FinishesWhatAnotherLeftHalfMade) {
  TempDir folder;
  const std::string store = folder / "store";
  fs::create_directories(creating_folder(store));
  std::ofstream(store + "/lock") << "";
  std::ofstream(creating_folder(store) + "/CURRENT") << "half a name";
  EXPECT_EQ(probe_store(store), StoreKind::kAbsent);
  const Result<std::unique_ptr<Store>> opened = open_store(store, {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("was interrupted; run `muniment init`"), std::string::npos);
  must_create(store);
  EXPECT_TRUE(must_open(store)->append(sample_entries(0, 3), 0));
}

}  // namespace
}  // namespace muniment
