#include "recorder/core/base64.h"

#include <cstdint>

namespace muniment {
namespace {

// The six bits of a digit; absent: it is none.
std::optional<std::uint32_t> bits_of(char digit) {
  if (digit >= 'A' && digit <= 'Z') return static_cast<std::uint32_t>(digit - 'A');
  if (digit >= 'a' && digit <= 'z') return static_cast<std::uint32_t>(digit - 'a') + 26;
  if (digit >= '0' && digit <= '9') return static_cast<std::uint32_t>(digit - '0') + 52;
  if (digit == '+' || digit == '-') return 62;
  if (digit == '/' || digit == '_') return 63;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.ends_with('=')) {
    if (text.size() % 4 != 0) return std::nullopt;
    text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t held = 0;
  unsigned count = 0;
  for (const char digit : text) {
    const std::optional<std::uint32_t> bits = bits_of(digit);
    if (!bits) return std::nullopt;
    held = ((held << 6U) | *bits) & 0xffffU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((held >> count) & 0xffU);
  }
  return bytes;
}

}  // namespace muniment
