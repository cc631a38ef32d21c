// Which files of a store hold some bytes, also where compression hides them from a search.
#ifndef MUNIMENT_TESTS_SUPPORT_FILES_HOLDING_H_
#define MUNIMENT_TESTS_SUPPORT_FILES_HOLDING_H_

#include <gtest/gtest.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muniment {

// What a table file says when it is asked row by row: its blocks may be compressed.
struct TableFile {
  bool is_readable = true;
  bool holds = false;
  std::uint64_t hidden_rows = 0;  // values that no row shows: older ones, deleted ones
};

inline TableFile read_table_file(const std::string& path, std::string_view needle) {
  TableFile found;
  rocksdb::SstFileReader reader{rocksdb::Options()};
  const rocksdb::Status opened = reader.Open(path);
  // A store that is open may merge files meanwhile: one that is gone holds nothing.
  if (!opened.ok()) return {.is_readable = !std::filesystem::exists(path)};
  const std::unique_ptr<rocksdb::Iterator> at(reader.NewIterator(rocksdb::ReadOptions()));
  std::uint64_t rows = 0;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    ++rows;
    const std::string_view value(at->value().data(), at->value().size());
    if (value.find(needle) != std::string_view::npos) found.holds = true;
  }
  EXPECT_TRUE(at->status().ok()) << path << ": " << at->status().ToString();
  const auto properties = reader.GetTableProperties();
  found.hidden_rows = properties->num_entries - properties->num_deletions - rows;
  return found;
}

// Names of the files below `folder` that have `needle` among their bytes or, in a table file, in
// one of its values; and, with the reason, of the table files that could: such as were left half
// written, and such as have values which nobody can look into.
inline std::vector<std::string> files_holding(const std::string& folder, std::string_view needle) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    const bool holds = std::move(bytes).str().find(needle) != std::string::npos;
    const TableFile table =
        entry.path().extension() == ".sst" ? read_table_file(entry.path(), needle) : TableFile();
    if (holds || table.holds) names.push_back(entry.path().filename());
    if (!table.is_readable) names.push_back(entry.path().filename().string() + " (unreadable)");
    if (table.hidden_rows > 0) names.push_back(entry.path().filename().string() + " (hidden)");
  }
  return names;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_FILES_HOLDING_H_
