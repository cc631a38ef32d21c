#include "recorder/world/engine/api_version.h"

#include <algorithm>

namespace muniment {
namespace {

std::optional<unsigned> number(std::string_view digits) {
  if (digits.empty() || digits.size() > 4) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  unsigned value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  return value;
}

}  // namespace

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::optional<unsigned> major = number(text.substr(0, dot));
  const std::optional<unsigned> minor = number(text.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return ApiVersion{*major, *minor};
}

std::optional<ApiVersion> chosen_api(ApiVersion own, ApiVersion least) {
  if (own < kLeastApi) return std::nullopt;
  return std::max(std::min(own, kKnownApi), least);
}

}  // namespace muniment
