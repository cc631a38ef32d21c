// One suite for every implementation of the two ports.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <thread>

#include "recorder/core/run_state.h"
#include "recorder/log/queries.h"
#include "recorder/log/tables.h"
#include "tests/support/both_stores.h"
#include "tests/support/generator.h"
#include "tests/support/log_rows.h"
#include "tests/support/naive_tree.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

template <class Implementation>
class LogContract : public testing::Test {
 protected:
  Store& log() { return *implementation_.log; }

  Appended must_append(std::vector<Entry> entries) {
    Result<Appended> appended = log().append(std::move(entries), std::nullopt);
    EXPECT_TRUE(appended) << appended.error().message;
    return appended ? *appended : Appended{};
  }

  ErrorCode refusal(std::vector<Entry> entries, std::optional<std::uint64_t> head = {}) {
    const std::vector<LogRow> before = rows_of(log());
    const Result<Appended> appended = log().append(std::move(entries), head);
    EXPECT_FALSE(appended);
    EXPECT_EQ(rows_of(log()), before) << "a refused append left something behind";
    return appended ? ErrorCode::kIo : appended.error().code;
  }

 private:
  Implementation implementation_;
};

TYPED_TEST_SUITE(LogContract, BothStores);

TYPED_TEST(LogContract, IsEmptyAtFirst) {
  const Result<v1::StoreState> state = this->log().state();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->size(), 0U);
  EXPECT_EQ(state->origin(), "test/muniment");
  EXPECT_EQ(state->root(), as_bytes(sha256("")));
  EXPECT_EQ(read_event(this->log(), 0).error().code, ErrorCode::kNotFound);
}

TYPED_TEST(LogContract, KeepsTheBytesInTheOrderOfAppends) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const Appended appended = this->must_append({sample_entry(i)});
    ASSERT_EQ(appended.sequences, std::vector{i});
    ASSERT_EQ(appended.size, i + 1);
  }
  std::uint64_t next = 0;
  ASSERT_TRUE(read_events(this->log(), 0, [&](const StoredEvent& stored) {
    EXPECT_EQ(stored.sequence, next);
    EXPECT_EQ(stored.bytes, sample_entry(next).bytes);
    ++next;
    return true;
  }));
  EXPECT_EQ(next, 50U);
}

TYPED_TEST(LogContract, GivesARepeatedEventItsFirstSequence) {
  this->must_append(sample_entries(0, 10));
  const std::vector<LogRow> before = rows_of(this->log());
  EXPECT_EQ(this->must_append({sample_entry(4)}).sequences, std::vector<std::uint64_t>{4});
  EXPECT_EQ(rows_of(this->log()), before);
}

TYPED_TEST(LogContract, AppendsOnlyWhatIsNewInAnAppendThatRepeatsInPart) {
  this->must_append(sample_entries(0, 3));
  const Appended appended = this->must_append({sample_entry(7), sample_entry(1), sample_entry(8)});
  EXPECT_EQ(appended.sequences, (std::vector<std::uint64_t>{3, 1, 4}));
  EXPECT_EQ(appended.size, 5U);
}

TYPED_TEST(LogContract, RefusesAnIdWithOtherBytes) {
  this->must_append(sample_entries(0, 3));
  v1::Event other = sample_event(1);
  other.set_module("other");
  EXPECT_EQ(this->refusal({sample_entry(9), {other.SerializeAsString(), {}}}), ErrorCode::kRefused);
}

TYPED_TEST(LogContract, RefusesAnotherHeadThanTheExpectedOne) {
  this->must_append(sample_entries(0, 3));
  EXPECT_EQ(this->refusal({sample_entry(3)}, 2), ErrorCode::kRefused);
  EXPECT_EQ(this->refusal({sample_entry(3)}, 4), ErrorCode::kRefused);
  EXPECT_TRUE(this->log().append({sample_entry(3)}, 3));
  EXPECT_TRUE(this->log().append({sample_entry(3)}, 3)) << "a retry gets its answer";
}

TYPED_TEST(LogContract, RefusesWhatDoesNotParseBack) {
  EXPECT_EQ(this->refusal({{"\xff\xff\xff", {}}}), ErrorCode::kInvalid);
  v1::Event event = sample_event(1);
  std::string bytes = event.SerializeAsString();
  bytes.replace(bytes.find("rs2000"), 1, "\xff");
  EXPECT_EQ(this->refusal({sample_entry(2), {bytes, {}}}), ErrorCode::kInvalid);
}

TYPED_TEST(LogContract, RefusesIdsThatAreNoUuids) {
  for (const char* id :
       {"", "x", "019000000000-0000-7001-8000-00000000000", "../../etc/passwd",
        "01900000-0000-7001-8000-00000000000G", "01900000-0000-7001-8000-00000000000A"}) {
    v1::Event event = sample_event(1);
    event.set_event_id(id);
    EXPECT_EQ(this->refusal({{event.SerializeAsString(), {}}}), ErrorCode::kInvalid) << id;
    if (*id == '\0') continue;
    event = sample_event(1);
    event.set_run_id(id);
    EXPECT_EQ(this->refusal({{event.SerializeAsString(), {}}}), ErrorCode::kInvalid) << id;
    event = sample_event(1);
    event.set_about_run(id);
    EXPECT_EQ(this->refusal({{event.SerializeAsString(), {}}}), ErrorCode::kInvalid) << id;
  }
}

TYPED_TEST(LogContract, RefusesTwoEntriesWithOneId) {
  EXPECT_EQ(this->refusal({sample_entry(1), sample_entry(2), sample_entry(1)}),
            ErrorCode::kInvalid);
}

TYPED_TEST(LogContract, TakesTheLargestLeafAndNoLarger) {
  v1::Event event = sample_event(0);
  std::string& purpose = *event.mutable_run_started()->mutable_purpose();
  while (event.ByteSizeLong() != kMaxEventBytes) {
    const std::size_t size = event.ByteSizeLong();
    if (size < kMaxEventBytes) {
      purpose.append(std::max<std::size_t>(1, (kMaxEventBytes - size) / 2), 'x');
    } else {
      purpose.pop_back();
    }
  }
  this->must_append({{event.SerializeAsString(), {}}});
  event.set_event_id(sample_event_id(1));
  purpose += 'x';
  EXPECT_EQ(this->refusal({{event.SerializeAsString(), {}}}), ErrorCode::kInvalid);
}

TYPED_TEST(LogContract, ScansFromAKeyInBothDirections) {
  this->must_append(sample_entries(0, 20));
  const auto keys = [&](std::string_view from, Direction direction) {
    std::vector<std::uint64_t> found;
    EXPECT_TRUE(this->log().scan(Table::kEvent, from, direction, [&](std::string_view key, auto) {
      found.push_back(decode_sequence(key));
      return found.size() < 3;
    }));
    return found;
  };
  using Sequences = std::vector<std::uint64_t>;
  EXPECT_EQ(keys("", Direction::kForward), (Sequences{0, 1, 2}));
  EXPECT_EQ(keys(sequence_key(18), Direction::kForward), (Sequences{18, 19}));
  EXPECT_EQ(keys(sequence_key(20), Direction::kForward), Sequences());
  EXPECT_EQ(keys("", Direction::kBackward), (Sequences{19, 18, 17}));
  EXPECT_EQ(keys(sequence_key(1), Direction::kBackward), (Sequences{1, 0}));
  EXPECT_EQ(keys(sequence_key(99), Direction::kBackward), (Sequences{19, 18, 17}));
}

TYPED_TEST(LogContract, StoresABlobOnce) {
  Entry first = sample_entry(0);
  first.blobs = {"manifest", "manifest", "listing"};
  Entry second = sample_entry(1);
  second.blobs = {"listing", "other"};
  this->must_append({first, second});
  Entry third = sample_entry(2);
  third.blobs = {"manifest"};
  this->must_append({third});
  EXPECT_EQ(row_counts(*this->log().state())[slot(Table::kBlob)], 3U);
  for (const char* text : {"manifest", "listing", "other"}) {
    EXPECT_EQ(*read_blob(this->log(), as_bytes(sha256(text))), text);
  }
  EXPECT_FALSE(read_blob(this->log(), as_bytes(sha256("absent")))->has_value());
}

TYPED_TEST(LogContract, CountsTheRowsOfEveryTable) {
  this->must_append(sample_entries(0, 500));
  std::map<Table, std::uint64_t> found;
  for (const LogRow& row : rows_of(this->log())) ++found[row.table];
  const RowCounts counts = row_counts(*this->log().state());
  for (const Table table : kTables) {
    if (table == Table::kMeta) continue;
    EXPECT_EQ(counts[slot(table)], found[table]) << table_name(table);
  }
}

TYPED_TEST(LogContract, FindsEventsByIdRunModuleAndType) {
  this->must_append(sample_entries(0, 200));
  EXPECT_EQ(*find_event(this->log(), sample_event_id(77)), 77U);
  EXPECT_FALSE(find_event(this->log(), sample_event_id(200))->has_value());
  const auto by = [&](IndexTag tag, std::string_view value, auto&& belongs) {
    std::vector<std::uint64_t> expected;
    for (std::uint64_t i = 0; i < 200; ++i) {
      if (belongs(sample_event(i))) expected.push_back(i);
    }
    std::vector<std::uint64_t> found;
    const auto collect = [&](const StoredEvent& stored) {
      found.push_back(stored.sequence);
      return true;
    };
    EXPECT_TRUE(read_indexed(this->log(), tag, value, 0, Direction::kForward, collect));
    EXPECT_EQ(found, expected);
    found.clear();
    EXPECT_TRUE(read_indexed(this->log(), tag, value, 199, Direction::kBackward, collect));
    std::ranges::reverse(found);
    EXPECT_EQ(found, expected);
  };
  const std::string run = sample_run_id(90);
  by(IndexTag::kByRun, run,
     [&](const v1::Event& event) { return event.run_id() == run || event.about_run() == run; });
  by(IndexTag::kByModule, "forgejo", [](const v1::Event& e) { return e.module() == "forgejo"; });
  by(IndexTag::kByType, type_value(v1::Event::kStepStarted),
     [](const v1::Event& event) { return event.has_step_started(); });
  by(IndexTag::kByStart, "", [](const v1::Event& event) { return event.has_run_started(); });
}

TYPED_TEST(LogContract, FoldsARunFromItsSnapshotAndTheTail) {
  std::map<std::string, v1::RunState> expected;
  for (std::uint64_t i = 0; i < 333; ++i) {
    this->must_append({sample_entry(i)});
    const v1::Event event = sample_event(i);
    for (const std::string& run : {event.run_id(), event.about_run()}) {
      if (!run.empty()) expected[run] = evolve(expected[run], event, i);
    }
    const Result<v1::RunState> state = run_state(this->log(), event.run_id());
    ASSERT_TRUE(state) << state.error().message;
    ASSERT_EQ(state->SerializeAsString(), expected[event.run_id()].SerializeAsString());
  }
  for (const auto& [run, state] : expected) {
    EXPECT_EQ(run_state(this->log(), run)->SerializeAsString(), state.SerializeAsString());
  }
  EXPECT_EQ(run_state(this->log(), sample_uuid(1, 9)).error().code, ErrorCode::kNotFound);
}

TYPED_TEST(LogContract, KnowsNoRunThatOthersOnlySpokeOf) {
  v1::Event note = sample_event(4);
  note.set_about_run(sample_uuid(5, 9));
  this->must_append({{note.SerializeAsString(), {}}});
  EXPECT_EQ(run_state(this->log(), note.about_run()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(run_state(this->log(), note.run_id()).error().code, ErrorCode::kNotFound);
}

TYPED_TEST(LogContract, ListsRunsNewestFirst) {
  this->must_append(sample_entries(0, 4 * kEventsPerRun));
  std::vector<std::string> runs;
  ASSERT_TRUE(list_runs(this->log(), 3 * kEventsPerRun, [&](std::string_view run, std::uint64_t) {
    runs.emplace_back(run);
    return true;
  }));
  EXPECT_EQ(runs, (std::vector{sample_run_id(2 * kEventsPerRun), sample_run_id(kEventsPerRun),
                               sample_run_id(0)}));
}

// What each appender was told, by event number.
using Told = std::map<std::uint64_t, std::uint64_t>;

void append_shuffled(Store& log, std::size_t appender, std::size_t seed, Told& told) {
  constexpr std::size_t kEach = 200;
  std::mt19937_64 engine(seed);
  for (std::size_t done = 0; done < kEach;) {
    const std::size_t count = std::min<std::size_t>(1 + engine() % 4, kEach - done);
    // Half of the numbers are shared by all appenders, so that the same events meet in one group.
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t number = done + i;
      numbers.push_back(number % 2 == 0 ? number : number + 1000 * (appender + 1));
    }
    std::vector<Entry> entries;
    for (const std::uint64_t number : numbers) entries.push_back(sample_entry(number));
    Entry conflict = sample_entry(numbers.front());
    const Result<Appended> appended = log.append(std::move(entries), std::nullopt);
    ASSERT_TRUE(appended) << appended.error().message;
    for (std::size_t i = 0; i < count; ++i) told[numbers[i]] = appended->sequences[i];
    v1::Event other = sample_event(numbers.front());
    other.set_module("other");
    conflict.bytes = other.SerializeAsString();
    if (engine() % 8 == 0) {
      EXPECT_FALSE(log.append({conflict}, std::nullopt));
    }
    done += count;
  }
}

TYPED_TEST(LogContract, GivesConcurrentAppendersOneDenseOrder) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  constexpr std::size_t kAppenders = 8;
  std::vector<Told> told(kAppenders);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kAppenders; ++i) {
    threads.emplace_back(append_shuffled, std::ref(this->log()), i, generator.below(1U << 30U),
                         std::ref(told[i]));
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<Digest> leaves;
  std::map<std::string, std::uint64_t> by_bytes;
  ASSERT_TRUE(read_events(this->log(), 0, [&](const StoredEvent& stored) {
    EXPECT_TRUE(by_bytes.emplace(stored.bytes, stored.sequence).second) << "an event twice";
    leaves.push_back(leaf_hash(stored.bytes));
    return true;
  }));
  const Result<v1::StoreState> state = this->log().state();
  EXPECT_EQ(state->size(), 100U + kAppenders * 100U);
  EXPECT_EQ(leaves.size(), state->size());
  EXPECT_EQ(state->root(), as_bytes(naive_root(leaves, 0, leaves.size())));
  for (const Told& one : told) {
    for (const auto& [number, sequence] : one) {
      EXPECT_EQ(by_bytes.at(sample_entry(number).bytes), sequence);
    }
  }
}

TYPED_TEST(LogContract, KeepsTheEntriesOfOneAppendTogether) {
  constexpr std::uint64_t kAppends = 60;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (std::uint64_t i = 0; i < kAppends; ++i) {
        const Appended appended = this->must_append(sample_entries(100'000 * thread + 3 * i, 3));
        ASSERT_EQ(appended.sequences[1], appended.sequences[0] + 1);
        ASSERT_EQ(appended.sequences[2], appended.sequences[0] + 2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(this->log().state()->size(), 4 * kAppends * 3);
}

}  // namespace
}  // namespace muniment
