// Runs a host command to its end and says all that came of it.
#ifndef MUNIMENT_RECORDER_WORLD_COMMAND_PROCESS_H_
#define MUNIMENT_RECORDER_WORLD_COMMAND_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "recorder/core/redact.h"
#include "recorder/core/result.h"
#include "recorder/world/host_command.h"

namespace muniment {

// What came out of one stream.
struct CommandOutput {
  std::uint64_t bytes = 0;
  Digest sha256{};   // of all of it, as it was
  std::string tail;  // the last 4 KiB, redacted
};

struct CommandEnd {
  std::optional<std::int32_t> exit_status;  // 128 + N when signal N ended it
  bool timed_out = false;
  bool interrupted = false;
  std::chrono::nanoseconds duration{0};
  CommandOutput out;
  CommandOutput err;
  std::string transcript;  // transcript.h, 1 MiB at most, redacted
  std::uint64_t transcript_cut_bytes = 0;
};

// Checks the files of `line` against `planned` (check_held()) and starts the program from the
// descriptor that was hashed: in a session and process group of its own, so without our terminal;
// standard input at its end, umask 077, the environment of `line` alone, no other descriptor of
// ours, signals as a shell gives them. It dies with us; what it started may not.
// It has ended when the program has ended and both streams are closed, by whoever holds them. At
// its time-out, or as soon as `stop` says so, the group gets SIGTERM, and SIGKILL five seconds
// later; what it printed until then counts. What left the group is not found.
// An error means that nothing was started: kRefused (not what was planned), kInvalid, kIo,
// kInterrupted.
// Call it from the thread that lives as long as the process: the kernel ends the command with it.
Result<CommandEnd> run_command(const CommandLine& line, const v1::HostCommand& planned,
                               const Redactor& redactor, const std::function<bool()>& stop);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_COMMAND_PROCESS_H_
