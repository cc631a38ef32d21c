// Base64 of RFC 4648.
#ifndef MUNIMENT_RECORDER_CORE_BASE64_H_
#define MUNIMENT_RECORDER_CORE_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace muniment {

// The standard alphabet (section 4), padded.
std::string base64(std::string_view bytes);

// The bytes of base64, padded or not, in the standard or the URL alphabet: what the engine and DSSE
// allow. Absent: it is none.
std::optional<std::string> base64_decoded(std::string_view text);

// As base64() writes it and in no other way (no stray bits, no line ends): where a second spelling
// of the same bytes would make a signed text malleable. Absent: it is none.
std::optional<std::string> base64_decoded_strictly(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_BASE64_H_
