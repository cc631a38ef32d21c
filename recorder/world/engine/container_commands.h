// Commands in one container, as sinks run them: recorded, redacted, and done only when they are.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_CONTAINER_COMMANDS_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_CONTAINER_COMMANDS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "muniment/v1/plan.pb.h"
#include "recorder/core/redact.h"
#include "recorder/core/result.h"
#include "recorder/world/engine/engine_control.h"
#include "recorder/world/progress.h"
#include "recorder/world/sink.h"

namespace muniment {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Why the step that runs commands failed, for its settlement.
struct CommandTrouble {
  std::optional<std::int32_t> exit_status;
  std::string error_tail;  // redacted, the last 64 KiB
};

// One command. No secret stands in `argv`: engines publish it in /events.
struct Command {
  std::vector<std::string> argv;
  Variables environment;
  std::function<Status(std::string_view)> out;                     // takes standard output
  std::function<Result<std::size_t>(char*, std::size_t)> in = {};  // standard input; none if empty
};

// Runs commands in the container of a step and records a CommandExecuted for each. Holds
// references: they must outlive it. Not thread-safe.
class ContainerCommands {
 public:
  ContainerCommands(EngineControl& engine, const v1::ContainerTarget& container, Redactor& secrets,
                    Progress& progress, Facts& facts, std::chrono::seconds stall);

  // Runs it to its end. An error unless it ended by itself with exit code 0 and its stream on the
  // boundary of a frame; the message names the program, what happened and what to do next.
  // kInterrupted: a person asked to stop. kUnavailable: the engine is gone.
  Status run(const Command& command);

  // The same for a command whose output is short; more than `most_bytes` of it is an error.
  Result<std::string> ask(const std::vector<std::string>& argv, const Variables& environment,
                          std::size_t most_bytes = 1U << 20U);

  // The container as it is now. kNotFound: it was removed. kRefused: it is not of the planned
  // image.
  Result<InspectedContainer> inspect();

  // Standard error of the last command, its last 8 KiB, not redacted: for its meaning alone.
  const std::string& raw_error() const { return raw_error_; }
  // Of the last command that failed.
  const CommandTrouble& trouble() const { return trouble_; }
  EngineControl& engine() { return engine_; }
  Redactor& secrets() { return secrets_; }
  Progress& progress() { return progress_; }
  const v1::ContainerTarget& container() const { return container_; }

 private:
  Status settle(const Command& command, const ExecResult& result, std::string tail,
                const std::optional<Error>& stream_error);

  EngineControl& engine_;
  const v1::ContainerTarget& container_;
  Redactor& secrets_;
  Progress& progress_;
  Facts& facts_;
  std::chrono::seconds stall_;
  std::string raw_error_;
  CommandTrouble trouble_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_CONTAINER_COMMANDS_H_
