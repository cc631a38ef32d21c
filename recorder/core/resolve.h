// Resolution: what the manifest asks for and what was seen of it -> modules with a class, or the
// reason why not. Pure: what was seen comes in as a value and is recorded, so a replay is exact.
#ifndef MUNIMENT_RECORDER_CORE_RESOLVE_H_
#define MUNIMENT_RECORDER_CORE_RESOLVE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/backup_class.h"
#include "recorder/core/manifest.h"
#include "recorder/core/result.h"

namespace muniment {

// What is asked for. `modules` are names of the manifest; with `all` it is left empty.
struct Selection {
  std::vector<std::string> modules;
  bool all = false;
};

// The modules meant, in the manifest's order. kInvalid for an unknown name (with the nearest one)
// and for none at all.
Result<std::vector<const Module*>> select_modules(const Manifest& manifest,
                                                  const Selection& selection);

// The exclusion patterns that hold inside a module's tree: its own, then those of the manifest.
std::vector<std::string> exclusions_of(const Manifest& manifest, const Module& module);

// Whether this release observes the module as a path on the host, or in a container.
bool is_host_module(const Module& module);
bool is_container_module(const Module& module);

// What was seen of one module's container: those that its selector names, inspected, and near
// misses, listed only; and the paths that it asks for where there is exactly one.
struct ContainersSeen {
  std::vector<v1::ContainerObserved> containers;
  std::vector<v1::PathObserved> paths;
  std::string engine_error;  // not empty: the engine said nothing
};

struct ResolveInput {
  const Manifest& manifest;
  std::vector<const Module*> modules;
  bool all = false;
  std::map<std::string, v1::PathObserved> seen;       // by module on the host
  std::vector<std::string> protected_paths;           // store, backup root: never inside a capture
  std::map<std::string, ContainersSeen> inside = {};  // by module in a container
};

// A module's fate: a target to plan for, or why not. What was considered stands in `body`.
struct Fate {
  std::optional<Refusal> refusal;
  Target target;  // where there is no refusal
};

// The fate of a module in a container. Fills in `body` but for its considered containers, which
// are near misses and other rungs.
Fate judge_container(const ResolveInput& input, const Module& module, v1::ModuleResolved& body);

// What a rule of the manifest says of a whole module; absent: it says nothing.
// `container` is nullptr before one was found.
bool excludes_module(const Exclude& rule, const Module& module,
                     const v1::ContainerObserved* container);

struct Resolution {
  std::vector<v1::Event> events;  // ModuleResolved, ModuleUnresolved, ModuleExcluded, in order
  std::vector<Target> targets;
  std::vector<std::string> problems;  // empty: a plan can be made
};

// One event for each module. A module that is not resolved is a problem; an excluded one is not.
Resolution resolve(const ResolveInput& input);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_RESOLVE_H_
