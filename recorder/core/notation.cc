#include "recorder/core/notation.h"

#include <cstdio>
#include <utility>

#include "recorder/core/text.h"

namespace muniment {
namespace {

std::size_t code_point_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0U ? 1 : byte < 0xE0U ? 2 : byte < 0xF0U ? 3 : 4;
}

// A code point in valid UTF-8 as \uNNNN, or as two of them.
void escape(std::string_view point, std::string& out) {
  char32_t value = static_cast<unsigned char>(point.front());
  if (point.size() > 1) value &= 0x7FU >> point.size();
  for (const char c : point.substr(1))
    value = (value << 6U) | (static_cast<unsigned char>(c) & 63U);
  char text[16];
  if (value < 0x10000U) {
    std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(value));
  } else {
    value -= 0x10000U;
    std::snprintf(text, sizeof text, "\\u%04x\\u%04x",
                  static_cast<unsigned>(0xD800U + (value >> 10U)),
                  static_cast<unsigned>(0xDC00U + (value & 0x3FFU)));
  }
  out += text;
}

}  // namespace

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::string_view point = text.substr(0, code_point_size(text.front()));
    text.remove_prefix(point.size());
    const auto lead = static_cast<unsigned char>(point.front());
    if (point == "\"" || point == "\\") {
      out += '\\';
      out += point;
    } else if (point == "\n") {
      out += "\\n";
    } else if (lead < 0x20 || lead == 0x7f || (point.size() > 1 && inert(point) != point)) {
      escape(point, out);
    } else {
      out += point;
    }
  }
  out += '"';
  return out;
}

std::string octal_mode(std::uint32_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", mode & 07777U);
  return text;
}

std::string duration_word(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  for (const auto& [unit, size] : {std::pair{'d', 24 * 3600}, {'h', 3600}, {'m', 60}}) {
    if (seconds > 0 && seconds % size == 0 && (unit != 'd' || seconds > size)) {
      return std::to_string(seconds / size) + unit;
    }
  }
  return std::to_string(seconds) + "s";
}

}  // namespace muniment
