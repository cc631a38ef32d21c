// What a run sees of its modules before it decides anything.
#ifndef MUNIMENT_RECORDER_OBSERVATION_H_
#define MUNIMENT_RECORDER_OBSERVATION_H_

#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/manifest.h"
#include "recorder/core/resolve.h"
#include "recorder/core/result.h"
#include "recorder/world/source.h"

namespace muniment {

// Whether any of them asks for the container engine.
bool needs_engine(const std::vector<const Module*>& modules);

// Looks at one module's path, or at its container and the paths in it. The events are returned in
// order, to be recorded; what resolution needs of them goes into `input`. An engine that was lost
// is told in `input` as well: the module cannot be resolved, the run goes on.
Result<std::vector<v1::Event>> observe_module(Source& source, const Module& module,
                                              ResolveInput& input);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_OBSERVATION_H_
