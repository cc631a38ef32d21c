#include "recorder/world/engine/mount_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/core/paths.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

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
  const v1::Mount* mount = mount_of(container.mounts(), path);
  if (mount == nullptr || mount->destination() == path) return {};
  const std::string& folder = mount->destination();
  const std::string rest = path.substr(folder == "/" ? 1 : folder.size() + 1);
  if (!opens_beneath(mount->source(), rest)) return {};
  return mount->source() + "/" + rest;
}

}  // namespace muniment
