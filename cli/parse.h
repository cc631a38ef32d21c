// The command line as options and one action.
#ifndef MUNIMENT_CLI_PARSE_H_
#define MUNIMENT_CLI_PARSE_H_

#include <optional>
#include <string>

#include "cli/command_table.h"
#include "cli/settings.h"

namespace muniment {

// Fills `globals` and `action`. An exit code when there is nothing more to do: help and version
// (0), usage (2, said on standard error).
std::optional<int> parse(int argc, char** argv, Globals& globals, Action& action);

// Whether a message starts with FILE:LINE:COL.
bool is_located(const std::string& message);

}  // namespace muniment

#endif  // MUNIMENT_CLI_PARSE_H_
