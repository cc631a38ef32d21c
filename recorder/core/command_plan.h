// Planning of `exec`: a command and the module it is run for -> one step and the digest. Pure.
//
// The canonical text is that of a backup (proto/README.md) with `kind exec`, and behind the lines
// of the module
//     program PATH
//     content 0 SHA-256
//     argument N WORD         redacted, from 0, as the program gets them
//     content N SHA-256       of the argument's file, where it names one that can be read
//     sealed N TEXT           what stands under a mask, without telling it; see MaskedArgument
//     in FOLDER
//     variable NAME           in bytewise order, never a value
//     timeout SECONDS
// and `step command MODULE`. So an approval of a backup never opens a command, nor the reverse.
#ifndef MUNIMENT_RECORDER_CORE_COMMAND_PLAN_H_
#define MUNIMENT_RECORDER_CORE_COMMAND_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "muniment/v1/plan.pb.h"
#include "recorder/core/plan.h"
#include "recorder/core/resolve.h"
#include "recorder/core/result.h"

namespace muniment {

// An argument of which a mask was recorded. Two words under one mask look alike; `seal` is not the
// same for both, and only who holds the log's key can make it from a word.
struct MaskedArgument {
  std::uint32_t argument = 0;
  std::string seal;
};

// The plan that runs `command` for the one module that was resolved.
// kInvalid: the resolution is not of exactly one module, and what to do.
Result<Plan> make_command_plan(const Resolution& resolution, const v1::HostCommand& command,
                               const std::vector<MaskedArgument>& masked);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_COMMAND_PLAN_H_
