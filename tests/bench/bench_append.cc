// How fast durable appends are, as a ratio to what the same machine gives others in the same run:
//   rocksdb: raw RocksDB with the log's settings and its rows, one synced batch for each event, all
//            made before the clock starts; RocksDB groups what many threads write
//   treeless: the same without the rows of the tree's nodes
//   default: the same batches into a database with RocksDB's own settings (no bound on the WAL)
//   sqlite:  SQLite (WAL, synchronous FULL) inserting the same bytes, one row in one table
//
//   muniment_bench_append FOLDER [ROUNDS = 9] [SECONDS = 1.0]      (cut into shorter turns)
//
// FOLDER must be on a real disk. Contestants take turns, so that a slow minute hits all of them, in
// an order that turns; a ratio is that of one round, and what is printed of it is the median.
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/log/append_group.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/rocks_options.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store.h"
#include "tests/bench/measure.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

using Clock = std::chrono::steady_clock;

// Appends one event that nobody appended before; called from many threads.
struct Contestant {
  virtual ~Contestant() = default;
  // Makes that many events ready; not timed.
  virtual void prepare(std::size_t count) = 0;
  virtual void append(std::size_t index) = 0;
};

class Ours : public Contestant {
 public:
  explicit Ours(const std::string& folder) {
    check(create_store(folder, {"bench/muniment", ""}).has_value(), "a store is created");
    log_ = *open_store(folder, {});
  }
  void prepare(std::size_t count) override {
    entries_ = sample_entries(next_, count);
    next_ += count;
  }
  void append(std::size_t index) override {
    std::vector<Entry> one;
    one.push_back(std::move(entries_[index]));
    check(log_->append(std::move(one), std::nullopt).has_value(), "an event is appended");
  }

 private:
  std::unique_ptr<Store> log_;
  std::vector<Entry> entries_;
  std::uint64_t next_ = 0;
};

// Rows into a batch, without those of the tree.
class TreelessSink : public BatchSink {
 public:
  using BatchSink::BatchSink;
  void put(Table table, std::string_view key, std::string_view value) override {
    if (table != Table::kNode) BatchSink::put(table, key, value);
  }
};

// The rows that the log would write, one batch for each event.
class RawRocks : public Contestant {
 public:
  explicit RawRocks(const std::string& folder, bool with_tree = true)
      : with_tree_(with_tree),
        rows_(*RocksRows::create(folder, 0600)),
        db_(&rows_->db()),
        nothing_(make_memory_log("bench/muniment")),
        group_(*AppendGroup::resume(*nothing_, *nothing_->state())) {}

  void prepare(std::size_t count) override {
    batches_.clear();
    for (Entry& entry : sample_entries(next_, count)) {
      std::vector<Entry> one;
      one.push_back(std::move(entry));
      PendingAppend pending = *prepare_append(std::move(one), std::nullopt);
      BatchSink all(*rows_);
      TreelessSink some(*rows_);
      BatchSink& sink = with_tree_ ? all : some;
      check(group_.append(pending, sink).has_value(), "rows are made");
      group_.seal(sink);
      group_.settled();
      batches_.push_back(std::move(sink.batch()));
    }
    next_ += count;
  }
  void append(std::size_t index) override {
    rocksdb::WriteOptions options;
    options.sync = true;
    check(db_->Write(options, &batches_[index]).ok(), "a batch is written");
  }

 protected:
  // Batches name column families by number: those of another database, made in the same order.
  void write_to(rocksdb::DB* db) { db_ = db; }

 private:
  bool with_tree_;
  std::unique_ptr<RocksRows> rows_;
  rocksdb::DB* db_;
  std::unique_ptr<Store> nothing_;
  AppendGroup group_;
  std::vector<rocksdb::WriteBatch> batches_;
  std::uint64_t next_ = 0;
};

class DefaultRocks : public RawRocks {
 public:
  explicit DefaultRocks(const std::string& folder) : RawRocks(folder + ".rows") {
    std::vector<rocksdb::ColumnFamilyDescriptor> families = column_families();
    for (auto& family : families) family.options = rocksdb::ColumnFamilyOptions();
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options, folder, families, &handles_, &db).ok(), "a database is made");
    db_.reset(db);
    write_to(db);
  }
  ~DefaultRocks() override {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }
  DefaultRocks(const DefaultRocks&) = delete;
  DefaultRocks& operator=(const DefaultRocks&) = delete;

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

class Sqlite : public Contestant {
 public:
  explicit Sqlite(const std::string& file) {
    check(sqlite3_open(file.c_str(), &db_) == SQLITE_OK, "a database is opened");
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE event(sequence INTEGER PRIMARY KEY, bytes BLOB)");
    sqlite3_prepare_v2(db_, "INSERT INTO event(bytes) VALUES(?)", -1, &insert_, nullptr);
  }
  ~Sqlite() override {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void prepare(std::size_t count) override {
    entries_ = sample_entries(next_, count);
    next_ += count;
  }
  void append(std::size_t index) override {
    const std::string& bytes = entries_[index].bytes;
    // One connection with a lock around it: many connections would only wait for one another.
    const std::scoped_lock lock(mutex_);
    sqlite3_bind_blob(insert_, 1, bytes.data(), static_cast<int>(bytes.size()), nullptr);
    check(sqlite3_step(insert_) == SQLITE_DONE, "a row is inserted");
    sqlite3_reset(insert_);
  }

 private:
  void run(const char* sql) {
    check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t next_ = 0;
};

struct Measured {
  double per_second = 0;
  std::vector<double> latencies_us;
};

Measured measure(Contestant& contestant, std::size_t threads, double seconds, std::size_t most) {
  contestant.prepare(most);
  std::atomic<std::size_t> next = 0;
  std::vector<std::vector<double>> latencies(threads);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::microseconds(static_cast<long>(seconds * 1e6));
  const auto work = [&](std::vector<double>& mine) {
    for (Clock::time_point before = Clock::now(); before < end;) {
      const std::size_t index = next++;
      if (index >= most) return;
      contestant.append(index);
      const Clock::time_point after = Clock::now();
      mine.push_back(std::chrono::duration<double, std::micro>(after - before).count());
      before = after;
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t i = 0; i < threads; ++i) pool.emplace_back(work, std::ref(latencies[i]));
  for (std::thread& thread : pool) thread.join();
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  Measured measured;
  for (const std::vector<double>& mine : latencies) {
    measured.latencies_us.insert(measured.latencies_us.end(), mine.begin(), mine.end());
  }
  measured.per_second = static_cast<double>(measured.latencies_us.size()) / took;
  return measured;
}

using Field = std::vector<std::pair<std::string, Contestant*>>;

void compete(const Field& field, std::size_t threads, int rounds, double seconds) {
  const std::size_t most = static_cast<std::size_t>(seconds * (threads == 1 ? 20'000 : 50'000));
  std::map<std::string, std::vector<double>> rates;
  std::map<std::string, std::vector<double>> latencies;
  // The first round fills caches and makes the files; it does not count.
  for (int round = -1; round < rounds; ++round) {
    for (std::size_t turn = 0; turn < field.size(); ++turn) {
      const auto& [name, contestant] =
          field[(turn + static_cast<std::size_t>(round + 1)) % field.size()];
      const Measured measured = measure(*contestant, threads, seconds, most);
      if (round < 0) continue;
      rates[name].push_back(measured.per_second);
      latencies[name].insert(latencies[name].end(), measured.latencies_us.begin(),
                             measured.latencies_us.end());
    }
  }
  for (const auto& [name, contestant] : field) {
    std::printf("%2zu appenders  %-8s  events/s %s  p50 %.0f us  p99 %.0f us\n", threads,
                name.c_str(), with_spread(rates[name], 0).c_str(), quantile(latencies[name], 0.5),
                quantile(latencies[name], 0.99));
  }
  for (const auto& [name, contestant] : field) {
    if (contestant == field.front().second) continue;
    std::printf("%2zu appenders  muniment / %-8s %s\n", threads, name.c_str(),
                with_spread(ratios(rates[field.front().first], rates[name]), 2).c_str());
  }
}

int run(const std::string& folder, int rounds, double seconds) {
  std::filesystem::create_directories(folder);
  Ours ours(folder + "/muniment");
  RawRocks raw(folder + "/rocksdb");
  RawRocks treeless(folder + "/treeless", false);
  DefaultRocks plain(folder + "/default");
  Sqlite sqlite(folder + "/sqlite.db");
  const Field field = {{"muniment", &ours},
                       {"rocksdb", &raw},
                       {"treeless", &treeless},
                       {"default", &plain},
                       {"sqlite", &sqlite}};
  // Short turns: the disk's good and bad moments are shorter than a second.
  compete(field, 1, rounds * 4, seconds / 4);
  compete(field, 64, rounds * 2, seconds / 2);
  return 0;
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [ROUNDS] [SECONDS]\n", argv[0]);
    return 2;
  }
  return muniment::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 9,
                       argc > 3 ? std::atof(argv[3]) : 1.0);
}
