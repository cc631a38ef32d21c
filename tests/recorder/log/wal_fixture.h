// Databases with a write-ahead log that holds events, and what RocksDB itself makes of them.
#ifndef MUNIMENT_TESTS_RECORDER_LOG_WAL_FIXTURE_H_
#define MUNIMENT_TESTS_RECORDER_LOG_WAL_FIXTURE_H_

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/log/key_codec.h"

namespace muniment {

inline std::string read_bytes(const std::string& path) {
  std::string bytes(std::filesystem::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(bytes.data(), std::ssize(bytes));
  return bytes;
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A database as a store opens it, with the families `default`, `event` and `blob`.
class WalDatabase {
 public:
  explicit WalDatabase(const std::string& folder) {
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.avoid_flush_during_shutdown = true;
    options.avoid_flush_during_recovery = true;
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {"default", {}}, {"event", {}}, {"blob", {}}};
    rocksdb::DB* opened = nullptr;
    status_ = rocksdb::DB::Open(options, folder, families, &families_, &opened);
    db_.reset(opened);
  }
  ~WalDatabase() {
    for (rocksdb::ColumnFamilyHandle* const family : families_) {
      EXPECT_TRUE(db_->DestroyColumnFamilyHandle(family).ok());
    }
  }
  WalDatabase(const WalDatabase&) = delete;
  WalDatabase& operator=(const WalDatabase&) = delete;

  bool opened() const { return status_.ok(); }

  // One batch, one record of the log: an event of so many bytes under each sequence, and a blob.
  void put(std::uint64_t first, std::uint64_t count, std::size_t size_bytes) {
    rocksdb::WriteBatch batch;
    for (std::uint64_t i = first; i < first + count; ++i) {
      const std::string event(size_bytes, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(batch.Put(families_[1], sequence_key(i), event).ok());
      ASSERT_TRUE(batch.Put(families_[2], "blob" + std::to_string(i), "text").ok());
    }
    rocksdb::WriteOptions synced;
    synced.sync = true;
    ASSERT_TRUE(db_->Write(synced, &batch).ok());
  }

  // How many events a reader finds, by iteration.
  std::uint64_t count_events() const {
    const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator({}, families_[1]));
    std::uint64_t count = 0;
    for (row->SeekToFirst(); row->Valid(); row->Next()) ++count;
    return count;
  }

 private:
  rocksdb::Status status_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// The logs of a database, by number.
inline std::vector<std::string> list_wals(const std::string& folder) {
  std::vector<std::string> logs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path().string());
  }
  std::sort(logs.begin(), logs.end());
  return logs;
}

// What RocksDB makes of a copy of the database in which the log has these bytes: the number of
// events, or nothing when it refuses to open.
inline std::optional<std::uint64_t> open_copy(const std::string& folder, const std::string& log,
                                              const std::string& bytes, const std::string& copy) {
  std::filesystem::remove_all(copy);
  std::filesystem::copy(folder, copy);
  write_bytes(copy + "/" + std::filesystem::path(log).filename().string(), bytes);
  const WalDatabase database(copy);
  if (!database.opened()) return std::nullopt;
  return database.count_events();
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_RECORDER_LOG_WAL_FIXTURE_H_
