#include "tests/support/sample_data.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "recorder/core/check.h"
#include "tests/support/process.h"

namespace muniment {
namespace {

struct Connection {
  explicit Connection(const std::string& path) {
    check(sqlite3_open(path.c_str(), &db) == SQLITE_OK, "a database can be made");
  }
  ~Connection() { sqlite3_close(db); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void execute(const std::string& sql) const {
    check(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sql.c_str());
  }
  void insert(std::uint64_t rows) const {
    if (rows == 0) return;
    execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
            std::to_string(rows) + ") INSERT INTO item(name) SELECT 'item ' || i FROM n");
  }

  sqlite3* db = nullptr;
};

constexpr const char* kTable = "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL)";

}  // namespace

void write_text(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  check(static_cast<bool>(file.flush()), path.c_str());
}

void make_database(const std::string& path, const DatabaseShape& shape) {
  const Connection connection(path);
  connection.execute("PRAGMA synchronous=OFF");
  connection.execute(shape.wal ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE");
  connection.execute(kTable);
  connection.insert(shape.rows);
}

void make_database_with_hot_wal(const std::string& path, std::uint64_t rows_in_wal) {
  make_database(path, {.wal = true, .rows = 1});
  HeldProcess writer([&](const std::function<void()>& stay) {
    const Connection connection(path);
    connection.execute("PRAGMA wal_autocheckpoint=0");
    connection.insert(rows_in_wal);
    stay();
    return true;
  });
  check(writer.started(), "a writer runs");
  writer.kill_now();
}

void make_tree(const std::string& folder) {
  namespace fs = std::filesystem;
  fs::create_directories(folder + "/deep/er");
  fs::create_directories(folder + "/empty");
  write_text(folder + "/a.txt", "first\n");
  write_text(folder + "/nothing", "");
  write_text(folder + "/deep/b.txt", std::string(100'000, 'b'));
  write_text(folder + "/deep/er/new\nline", "odd\n");
  write_text(folder + "/secret", "hush\n");
  check(::chmod((folder + "/secret").c_str(), 0400) == 0, "a mode can be set");
  fs::create_symlink("a.txt", folder + "/link");
  fs::create_symlink("nowhere", folder + "/dangling");
  fs::create_hard_link(folder + "/a.txt", folder + "/deep/hard");
  check(::mkfifo((folder + "/pipe").c_str(), 0600) == 0, "a FIFO can be made");
}

}  // namespace muniment
