// Small tools over the system's calls: a file descriptor that closes itself, and errors in words.
#ifndef MUNIMENT_RECORDER_WORLD_OS_H_
#define MUNIMENT_RECORDER_WORLD_OS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

// Owns one descriptor, or none (-1). Closing ignores errors: what must be durable is fsynced first.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  // Gives the descriptor away: the caller closes it.
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_;
};

// Both ends of a pipe, closed on exec.
struct Pipe {
  Fd read;
  Fd write;
  static Result<Pipe> make();
};

// A file that has no place on any disk, holding `content`, at its first byte. `name` stands in
// messages.
Result<Fd> make_memory_file(const std::string& name, std::string_view content);

// What exec and posix_spawn take for argv and envp; lives as long as `words`.
std::vector<char*> exec_pointers(const std::vector<std::string>& words);

// The system's sentence and the name of the number: "No space left on device (ENOSPC)".
std::string errno_text(int error);

// A path as a message shows it: inert, at most 1 KiB.
std::string shown_path(std::string_view path);

// An error of the environment: "cannot WHAT PATH: ERRNO TEXT; what to do next".
Error system_error(std::string_view what, std::string_view path, int error);
std::unexpected<Error> system_failure(std::string_view what, std::string_view path, int error);

// openat() with O_CLOEXEC, O_NONBLOCK and O_NOCTTY, so that neither a FIFO nor a device can hold us
// up, and with O_NOATIME where the system grants it. -1 and errno on failure.
int open_to_read(int folder, const char* name, int more_flags);

// Reads until `into` is full or the file ends; the number of bytes, or -1 and errno.
std::int64_t read_full(int fd, std::span<char> into);

// Makes a file or folder durable. `path` stands in the message.
Status sync_fd(int fd, std::string_view path);

// "/a/b" of "/a/b/c", "/" of "/a", and "c". REQUIRES: `path` is absolute.
std::string parent_of(std::string_view path);
std::string base_of(std::string_view path);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_OS_H_
