// The sinks of this release. Only the composition root (cli/app.cc) names them.
#ifndef MUNIMENT_RECORDER_WORLD_SINKS_H_
#define MUNIMENT_RECORDER_WORLD_SINKS_H_

#include <memory>

#include "recorder/core/redact.h"
#include "recorder/world/progress.h"
#include "recorder/world/sink.h"

namespace muniment {

// Whether a step can be carried out at all: what it must hold for its kind and class (absolute
// paths without `..`, a partial folder and a final folder beside each other, a plain file name …).
// Both sinks call it first; a step that fails it is settled as failed with the message.
Status validate_step(const v1::Step& step);

// Answers `withheld` to every valid step and touches nothing.
std::unique_ptr<Sink> make_withholding_sink();

// Writes artifacts: capture, verify, commit, discard. `progress` and `redactor` must outlive it.
std::unique_ptr<Sink> make_artifact_sink(Progress& progress, const Redactor& redactor);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SINKS_H_
