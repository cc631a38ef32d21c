#include "recorder/world/engine/mount_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/world/os.h"

namespace muniment {
namespace {

// What is left of `path` below `folder`, without a leading slash; empty for the folder itself and
// for what does not lie there.
std::string below(const std::string& path, const std::string& folder) {
  const std::string prefix = folder.ends_with('/') ? folder : folder + "/";
  return path.starts_with(prefix) ? path.substr(prefix.size()) : std::string();
}

bool opens_beneath(const std::string& folder, const std::string& rest) {
  const Fd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.open()) return false;
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const Fd file(
      static_cast<int>(::syscall(SYS_openat2, root.get(), rest.c_str(), &how, sizeof how)));
  return file.open();
}

}  // namespace

std::string host_path_of(const v1::ContainerObserved& container, const std::string& path) {
  const v1::Mount* best = nullptr;
  for (const v1::Mount& mount : container.mounts()) {
    if (mount.kind() != "volume" && mount.kind() != "bind") continue;
    if (below(path, mount.destination()).empty()) continue;
    if (best == nullptr || mount.destination().size() > best->destination().size()) best = &mount;
  }
  if (best == nullptr || !best->source().starts_with('/')) return {};
  const std::string rest = below(path, best->destination());
  if (!opens_beneath(best->source(), rest)) return {};
  return best->source() + "/" + rest;
}

}  // namespace muniment
