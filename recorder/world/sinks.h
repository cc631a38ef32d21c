// The sinks of this release. Only the composition root (cli/app.cc) names them.
#ifndef MUNIMENT_RECORDER_WORLD_SINKS_H_
#define MUNIMENT_RECORDER_WORLD_SINKS_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "recorder/core/redact.h"
#include "recorder/world/host_command.h"
#include "recorder/world/progress.h"
#include "recorder/world/sink.h"
#include "recorder/world/step_check.h"

namespace muniment {

// Answers `withheld` to every valid step and touches nothing.
std::unique_ptr<Sink> make_withholding_sink();

// How a sink reaches the container engine, when a step needs it.
struct EngineUse {
  std::string selector = "none";  // the manifest's word
  std::function<std::optional<std::string>(const char* name)> environment = {};
  std::string secrets_folder = {};  // of the host; may be empty
  std::chrono::seconds stall{300};  // how long a command may stay silent
};

// Writes artifacts: capture, verify, commit, discard. `progress` and `redactor` must outlive it;
// the redactor learns the secrets that captures use.
std::unique_ptr<Sink> make_artifact_sink(Progress& progress, Redactor& redactor,
                                         EngineUse engine = {});

// Runs one command on this host: STEP_KIND_COMMAND of exactly `line`, of which the step has the
// redacted half. Any other step is handed to `others`. `stop` asks whether to end it early;
// `redactor` must outlive the sink.
std::unique_ptr<Sink> make_command_sink(CommandLine line, const Redactor& redactor,
                                        std::function<bool()> stop, std::unique_ptr<Sink> others);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SINKS_H_
