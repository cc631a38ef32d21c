// Finds secret values that nobody named, by what stands in front of them.
#ifndef MUNIMENT_RECORDER_CORE_SECRET_SHAPES_H_
#define MUNIMENT_RECORDER_CORE_SECRET_SHAPES_H_

#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// `text` with the values after the rules `url`, `option`, `header` and `assignment` masked (see
// redact.h). A value in quotes ends with its quote and at the latest with the line; one without
// ends at a blank. Where in doubt too much is masked rather than too little. A value that is a mask
// already stays, so doing it twice changes nothing.
std::string mask_shapes(std::string_view text);

// The same for the arguments of one command, whose edges are known: the value of `--x=VALUE` and
// `NAME=VALUE` is the rest of the argument, that of `--x` the whole argument that follows.
std::vector<std::string> mask_arguments(const std::vector<std::string>& arguments);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_SECRET_SHAPES_H_
