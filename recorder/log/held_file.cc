#include "recorder/log/held_file.h"

#include <unistd.h>

#include <cerrno>

namespace muniment {

HeldFile::~HeldFile() {
  if (file_ >= 0) ::close(file_);
}

bool write_whole(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace muniment
