#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/world/folders.h"
#include "recorder/world/os.h"
#include "recorder/world/path_facts.h"
#include "recorder/world/place.h"

namespace muniment {
namespace {

struct CloseDir {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

// Names in a folder that is no link, sorted; empty where it cannot be listed.
std::vector<std::string> names_in(const std::string& folder) {
  Fd fd(open_to_read(AT_FDCWD, folder.c_str(), O_DIRECTORY | O_NOFOLLOW));
  if (!fd.open()) return {};
  const std::unique_ptr<DIR, CloseDir> stream(::fdopendir(fd.get()));
  if (!stream) return {};
  (void)fd.release();
  std::vector<std::string> names;
  while (const dirent* found = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name(found->d_name);
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string joined(const std::string& folder, const std::string& name) {
  return (folder == "/" ? "" : folder) + "/" + name;
}

void set_facts(const struct stat& facts, v1::PathObserved& seen) {
  seen.set_file_mode(facts.st_mode & 07777U);
  seen.set_uid(facts.st_uid);
  seen.set_gid(facts.st_gid);
  seen.set_kind(S_ISDIR(facts.st_mode)   ? v1::PATH_KIND_DIRECTORY
                : S_ISLNK(facts.st_mode) ? v1::PATH_KIND_SYMLINK
                : S_ISREG(facts.st_mode) ? v1::PATH_KIND_REGULAR
                                         : v1::PATH_KIND_OTHER);
}

std::string nearest_existing(std::string path) {
  struct stat facts{};
  while (path != "/" && ::stat(path.c_str(), &facts) != 0) path = parent_of(path);
  return path;
}

// access(2) asks for the effective user and answers EROFS on a file system mounted read-only.
bool may_make_folders_in(const std::string& folder) {
  struct stat facts{};
  return ::stat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

std::uint64_t regular_bytes_in(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const std::string& name : names_in(folder)) {
    struct stat facts{};
    if (::lstat(joined(folder, name).c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    bytes += static_cast<std::uint64_t>(facts.st_size);
  }
  return bytes;
}

std::optional<v1::PathObserved> observe_partial(const std::string& path) {
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) return std::nullopt;
  v1::PathObserved seen;
  seen.set_role(v1::PATH_ROLE_LEFT_BEHIND);
  seen.set_path(path);
  set_facts(facts, seen);
  if (S_ISDIR(facts.st_mode)) seen.set_size_bytes(regular_bytes_in(path));
  return seen;
}

}  // namespace

v1::PathObserved observe_backup_root(const std::string& root) {
  v1::PathObserved seen;
  seen.set_role(v1::PATH_ROLE_BACKUP_ROOT);
  seen.set_path(root);
  struct stat facts{};
  std::string holder = root;
  if (::lstat(root.c_str(), &facts) == 0) {
    set_facts(facts, seen);
    seen.set_error(unsafe_because(root, facts));
  } else if (errno == ENOENT) {
    seen.set_kind(v1::PATH_KIND_MISSING);
    holder = nearest_existing(parent_of(root));
    seen.set_nearest_parent(holder);
  } else {
    seen.set_kind(v1::PATH_KIND_UNREADABLE);
    seen.set_error(system_error("read", root, errno).message);
    return seen;
  }
  seen.set_writable(may_make_folders_in(holder));
  struct statvfs space{};
  if (::statvfs(holder.c_str(), &space) == 0) {
    seen.set_free_bytes(std::uint64_t{space.f_bavail} * space.f_frsize);
  }
  return seen;
}

std::vector<v1::PathObserved> observe_left_behind(const std::string& root) {
  std::vector<v1::PathObserved> found;
  for (const std::string& module : names_in(root)) {
    const std::string folder = joined(root, module);
    for (const std::string& name : names_in(folder)) {
      if (run_of_partial_name(name).empty()) continue;
      if (auto seen = observe_partial(joined(folder, name))) found.push_back(std::move(*seen));
    }
  }
  // A name that is another's beginning sorts differently with the slash behind it.
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.path() < b.path(); });
  return found;
}

}  // namespace muniment
