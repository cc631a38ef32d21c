#include "recorder/world/compression.h"

#include <charconv>
#include <system_error>

namespace muniment {

std::optional<Compression> parse_compression(std::string_view word) {
  constexpr std::string_view kPrefix = "zstd:";
  constexpr int kHighestLevel = 19;
  if (word == "none") return Compression{};
  if (!word.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = word.substr(kPrefix.size());
  int level = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), level);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.front() == '0' || level < 1 || level > kHighestLevel) return std::nullopt;
  return Compression{level};
}

}  // namespace muniment
