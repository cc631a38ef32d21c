// How values are written for machines: JSON strings and file modes.
#ifndef MUNIMENT_RECORDER_CORE_NOTATION_H_
#define MUNIMENT_RECORDER_CORE_NOTATION_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace muniment {

// A JSON string with its quotes. What a terminal would obey or hide (control characters,
// bidirectional marks; see inert()) is escaped. REQUIRES: valid UTF-8.
std::string json_quote(std::string_view text);

// "0600": the permission bits, four octal digits.
std::string octal_mode(std::uint32_t mode);

// "24h", "10m", "90s": in the largest unit that says it exactly, as the manifest writes it.
std::string duration_word(std::chrono::seconds duration);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_NOTATION_H_
