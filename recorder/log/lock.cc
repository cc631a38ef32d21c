#include "recorder/log/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "recorder/log/lock_holder.h"

namespace muniment {
namespace {

constexpr std::chrono::milliseconds kPoll{20};
// A reader holds the lock for an opening, which takes a fraction of this.
constexpr std::chrono::seconds kGraceForReaders{1};
constexpr const char* kWaitForIt = "; wait for it, or use --lock-wait SECONDS";

std::string lock_path(const std::string& store_folder) {
  return store_folder + "/lock";
}

std::unexpected<Error> system_failure(const std::string& what, const std::string& next) {
  const int reason = errno;
  return fail(ErrorCode::kIo, what + ": " + std::system_category().message(reason) + "; " + next);
}

std::unexpected<Error> no_store(const std::string& store_folder) {
  return fail(ErrorCode::kNotFound,
              "no store at " + store_folder + "; create it with `muniment init`");
}

enum class Try { kTaken, kHeld, kFailed };

Try try_lock(int file, int operation) {
  while (::flock(file, operation | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Try::kHeld;
    if (errno != EINTR) return Try::kFailed;
  }
  return Try::kTaken;
}

// Whether nobody but readers holds the lock: then one more may have it for a moment.
bool only_readers_hold(int file) {
  if (try_lock(file, LOCK_SH) != Try::kTaken) return false;
  ::flock(file, LOCK_UN);
  return true;
}

Status take_exclusively(int file, const std::string& store_folder, std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const Try tried = try_lock(file, LOCK_EX);
    if (tried == Try::kTaken) return {};
    if (tried == Try::kFailed) {
      return system_failure("cannot lock " + lock_path(store_folder),
                            "check that its file system supports flock");
    }
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) {
      if (!only_readers_hold(file)) {
        return fail(ErrorCode::kBusy,
                    "store " + store_folder + " is held by " + name_writer(file) + kWaitForIt);
      }
      if (now >= deadline + kGraceForReaders) {
        return fail(ErrorCode::kBusy, "store " + store_folder + " is being read by " +
                                          name_readers(file) + kWaitForIt);
      }
    }
    std::this_thread::sleep_for(kPoll);
  }
}

// The reading group of the store reads the lock too; nobody else does.
Status settle_mode(int file, const std::string& store_folder) {
  struct stat folder{};
  struct stat lock{};
  if (::stat(store_folder.c_str(), &folder) != 0 || ::fstat(file, &lock) != 0) {
    return system_failure("cannot look at " + lock_path(store_folder), "check its owner");
  }
  const mode_t mode = (folder.st_mode & S_IRGRP) != 0 ? 0640 : 0600;
  const bool is_ours = lock.st_uid == ::geteuid();
  if (!is_ours || (lock.st_mode & 07777) == mode || ::fchmod(file, mode) == 0) return {};
  return system_failure("cannot set the mode of " + lock_path(store_folder), "check its owner");
}

Status write_holder(int file, const std::string& store_folder, const std::string& text) {
  if (::ftruncate(file, 0) == 0 &&
      ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) {
    return {};
  }
  return system_failure("cannot write " + lock_path(store_folder), "check the free space");
}

}  // namespace

Result<StoreLock> StoreLock::exclusive(const std::string& store_folder,
                                       const LockRequest& request) {
  const int file =
      ::open(lock_path(store_folder).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0 && (errno == ENOENT || errno == ENOTDIR)) return no_store(store_folder);
  if (file < 0) {
    return system_failure("cannot open " + lock_path(store_folder),
                          "run this as the owner of the store");
  }
  StoreLock lock(file);
  if (Status taken = take_exclusively(file, store_folder, request.wait); !taken) return pass(taken);
  if (Status settled = settle_mode(file, store_folder); !settled) return pass(settled);
  const std::string text = describe_this_process(request.command);
  if (Status written = write_holder(file, store_folder, text); !written) return pass(written);
  return lock;
}

Result<std::optional<StoreLock>> StoreLock::try_shared(const std::string& store_folder) {
  const int file = ::open(lock_path(store_folder).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0 && (errno == ENOENT || errno == ENOTDIR)) return no_store(store_folder);
  if (file < 0) {
    return system_failure("cannot open " + lock_path(store_folder),
                          "read it as the owner of the store or a member of its group");
  }
  StoreLock lock(file);
  const Try tried = try_lock(file, LOCK_SH);
  if (tried == Try::kHeld) return std::nullopt;
  if (tried == Try::kTaken) return std::optional<StoreLock>(std::move(lock));
  return system_failure("cannot lock " + lock_path(store_folder),
                        "check that its file system supports flock");
}

StoreLock::StoreLock(StoreLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

StoreLock& StoreLock::operator=(StoreLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

StoreLock::~StoreLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace muniment
