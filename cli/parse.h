// The command line as options and one action.
#ifndef MUNIMENT_CLI_PARSE_H_
#define MUNIMENT_CLI_PARSE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/command_table.h"
#include "cli/settings.h"
#include "recorder/core/result.h"

namespace muniment {

// Fills `globals` and `action`. An exit code when there is nothing more to do: help and version
// (0), usage (2, said on standard error).
std::optional<int> parse(int argc, char** argv, Globals& globals, Action& action);

// "412" or "#412": the place of an event. kInvalid for any other word; `see` is the command that
// lists what is meant.
Result<std::uint64_t> parse_sequence(std::string_view word, std::string_view see);

// Whether a message starts with FILE:LINE:COL.
bool is_located(const std::string& message);

}  // namespace muniment

#endif  // MUNIMENT_CLI_PARSE_H_
