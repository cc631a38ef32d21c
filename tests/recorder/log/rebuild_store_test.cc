#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "recorder/log/key_codec.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "tests/support/log_rows.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

class RebuildStore : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(create_store(store_, {"test/muniment", ""}));
    Result<std::unique_ptr<Store>> log = open_store(store_, {});
    ASSERT_TRUE(log) << log.error().message;
    for (std::uint64_t i = 0; i < kEvents; i += 100) {
      std::vector<Entry> entries = sample_entries(i, 100);
      entries[7].blobs = {"blob " + std::to_string(i / 300)};
      ASSERT_TRUE((*log)->append(std::move(entries), {}));
    }
    rows_ = rows_of(**log);
  }

  std::unique_ptr<RocksRows> raw() {
    Result<std::unique_ptr<RocksRows>> rows = RocksRows::open(db_folder(store_), 0600);
    EXPECT_TRUE(rows) << rows.error().message;
    return *std::move(rows);
  }

  std::vector<LogRow> read_rows() {
    const Result<std::unique_ptr<LogReader>> reader = open_reader(store_);
    EXPECT_TRUE(reader) << reader.error().message;
    return reader ? rows_of(**reader) : std::vector<LogRow>();
  }

  static constexpr std::uint64_t kEvents = 3000;
  TempDir folder_;
  std::string store_ = folder_ / "store";
  std::vector<LogRow> rows_;
};

TEST_F(RebuildStore, MakesTheRowsThatAppendMade) {
  {
    const std::unique_ptr<RocksRows> rows = raw();
    for (const Table table : {Table::kNode, Table::kIndex, Table::kRun}) {
      ASSERT_TRUE(rows->clear(table));
    }
    BatchSink junk(*rows);
    junk.put(Table::kIndex, "junk", "junk");
    ASSERT_TRUE(rows->write(junk.batch(), true));
  }
  EXPECT_EQ(open_reader(store_).error().code, ErrorCode::kCorrupt);
  std::uint64_t told = 0;
  const Result<std::uint64_t> rebuilt =
      rebuild_store(store_, {}, [&](std::uint64_t done) { told = done; });
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  EXPECT_EQ(*rebuilt, kEvents);
  EXPECT_EQ(told, kEvents);
  EXPECT_EQ(read_rows(), rows_);
}

TEST_F(RebuildStore, FinishesAfterItWasKilledAndSaysSoBefore) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto die = [](std::uint64_t done) {
      if (done >= kEvents / 2) ::kill(::getpid(), SIGKILL);
    };
    const Result<std::uint64_t> rebuilt = rebuild_store(store_, {}, die);
    ::_exit(rebuilt ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  for (const Error& error : {open_store(store_, {}).error(), open_reader(store_).error()}) {
    EXPECT_EQ(error.code, ErrorCode::kCorrupt);
    EXPECT_NE(error.message.find("run `muniment reindex` to finish it"), std::string::npos)
        << error.message;
  }
  ASSERT_TRUE(rebuild_store(store_, {}, {}));
  EXPECT_EQ(read_rows(), rows_);
}

TEST_F(RebuildStore, DoesNotBlessEventsThatWereChanged) {
  std::vector<LogRow> changed;
  {
    const std::unique_ptr<RocksRows> rows = raw();
    BatchSink sink(*rows);
    sink.put(Table::kEvent, sequence_key(5), sample_entry(kEvents + 5).bytes);
    ASSERT_TRUE(rows->write(sink.batch(), true));
    changed = rows_of(*rows);
  }
  const Result<std::uint64_t> rebuilt = rebuild_store(store_, {}, {});
  ASSERT_FALSE(rebuilt);
  EXPECT_EQ(rebuilt.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(rebuilt.error().message.find("recorded are 3000 events with the root "),
            std::string::npos)
      << rebuilt.error().message;
  EXPECT_EQ(rows_of(*raw()), changed) << "nothing may change";
}

TEST_F(RebuildStore, DoesNotPassOverEventsThatAreGone) {
  {
    const std::unique_ptr<RocksRows> rows = raw();
    ASSERT_TRUE(rows->db().Delete({}, rows->handle(Table::kEvent), sequence_key(kEvents - 1)).ok());
  }
  EXPECT_EQ(rebuild_store(store_, {}, {}).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace muniment
