// Resolution: what the manifest asks for and what was seen of it -> modules with a class, or the
// reason why not. Pure: what was seen comes in as a value and is recorded, so a replay is exact.
#ifndef MUNIMENT_RECORDER_CORE_RESOLVE_H_
#define MUNIMENT_RECORDER_CORE_RESOLVE_H_

#include <map>
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

// Whether this release observes the module as a path on the host.
bool is_host_module(const Module& module);

struct ResolveInput {
  const Manifest& manifest;
  std::vector<const Module*> modules;
  bool all = false;
  std::map<std::string, v1::PathObserved> seen;  // by module
  std::vector<std::string> protected_paths;      // store, backup root: never inside a capture
};

struct Resolution {
  std::vector<v1::Event> events;  // ModuleResolved, ModuleUnresolved, ModuleExcluded, in order
  std::vector<Target> targets;
  std::vector<std::string> problems;  // empty: a plan can be made
};

// One event for each module. A module that is not resolved is a problem; an excluded one is not.
Resolution resolve(const ResolveInput& input);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_RESOLVE_H_
