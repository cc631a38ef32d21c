#include "recorder/core/paths.h"

#include <algorithm>

namespace muniment {

bool is_within(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::vector<std::string> outermost(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> kept;
  for (std::string& path : paths) {
    const bool inside = std::any_of(
        kept.begin(), kept.end(), [&](const std::string& above) { return is_within(path, above); });
    if (!inside) kept.push_back(std::move(path));
  }
  return kept;
}

const v1::Mount* mount_of(const google::protobuf::RepeatedPtrField<v1::Mount>& mounts,
                          std::string_view path) {
  const v1::Mount* best = nullptr;
  for (const v1::Mount& mount : mounts) {
    if (!is_within(path, mount.destination())) continue;
    if (best == nullptr || mount.destination().size() > best->destination().size()) best = &mount;
  }
  // A tmpfs covers what lies below it and has no source.
  const bool has_source = best != nullptr && (best->kind() == "volume" || best->kind() == "bind") &&
                          best->source().starts_with('/');
  return has_source ? best : nullptr;
}

}  // namespace muniment
