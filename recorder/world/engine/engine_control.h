// The engine as sinks use it: commands in containers, and paths out of them. A rehearsal constructs
// none.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_CONTROL_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_CONTROL_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/world/engine/engine_address.h"
#include "recorder/world/engine/engine_reader.h"

namespace muniment {

// A command to run in a container.
struct ExecRequest {
  std::string container_id;                                      // full id, never a name
  std::vector<std::string> argv;                                 // no secret: engines publish it
  std::vector<std::pair<std::string, std::string>> environment;  // may hold secrets
  std::string user;                                              // empty: the container's
  // How long it may run, inside the container: `timeout -k 5` ends it. The engine ends nothing.
  std::chrono::seconds limit{3600};
};

// Where the streams go. Each returns an error to end the command.
struct ExecStreams {
  std::function<Status(std::string_view)> out;
  std::function<Status(std::string_view)> err;
  // Fills the room with bytes for standard input, 0 at its end. Empty function: no standard input.
  std::function<Result<std::size_t>(char* room, std::size_t size)> in;
  std::function<bool()> stop_requested = [] { return false; };
};

// How a command ended. It may be called done only for kExited with exit_code 0.
enum class ExecEnd {
  kExited,         // ended on a frame boundary, and the engine knows its exit code
  kToolMissing,    // the program is not in the container (126 or 127, and the engine or sh says so)
  kTimedOut,       // ended by `timeout` after its limit (124 or 137)
  kEngineLost,     // the engine is gone, or does not know the command any more, or has no exit code
  kContainerGone,  // the container ended or was removed while it ran
  kBrokenStream,   // ended inside a frame, was no frame, or the engine reported an error in it
  kStalled,        // the stream stayed silent for longer than allowed
  kStillRunning,   // the stream ended, the process did not within 5 s
  kStopped,        // a stream's error or a person's request ended it from here
};

struct ExecResult {
  ExecEnd end = ExecEnd::kEngineLost;
  std::optional<int> exit_code;
  std::string detail;            // what happened in words, without foreign text
  std::string pid_line;          // pid in the container as its shell saw it; empty: never learnt
  bool orphan_possible = false;  // it was to be ended, and nothing proves that it did
  bool ok() const { return end == ExecEnd::kExited && exit_code == 0; }
};

// Not thread-safe. Errors as EngineReader's; kRefused-like answers: kNotFound (container gone),
// kBusy (paused or not running, 409) before anything has started.
class EngineControl {
 public:
  static Result<std::unique_ptr<EngineControl>> connect(const EngineAddress& address,
                                                        const EngineLimits& limits = {});
  ~EngineControl();
  EngineControl(const EngineControl&) = delete;
  EngineControl& operator=(const EngineControl&) = delete;

  EngineReader& reader();

  // Runs it to its end. The command is wrapped:
  //   sh -c '<script>' muniment SECONDS ARGV…
  // where the script prints "muniment-pid N" as the first line of standard error (taken off here),
  // then executes `timeout -k 5 SECONDS ARGV…` where the container has timeout, else ARGV.
  // Where a stream's function returns an error, a stop was requested or `stall` passed without a
  // byte, the process is ended by a second exec (`kill -TERM`, after 5 s `kill -KILL`) and the end
  // says so.
  // Code 0 without that first line is kBrokenStream: nothing shows that the command had begun. The
  // container is inspected before, so that one started again while it ran is known to be another.
  // An error is returned only when nothing was started. `stall` 0: no limit.
  Result<ExecResult> run(const ExecRequest& request, const ExecStreams& streams,
                         std::chrono::seconds stall = std::chrono::seconds(300));

  // The tar that the engine makes of a path; `take` gets it as it comes. An answer that breaks off
  // (no last chunk) is kUnavailable. The archive itself is the caller's to check.
  Status copy_out(const std::string& container_id, const std::string& path,
                  const std::function<Status(std::string_view)>& take,
                  const std::function<bool()>& stop_requested);

 private:
  class Impl;
  explicit EngineControl(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_CONTROL_H_
