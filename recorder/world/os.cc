#include "recorder/world/os.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kShownPathLimit = 1024;

std::string_view what_to_do(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free space on its file system and run again";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f) and run again";
    case EIO:
      return "check the disk (dmesg) before you run again";
    case EACCES:
    case EPERM:
      return "run as a user who may, or change its permissions";
    case EROFS:
      return "mount it writable, or name another path";
    case ENOENT:
      return "check that it exists";
    case ENOTDIR:
    case ELOOP:
      return "name the folder itself, not a link or a file";
    case EEXIST:
      return "move it away and run again";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n) and run again";
    default:
      return "remove the cause and run again";
  }
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Pipe> Pipe::make() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("make", "a pipe", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> make_memory_file(const std::string& name, std::string_view content) {
  Fd file(::memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!file.open()) return system_failure("make in memory", name, errno);
  while (!content.empty()) {
    const ssize_t n = ::write(file.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_failure("write in memory", name, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fchmod(file.get(), S_IRUSR | S_IWUSR) != 0 || ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return system_failure("prepare in memory", name, errno);
  }
  return file;
}

std::vector<char*> exec_pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  // They take char* for C's sake and write nothing there.
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

std::string errno_text(int error) {
  const char* words = strerrordesc_np(error);
  const char* name = strerrorname_np(error);
  if (words == nullptr || name == nullptr) return "system error " + std::to_string(error);
  return std::string(words) + " (" + name + ")";
}

std::string shown_path(std::string_view path) {
  return inert_short(path, kShownPathLimit);
}

Error system_error(std::string_view what, std::string_view path, int error) {
  std::string message = "cannot ";
  message.append(what).append(" ").append(shown_path(path)).append(": ");
  message.append(errno_text(error)).append("; ").append(what_to_do(error));
  return Error{ErrorCode::kIo, std::move(message)};
}

std::unexpected<Error> system_failure(std::string_view what, std::string_view path, int error) {
  return std::unexpected(system_error(what, path, error));
}

int open_to_read(int folder, const char* name, int more_flags) {
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | more_flags;
  const int fd = ::openat(folder, name, flags | O_NOATIME);
  if (fd >= 0 || errno != EPERM) return fd;
  return ::openat(folder, name, flags);
}

std::int64_t read_full(int fd, std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::read(fd, into.data() + done, into.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<std::int64_t>(done);
}

Status sync_fd(int fd, std::string_view path) {
  if (::fsync(fd) != 0) return system_failure("fsync", path, errno);
  return {};
}

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == 0 || slash == std::string_view::npos) return "/";
  return std::string(path.substr(0, slash));
}

std::string base_of(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace muniment
