#include "recorder/world/sqlite_database.h"

#include <sqlite3.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "recorder/core/text.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr std::size_t kShown = 512;
constexpr int kOpsBetweenStops = 200'000;

// A path inside a URI: `?`, `#` and `%` would end or change it.
std::string uri_of(const std::string& path, const char* options) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      const auto byte = static_cast<unsigned char>(c);
      uri.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    } else {
      uri.push_back(c);
    }
  }
  return uri + options;
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t out = 0;
  for (std::size_t i = at; i < at + size; ++i) {
    out = out << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return out;
}

const char* what_to_do(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process keeps it locked: find it (fuser), or quiesce the module";
    case SQLITE_NOTADB:
      return "it is encrypted or no SQLite database: correct the module's path or class";
    case SQLITE_CORRUPT:
      return "the database is damaged: check it with its application before you go on";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "run as a user who may read it and write in its folder";
    case SQLITE_FULL:
      return "free space on its file system and run again";
    case SQLITE_NOMEM:
      return "free memory and run again";
    default:
      return "check the file and its disk, then run again";
  }
}

}  // namespace

void SqliteDatabase::Close::operator()(sqlite3* connection) const {
  sqlite3_close(connection);
}

Result<SqliteDatabase> SqliteDatabase::open(const std::string& path, SqliteAccess access) {
  const bool quiet = access == SqliteAccess::kQuiet;
  const bool target = access == SqliteAccess::kTarget;
  const std::string uri = uri_of(path, access == SqliteAccess::kImmutable ? "?immutable=1" : "");
  const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                    (target ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  SqliteDatabase database;
  database.path_ = path;
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &connection, flags, quiet ? "unix-none" : nullptr);
  database.connection_.reset(connection);
  if (connection == nullptr) return fail(ErrorCode::kIo, "no memory for SQLite; free some");
  if (code != SQLITE_OK) return std::unexpected(database.last_error());
  sqlite3_extended_result_codes(connection, 1);
  // Nothing that reads the file: it may be locked, and nobody has said yet how long to wait.
  const char* pragmas = target  ? "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
                                  "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-1024"
                        : quiet ? "PRAGMA locking_mode=EXCLUSIVE"
                                : "";
  if (sqlite3_exec(connection, pragmas, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected(database.last_error());
  }
  return database;
}

void SqliteDatabase::wait_when_busy(std::chrono::milliseconds timeout, std::function<bool()> stop) {
  busy_->timeout = timeout;
  busy_->stop = std::move(stop);
  sqlite3_busy_handler(
      get(),
      [](void* self, int calls) { return static_cast<Busy*>(self)->wait_more(calls) ? 1 : 0; },
      busy_.get());
  sqlite3_progress_handler(
      get(), kOpsBetweenStops,
      [](void* self) {
        auto* busy = static_cast<Busy*>(self);
        busy->stopped = busy->stopped || busy->stop();
        return busy->stopped ? 1 : 0;
      },
      busy_.get());
}

bool SqliteDatabase::Busy::wait_more(int calls_before) {
  constexpr std::chrono::milliseconds kPause{20};
  const auto now = std::chrono::steady_clock::now();
  if (calls_before == 0) since = now;
  stopped = stopped || stop();
  if (stopped || now - since >= timeout) return false;
  std::this_thread::sleep_for(std::min(kPause, timeout));
  return true;
}

int SqliteDatabase::last_code() const {
  return sqlite3_extended_errcode(get());
}

Error SqliteDatabase::error_of(int code) const {
  const std::string path = shown_path(path_);
  if (busy_->stopped) {
    return {ErrorCode::kInterrupted, "reading " + path + " stopped on request; run it again"};
  }
  if (code == SQLITE_READONLY_ROLLBACK) {
    return {ErrorCode::kIo,
            "cannot read database " + path +
                ": a writer died in the middle of a transaction and left a journal; let its "
                "application open it once, which rolls back, then run again"};
  }
  const std::string words =
      code == sqlite3_extended_errcode(get()) ? sqlite3_errmsg(get()) : sqlite3_errstr(code);
  const int system = sqlite3_system_errno(get());
  const bool of_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  std::string message = "cannot use database " + path + ": " + inert_short(words, kShown);
  if (of_system && system != 0) message += ", " + errno_text(system);
  if ((code & 0xff) == SQLITE_BUSY) {
    message += " for " + std::to_string(busy_->timeout.count()) + " ms";
  }
  ErrorCode kind = ErrorCode::kIo;
  if ((code & 0xff) == SQLITE_BUSY) kind = ErrorCode::kBusy;
  if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB) {
    kind = ErrorCode::kCorrupt;
  }
  return {kind, message + "; " + what_to_do(code)};
}

Status SqliteDatabase::run(const std::string& sql) {
  if (sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(last_error());
}

Result<std::int64_t> SqliteDatabase::number(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(last_error());
  }
  const bool has_row = sqlite3_step(statement) == SQLITE_ROW;
  const std::int64_t value = has_row ? sqlite3_column_int64(statement, 0) : 0;
  const int code = sqlite3_finalize(statement);
  if (code != SQLITE_OK || !has_row) return std::unexpected(error_of(code));
  return value;
}

Result<std::uint64_t> SqliteDatabase::rows(const std::string& sql,
                                           const std::function<void(const std::string&)>& row) {
  struct Call {
    const std::function<void(const std::string&)>& row;
    std::uint64_t count = 0;
  } call{row};
  const auto each = [](void* self, int columns, char** values, char**) {
    auto* to = static_cast<Call*>(self);
    std::string line;
    for (int i = 0; i < columns; ++i) {
      if (i != 0) line += " | ";
      line += values[i] == nullptr ? "NULL" : values[i];
    }
    ++to->count;
    to->row(line);
    return 0;
  };
  if (sqlite3_exec(get(), sql.c_str(), each, &call, nullptr) != SQLITE_OK) {
    return std::unexpected(last_error());
  }
  return call.count;
}

Result<SqliteHeader> parse_sqlite_header(std::string_view bytes) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (bytes.size() < kSqliteHeaderBytes || !bytes.starts_with(kMagic)) {
    return fail(
        ErrorCode::kCorrupt,
        "it does not start with a SQLite header (encrypted, empty or another kind of file)");
  }
  SqliteHeader header;
  header.page_size = big_endian(bytes, 16, 2);
  if (header.page_size == 1) header.page_size = 65536;
  const bool power_of_two = (header.page_size & (header.page_size - 1)) == 0;
  if (header.page_size < 512 || !power_of_two) {
    return fail(ErrorCode::kCorrupt, "its SQLite header has the impossible page size " +
                                         std::to_string(header.page_size));
  }
  // The count in the header holds only when version-valid-for equals the change counter.
  const bool holds = big_endian(bytes, 24, 4) == big_endian(bytes, 92, 4);
  if (holds) header.page_count = big_endian(bytes, 28, 4);
  header.wal_mode = bytes[18] == 2 && bytes[19] == 2;
  return header;
}

}  // namespace muniment
