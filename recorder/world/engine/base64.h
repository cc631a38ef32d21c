// Base64, in which the engine puts JSON into a header.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_BASE64_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace muniment {

// The bytes of RFC 4648 base64, padded or not, in the standard or the URL alphabet (docker writes
// the first, older engines the second). Absent: it is none.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_BASE64_H_
