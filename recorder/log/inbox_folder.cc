#include "recorder/log/inbox_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "recorder/log/held_file.h"
#include "recorder/log/prepared_entry.h"

namespace muniment {
namespace {

constexpr std::size_t kIdBytes = 36;

std::unexpected<Error> system_failure(const std::string& what, const std::string& next) {
  const int reason = errno;
  return fail(ErrorCode::kIo, what + ": " + std::system_category().message(reason) + "; " + next);
}

std::string temporary_name(const std::string& name) {
  return "." + name + "." + std::to_string(::getpid()) + ".tmp";
}

bool is_temporary(std::string_view name) {
  return name.starts_with('.') && name.ends_with(".tmp") &&
         is_uuid_text(name.substr(1, kIdBytes)) && name.substr(1 + kIdBytes, 1) == ".";
}

int open_folder(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Why a file is not taken, or "".
std::string objection(const struct stat& facts) {
  if (!S_ISREG(facts.st_mode)) return "it is not a regular file";
  if (facts.st_uid != ::geteuid()) {
    return "it is owned by uid " + std::to_string(facts.st_uid) + " and not by uid " +
           std::to_string(::geteuid());
  }
  if ((facts.st_mode & 07777) != 0600) return "its mode is not 0600";
  if (facts.st_size > static_cast<off_t>(kMaxInboxItemBytes)) return "it is larger than 1 MiB";
  return "";
}

// At most one byte more than an item may have: a file that grew meanwhile is not read for ever.
std::optional<std::string> read_whole(int file) {
  std::string bytes(kMaxInboxItemBytes + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

Result<InboxFolder> InboxFolder::make(const std::string& store_folder) {
  Result<std::optional<InboxFolder>> found = find(store_folder);
  if (!found) return pass(found);
  if (found->has_value()) return std::move(**found);
  const std::string path = store_folder + "/inbox";
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(ErrorCode::kNotFound,
                  "no store at " + store_folder + "; create it with `muniment init`");
    }
    return system_failure("cannot make " + path, "run this as the owner of the store");
  }
  const int folder = open_folder(path);
  if (folder < 0) return system_failure("cannot open " + path, "check its owner and mode");
  return InboxFolder(folder, path);
}

Result<std::optional<InboxFolder>> InboxFolder::find(const std::string& store_folder) {
  const std::string path = store_folder + "/inbox";
  const int folder = open_folder(path);
  if (folder >= 0) return InboxFolder(folder, path);
  if (errno == ENOENT) return std::nullopt;
  return system_failure("cannot open " + path, "run this as the owner of the store");
}

InboxFolder::InboxFolder(InboxFolder&& other) noexcept
    : folder_(std::exchange(other.folder_, -1)), path_(std::move(other.path_)) {}

InboxFolder& InboxFolder::operator=(InboxFolder&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(path_, other.path_);
  return *this;
}

InboxFolder::~InboxFolder() {
  if (folder_ >= 0) ::close(folder_);
}

Status InboxFolder::write_temporary(const std::string& name, std::string_view bytes) const {
  // A process with this pid may have died over the same event.
  ::unlinkat(folder_, name.c_str(), 0);
  const HeldFile file(
      ::openat(folder_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.failed() && ::fchmod(file.get(), 0600) == 0 && write_whole(file.get(), bytes) &&
      ::fsync(file.get()) == 0) {
    return {};
  }
  return system_failure("cannot write " + path_ + "/" + name, "check the owner and the free space");
}

Status InboxFolder::settle(const std::string& temporary, const std::string& name,
                           const std::string& bytes) const {
  if (::renameat2(folder_, temporary.c_str(), folder_, name.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno != EEXIST) {
      return system_failure("cannot rename " + path_ + "/" + temporary, "check the file system");
    }
    Result<std::optional<std::string>> present = read(name);
    if (!present) return pass(present);
    if (*present != bytes) {
      return fail(ErrorCode::kRefused, path_ + "/" + name +
                                           " holds another fact under the same event id; "
                                           "stamp a new event");
    }
    ::unlinkat(folder_, temporary.c_str(), 0);
  }
  if (::fsync(folder_) == 0) return {};
  return system_failure("cannot fsync " + path_, "check the disk");
}

Status InboxFolder::leave(const std::string& name, const std::string& bytes) {
  if (bytes.size() > kMaxInboxItemBytes) {
    return fail(ErrorCode::kInvalid, "the event " + name +
                                         " is larger than 1 MiB with its texts; " +
                                         "shorten it, or wait for the store with --lock-wait");
  }
  const std::string temporary = temporary_name(name);
  Status left = write_temporary(temporary, bytes);
  if (left) left = settle(temporary, name, bytes);
  if (!left) ::unlinkat(folder_, temporary.c_str(), 0);
  return left;
}

Result<std::vector<std::string>> InboxFolder::list() const {
  // fdopendir() takes the descriptor over, and a duplicate would share its place in the list.
  const int again = ::openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = again < 0 ? nullptr : ::fdopendir(again);
  if (stream == nullptr) return system_failure("cannot list " + path_, "check its owner and mode");
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && !is_temporary(name)) names.push_back(name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::optional<std::string>> InboxFolder::read(const std::string& name) const {
  if (!is_uuid_text(name)) return fail(ErrorCode::kRefused, "its name is no event id");
  const HeldFile file(
      ::openat(folder_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat facts{};
  if (file.failed() && errno == ENOENT) return std::nullopt;
  if (file.failed() && errno == ELOOP) return fail(ErrorCode::kRefused, "it is a symbolic link");
  if (file.failed() || ::fstat(file.get(), &facts) != 0) {
    return fail(ErrorCode::kRefused,
                "it cannot be opened: " + std::system_category().message(errno));
  }
  if (std::string why = objection(facts); !why.empty()) {
    return fail(ErrorCode::kRefused, std::move(why));
  }
  std::optional<std::string> bytes = read_whole(file.get());
  if (!bytes) {
    return fail(ErrorCode::kRefused, "it cannot be read: " + std::system_category().message(errno));
  }
  if (bytes->size() > kMaxInboxItemBytes)
    return fail(ErrorCode::kRefused, "it is larger than 1 MiB");
  return bytes;
}

Status InboxFolder::remove(const std::string& name) {
  if (::unlinkat(folder_, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return system_failure("cannot remove " + path_ + "/" + name,
                        "its event is in the log: remove the file");
}

}  // namespace muniment
