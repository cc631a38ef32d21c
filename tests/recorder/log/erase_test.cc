#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "recorder/log/queries.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store_layout.h"
#include "recorder/log/tables.h"
#include "tests/support/both_stores.h"
#include "tests/support/files_holding.h"
#include "tests/support/generator.h"
#include "tests/support/log_rows.h"
#include "tests/support/naive_tree.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

using Names = std::vector<std::string>;

std::string commitment_of(const std::string& blob) {
  return std::string(as_bytes(sha256(blob)));
}

Entry note_entry(std::uint64_t number, const std::string& blob) {
  v1::Event event = sample_event(number);
  event.mutable_note_added()->mutable_text()->set_commitment(commitment_of(blob));
  return {event.SerializeAsString(), {blob}};
}

Entry erasure(std::uint64_t number, std::uint64_t sequence, const std::string& blob) {
  v1::Event event = sample_event(number);
  v1::Erased& body = *event.mutable_erased();
  body.set_sequence(sequence);
  body.set_field("note_added.text");
  body.set_commitment(commitment_of(blob));
  body.mutable_reason()->set_commitment(commitment_of("why of " + std::to_string(number)));
  return {event.SerializeAsString(), {"why of " + std::to_string(number)}};
}

void expect_counted(const LogReader& log) {
  std::map<Table, std::uint64_t> found;
  for (const LogRow& row : rows_of(log)) ++found[row.table];
  const RowCounts counts = row_counts(*log.state());
  for (const Table table : kTables) {
    if (table == Table::kMeta) continue;
    EXPECT_EQ(counts[slot(table)], found[table]) << table_name(table);
  }
}

void expect_proven(const LogReader& log) {
  std::vector<Digest> leaves;
  EXPECT_TRUE(read_events(log, 0, [&](const StoredEvent& stored) {
    leaves.push_back(leaf_hash(stored.bytes));
    return true;
  }));
  EXPECT_EQ(log.state()->size(), leaves.size());
  EXPECT_EQ(log.state()->root(), as_bytes(naive_root(leaves, 0, leaves.size())));
}

template <class Implementation>
class Erase : public testing::Test {
 protected:
  Store& log() { return *implementation_.log; }

  std::uint64_t must_erase(Entry event, const std::string& blob) {
    const Result<std::uint64_t> erased = log().erase(std::move(event), commitment_of(blob));
    EXPECT_TRUE(erased) << erased.error().message;
    return erased ? *erased : 0;
  }

  bool has(const std::string& blob) { return read_blob(log(), commitment_of(blob))->has_value(); }

 private:
  Implementation implementation_;
};

TYPED_TEST_SUITE(Erase, BothStores);

TYPED_TEST(Erase, ForgetsTheTextAndKeepsTheEvent) {
  ASSERT_TRUE(this->log().append(sample_entries(0, 4), 0));
  const Entry note = note_entry(4, "salt and text");
  ASSERT_TRUE(this->log().append({note}, 4));
  ASSERT_TRUE(this->has("salt and text"));
  EXPECT_EQ(this->must_erase(erasure(5, 4, "salt and text"), "salt and text"), 5U);
  EXPECT_FALSE(this->has("salt and text"));
  EXPECT_TRUE(this->has("why of 5"));
  EXPECT_EQ(read_event(this->log(), 4)->bytes, note.bytes);
  EXPECT_EQ(read_event(this->log(), 5)->event.erased().sequence(), 4U);
  expect_counted(this->log());
  expect_proven(this->log());
}

TYPED_TEST(Erase, CanBeMadeAgain) {
  ASSERT_TRUE(this->log().append({note_entry(0, "salt and text")}, 0));
  const std::uint64_t first = this->must_erase(erasure(1, 0, "salt and text"), "salt and text");
  const std::vector<LogRow> before = rows_of(this->log());
  EXPECT_EQ(this->must_erase(erasure(1, 0, "salt and text"), "salt and text"), first);
  EXPECT_EQ(rows_of(this->log()), before);
}

TYPED_TEST(Erase, DeletesNothingThatItsEventDoesNotName) {
  ASSERT_TRUE(this->log().append({note_entry(0, "one"), note_entry(1, "two")}, 0));
  const std::vector<LogRow> before = rows_of(this->log());
  for (const std::string& named : {commitment_of("two"), std::string(), std::string("one")}) {
    EXPECT_EQ(this->log().erase(erasure(2, 0, "one"), named).error().code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(this->log().erase(sample_entry(2), "").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(this->log().erase({"\xff\xff", {}}, commitment_of("one")).error().code,
            ErrorCode::kInvalid);
  // An id that is taken: the event is refused, and what it would have deleted stays.
  EXPECT_EQ(this->log().erase(erasure(1, 0, "one"), commitment_of("one")).error().code,
            ErrorCode::kRefused);
  EXPECT_EQ(rows_of(this->log()), before);
}

TYPED_TEST(Erase, CountsABlobThatComesBack) {
  ASSERT_TRUE(this->log().append({note_entry(0, "text")}, 0));
  this->must_erase(erasure(1, 0, "text"), "text");
  // The event that brought it is known: a retry of it does not bring the text back.
  ASSERT_TRUE(this->log().append({note_entry(0, "text")}, std::nullopt));
  EXPECT_FALSE(this->has("text"));
  ASSERT_TRUE(this->log().append({note_entry(2, "text")}, 2));
  EXPECT_TRUE(this->has("text"));
  expect_counted(this->log());
  EXPECT_EQ(this->must_erase(erasure(1, 0, "text"), "text"), 1U);
  EXPECT_FALSE(this->has("text")) << "the event was there, the blob was there again";
  expect_counted(this->log());
}

TYPED_TEST(Erase, AgreesWithItsCountsWhenManyAppendAndEraseOneText) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kEach = 25;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread, seed = generator.below(1U << 30U)] {
      std::mt19937_64 engine(seed);
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t number = 1000 * thread + i;
        const std::string blob = "text " + std::to_string(engine() % 3);
        if (engine() % 3 == 0) {
          this->must_erase(erasure(number, 0, blob), blob);
        } else {
          EXPECT_TRUE(this->log().append({note_entry(number, blob)}, std::nullopt));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(this->log().state()->size(), kThreads * kEach);
  expect_counted(this->log());
  expect_proven(this->log());
}

// On disk: what lies in the files is what counts.
class EraseOnDisk : public testing::Test {
 protected:
  EraseOnDisk() { EXPECT_TRUE(create_store(store_, {"test/muniment", ""})); }

  std::unique_ptr<Store> open() const {
    Result<std::unique_ptr<Store>> opened = open_store(store_, {});
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }

  // The salt is what can always be found, since it cannot be compressed; the text is what matters.
  Names holding(const std::string& blob) const {
    Names names = files_holding(store_, blob.substr(0, 32));
    const Names text = files_holding(store_, blob.substr(32));
    names.insert(names.end(), text.begin(), text.end());
    return names;
  }

  void expect_reader_content() const {
    const Result<std::unique_ptr<LogReader>> reader = open_reader(store_);
    ASSERT_TRUE(reader) << reader.error().message;
    expect_counted(**reader);
    expect_proven(**reader);
  }

  TempDir folder_;
  std::string store_ = folder_ / "store";
  Generator generator_;
};

std::string random_bytes_of(Generator& generator, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(generator.below(256));
  return bytes;
}

std::string repeated(const std::string& words, std::size_t size) {
  std::string text;
  while (text.size() < size) text += words;
  return text;
}

TEST_F(EraseOnDisk, LeavesNoFileThatHoldsTheBytes) {
  SCOPED_TRACE(generator_.seed_line());
  const Names texts = {"kurz", "a remark of a usual length about anna",
                       repeated("many times the same words, ", 9000),
                       random_bytes_of(generator_, 5000), random_bytes_of(generator_, 300'000)};
  std::uint64_t number = 0;
  for (const bool in_table : {false, true}) {
    for (const std::string& text : texts) {
      const std::string blob = random_bytes_of(generator_, 32) + text;
      const std::string other = random_bytes_of(generator_, 32) + "stays";
      std::unique_ptr<Store> log = open();
      const std::uint64_t sequence = log->state()->size();
      ASSERT_TRUE(log->append({note_entry(number, blob), note_entry(number + 1, other)}, {}));
      if (in_table) {
        log.reset();
        log = open();
      }
      EXPECT_FALSE(holding(blob).empty()) << "nothing is tested here";
      ASSERT_TRUE(log->erase(erasure(number + 2, sequence, blob), commitment_of(blob)));
      EXPECT_EQ(holding(blob), Names()) << text.size() << " bytes, in a table: " << in_table;
      EXPECT_EQ(*read_blob(*log, commitment_of(other)), other);
      number += 3;
      log.reset();
      EXPECT_EQ(holding(blob), Names());
      expect_reader_content();
    }
  }
  EXPECT_EQ(*rebuild_store(store_, {}, {}), number);
  expect_reader_content();
}

TEST_F(EraseOnDisk, FindsTheBytesInWhicheverTableFileTheyAre) {
  SCOPED_TRACE(generator_.seed_line());
  Names blobs;
  for (std::uint64_t number = 0; number < 12; ++number) {
    blobs.push_back(random_bytes_of(generator_, 1000));
    ASSERT_TRUE(open()->append({note_entry(number, blobs.back())}, number));
  }
  const std::size_t chosen = generator_.below(blobs.size());
  ASSERT_FALSE(holding(blobs[chosen]).empty());
  ASSERT_TRUE(open()->erase(erasure(12, chosen, blobs[chosen]), commitment_of(blobs[chosen])));
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    EXPECT_EQ(holding(blobs[i]).empty(), i == chosen) << i;
  }
  Result<std::unique_ptr<RocksRows>> rows = RocksRows::open_read_only(db_folder(store_));
  ASSERT_TRUE(rows);
  EXPECT_EQ(*(*rows)->count_quickly(Table::kBlob), blobs.size()) << "one less, and the reason";
}

// What a process leaves that dies when its write is durable and nothing is cleaned: the same rows
// by the same path, without the rest.
void write_and_die(const std::string& store, Entry event, const std::string& blob) {
  Result<std::unique_ptr<RocksRows>> rows = RocksRows::open(db_folder(store), 0600);
  ASSERT_TRUE(rows);
  Result<AppendGroup> group = AppendGroup::resume(**rows, *(*rows)->state());
  ASSERT_TRUE(group);
  Result<PendingAppend> pending = prepare_erasure(std::move(event), commitment_of(blob));
  ASSERT_TRUE(pending);
  BatchSink sink(**rows);
  ASSERT_TRUE(group->append(*pending, sink));
  group->seal(sink);
  ASSERT_TRUE((*rows)->write(sink.batch(), true));
}

TEST_F(EraseOnDisk, IsFinishedByTheNextOneWhenItsProcessDies) {
  SCOPED_TRACE(generator_.seed_line());
  const std::string blob = random_bytes_of(generator_, 2000);
  ASSERT_TRUE(open()->append({note_entry(0, blob)}, 0));
  const Entry event = erasure(1, 0, blob);
  write_and_die(store_, event, blob);
  EXPECT_FALSE(holding(blob).empty()) << "nothing is tested here";
  expect_reader_content();
  // Again and again: then nothing is left to be written.
  for (int again = 0; again < 3; ++again) {
    EXPECT_EQ(*open()->erase(event, commitment_of(blob)), 1U);
    EXPECT_EQ(holding(blob), Names());
    expect_reader_content();
  }
}

TEST_F(EraseOnDisk, IsWholeOrNotThereWheneverItsProcessIsKilled) {
  SCOPED_TRACE(generator_.seed_line());
  const int rounds = std::getenv("MUNIMENT_FULL") != nullptr ? 60 : 8;
  for (int round = 0; round < rounds; ++round) {
    const std::string blob = random_bytes_of(generator_, 3000);
    const std::uint64_t size = open()->state()->size();
    ASSERT_TRUE(open()->append({note_entry(size, blob)}, size));
    const Entry event = erasure(size + 1, size, blob);
    const pid_t eraser = ::fork();
    if (eraser == 0) {
      Result<std::unique_ptr<Store>> log = open_store(store_, {});
      if (log) static_cast<void>((*log)->erase(event, commitment_of(blob)));
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(generator_.below(150'000)));
    ::kill(eraser, SIGKILL);
    ::waitpid(eraser, nullptr, 0);
    {
      const std::unique_ptr<Store> log = open();
      ASSERT_NE(log, nullptr);
      EXPECT_EQ(read_blob(*log, commitment_of(blob))->has_value(), log->state()->size() == size + 1)
          << "the event without the deletion, or the deletion without the event";
      EXPECT_EQ(*log->erase(event, commitment_of(blob)), size + 1);
    }
    EXPECT_EQ(holding(blob), Names());
    expect_reader_content();
  }
}

TEST_F(EraseOnDisk, GoesOnBesideAReaderThatSawTheText) {
  const std::string blob = random_bytes_of(generator_, 3000);
  const std::unique_ptr<Store> log = open();
  ASSERT_TRUE(log->append({note_entry(0, blob)}, 0));
  const Result<std::unique_ptr<LogReader>> reader = open_reader(store_);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(*read_blob(**reader, commitment_of(blob)), blob);
  ASSERT_TRUE(log->erase(erasure(1, 0, blob), commitment_of(blob)));
  EXPECT_EQ(holding(blob), Names());
  const Status moved = (*reader)->refresh();
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_FALSE(read_blob(**reader, commitment_of(blob))->has_value());
  expect_counted(**reader);
}

TEST_F(EraseOnDisk, DoesNotClaimToBeDoneWhileAScanHoldsTheFile) {
  if (std::getenv("MUNIMENT_FULL") == nullptr) GTEST_SKIP() << "waits ten seconds; MUNIMENT_FULL";
  const std::string blob = random_bytes_of(generator_, 3000);
  ASSERT_TRUE(open()->append({note_entry(0, blob)}, 0));
  const std::unique_ptr<Store> log = open();
  Result<std::uint64_t> erased = 0;
  ASSERT_TRUE(log->scan(Table::kBlob, "", Direction::kForward, [&](auto, auto) {
    erased = log->erase(erasure(1, 0, blob), commitment_of(blob));
    EXPECT_FALSE(holding(blob).empty());
    return false;
  }));
  ASSERT_FALSE(erased);
  EXPECT_EQ(erased.error().code, ErrorCode::kIo);
  EXPECT_NE(erased.error().message.find("still in use"), std::string::npos);
  EXPECT_EQ(*log->erase(erasure(1, 0, blob), commitment_of(blob)), 1U);
  EXPECT_EQ(holding(blob), Names());
}

}  // namespace
}  // namespace muniment
