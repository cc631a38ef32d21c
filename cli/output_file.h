// A file that a command was asked to write.
#ifndef MUNIMENT_CLI_OUTPUT_FILE_H_
#define MUNIMENT_CLI_OUTPUT_FILE_H_

#include <string>
#include <string_view>

#include "recorder/core/result.h"

namespace muniment {

// Mode 0600; whole and durable, or not there. What is there already is left as it is (kInvalid),
// unless `replace` was asked for, or it has these very bytes: then there is nothing to do.
// kIo: it cannot be written.
Status write_output(const std::string& path, std::string_view bytes, bool replace);

// A file that somebody hands in to be looked at; its mode does not matter. kInvalid: it cannot be
// read, is no regular file, or has more than `most` bytes.
Result<std::string> read_input(const std::string& path, std::size_t most);

}  // namespace muniment

#endif  // MUNIMENT_CLI_OUTPUT_FILE_H_
