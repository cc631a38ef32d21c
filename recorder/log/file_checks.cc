#include "recorder/log/file_checks.h"

#include <rocksdb/file_checksum.h>
#include <rocksdb/metadata.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "recorder/log/lock.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/scratch_folder.h"
#include "recorder/log/store_layout.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

FileFinding finding(const std::string& file, std::uint64_t offset, std::string what) {
  FileFinding found;
  found.file = file;
  found.offset = offset;
  found.what = std::move(what);
  return found;
}

// The checksum as the manifest has it, or nothing when the file cannot be read to its end.
std::optional<std::string> checksum_of(const std::string& path) {
  const auto factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  const auto generator = factory->CreateFileChecksumGenerator({});
  std::ifstream file(path, std::ios::binary);
  std::array<char, 1U << 16U> buffer{};
  while (file) {
    file.read(buffer.data(), buffer.size());
    generator->Update(buffer.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) return std::nullopt;
  generator->Finalize();
  return generator->GetChecksum();
}

std::optional<FileFinding> check_table(const rocksdb::LiveFileMetaData& table) {
  const std::string name = "db/" + table.relative_filename;
  const std::string path = table.directory + "/" + table.relative_filename;
  const std::string of = " (of table " + table.column_family_name + ")";
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  if (error) return finding(name, 0, "cannot be read: " + error.message() + of);
  if (size != table.size) {
    return finding(name, std::min<std::uint64_t>(size, table.size),
                   "has " + std::to_string(size) + " bytes where the manifest says " +
                       std::to_string(table.size) + of);
  }
  const std::optional<std::string> checksum = checksum_of(path);
  if (!checksum) return finding(name, 0, "cannot be read to its end" + of);
  if (*checksum == table.file_checksum) return std::nullopt;
  return finding(name, 0, "has another checksum than the manifest says" + of);
}

bool is_live(const RocksRows& rows, const std::string& file) {
  std::vector<rocksdb::LiveFileMetaData> tables;
  rows.db().GetLiveFilesMetaData(&tables);
  for (const rocksdb::LiveFileMetaData& table : tables) {
    if (table.relative_filename == file) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<FileFinding>> check_tables(const std::string& store_folder) {
  Result<std::optional<StoreLock>> quiet = StoreLock::try_shared(store_folder);
  if (!quiet) return pass(quiet);
  const std::string db = db_folder(store_folder);
  std::vector<FileFinding> findings;
  ScratchFolder scratch;
  if (!quiet->has_value()) {
    if (Status made = scratch.make(); !made) return pass(made);
  }
  Result<std::unique_ptr<RocksRows>> rows = quiet->has_value()
                                                ? RocksRows::open_damaged(db)
                                                : RocksRows::open_secondary(db, scratch.path());
  if (!rows) {
    findings.push_back(finding("db", 0, rows.error().message));
    return findings;
  }
  std::vector<rocksdb::LiveFileMetaData> tables;
  (*rows)->db().GetLiveFilesMetaData(&tables);
  for (const rocksdb::LiveFileMetaData& table : tables) {
    std::optional<FileFinding> found = check_table(table);
    if (!found) continue;
    // A writer may have replaced the file meanwhile; then it is no longer in the list.
    const bool raced = !quiet->has_value() && (*rows)->catch_up().has_value() &&
                       !is_live(**rows, table.relative_filename);
    if (!raced) findings.push_back(*std::move(found));
  }
  return findings;
}

}  // namespace muniment
