// Which version of its API an engine is asked in.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_API_VERSION_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_API_VERSION_H_

#include <optional>
#include <string>
#include <string_view>

namespace muniment {

// "MAJOR.MINOR". Engines compare it by its numbers: 1.9 comes before 1.41.
struct ApiVersion {
  unsigned major = 0;
  unsigned minor = 0;

  // Absent: it is none (other text, leading zeros, more than four digits).
  static std::optional<ApiVersion> parse(std::string_view text);
  std::string text() const { return std::to_string(major) + "." + std::to_string(minor); }
  auto operator<=>(const ApiVersion&) const = default;
};

// What this program was written against: docker 20.10 and Podman 4 speak 1.41.
inline constexpr ApiVersion kLeastApi{1, 40};
inline constexpr ApiVersion kKnownApi{1, 41};

// The engine's `own` version, at most kKnownApi, at least what the engine accepts (`least`). A
// newer engine that has given up kKnownApi is asked in the oldest version it accepts. Absent: the
// engine is too old.
std::optional<ApiVersion> chosen_api(ApiVersion own, ApiVersion least);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_API_VERSION_H_
