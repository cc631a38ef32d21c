// A file system of a few MiB, for tests of what happens when it is full.
#ifndef MUNIMENT_TESTS_CLI_SMALL_DISK_H_
#define MUNIMENT_TESTS_CLI_SMALL_DISK_H_

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

namespace muniment {

// Mounted at `folder`, which it makes, for this process and its children alone; unmounted at the
// end. Where the system does not permit that, why_not() says so and the test is to skip.
class SmallDisk {
 public:
  SmallDisk(const std::string& folder, const std::string& options) : folder_(folder) {
    std::filesystem::create_directories(folder);
    // In a mount namespace of its own nothing of this is seen elsewhere.
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.c_str(), "tmpfs", 0, ("mode=0700," + options).c_str()) != 0) {
      why_not_ = std::string("a tmpfs cannot be mounted here: ") + std::strerror(errno);
    }
  }
  ~SmallDisk() {
    if (why_not_.empty()) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::string& why_not() const { return why_not_; }

  bool remount(const std::string& options, unsigned long flags = 0) const {
    return ::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT | flags, options.c_str()) == 0;
  }

  std::uint64_t free_bytes() const {
    struct statvfs facts{};
    if (::statvfs(folder_.c_str(), &facts) != 0) return 0;
    return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  }

  // Leaves about `bytes` free; empty() gives back what this took.
  bool fill_up_to(std::uint64_t bytes) const {
    const std::uint64_t free = free_bytes();
    if (free <= bytes) return free == bytes;
    const int fd = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    const bool done = ::posix_fallocate(fd, 0, static_cast<off_t>(free - bytes)) == 0;
    ::close(fd);
    return done;
  }
  void empty() const { std::filesystem::remove(filler()); }

 private:
  std::string filler() const { return folder_ + "/filler"; }

  std::string folder_;
  std::string why_not_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_CLI_SMALL_DISK_H_
