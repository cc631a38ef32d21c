#include "cli/publish_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "replay/tiles.h"

namespace muniment {
namespace {

constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0644;
constexpr mode_t kPrivateMode = 0700;
constexpr std::size_t kMostReady = 64;
constexpr std::size_t kSyncThreads = 8;
constexpr auto kLockPause = std::chrono::milliseconds(50);

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_failure("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

// What a folder hands on to what is made in it (the bit of its group) stays.
Status set_mode(int fd, mode_t mode, const std::string& path) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return system_failure("stat", path, errno);
  if ((facts.st_mode & 0777U) == mode) return {};
  if (::fchmod(fd, (facts.st_mode & 07000U) | mode) != 0) {
    return system_failure("set the mode of", path, errno);
  }
  return {};
}

// Absent: it was there already.
Result<std::optional<FolderBelow>> make_top(const std::string& path) {
  if (::mkdir(path.c_str(), kPrivateMode) != 0) {
    if (errno == EEXIST) return std::nullopt;
    if (errno == ENOENT) {
      return fail(ErrorCode::kNotFound, "the folder that " + shown_path(path) +
                                            " is to lie in is missing; make it, or name another");
    }
    return system_failure("make", path, errno);
  }
  Result<FolderBelow> made = FolderBelow::open(path);
  if (!made) return pass(made);
  if (Status status = set_mode(made->fd(), kFolderMode, path); !status) return pass(status);
  const Fd parent(open_to_read(made->fd(), "..", O_DIRECTORY));
  if (!parent.open()) return system_failure("open", path + "/..", errno);
  if (Status status = sync_fd(parent.get(), path + "/.."); !status) return pass(status);
  return std::move(*made);
}

}  // namespace

Result<PublishFolder> PublishFolder::open(const std::string& path, std::chrono::milliseconds wait) {
  Result<std::optional<FolderBelow>> made = make_top(path);
  if (!made) return pass(made);
  Result<FolderBelow> files =
      made->has_value() ? Result<FolderBelow>(std::move(**made)) : FolderBelow::open(path);
  if (!files) return pass(files);
  PublishFolder folder(std::move(*files));
  if (Status status = folder.lock(wait); !status) return pass(status);
  if (Status status = folder.refuse_foreign(); !status) return pass(status);
  return folder;
}

Status PublishFolder::lock(std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (::flock(files_.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EBADF || errno == ENOLCK || errno == EOPNOTSUPP) {
      return fail(ErrorCode::kIo, "cannot lock " + shown_path(files_.path()) + ": " +
                                      errno_text(errno) +
                                      "; publish into a folder of this machine and copy it");
    }
    if (errno != EWOULDBLOCK) return system_failure("lock", files_.path(), errno);
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(ErrorCode::kBusy, "another publisher is at work in " + shown_path(files_.path()) +
                                        "; wait for it, or give --lock-wait SECONDS");
    }
    std::this_thread::sleep_for(kLockPause);
  }
  return {};
}

Status PublishFolder::refuse_foreign() {
  const Result<std::set<std::string>> names = files_.names();
  if (!names) return std::unexpected(names.error());
  const bool is_ours = names->contains(std::string(kCheckpointFile)) ||
                       names->contains(std::string(kPublishingFolder));
  if (is_ours || names->empty()) return {};
  return fail(ErrorCode::kInvalid, shown_path(files_.path()) + " holds `" +
                                       shown_path(*names->begin()) +
                                       "` and no checkpoint: it is no published log; name an "
                                       "empty folder, or one that does not exist yet");
}

Result<std::optional<int>> PublishFolder::make_folder(const std::string& relative, int parent) {
  if (::mkdirat(parent, name_part(relative).c_str(), kPrivateMode) != 0) {
    return system_failure("make", files_.path_of(relative), errno);
  }
  touched_.insert(folder_part(relative));
  Result<std::optional<int>> made = files_.folder(relative);
  if (made && !made->has_value()) {
    return system_failure("open", files_.path_of(relative), ENOENT);
  }
  return made;
}

Result<int> PublishFolder::folder_for(const std::string& relative) {
  Result<std::optional<int>> there = files_.folder(relative);
  if (!there) return pass(there);
  if (relative.empty()) return **there;
  if (!there->has_value()) {
    Result<int> parent = folder_for(folder_part(relative));
    if (!parent) return parent;
    there = make_folder(relative, *parent);
    if (!there) return pass(there);
  }
  // Also one that was there: its maker may have died before it could set the mode.
  const mode_t mode = relative == kPublishingFolder ? kPrivateMode : kFolderMode;
  if (Status status = set_mode(**there, mode, files_.path_of(relative)); !status) {
    return pass(status);
  }
  return **there;
}

Status PublishFolder::open_ready() {
  const std::string name(kPublishingFolder);
  Result<int> made = folder_for(name);
  if (!made) return pass(made);
  // A number of its own: that one is good until the next question.
  ready_folder_.reset(::fcntl(*made, F_DUPFD_CLOEXEC, 0));
  if (!ready_folder_.open()) return system_failure("open", files_.path_of(name), errno);
  // What a publisher left who died.
  std::vector<std::string> left;
  const Status listed = files_.list(name, "", [&](const auto& path) { left.push_back(path); });
  if (!listed) return listed;
  for (const std::string& path : left) {
    if (Status status = remove(path); !status) return status;
  }
  return {};
}

Status PublishFolder::write_ready(const std::string& name, std::string_view bytes) {
  const std::string path = files_.path_of(std::string(kPublishingFolder) + "/" + name);
  Fd fd(::openat(ready_folder_.get(), name.c_str(),
                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!fd.open()) return system_failure("create", path, errno);
  Ready& ready = ready_.emplace_back();
  ready.fd = std::move(fd);
  if (Status status = write_all(ready.fd.get(), bytes, path); !status) return status;
  return set_mode(ready.fd.get(), kFileMode, path);
}

// What is not in its place takes space that somebody may need.
void PublishFolder::drop_ready() {
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    ::unlinkat(ready_folder_.get(), std::to_string(i).c_str(), 0);
  }
  ready_.clear();
}

Status PublishFolder::move_ready() {
  std::vector<int> errors(ready_.size(), 0);
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < std::min(ready_.size(), kSyncThreads); ++first) {
      threads.emplace_back([this, first, &errors] {
        for (std::size_t i = first; i < ready_.size(); i += kSyncThreads) {
          if (::fsync(ready_[i].fd.get()) != 0) errors[i] = errno;
        }
      });
    }
  }
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    const std::string& relative = ready_[i].relative;
    if (errors[i] != 0) return system_failure("fsync", files_.path_of(relative), errors[i]);
    Result<int> folder = folder_for(folder_part(relative));
    if (!folder) return pass(folder);
    if (::renameat(ready_folder_.get(), std::to_string(i).c_str(), *folder,
                   name_part(relative).c_str()) != 0) {
      return system_failure("put in place", files_.path_of(relative), errno);
    }
    keep(relative);
  }
  ready_.clear();
  return {};
}

Status PublishFolder::put(const std::string& relative, std::string_view bytes) {
  if (!ready_folder_.open()) {
    if (Status status = open_ready(); !status) return status;
  }
  Status status = write_ready(std::to_string(ready_.size()), bytes);
  if (status) {
    ready_.back().relative = relative;
    if (ready_.size() == kMostReady) status = move_ready();
  }
  if (!status) drop_ready();
  return status;
}

void PublishFolder::keep(const std::string& relative) {
  std::string folder = relative;
  do {
    folder = folder_part(folder);
    touched_.insert(folder);
  } while (!folder.empty());
}

Status PublishFolder::remove(const std::string& relative) {
  Result<std::optional<int>> folder = files_.folder(folder_part(relative));
  if (!folder) return pass(folder);
  if (!folder->has_value()) return {};
  if (::unlinkat(**folder, name_part(relative).c_str(), 0) != 0 && errno != ENOENT) {
    return system_failure("remove", files_.path_of(relative), errno);
  }
  touched_.insert(folder_part(relative));
  return {};
}

Status PublishFolder::remove_if_empty(const std::string& relative) {
  Result<std::optional<int>> folder = files_.folder(folder_part(relative));
  if (!folder) return pass(folder);
  if (!folder->has_value()) return {};
  const bool kept = ::unlinkat(**folder, name_part(relative).c_str(), AT_REMOVEDIR) != 0;
  if (kept && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST) {
    return system_failure("remove", files_.path_of(relative), errno);
  }
  if (kept) return {};
  touched_.erase(relative);
  touched_.insert(folder_part(relative));
  return {};
}

Status PublishFolder::sync() {
  if (Status status = move_ready(); !status) {
    drop_ready();
    return status;
  }
  for (const std::string& relative : touched_) {
    Result<std::optional<int>> folder = files_.folder(relative);
    if (!folder) return pass(folder);
    if (!folder->has_value()) continue;
    if (Status status = sync_fd(**folder, files_.path_of(relative)); !status) return status;
  }
  touched_.clear();
  return {};
}

Status PublishFolder::finish() {
  const std::string name(kPublishingFolder);
  Result<std::optional<int>> there = files_.folder(name);
  if (!there) return pass(there);
  if (there->has_value() && !ready_folder_.open()) {
    if (Status status = open_ready(); !status) return status;
  }
  if (Status status = remove_if_empty(name); !status) return status;
  return sync();
}

}  // namespace muniment
