#include "recorder/log/rocks_rows.h"

#include <rocksdb/table_properties.h>

#include <utility>

#include "recorder/core/check.h"
#include "recorder/log/rocks_options.h"
#include "recorder/log/tables.h"

namespace muniment {
namespace {

std::string_view view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

rocksdb::Options without_env(int max_open_files, bool paranoid) {
  rocksdb::Options options(database_options(rocksdb::Env::Default()),
                           rocksdb::ColumnFamilyOptions());
  options.max_open_files = max_open_files;
  options.paranoid_checks = paranoid;
  return options;
}

}  // namespace

RocksRows::RocksRows(std::string name) : name_("database " + std::move(name)) {}

RocksRows::~RocksRows() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    const rocksdb::Status destroyed = db_->DestroyColumnFamilyHandle(handle);
    check(destroyed.ok(), "a column family handle is destroyed once");
  }
}

Status RocksRows::adopt(const rocksdb::Status& opened, rocksdb::DB* db) {
  if (!opened.ok()) return rocks_error(name_, opened);
  db_.reset(db);
  return {};
}

Result<std::unique_ptr<RocksRows>> RocksRows::open(const std::string& db_folder, mode_t file_mode) {
  std::unique_ptr<RocksRows> rows(new RocksRows(db_folder));
  rows->env_ = private_env(file_mode);
  rocksdb::DBOptions options = database_options(rows->env_.get());
  // A reindex that was killed may have removed a table and not made it again.
  options.create_missing_column_families = true;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(options, db_folder, column_families(), &rows->handles_, &db);
  if (Status adopted = rows->adopt(opened, db); !adopted) return pass(adopted);
  return rows;
}

Result<std::unique_ptr<RocksRows>> RocksRows::create(const std::string& db_folder,
                                                     mode_t file_mode) {
  std::unique_ptr<RocksRows> rows(new RocksRows(db_folder));
  rows->env_ = private_env(file_mode);
  rocksdb::DBOptions options = database_options(rows->env_.get());
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.error_if_exists = true;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(options, db_folder, column_families(), &rows->handles_, &db);
  if (Status adopted = rows->adopt(opened, db); !adopted) return pass(adopted);
  return rows;
}

Result<std::unique_ptr<RocksRows>> RocksRows::open_read_only(const std::string& db_folder) {
  std::unique_ptr<RocksRows> rows(new RocksRows(db_folder));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(
      without_env(-1, true), db_folder, column_families(), &rows->handles_, &db);
  if (Status adopted = rows->adopt(opened, db); !adopted) return pass(adopted);
  return rows;
}

Result<std::unique_ptr<RocksRows>> RocksRows::open_damaged(const std::string& db_folder) {
  constexpr int kFewFiles = 64;
  std::unique_ptr<RocksRows> rows(new RocksRows(db_folder));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(
      without_env(kFewFiles, false), db_folder, column_families(), &rows->handles_, &db);
  if (Status adopted = rows->adopt(opened, db); !adopted) return pass(adopted);
  return rows;
}

Result<std::unique_ptr<RocksRows>> RocksRows::open_secondary(const std::string& db_folder,
                                                             const std::string& scratch_folder) {
  std::unique_ptr<RocksRows> rows(new RocksRows(db_folder));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenAsSecondary(
      without_env(-1, true), db_folder, scratch_folder, column_families(), &rows->handles_, &db);
  if (Status adopted = rows->adopt(opened, db); !adopted) return pass(adopted);
  return rows;
}

Result<std::optional<std::string>> RocksRows::peek(const std::string& db_folder, Table table,
                                                   std::string_view key) {
  RocksRows rows(db_folder);
  std::vector<rocksdb::ColumnFamilyDescriptor> families = column_families();
  const std::vector<rocksdb::ColumnFamilyDescriptor> some = {families.front(),
                                                             families[slot(table) + 1]};
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::OpenForReadOnly(without_env(-1, true), db_folder, some, &rows.handles_, &db);
  if (Status adopted = rows.adopt(opened, db); !adopted) return pass(adopted);
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      db->Get(rocksdb::ReadOptions(), rows.handles_.back(), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return rocks_error(rows.name_, status);
  return value.ToString();
}

rocksdb::ColumnFamilyHandle* RocksRows::handle(Table table) const {
  return handles_[slot(table) + 1];
}

Result<v1::StoreState> RocksRows::state() const {
  return read_state(*this);
}

Result<std::optional<std::string>> RocksRows::get(Table table, std::string_view key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), handle(table), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return rocks_error(name_, status);
  return value.ToString();
}

Status RocksRows::scan(Table table, std::string_view from, Direction direction,
                       const RowVisitor& visit) const {
  // From here on a scan is a long one: it reads ahead, and leaves the cache to others.
  constexpr std::uint64_t kLong = 1024;
  rocksdb::ReadOptions options;
  std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options, handle(table)));
  if (direction == Direction::kForward) {
    at->Seek(slice(from));
  } else if (from.empty()) {
    at->SeekToLast();
  } else {
    at->SeekForPrev(slice(from));
  }
  for (std::uint64_t rows = 1; at->Valid() && visit(view(at->key()), view(at->value())); ++rows) {
    if (direction == Direction::kBackward) {
      at->Prev();
      continue;
    }
    at->Next();
    if (rows != kLong || !at->Valid()) continue;
    const std::string next = at->key().ToString();
    options.fill_cache = false;
    options.readahead_size = 1U << 20U;
    at.reset(db_->NewIterator(options, handle(table)));
    at->Seek(next);
  }
  if (!at->status().ok()) return rocks_error(name_, at->status());
  return {};
}

Result<std::uint64_t> RocksRows::count_quickly(Table table) const {
  rocksdb::TablePropertiesCollection files;
  const rocksdb::Status status = db_->GetPropertiesOfAllTables(handle(table), &files);
  if (!status.ok()) return rocks_error(name_, status);
  std::uint64_t rows = 0;
  for (const auto& [file, properties] : files) {
    rows += properties->num_entries - 2 * properties->num_deletions;
  }
  const auto in_memory = [&](const std::string& property) {
    std::uint64_t count = 0;
    check(db_->GetIntProperty(handle(table), property, &count), "a property of RocksDB");
    return count;
  };
  rows += in_memory(rocksdb::DB::Properties::kNumEntriesActiveMemTable);
  rows += in_memory(rocksdb::DB::Properties::kNumEntriesImmMemTables);
  rows -= 2 * in_memory(rocksdb::DB::Properties::kNumDeletesActiveMemTable);
  rows -= 2 * in_memory(rocksdb::DB::Properties::kNumDeletesImmMemTables);
  return rows;
}

Status RocksRows::write(rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  const rocksdb::Status status = db_->Write(options, &batch);
  if (!status.ok()) return rocks_error(name_, status);
  return {};
}

Status RocksRows::flush() {
  const rocksdb::Status status = db_->Flush(rocksdb::FlushOptions(), handles_);
  if (!status.ok()) return rocks_error(name_, status);
  return {};
}

Status RocksRows::clear(Table table) {
  rocksdb::ColumnFamilyHandle*& old = handles_[slot(table) + 1];
  const rocksdb::ColumnFamilyDescriptor family = column_families()[slot(table) + 1];
  rocksdb::Status status = db_->DropColumnFamily(old);
  if (!status.ok()) return rocks_error(name_, status);
  rocksdb::ColumnFamilyHandle* fresh = nullptr;
  status = db_->CreateColumnFamily(family.options, family.name, &fresh);
  if (!status.ok()) return rocks_error(name_, status);
  status = db_->DestroyColumnFamilyHandle(old);
  check(status.ok(), "a column family handle is destroyed once");
  old = fresh;
  return {};
}

Status RocksRows::catch_up() {
  const rocksdb::Status status = db_->TryCatchUpWithPrimary();
  if (!status.ok()) return rocks_error(name_, status);
  return {};
}

void BatchSink::put(Table table, std::string_view key, std::string_view value) {
  const rocksdb::Status status = batch_.Put(rows_->handle(table), slice(key), slice(value));
  check(status.ok(), "a batch without a bound takes every row");
}

void BatchSink::remove(Table table, std::string_view key) {
  const rocksdb::Status status = batch_.Delete(rows_->handle(table), slice(key));
  check(status.ok(), "a batch without a bound takes every row");
}

}  // namespace muniment
