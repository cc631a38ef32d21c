#include "recorder/world/place.h"

#include <algorithm>

#include "recorder/core/text.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::size_t kShown = 256;

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_uuid(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(text.begin(), text.end(), kShape.begin(), kShape.end(),
                    [](char c, char shape) { return shape == '-' ? c == '-' : is_lower_hex(c); });
}

}  // namespace

std::string Place::module_folder() const {
  return (root == "/" ? "" : root) + "/" + module;
}

std::string_view run_of_partial_name(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kPartialSuffix)) return {};
  if (name.size() <= kPartialSuffix.size() + 1) return {};
  const std::string_view id = name.substr(1, name.size() - 1 - kPartialSuffix.size());
  return is_uuid(id) ? id : std::string_view();
}

bool is_plain_absolute(std::string_view path) {
  if (path == "/") return true;
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view component = path.substr(0, path.find('/'));
    if (component.empty() || component == "." || component == "..") return false;
    path.remove_prefix(component.size());
  }
  return true;
}

Result<Place> place_of_partial(std::string_view partial_folder) {
  const auto wrong = [&] {
    return fail(ErrorCode::kInvalid, "partial folder " + inert_short(partial_folder, kShown) +
                                         " is not of the form ROOT/MODULE/.RUN_ID.partial");
  };
  if (!is_plain_absolute(partial_folder)) return wrong();
  const std::string module_folder = parent_of(partial_folder);
  const std::string name = base_of(partial_folder);
  const std::string_view run_id = run_of_partial_name(name);
  if (run_id.empty() || module_folder == "/") return wrong();
  return Place{parent_of(module_folder), base_of(module_folder), std::string(run_id)};
}

}  // namespace muniment
