#include "recorder/world/folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "recorder/core/check.h"

namespace muniment {
namespace {

constexpr mode_t kPrivate = 0700;
constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// ENOENT must stay distinguishable: a missing folder is made, or was not there to be removed.
std::unexpected<Error> cannot_open(std::string_view path, int error) {
  Error failure = system_error("open folder", path, error);
  if (error == ENOENT) failure.code = ErrorCode::kNotFound;
  return std::unexpected(std::move(failure));
}

Result<Folder> checked(Fd fd, const std::string& path) {
  struct stat facts{};
  if (::fstat(fd.get(), &facts) != 0) return system_failure("stat", path, errno);
  if (std::string why = unsafe_because(path, facts); !why.empty()) {
    return fail(ErrorCode::kRefused, std::move(why));
  }
  return Folder{std::move(fd), path};
}

// lstat first: open() with O_NOFOLLOW says ENOTDIR of a link and of a file alike.
Result<Folder> open_checked(int parent, const std::string& name, const std::string& path) {
  struct stat facts{};
  if (::fstatat(parent, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    return cannot_open(path, errno);
  }
  if (std::string why = unsafe_because(path, facts); !why.empty()) {
    return fail(ErrorCode::kRefused, std::move(why));
  }
  Fd fd(::openat(parent, name.c_str(), kFolder | O_NOFOLLOW));
  if (!fd.open()) return cannot_open(path, errno);
  return checked(std::move(fd), path);
}

// The mode is set by name before the folder is opened: under umask 777 mkdir leaves 0000, which its
// owner cannot open. The parent is not writable by others, or sticky; the check after opening
// catches the rest.
Result<Folder> make_folder(const Folder& parent, const std::string& name, const std::string& path) {
  if (::mkdirat(parent.fd.get(), name.c_str(), kPrivate) != 0) {
    return system_failure("make folder", path, errno);
  }
  if (::fchmodat(parent.fd.get(), name.c_str(), kPrivate, AT_SYMLINK_NOFOLLOW) != 0) {
    return system_failure("set mode 0700 of", path, errno);
  }
  Result<Folder> made = open_checked(parent.fd.get(), name, path);
  if (!made) return made;
  if (const Status synced = sync_fd(made->fd.get(), path); !synced) {
    return std::unexpected(synced.error());
  }
  if (const Status synced = sync_fd(parent.fd.get(), parent.path); !synced) {
    return std::unexpected(synced.error());
  }
  return made;
}

// The deepest folder that exists above `path`, and the names that are missing below it, innermost
// first.
Result<Folder> deepest_existing(std::string path, std::vector<std::string>& missing) {
  while (true) {
    Fd fd(::open(path.c_str(), kFolder));
    if (fd.open()) return Folder{std::move(fd), path};
    if (errno != ENOENT || path == "/") return cannot_open(path, errno);
    missing.push_back(base_of(path));
    path = parent_of(path);
  }
}

Result<Folder> open_root(const std::string& root) {
  return open_checked(AT_FDCWD, root, root);
}

Result<Folder> make_root(const std::string& root) {
  std::vector<std::string> missing{base_of(root)};
  Result<Folder> folder = deepest_existing(parent_of(root), missing);
  for (; folder && !missing.empty(); missing.pop_back()) {
    const std::string path = (folder->path == "/" ? "" : folder->path) + "/" + missing.back();
    folder = make_folder(*folder, missing.back(), path);
  }
  return folder;
}

Status set_private(const Folder& folder) {
  struct stat facts{};
  if (::fstat(folder.fd.get(), &facts) != 0) return system_failure("stat", folder.path, errno);
  if ((facts.st_mode & 07777U) == kPrivate || facts.st_uid != ::geteuid()) return {};
  if (::fchmod(folder.fd.get(), kPrivate) != 0) {
    return system_failure("set mode 0700 of", folder.path, errno);
  }
  return {};
}

}  // namespace

std::string unsafe_because(std::string_view path, const struct stat& facts) {
  const std::string shown = shown_path(path);
  if (S_ISLNK(facts.st_mode)) {
    return "folder " + shown + " is a symbolic link; name the folder that it points to";
  }
  if (!S_ISDIR(facts.st_mode)) {
    return shown + " is not a folder; move it away or name another backup root";
  }
  if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) {
    return "folder " + shown + " belongs to uid " + std::to_string(facts.st_uid) +
           " (expected root or uid " + std::to_string(::geteuid()) +
           "); chown it or run as its owner";
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "folder " + shown + " is writable by group or others; run chmod go-w on it";
  }
  return {};
}

Result<Folder> make_module_folder(const Place& place) {
  check(is_plain_absolute(place.root), "a backup root is a plain absolute path");
  Result<Folder> root = open_root(place.root);
  if (!root && root.error().code == ErrorCode::kNotFound) root = make_root(place.root);
  if (!root) return root;
  const std::string path = place.module_folder();
  Result<Folder> module_folder = open_checked(root->fd.get(), place.module, path);
  if (!module_folder && module_folder.error().code == ErrorCode::kNotFound) {
    return make_folder(*root, place.module, path);
  }
  if (!module_folder) return module_folder;
  if (const Status set = set_private(*module_folder); !set) return std::unexpected(set.error());
  return module_folder;
}

Result<Folder> open_module_folder(const Place& place) {
  Result<Folder> root = open_root(place.root);
  if (!root) return root;
  return open_checked(root->fd.get(), place.module, place.module_folder());
}

Result<Folder> make_partial_folder(const Folder& module_folder, const Place& place) {
  return make_folder(module_folder, place.partial_name(), place.partial_folder());
}

Result<Folder> open_partial_folder(const Folder& module_folder, const Place& place) {
  return open_checked(module_folder.fd.get(), place.partial_name(), place.partial_folder());
}

}  // namespace muniment
