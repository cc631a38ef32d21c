#include "recorder/log/rocks_options.h"

#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "recorder/log/tables.h"

namespace muniment {
namespace {

class PrivateFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit PrivateFileSystem(mode_t file_mode)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), file_mode_(file_mode) {}

  const char* Name() const override { return "PrivateFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    return restrict(path, FileSystemWrapper::NewWritableFile(path, options, file, debug));
  }

  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override {
    return restrict(path, FileSystemWrapper::ReopenWritableFile(path, options, file, debug));
  }

  rocksdb::IOStatus LockFile(const std::string& path, const rocksdb::IOOptions& options,
                             rocksdb::FileLock** lock, rocksdb::IODebugContext* debug) override {
    return restrict(path, FileSystemWrapper::LockFile(path, options, lock, debug));
  }

 private:
  rocksdb::IOStatus restrict(const std::string& path, rocksdb::IOStatus created) const {
    if (!created.ok() || ::chmod(path.c_str(), file_mode_) == 0) return created;
    return rocksdb::IOStatus::IOError("chmod " + path, std::strerror(errno));
  }

  mode_t file_mode_;
};

// RocksDB's own diary: nothing in it that the Status does not say, and a store is no place for it.
class NoLogger : public rocksdb::Logger {
 public:
  NoLogger() : Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* /*format*/, std::va_list /*arguments*/) override {}
};

rocksdb::ColumnFamilyOptions family_options(Table table) {
  constexpr std::size_t kMiB = 1U << 20U;
  rocksdb::ColumnFamilyOptions options;
  // The bound on the WAL flushes all tables long before one of them is full.
  options.write_buffer_size = 4 * kMiB;
  options.max_write_buffer_number = 4;
  // Keys come in order, and what is in order already is moved from level to level and never merged:
  // a million events lay in hundreds of small files, each to be opened by every reader.
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  rocksdb::BlockBasedTableOptions blocks;
  // Read when they are needed: opening must not grow with the log. In parts of a block's size:
  // whole ones are megabytes in a long log, more than the cache keeps, and each lookup read one.
  blocks.cache_index_and_filter_blocks = true;
  blocks.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  blocks.partition_filters = true;
  if (table == Table::kIndex || table == Table::kBlob) {
    // Each append asks for ids and digests that are not there.
    blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = 0.05;
  }
  if (table == Table::kNode) options.compression = rocksdb::kNoCompression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  return options;
}

bool is_missing_file(const rocksdb::Status& status) {
  return status.IsPathNotFound() || status.ToString().find("No such file") != std::string::npos;
}

}  // namespace

std::unique_ptr<rocksdb::Env> private_env(mode_t file_mode) {
  return rocksdb::NewCompositeEnv(std::make_shared<PrivateFileSystem>(file_mode));
}

rocksdb::DBOptions database_options(rocksdb::Env* env) {
  constexpr std::uint64_t kMiB = 1U << 20U;
  rocksdb::DBOptions options;
  options.env = env;
  options.info_log = std::make_shared<NoLogger>();
  options.paranoid_checks = true;
  options.max_open_files = -1;
  // Of each table; by default 16, which cost more than the files that they open.
  options.max_file_opening_threads = 1;
  options.max_background_jobs = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  // The default would drop acknowledged events behind a damage in the middle and say nothing.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // After a crash each event in the WAL costs 25-30 us at the next opening.
  options.max_total_wal_size = 4 * kMiB;
  options.max_manifest_file_size = 4 * kMiB;
  // A failed write poisons the log until it is opened again; nothing may resume behind its back.
  options.max_bgerror_resume_count = 0;
  // Not atomic_flush: every write goes through the WAL and is synced before it reaches a memtable,
  // so a table that was flushed is never ahead of the WAL, and recovery brings the others level.
  options.atomic_flush = false;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> column_families() {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  for (const Table table : kTables) {
    families.emplace_back(std::string(table_name(table)), family_options(table));
  }
  return families;
}

std::unexpected<Error> rocks_error(const std::string& what, const rocksdb::Status& status) {
  if (status.IsCorruption() || status.IsInvalidArgument() || is_missing_file(status)) {
    return fail(ErrorCode::kCorrupt, what + ": the database is damaged (" + status.ToString() +
                                         "); run `muniment verify`");
  }
  if (status.IsNoSpace()) {
    return fail(ErrorCode::kIo,
                what + ": no space left (" + status.ToString() + "); free space and open it again");
  }
  return fail(ErrorCode::kIo, what + ": the database failed (" + status.ToString() +
                                  "); see the disk and the permissions, then open it again");
}

}  // namespace muniment
