// Where a path of a container lies on this host.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_MOUNT_PATH_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_MOUNT_PATH_H_

#include <string>

#include "muniment/v1/resolution.pb.h"

namespace muniment {

// The same file on this host, by the mount that holds the path, the longest destination first.
// Empty: it lies on no volume or bind mount, or cannot be read here, or a component below the
// mount's source is a symbolic link, which would lead elsewhere on the host than in the container
// (openat2 with RESOLVE_NO_SYMLINKS and RESOLVE_BENEATH).
std::string host_path_of(const v1::ContainerObserved& container, const std::string& path);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_MOUNT_PATH_H_
