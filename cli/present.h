// How a result is shown: text for people, JSON for programs.
#ifndef MUNIMENT_CLI_PRESENT_H_
#define MUNIMENT_CLI_PRESENT_H_

#include <google/protobuf/message.h>

#include <string>

#include "cli/settings.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/result.h"
#include "replay/json.h"

namespace muniment {

// The message as JSON (--json), else `text`. `code` is handed on; kExitFailed when standard output
// took not all of it.
int present(const Globals& globals, const google::protobuf::Message& message,
            const Resolver& resolve, const std::string& text, int code);

// A run that just ended: `text` or JSON on standard output, why it failed on standard error, its
// exit code.
int present_run(const Globals& globals, Redactor& secrets, const v1::RunState& run,
                const std::string& text);

}  // namespace muniment

#endif  // MUNIMENT_CLI_PRESENT_H_
