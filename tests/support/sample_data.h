// Data to back up: SQLite databases in the states in which they are met, and trees of files.
#ifndef MUNIMENT_TESTS_SUPPORT_SAMPLE_DATA_H_
#define MUNIMENT_TESTS_SUPPORT_SAMPLE_DATA_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace muniment {

// Replaces the file; fails the program (check.h) where that cannot be done, as all do here.
void write_text(const std::string& path, std::string_view text);

struct DatabaseShape {
  bool wal = false;
  std::uint64_t rows = 100;  // of table item(id INTEGER PRIMARY KEY, name TEXT NOT NULL)
};

// A database that its writer closed: no -wal lies beside it.
void make_database(const std::string& path, const DatabaseShape& shape);

// A database in WAL mode whose writer was killed: its -wal holds `rows_in_wal` committed rows that
// the database file does not, its -shm is left over.
void make_database_with_hot_wal(const std::string& path, std::uint64_t rows_in_wal);

// The tree that most tests want: texts, an empty file, an empty folder, a deeper folder, a symbolic
// link and one that leads nowhere, a hard link, a FIFO, a file of mode 0400, a name with a newline.
void make_tree(const std::string& folder);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_SAMPLE_DATA_H_
