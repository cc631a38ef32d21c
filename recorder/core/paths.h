// Absolute paths as text: what lies in what. Pure; nothing is looked up.
#ifndef MUNIMENT_RECORDER_CORE_PATHS_H_
#define MUNIMENT_RECORDER_CORE_PATHS_H_

#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/resolution.pb.h"

namespace muniment {

// Whether `path` is `folder` or lies below it. REQUIRES: both absolute, without trailing slash.
bool is_within(std::string_view path, std::string_view folder);

// In bytewise order, without those that lie inside another.
std::vector<std::string> outermost(std::vector<std::string> paths);

// The innermost mount that holds a path of a container, where that is a volume or a bind mount with
// a source on the engine's host; else nullptr.
const v1::Mount* mount_of(const google::protobuf::RepeatedPtrField<v1::Mount>& mounts,
                          std::string_view path);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_PATHS_H_
