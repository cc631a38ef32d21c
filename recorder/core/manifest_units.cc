// Durations and sizes as the manifest and the command line write them.
#include <array>
#include <charconv>
#include <limits>

#include "recorder/core/manifest.h"

namespace muniment {
namespace {

struct Unit {
  std::string_view word;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> kTimes = {{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
constexpr std::array<Unit, 5> kSizes = {{{"B", 1},
                                         {"KiB", 1ULL << 10U},
                                         {"MiB", 1ULL << 20U},
                                         {"GiB", 1ULL << 30U},
                                         {"TiB", 1ULL << 40U}}};

// Digits, then one of the units; the product fits `most`.
template <std::size_t N>
std::optional<std::uint64_t> parse_unit(std::string_view text, const std::array<Unit, N>& units,
                                        std::uint64_t most) {
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || rest == text.data()) return std::nullopt;
  const std::string_view word(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units) {
    if (word != unit.word) continue;
    if (count > most / unit.factor) return std::nullopt;
    return count * unit.factor;
  }
  return std::nullopt;
}

constexpr std::uint64_t kMostSeconds = 1000ULL * 365 * 86400;

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  const std::optional<std::uint64_t> seconds = parse_unit(text, kTimes, kMostSeconds);
  if (!seconds || *seconds == 0) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text == "0") return 0;
  return parse_unit(text, kSizes, std::numeric_limits<std::int64_t>::max());
}

}  // namespace muniment
