// An open database as rows of tables.
#ifndef MUNIMENT_RECORDER_LOG_ROCKS_ROWS_H_
#define MUNIMENT_RECORDER_LOG_ROCKS_ROWS_H_

#include <rocksdb/db.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/log/append_group.h"
#include "recorder/log/event_log.h"

namespace muniment {

// Owns the database and its column families, closes them at its end. Reads are thread-safe. All
// errors come from the database: kCorrupt or kIo, with `name` in front.
class RocksRows : public LogReader {
 public:
  // For writing; the caller holds the store's lock. Fails when there is no database.
  static Result<std::unique_ptr<RocksRows>> open(const std::string& db_folder, mode_t file_mode);

  // A new database, empty. Fails when one is there.
  static Result<std::unique_ptr<RocksRows>> create(const std::string& db_folder, mode_t file_mode);

  // For reading while nobody writes: undefined beside a writer.
  static Result<std::unique_ptr<RocksRows>> open_read_only(const std::string& db_folder);

  // For reading beside a writer; what belongs to the instance lies in `scratch_folder`. It sees
  // later writes after catch_up().
  static Result<std::unique_ptr<RocksRows>> open_secondary(const std::string& db_folder,
                                                           const std::string& scratch_folder);

  // As open_read_only(), for inspection of what may be damaged: files are opened when they are
  // read.
  static Result<std::unique_ptr<RocksRows>> open_damaged(const std::string& db_folder);

  // One row, from a database that may have tables this program does not know.
  static Result<std::optional<std::string>> peek(const std::string& db_folder, Table table,
                                                 std::string_view key);

  ~RocksRows() override;
  RocksRows(const RocksRows&) = delete;
  RocksRows& operator=(const RocksRows&) = delete;

  Result<v1::StoreState> state() const override;
  Result<std::optional<std::string>> get(Table table, std::string_view key) const override;
  Status scan(Table table, std::string_view from, Direction direction,
              const RowVisitor& visit) const override;
  // Does nothing: who owns the rows knows how they move on.
  Status refresh() override { return {}; }

  // How many rows the database says a table has, without reading them. Exact for tables whose keys
  // are written once. A row that was overwritten may count twice, one that was removed too little,
  // until compaction has met it; and a secondary that has caught up may count a row twice.
  Result<std::uint64_t> count_quickly(Table table) const;

  // Writes the batch; with `sync` it is durable on return.
  Status write(rocksdb::WriteBatch& batch, bool sync);

  // Moves what is in memory into table files, so that the next opening has no WAL to replay.
  Status flush();

  // Replaces a table by an empty one.
  Status clear(Table table);

  Status catch_up();

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* handle(Table table) const;

 private:
  explicit RocksRows(std::string name);
  Status adopt(const rocksdb::Status& opened, rocksdb::DB* db);

  std::string name_;
  std::unique_ptr<rocksdb::Env> env_;  // only where files are created
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // as column_families()
};

// Rows into a batch of the database.
class BatchSink : public RowSink {
 public:
  // `rows` must outlive the object.
  explicit BatchSink(const RocksRows& rows) : rows_(&rows) {}
  void put(Table table, std::string_view key, std::string_view value) override;
  void remove(Table table, std::string_view key) override;
  rocksdb::WriteBatch& batch() { return batch_; }

 private:
  const RocksRows* rows_;
  rocksdb::WriteBatch batch_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_ROCKS_ROWS_H_
