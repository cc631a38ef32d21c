#include "recorder/log/purge.h"

#include <rocksdb/transaction_log.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <thread>

#include "recorder/log/key_codec.h"
#include "recorder/log/rocks_options.h"
#include "recorder/log/store_layout.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// A background thread may be about to remove a file that it took note of before.
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{10};

// Without it, RocksDB's threads would remove files when it suits them; the end of the hold removes
// all at once, in this thread.
class DeletionsHeld {
 public:
  explicit DeletionsHeld(rocksdb::DB& db) : db_(&db), held_(db.DisableFileDeletions()) {}
  ~DeletionsHeld() { static_cast<void>(release()); }
  DeletionsHeld(const DeletionsHeld&) = delete;
  DeletionsHeld& operator=(const DeletionsHeld&) = delete;

  rocksdb::Status release() {
    if (db_ == nullptr || !held_.ok()) return held_;
    rocksdb::DB& db = *db_;
    db_ = nullptr;
    return db.EnableFileDeletions(false);
  }

 private:
  rocksdb::DB* db_;
  rocksdb::Status held_;
};

// Names of the files that may hold a row of the table: all table files, and all WALs but the one
// that is being written now: right after a flush that one is empty.
Status list_suspects(rocksdb::DB& db, std::set<std::string>& suspects) {
  std::unique_ptr<rocksdb::LogFile> current;
  const rocksdb::Status found = db.GetCurrentWalFile(&current);
  if (!found.ok()) return rocks_error("database " + db.GetName(), found);
  const std::string newest = fs::path(current->PathName()).filename();
  std::error_code error;
  for (fs::directory_iterator at(db.GetName(), error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    const fs::path name = at->path().filename();
    const bool is_table = name.extension() == ".sst";
    if (is_table || (name.extension() == ".log" && name != newest)) suspects.insert(name);
  }
  if (!error) return {};
  return fail(ErrorCode::kIo,
              "cannot list folder " + db.GetName() + ": " + error.message() + "; correct it");
}

// Drops from the suspects what is gone and what belongs to other tables.
void clear_suspects(rocksdb::DB& db, const std::string& table, std::set<std::string>& suspects) {
  std::vector<rocksdb::LiveFileMetaData> live;
  db.GetLiveFilesMetaData(&live);
  for (const rocksdb::LiveFileMetaData& file : live) {
    if (file.column_family_name != table) suspects.erase(fs::path(file.name).filename());
  }
  std::erase_if(suspects, [&](const std::string& name) {
    std::error_code error;
    return fs::symlink_status(db.GetName() + "/" + name, error).type() == fs::file_type::not_found;
  });
}

// An erasure that was cut short may leave a WAL of which everything is in tables already; RocksDB
// gives it up when it next flushes a table, and flushes none that has nothing new.
Status touch(RocksRows& rows) {
  Result<std::optional<std::string>> state = rows.get(Table::kMeta, kStateKey);
  if (!state) return pass(state);
  if (!state->has_value()) return {};
  BatchSink sink(rows);
  sink.put(Table::kMeta, kStateKey, **state);
  return rows.write(sink.batch(), true);
}

Status rewrite(RocksRows& rows, Table table, std::set<std::string>& suspects) {
  rocksdb::DB& db = rows.db();
  DeletionsHeld held(db);
  if (Status touched = touch(rows); !touched) return touched;
  if (Status flushed = rows.flush(); !flushed) return flushed;
  if (Status listed = list_suspects(db, suspects); !listed) return listed;
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  rocksdb::Status done = db.CompactRange(options, rows.handle(table), nullptr, nullptr);
  if (done.ok()) done = held.release();
  if (!done.ok()) return rocks_error("database " + db.GetName(), done);
  return {};
}

}  // namespace

Status purge_table(RocksRows& rows, Table table) {
  rocksdb::DB& db = rows.db();
  std::set<std::string> suspects;
  if (Status rewritten = rewrite(rows, table, suspects); !rewritten) return rewritten;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    clear_suspects(db, std::string(table_name(table)), suspects);
    if (suspects.empty()) return sync_folder(db.GetName());
    if (std::chrono::steady_clock::now() > give_up) break;
    std::this_thread::sleep_for(kPause);
  }
  return fail(ErrorCode::kIo, "file " + db.GetName() + "/" + *suspects.begin() +
                                  " is still in use; end what reads it");
}

}  // namespace muniment
