#include <cstdio>
#include <filesystem>
#include <system_error>

#include "recorder/log/key_codec.h"
#include "recorder/log/lock.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "recorder/log/tables.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

Status may_create(const std::string& folder) {
  const LayoutFound found = look_at(folder);
  switch (found.layout) {
    case Layout::kNothing:
    case Layout::kHalfMade:
      return {};
    case Layout::kStore:
      return fail(ErrorCode::kRefused, "a store is at " + folder + " already; use it as it is");
    case Layout::kForeign:
      break;
  }
  return fail(ErrorCode::kRefused, folder + " is not empty and no store (it holds " +
                                       found.foreign + "); name an empty or a new folder");
}

Status make_parents(const std::string& folder) {
  std::error_code error;
  const fs::path parent = fs::absolute(folder, error).parent_path();
  if (!error) fs::create_directories(parent, error);
  if (!error) return {};
  return fail(ErrorCode::kIo, "cannot make folder " + parent.string() + ": " + error.message() +
                                  "; make it and try again");
}

Status create_database(const std::string& folder, const CreateOptions& options,
                       const Access& access) {
  const std::string creating = creating_folder(folder);
  std::error_code error;
  fs::remove_all(creating, error);
  if (error) {
    return fail(ErrorCode::kIo, "cannot remove what an interrupted creation left, " + creating +
                                    ": " + error.message() + "; remove it and try again");
  }
  if (Status made = make_folder(creating, access); !made) return made;
  Result<std::unique_ptr<RocksRows>> rows = RocksRows::create(creating, access.file_mode());
  if (!rows) return pass(rows);
  BatchSink sink(**rows);
  sink.put(Table::kMeta, kStateKey, empty_state(options.origin).SerializeAsString());
  if (Status written = (*rows)->write(sink.batch(), true); !written) return written;
  return (*rows)->flush();
}

}  // namespace

StoreKind probe_store(const std::string& folder) {
  switch (look_at(folder).layout) {
    case Layout::kNothing:
    case Layout::kHalfMade:
      return StoreKind::kAbsent;
    case Layout::kStore:
      return StoreKind::kPresent;
    case Layout::kForeign:
      break;
  }
  return StoreKind::kForeign;
}

Status create_store(const std::string& folder, const CreateOptions& options) {
  if (Status may = may_create(folder); !may) return may;
  const Result<Access> access = access_for(options.reading_group);
  if (!access) return std::unexpected(access.error());
  if (Status parents = make_parents(folder); !parents) return parents;
  if (Status made = make_folder(folder, *access); !made) return made;
  const Result<StoreLock> lock = StoreLock::exclusive(folder, {.wait = {}, .command = "init"});
  if (!lock) return std::unexpected(lock.error());
  // Somebody else may have created it while this process waited for the lock.
  if (Status may = may_create(folder); !may) return may;
  if (Status inbox = make_folder(inbox_folder(folder), Access{}); !inbox) return inbox;
  if (Status created = create_database(folder, options, *access); !created) return created;
  if (std::rename(creating_folder(folder).c_str(), db_folder(folder).c_str()) != 0) {
    return system_error("cannot rename " + creating_folder(folder));
  }
  return sync_folder(folder);
}

}  // namespace muniment
