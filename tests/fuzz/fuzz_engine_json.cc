// The reader of the engine's JSON must take any text, and what it gives must keep its promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "recorder/core/text.h"
#include "recorder/world/engine/engine_json.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_container(const muniment::v1::ContainerObserved& observed) {
  const std::string& id = observed.container_id();
  require(id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string::npos);
  const std::string& image = observed.image_id();
  require(image.empty() || (image.size() == 71 && image.starts_with("sha256:")));
  require(!observed.state().empty() && observed.state().size() <= 32);
  for (const auto& [name, value] : observed.muniment_labels()) {
    require(name == "module" || name == "class" || name == "databases" || name == "exclude");
    require(muniment::is_valid_utf8(value));
  }
  require(muniment::is_valid_utf8(observed.name()));
}

template <class T>
bool has_message(const muniment::Result<T>& read) {
  return read.has_value() || (read.error().code == muniment::ErrorCode::kUnavailable &&
                              muniment::is_valid_utf8(read.error().message));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto listed = muniment::containers_from_json(text);
  require(has_message(listed));
  if (listed) {
    for (const auto& container : *listed) check_container(container);
  }
  const auto inspected = muniment::inspected_from_json(text);
  require(has_message(inspected));
  if (inspected) {
    check_container(inspected->observed);
    require(inspected->environment.size() ==
            static_cast<std::size_t>(inspected->observed.environment_names_size()));
  }
  require(has_message(muniment::version_from_json(text)));
  require(has_message(muniment::path_from_header(text)));
  require(has_message(muniment::volume_from_json(text)));
  require(has_message(muniment::image_from_json(text)));
  require(has_message(muniment::exec_id_from_json(text)));
  const auto state = muniment::exec_state_from_json(text);
  require(has_message(state));
  if (state && state->exit_code) {
    require(!state->running && *state->exit_code >= 0 && *state->exit_code <= 255);
  }
  require(muniment::error_text_of(text).size() <= size);
  return 0;
}
