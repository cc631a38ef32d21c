// One SQLite connection, with errors in words.
#ifndef MUNIMENT_RECORDER_WORLD_SQLITE_DATABASE_H_
#define MUNIMENT_RECORDER_WORLD_SQLITE_DATABASE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "recorder/core/result.h"

struct sqlite3;

namespace muniment {

// How a database is opened. None of these creates it.
enum class SqliteAccess {
  kShared,     // read-only, with locks: other processes may write
  kQuiet,      // read-only, no locks, no shared memory, WAL read: nobody may write meanwhile
  kImmutable,  // read-only, no locks, WAL ignored: nobody may write meanwhile
  kTarget,     // writable, without journal and fsync: a copy in the making
};

// Owns a connection. Used from one thread.
class SqliteDatabase {
 public:
  // kIo when it cannot be opened; what is wrong with the file itself shows in the first statement.
  static Result<SqliteDatabase> open(const std::string& path, SqliteAccess access);

  // While another process holds a lock, statements wait up to `timeout`, as long as `stop` says
  // false.
  void wait_when_busy(std::chrono::milliseconds timeout, std::function<bool()> stop);

  // Runs one statement. The error names the database and what to do.
  Status run(const std::string& sql);
  // The first column of the only row.
  Result<std::int64_t> number(const std::string& sql);
  // Calls `row` with the columns of each row joined by " | "; the number of rows.
  Result<std::uint64_t> rows(const std::string& sql,
                             const std::function<void(const std::string&)>& row);

  // SQLite's extended code of the last failure, and what it means.
  int last_code() const;
  Error last_error() const { return error_of(last_code()); }
  Error error_of(int code) const;

  sqlite3* get() const { return connection_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  struct Busy {
    std::chrono::milliseconds timeout{0};
    std::chrono::steady_clock::time_point since;
    std::function<bool()> stop;
    bool stopped = false;
    bool wait_more(int calls_before);
  };

  std::string path_;
  std::unique_ptr<Busy> busy_ = std::make_unique<Busy>();  // outlives the connection
  std::unique_ptr<sqlite3, Close> connection_;
};

// What the 100 bytes at the start of a database say (https://www.sqlite.org/fileformat.html).
struct SqliteHeader {
  std::uint32_t page_size = 0;
  std::uint32_t page_count = 0;  // 0: written by a version before 3.7.0
  bool wal_mode = false;
};
inline constexpr std::size_t kSqliteHeaderBytes = 100;

// kCorrupt when the bytes are not the start of a SQLite database (encrypted ones are not).
Result<SqliteHeader> parse_sqlite_header(std::string_view bytes);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SQLITE_DATABASE_H_
