#include "recorder/log/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "recorder/core/text.h"
#include "recorder/log/held_file.h"

namespace muniment {
namespace {

bool fill(int file, std::string_view bytes, const Access& access) {
  if (access.group && ::fchown(file, static_cast<uid_t>(-1), *access.group) != 0) return false;
  return ::fchmod(file, access.file_mode()) == 0 && write_whole(file, bytes) && ::fsync(file) == 0;
}

Status put_in_place(const std::string& temporary, const std::string& path, IfThere if_there) {
  const unsigned flags = if_there == IfThere::kRefuse ? RENAME_NOREPLACE : 0U;
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), flags) == 0) return {};
  if (errno != EEXIST) return system_error("cannot rename " + inert(temporary));
  return fail(ErrorCode::kRefused, inert(path) + " is there already; it is left as it is");
}

std::string objection(const struct stat& facts, Privacy privacy, std::size_t limit) {
  if (!S_ISREG(facts.st_mode)) return "it is no regular file";
  if (facts.st_size > static_cast<off_t>(limit)) {
    return "it is larger than " + std::to_string(limit) + " bytes";
  }
  if (privacy == Privacy::kTrusted) {
    return (facts.st_mode & 0022) == 0 ? "" : "group or others can write it; take that from them";
  }
  if ((facts.st_mode & 0177) != 0) return "its mode is not 0600; set it with chmod";
  const bool ours = facts.st_uid == ::geteuid() || facts.st_uid == 0;
  return ours ? "" : "it is owned by uid " + std::to_string(facts.st_uid);
}

}  // namespace

Status write_private_file(const std::string& path, std::string_view bytes, const Access& access,
                          IfThere if_there) {
  const std::filesystem::path name(path);
  const std::string folder = name.parent_path().string();
  const std::string temporary = folder + "/." + name.filename().string() + ".tmp";
  ::unlink(temporary.c_str());
  Status written;
  {
    const HeldFile file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.failed() || !fill(file.get(), bytes, access)) {
      written = system_error("cannot write " + inert(temporary));
    }
  }
  if (written) written = put_in_place(temporary, path, if_there);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_folder(folder);
}

Result<std::optional<std::string>> read_private_file(const std::string& path, Privacy privacy,
                                                     std::size_t limit) {
  const HeldFile file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.failed() && errno == ENOENT) return std::nullopt;
  if (file.failed() && errno == ELOOP) {
    return fail(ErrorCode::kRefused, inert(path) + " is refused: it is a symbolic link");
  }
  struct stat facts{};
  if (file.failed() || ::fstat(file.get(), &facts) != 0) {
    return system_error("cannot open " + inert(path));
  }
  if (const std::string why = objection(facts, privacy, limit); !why.empty()) {
    return fail(ErrorCode::kRefused, inert(path) + " is refused: " + why);
  }
  std::string bytes(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read " + inert(path));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace muniment
