#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "recorder/core/gate_policy.h"
#include "recorder/core/paths.h"

namespace muniment {
namespace {

void add_path(std::set<std::string>& out, std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) out.insert("path " + std::string(path));
}

std::string_view value_behind(std::string_view identity, std::string_view key) {
  return identity.starts_with(key) ? identity.substr(key.size()) : std::string_view();
}

bool is_in_container(const v1::GuardedTarget& target) {
  return std::any_of(
      target.identities().begin(), target.identities().end(),
      [](const std::string& identity) { return identity.starts_with("container "); });
}

}  // namespace

v1::GuardedTarget identities_of(const Target& target) {
  v1::GuardedTarget out;
  out.set_module(target.module);
  std::set<std::string> paths;
  if (target.inside) {
    const v1::ContainerObserved& container = target.inside->container;
    out.add_identities("container " + container.container_id());
    if (!container.compose_service().empty()) {
      out.add_identities("compose " + container.compose_project() + "/" +
                         container.compose_service());
    }
    for (const v1::Mount& mount : container.mounts()) {
      const bool holds_data = mount.kind() == "bind" || mount.kind() == "volume";
      if (holds_data && !mount.read_only()) add_path(paths, mount.source());
    }
  } else {
    add_path(paths, target.seen.path());
    add_path(paths, target.seen.real_path());
  }
  for (const std::string& path : paths) out.add_identities(path);
  if (!target.inside && !target.seen.file_identity().empty()) {
    out.add_identities("file " + target.seen.file_identity());
  }
  return out;
}

bool is_same_target(const v1::GuardedTarget& a, const v1::GuardedTarget& b) {
  const bool both_contained = is_in_container(a) && is_in_container(b);
  for (const std::string& one : a.identities()) {
    for (const std::string& other : b.identities()) {
      const std::string_view path = value_behind(one, "path ");
      const std::string_view other_path = value_behind(other, "path ");
      if (path.empty() || other_path.empty()) {
        if (one == other) return true;
      } else if (!both_contained && (is_within(path, other_path) || is_within(other_path, path))) {
        // Two containers may share a folder and stay two.
        return true;
      }
    }
  }
  return false;
}

}  // namespace muniment
