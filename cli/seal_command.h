// What `exec` was given, as a plan takes it.
#ifndef MUNIMENT_CLI_SEAL_COMMAND_H_
#define MUNIMENT_CLI_SEAL_COMMAND_H_

#include <string>
#include <vector>

#include "recorder/core/command_plan.h"
#include "recorder/core/manifest.h"
#include "recorder/core/redact.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"
#include "recorder/world/host_command.h"

namespace muniment {

struct SealedCommand {
  v1::HostCommand command;
  std::vector<MaskedArgument> masked;
};

// Observes the files of a command and redacts its words. A plan that held a masked word alone would
// be the plan of any other word under the same mask, `--password X` as well as
// `sh -c "TOKEN=1; anything"`. So each such word gets a seal: a hash of its signature by the log's
// key, which is deterministic and shown to nobody. It changes with the word and tells nothing of it
// to whoever has not the key; after a rotation of the key one rehearses again.
// Errors: as observe_command(), and as read_log_keys() where something is masked.
Result<SealedCommand> seal_command(const CommandLine& line, const Redactor& secrets,
                                   const std::string& store_folder, const LogReader& log);

// Whoever approves must see what is run. kInvalid: a gate guards commands for the module, and a
// word of this one stands under a mask.
Status check_masks(const Manifest& manifest, const Module& module,
                   const std::vector<MaskedArgument>& masked);

}  // namespace muniment

#endif  // MUNIMENT_CLI_SEAL_COMMAND_H_
