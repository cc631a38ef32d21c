#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "recorder/core/text.h"
#include "recorder/world/capture.h"
#include "recorder/world/os.h"
#include "recorder/world/sqlite_database.h"

namespace muniment {
namespace {

constexpr std::int64_t kChunkBytes = 4 << 20;
constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

std::unexpected<Error> interrupted() {
  return fail(ErrorCode::kInterrupted, "capture stopped on request; run it again");
}

// Looked at before SQLite sees it: SQLite takes an empty file for an empty database.
// The descriptor is closed again first: closing it later would drop the locks of this process.
Status check_source(const std::string& path) {
  const Fd file(open_to_read(AT_FDCWD, path.c_str(), 0));
  if (!file.open()) return system_failure("open database", path, errno);
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return system_failure("stat", path, errno);
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::kInvalid, "database " + shown_path(path) + ": " + why +
                                         "; correct the module's path or class");
  };
  if (!S_ISREG(facts.st_mode)) return refuse("it is not a regular file");
  if (facts.st_size == 0) return refuse("it is empty (0 bytes), not a database");
  std::string bytes(kSqliteHeaderBytes, '\0');
  const std::int64_t n = read_full(file.get(), bytes);
  if (n < 0) return system_failure("read database", path, errno);
  bytes.resize(static_cast<std::size_t>(n));
  const Result<SqliteHeader> header = parse_sqlite_header(bytes);
  if (!header) return refuse(header.error().message);
  return {};
}

// What must stay as it is while a database is read without locks.
struct Footprint {
  struct stat database{};
  struct stat wal{};
  bool has_wal = false;

  static Footprint of(const std::string& path) {
    Footprint out;
    ::stat(path.c_str(), &out.database);
    out.has_wal = ::stat((path + "-wal").c_str(), &out.wal) == 0;
    return out;
  }
  static bool same(const struct stat& a, const struct stat& b) {
    return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
           a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
  }
  bool operator==(const Footprint& other) const {
    return same(database, other.database) && has_wal == other.has_wal && same(wal, other.wal);
  }
};

// A connection with a read transaction open: one committed state, pinned.
struct Snapshot {
  SqliteDatabase database;
  std::int64_t page_size = 0;
  std::int64_t page_count = 0;
};

Result<Snapshot> pin(const std::string& path, SqliteAccess access, Progress& progress,
                     std::chrono::milliseconds busy_timeout, int& code) {
  Result<SqliteDatabase> database = SqliteDatabase::open(path, access);
  if (!database) return pass(database);
  database->wait_when_busy(busy_timeout, [&progress] { return progress.stop_requested(); });
  Status begun = database->run("PRAGMA cache_size=-1024");
  if (begun) begun = database->run("BEGIN");
  // A transaction starts with its first read.
  Result<std::int64_t> tables = begun ? database->number("SELECT count(*) FROM sqlite_schema") : 0;
  Result<std::int64_t> size = tables ? database->number("PRAGMA page_size") : 0;
  Result<std::int64_t> count = size ? database->number("PRAGMA page_count") : 0;
  code = database->last_code();
  if (!begun) return pass(begun);
  if (!tables) return pass(tables);
  if (!size) return pass(size);
  if (!count) return pass(count);
  return Snapshot{std::move(*database), *size, *count};
}

// A WAL database in a folder where this user cannot make the -shm file: nobody has it open, else
// that file were there. It is read without locks then, and must be found unchanged afterwards.
bool wants_shared_memory(int code) {
  return (code & 0xff) == SQLITE_CANTOPEN || code == SQLITE_READONLY_DIRECTORY ||
         code == SQLITE_READONLY_CANTINIT || code == SQLITE_READONLY_RECOVERY;
}

Error copy_failure(const Snapshot& from, const SqliteDatabase& to, const std::string& to_path,
                   int code) {
  const int system = sqlite3_system_errno(to.get());
  if ((code & 0xff) == SQLITE_FULL) return system_error("write", to_path, ENOSPC);
  if (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_TRUNCATE || code == SQLITE_IOERR_FSYNC) {
    return system_error("write", to_path, system == 0 ? EIO : system);
  }
  return from.database.error_of(code);
}

Status copy_pages(const Snapshot& from, SqliteDatabase& to, const std::string& to_path,
                  Progress& progress, std::chrono::milliseconds busy_timeout) {
  sqlite3_backup* backup = sqlite3_backup_init(to.get(), "main", from.database.get(), "main");
  if (backup == nullptr) return std::unexpected(to.last_error());
  const int chunk = static_cast<int>(std::max<std::int64_t>(1, kChunkBytes / from.page_size));
  auto moved_at = std::chrono::steady_clock::now();
  int code = SQLITE_OK;
  bool stopped = false;
  while (code != SQLITE_DONE && !stopped) {
    code = sqlite3_backup_step(backup, chunk);
    stopped = progress.stop_requested();
    const auto now = std::chrono::steady_clock::now();
    if (code == SQLITE_OK || code == SQLITE_DONE) {
      progress.advance(static_cast<std::uint64_t>(chunk * from.page_size));
      moved_at = now;
    } else if ((code & 0xff) == SQLITE_BUSY && now - moved_at < busy_timeout) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } else {
      break;
    }
  }
  sqlite3_backup_finish(backup);
  if (stopped) return interrupted();
  if (code != SQLITE_DONE) return std::unexpected(copy_failure(from, to, to_path, code));
  return {};
}

// One committed state of `path` into the empty file `to_path`; the size it must have.
Result<std::uint64_t> copy_snapshot(const std::string& path, const std::string& to_path,
                                    Progress& progress, std::chrono::milliseconds busy_timeout) {
  const Footprint before = Footprint::of(path);
  bool locked = true;
  int code = 0;
  Result<Snapshot> from = pin(path, SqliteAccess::kShared, progress, busy_timeout, code);
  if (!from && wants_shared_memory(code)) {
    locked = false;
    const bool wal = before.has_wal && before.wal.st_size > 0;
    from = pin(path, wal ? SqliteAccess::kQuiet : SqliteAccess::kImmutable, progress, busy_timeout,
               code);
  }
  if (!from) return pass(from);
  Result<SqliteDatabase> to = SqliteDatabase::open(to_path, SqliteAccess::kTarget);
  if (!to) return pass(to);
  if (Status copied = copy_pages(*from, *to, to_path, progress, busy_timeout); !copied) {
    return pass(copied);
  }
  if (!locked && !(Footprint::of(path) == before)) {
    return fail(ErrorCode::kBusy, "database " + shown_path(path) +
                                      " was written while it was read without locks; run as a "
                                      "user who may write in its folder");
  }
  return static_cast<std::uint64_t>(from->page_size * from->page_count);
}

int compare_bytes(void*, int left_size, const void* left, int right_size, const void* right) {
  const std::string_view a(static_cast<const char*>(left), static_cast<std::size_t>(left_size));
  return a.compare({static_cast<const char*>(right), static_cast<std::size_t>(right_size)});
}

// Collations and functions may be the application's alone. The structure can still be checked:
// quick_check compares no keys, so that any collation will do, and computes none.
Result<std::uint64_t> check_structure(const std::string& path, Progress& progress,
                                      const std::function<void(const std::string&)>& row) {
  Result<SqliteDatabase> copy = SqliteDatabase::open(path, SqliteAccess::kImmutable);
  if (!copy) return pass(copy);
  copy->wait_when_busy(std::chrono::milliseconds(0),
                       [&progress] { return progress.stop_requested(); });
  const auto define = [](void*, sqlite3* connection, int encoding, const char* name) {
    sqlite3_create_collation(connection, name, encoding, nullptr, compare_bytes);
  };
  sqlite3_collation_needed(copy->get(), nullptr, define);
  return copy->rows("PRAGMA quick_check", row);
}

// Reads the copy as it lies there, without leaving a -wal or -shm beside it.
Result<std::string> check_copy(const std::string& path, const std::string& source,
                               Progress& progress) {
  Result<SqliteDatabase> copy = SqliteDatabase::open(path, SqliteAccess::kImmutable);
  if (!copy) return pass(copy);
  copy->wait_when_busy(std::chrono::milliseconds(0),
                       [&progress] { return progress.stop_requested(); });
  std::string first;
  const auto keep_first = [&first](const std::string& row) {
    if (first.empty()) first = row;
  };
  std::string report = "integrity_check ok";
  Result<std::uint64_t> rows = copy->rows("PRAGMA integrity_check", keep_first);
  if (!rows && (copy->last_code() & 0xff) == SQLITE_ERROR) {
    report = "quick_check ok (integrity_check could not run: " +
             inert_short(sqlite3_errmsg(copy->get()), 256) + ")";
    first.clear();
    rows = check_structure(path, progress, keep_first);
  }
  if (!rows && rows.error().code != ErrorCode::kCorrupt) return pass(rows);
  if (!rows && first.empty()) first = sqlite3_errmsg(copy->get());
  if (!rows || *rows != 1 || first != "ok") {
    return fail(ErrorCode::kCorrupt,
                "the copy of database " + shown_path(source) +
                    " does not pass integrity_check: " + inert_short(first, 512) +
                    "; repair the source (sqlite3 FILE .recover), then run again");
  }
  first.clear();
  const auto violations = copy->rows("PRAGMA foreign_key_check", keep_first);
  if (!violations && violations.error().code == ErrorCode::kInterrupted) return interrupted();
  if (!violations) {
    return report +
           ", foreign_key_check could not run: " + inert_short(sqlite3_errmsg(copy->get()), 256);
  }
  if (*violations == 0) return report + ", foreign_key_check ok";
  return report + ", foreign_key_check found " + std::to_string(*violations) +
         " violations, first " + inert_short(first, 256);
}

// The copy in the making; removed unless it is kept.
class RawCopy {
 public:
  RawCopy(const Folder& folder, std::string name) : folder_(folder), name_(std::move(name)) {}
  ~RawCopy() {
    // On the way out of a failure, which is what gets told.
    const Status removed = remove();
    static_cast<void>(removed);
  }
  RawCopy(const RawCopy&) = delete;
  RawCopy& operator=(const RawCopy&) = delete;

  Status create() {
    Result<Fd> file = create_private_file(folder_, name_);
    if (!file) return pass(file);
    file_ = std::move(*file);
    return {};
  }
  Status remove() {
    if (!file_.open() || kept_) return {};
    file_.reset();
    if (::unlinkat(folder_.fd.get(), name_.c_str(), 0) == 0) return {};
    return system_failure("remove", path(), errno);
  }
  void keep() { kept_ = true; }
  std::string path() const { return folder_.path + "/" + name_; }
  int fd() const { return file_.get(); }

 private:
  const Folder& folder_;
  std::string name_;
  Fd file_;
  bool kept_ = false;
};

template <class Each>
Status read_through(const RawCopy& raw, Progress& progress, Each each) {
  std::vector<char> buffer(kReadBytes);
  if (::lseek(raw.fd(), 0, SEEK_SET) != 0) return system_failure("read", raw.path(), errno);
  while (true) {
    if (progress.stop_requested()) return interrupted();
    const std::int64_t n = read_full(raw.fd(), buffer);
    if (n < 0) return system_failure("read", raw.path(), errno);
    if (n == 0) return {};
    const auto size = static_cast<std::size_t>(n);
    progress.advance(size);
    if (Status taken = each(std::string_view(buffer.data(), size)); !taken) return taken;
  }
}

Result<StoredFile> store_as_it_is(RawCopy& raw, Progress& progress) {
  Sha256 hash;
  const auto add = [&hash](std::string_view bytes) -> Status {
    hash.update(bytes);
    return {};
  };
  if (Status read = read_through(raw, progress, add); !read) return pass(read);
  if (Status synced = sync_fd(raw.fd(), raw.path()); !synced) return pass(synced);
  Result<StoredFile> stored = stat_stored(raw.fd(), raw.path());
  if (!stored) return stored;
  stored->sha256 = hash.finish();
  stored->content_bytes = stored->size_bytes;
  stored->content_sha256 = stored->sha256;
  raw.keep();
  return stored;
}

Result<StoredFile> store_compressed(RawCopy& raw, const CaptureTarget& target, Progress& progress) {
  auto writer = ArtifactWriter::create(target.folder, target.name, target.compression);
  if (!writer) return pass(writer);
  const auto add = [&writer](std::string_view bytes) { return (*writer)->write(bytes); };
  if (Status read = read_through(raw, progress, add); !read) return pass(read);
  Result<StoredFile> stored = (*writer)->finish();
  if (!stored) return stored;
  if (Status removed = raw.remove(); !removed) return pass(removed);
  return stored;
}

}  // namespace

Result<Capture> capture_sqlite(const v1::SqliteCapture& source, const CaptureTarget& target,
                               Progress& progress, std::chrono::milliseconds busy_timeout) {
  if (Status usable = check_source(source.path()); !usable) return pass(usable);
  const bool plain = target.compression.none();
  RawCopy raw(target.folder, plain ? target.name : "." + target.name + ".raw");
  if (Status created = raw.create(); !created) return pass(created);
  const Result<std::uint64_t> expected =
      copy_snapshot(source.path(), raw.path(), progress, busy_timeout);
  if (!expected) return std::unexpected(expected.error());
  Capture capture;
  Result<std::string> checked = check_copy(raw.path(), source.path(), progress);
  if (!checked) return pass(checked);
  capture.check = std::move(*checked);
  const Result<StoredFile> stored =
      plain ? store_as_it_is(raw, progress) : store_compressed(raw, target, progress);
  if (!stored) return std::unexpected(stored.error());
  if (stored->content_bytes != *expected) {
    return fail(ErrorCode::kCorrupt, "the copy of database " + shown_path(source.path()) + " has " +
                                         std::to_string(stored->content_bytes) +
                                         " bytes (expected " + std::to_string(*expected) +
                                         " by its page count); run again");
  }
  capture.file = *stored;
  return capture;
}

}  // namespace muniment
