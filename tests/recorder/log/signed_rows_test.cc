#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "recorder/log/key_codec.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store_layout.h"
#include "recorder/log/tables.h"
#include "tests/support/both_stores.h"
#include "tests/support/generator.h"
#include "tests/support/log_rows.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

template <class Implementation>
class SignedRows : public testing::Test {
 protected:
  Store& log() { return *implementation_.log; }

  void must_keep(const std::string& key, const std::string& bytes) {
    const Status kept = log().keep_signed(key, bytes);
    ASSERT_TRUE(kept) << kept.error().message;
  }

  std::uint64_t count() { return row_counts(*log().state())[slot(Table::kCheckpoint)]; }

 private:
  Implementation implementation_;
};

TYPED_TEST_SUITE(SignedRows, BothStores);

TYPED_TEST(SignedRows, AreKeptInALogWithoutEvents) {
  this->must_keep(sequence_key(0), "the empty log");
  EXPECT_EQ(*this->log().get(Table::kCheckpoint, sequence_key(0)), "the empty log");
  EXPECT_EQ(this->count(), 1U);
  EXPECT_EQ(this->log().state()->size(), 0U);
}

TYPED_TEST(SignedRows, ChangeNothingOfTheLogItself) {
  ASSERT_TRUE(this->log().append(sample_entries(0, 45), 0));
  const v1::StoreState before = *this->log().state();
  this->must_keep(sequence_key(45), "checkpoint");
  this->must_keep(sample_run_id(0), "statement");
  v1::StoreState after = *this->log().state();
  EXPECT_EQ(after.root(), before.root());
  EXPECT_EQ(after.size(), 45U);
  RowCounts counts = row_counts(after);
  counts[slot(Table::kCheckpoint)] -= 2;
  set_row_counts(after, counts);
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
  EXPECT_TRUE(this->log().append({sample_entry(45)}, 45)) << "the head is where it was";
}

TYPED_TEST(SignedRows, AreCountedOnceHoweverOftenTheyAreWritten) {
  this->must_keep(sequence_key(7), "signed by one key");
  const std::vector<LogRow> before = rows_of(this->log());
  this->must_keep(sequence_key(7), "signed by one key");
  EXPECT_EQ(rows_of(this->log()), before);
  this->must_keep(sequence_key(7), "signed by two keys");
  EXPECT_EQ(*this->log().get(Table::kCheckpoint, sequence_key(7)), "signed by two keys");
  EXPECT_EQ(this->count(), 1U);
  this->must_keep(sequence_key(8), "");
  EXPECT_EQ(**this->log().get(Table::kCheckpoint, sequence_key(8)), "");
  EXPECT_EQ(this->count(), 2U);
}

TYPED_TEST(SignedRows, HaveASizeOrARunAsTheirKey) {
  for (const std::string& key : {std::string(), std::string(7, '\0'), std::string(9, '\0'),
                                 std::string(36, 'g'), std::string("state")}) {
    const Status kept = this->log().keep_signed(key, "bytes");
    ASSERT_FALSE(kept) << to_hex(key);
    EXPECT_EQ(kept.error().code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(this->count(), 0U);
}

TYPED_TEST(SignedRows, AgreeWithTheirCountWhenManyKeepAndAppendAtOnce) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  constexpr std::uint64_t kThreads = 6;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread, seed = generator.below(1U << 30U)] {
      std::mt19937_64 engine(seed);
      for (std::uint64_t i = 0; i < 60; ++i) {
        EXPECT_TRUE(this->log().keep_signed(sequence_key(engine() % 20),
                                            "bytes " + std::to_string(engine() % 3)));
        EXPECT_TRUE(this->log().append({sample_entry(1000 * thread + i)}, std::nullopt));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<Table, std::uint64_t> found;
  for (const LogRow& row : rows_of(this->log())) ++found[row.table];
  EXPECT_EQ(this->count(), found[Table::kCheckpoint]);
  EXPECT_EQ(this->log().state()->size(), kThreads * 60);
}

// A row that was overwritten lies in the files twice until compaction has met it: the quick count
// is then too high, and the reader must look for itself before it says that something is wrong.
TEST(SignedRowsOnDisk, DoNotLookDamagedWhenOneWasOverwritten) {
  TempDir folder;
  const std::string store = folder / "store";
  ASSERT_TRUE(create_store(store, {"test/muniment", ""}));
  for (const char* bytes : {"signed by one key", "signed by two keys"}) {
    Result<std::unique_ptr<Store>> log = open_store(store, {});
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE((*log)->keep_signed(sequence_key(0), bytes));
  }
  {
    Result<std::unique_ptr<RocksRows>> rows = RocksRows::open_read_only(db_folder(store));
    ASSERT_TRUE(rows);
    ASSERT_EQ((*rows)->count_quickly(Table::kCheckpoint), 2U) << "nothing is tested here";
  }
  const Result<std::unique_ptr<LogReader>> reader = open_reader(store);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(*(*reader)->get(Table::kCheckpoint, sequence_key(0)), "signed by two keys");
  const Result<std::uint64_t> rebuilt = rebuild_store(store, {}, {});
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  Result<std::unique_ptr<Store>> again = open_store(store, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(row_counts(*(*again)->state())[slot(Table::kCheckpoint)], 1U);
}

TEST(SignedRowsOnDisk, AreSeenBesideTheWriter) {
  OnDisk disk;
  ASSERT_TRUE(disk.log->keep_signed(sequence_key(0), "first"));
  const Result<std::unique_ptr<LogReader>> reader = open_reader(disk.folder / "store");
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_TRUE(disk.log->keep_signed(sequence_key(0), "second"));
  ASSERT_TRUE(disk.log->keep_signed(sequence_key(1), "third"));
  ASSERT_TRUE((*reader)->refresh());
  EXPECT_EQ(*(*reader)->get(Table::kCheckpoint, sequence_key(0)), "second");
  EXPECT_EQ(*(*reader)->get(Table::kCheckpoint, sequence_key(1)), "third");
}

}  // namespace
}  // namespace muniment
