// Starts a program from an open descriptor.
#ifndef MUNIMENT_RECORDER_WORLD_START_COMMAND_H_
#define MUNIMENT_RECORDER_WORLD_START_COMMAND_H_

#include <sys/types.h>

#include "recorder/core/result.h"
#include "recorder/world/host_command.h"
#include "recorder/world/os.h"

namespace muniment {

// A process that was started, and the reading ends of its output.
struct StartedCommand {
  pid_t pid = -1;  // and its process group
  Fd out;
  Fd err;
};

// `program` is the file of `line.program`, open and checked. See run_command().
// kIo: nothing was started.
Result<StartedCommand> start_command(const CommandLine& line, const CommandFile& program);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_START_COMMAND_H_
