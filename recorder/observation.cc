#include "recorder/observation.h"

#include <algorithm>

#include "recorder/core/container_match.h"

namespace muniment {
namespace {

using Events = std::vector<v1::Event>;

Status observe_inside(Source& source, const Module& module, ContainersSeen& seen, Events& out) {
  Result<Events> found = source.observe(ContainerQuery{module.container});
  if (!found) return pass(found);
  for (v1::Event& event : *found) {
    seen.containers.push_back(event.container_observed());
    out.push_back(std::move(event));
  }
  const v1::ContainerObserved* container = only_match(seen.containers);
  if (container == nullptr) return {};
  for (const std::string& path : asked_paths(module, *container).paths) {
    Result<Events> paths = source.observe(ContainerPathQuery{*container, path});
    if (!paths) return pass(paths);
    for (v1::Event& event : *paths) {
      seen.paths.push_back(event.path_observed());
      out.push_back(std::move(event));
    }
  }
  return {};
}

}  // namespace

bool needs_engine(const std::vector<const Module*>& modules) {
  return std::any_of(modules.begin(), modules.end(),
                     [](const Module* module) { return is_container_module(*module); });
}

Result<Events> observe_module(Source& source, const Module& module, ResolveInput& input) {
  Events events;
  if (is_host_module(module)) {
    Result<Events> seen =
        source.observe(PathQuery{module.host_path, exclusions_of(input.manifest, module)});
    if (!seen) return seen;
    events = std::move(*seen);
    for (const v1::Event& event : events) input.seen[module.name] = event.path_observed();
  } else if (is_container_module(module)) {
    ContainersSeen& seen = input.inside[module.name];
    if (!seen.engine_error.empty()) return events;
    const Status looked = observe_inside(source, module, seen, events);
    if (!looked && looked.error().code != ErrorCode::kUnavailable &&
        looked.error().code != ErrorCode::kNotFound) {
      return std::unexpected(looked.error());
    }
    if (!looked) seen.engine_error = looked.error().message;
  }
  for (v1::Event& event : events) event.set_module(module.name);
  return events;
}

}  // namespace muniment
