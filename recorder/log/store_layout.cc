#include "recorder/log/store_layout.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

namespace muniment {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

LayoutFound sort_entries(const std::string& store_folder, fs::directory_iterator entries) {
  bool any = false;
  std::string foreign;
  for (std::error_code error; entries != fs::directory_iterator(); entries.increment(error)) {
    any = true;
    const std::string name = entries->path().filename();
    if (name != "lock" && name != "inbox" && name != "db.creating") foreign = name;
  }
  if (!any) return {Layout::kNothing, ""};
  if (foreign.empty()) return {Layout::kHalfMade, ""};
  if (exists(store_folder + "/db") &&
      (exists(store_folder + "/lock") || exists(store_folder + "/inbox") ||
       exists(store_folder + "/db/CURRENT"))) {
    return {Layout::kStore, ""};
  }
  return {Layout::kForeign, foreign};
}

}  // namespace

std::string db_folder(const std::string& store_folder) {
  return store_folder + "/db";
}

std::string inbox_folder(const std::string& store_folder) {
  return store_folder + "/inbox";
}

std::string creating_folder(const std::string& store_folder) {
  return store_folder + "/db.creating";
}

LayoutFound look_at(const std::string& store_folder) {
  std::error_code error;
  const fs::file_status status = fs::status(store_folder, error);
  if (status.type() == fs::file_type::not_found) return {Layout::kNothing, ""};
  if (status.type() == fs::file_type::none) return {Layout::kStore, ""};
  if (status.type() != fs::file_type::directory) return {Layout::kForeign, "no folder but a file"};
  fs::directory_iterator entries(store_folder, error);
  if (error) return {Layout::kStore, ""};
  return sort_entries(store_folder, std::move(entries));
}

Status require_store(const std::string& store_folder) {
  const LayoutFound found = look_at(store_folder);
  switch (found.layout) {
    case Layout::kStore:
      return {};
    case Layout::kNothing:
      return fail(ErrorCode::kNotFound,
                  "no store at " + store_folder + "; create it with `muniment init`");
    case Layout::kHalfMade:
      return fail(ErrorCode::kNotFound, "the creation of store " + store_folder +
                                            " was interrupted; run `muniment init` again");
    case Layout::kForeign:
      break;
  }
  return fail(ErrorCode::kNotFound, store_folder + " is no store (it holds " + found.foreign +
                                        "); name another with --store or run `muniment init`");
}

Result<Access> access_for(const std::string& group_name) {
  Access access;
  if (group_name.empty()) return access;
  struct group found{};
  struct group* result = nullptr;
  std::vector<char> buffer(1U << 16U);
  getgrnam_r(group_name.c_str(), &found, buffer.data(), buffer.size(), &result);
  if (result == nullptr) {
    return fail(ErrorCode::kInvalid,
                "no group " + group_name + " on this machine; create it or name another");
  }
  access.group = found.gr_gid;
  return access;
}

Access access_of(const std::string& store_folder) {
  Access access;
  struct stat found{};
  if (::stat(db_folder(store_folder).c_str(), &found) != 0) return access;
  if ((found.st_mode & S_IRGRP) != 0) access.group = found.st_gid;
  return access;
}

Status make_folder(const std::string& folder, const Access& access) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error("cannot make folder " + folder);
  }
  if (access.group && ::chown(folder.c_str(), static_cast<uid_t>(-1), *access.group) != 0) {
    return system_error("cannot give folder " + folder + " to the reading group");
  }
  if (::chmod(folder.c_str(), access.folder_mode()) != 0) {
    return system_error("cannot set the mode of folder " + folder);
  }
  return {};
}

Status sync_folder(const std::string& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return system_error("cannot open folder " + folder);
  const bool synced = ::fsync(file) == 0;
  const std::unexpected<Error> error = system_error("cannot sync folder " + folder);
  ::close(file);
  if (!synced) return error;
  return {};
}

std::unexpected<Error> system_error(const std::string& what) {
  return fail(ErrorCode::kIo,
              what + ": " + std::generic_category().message(errno) + "; correct it and try again");
}

}  // namespace muniment
