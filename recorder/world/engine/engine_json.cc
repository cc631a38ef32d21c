#include "recorder/world/engine/engine_json.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "recorder/core/base64.h"
#include "recorder/core/digest.h"
#include "recorder/core/json_depth.h"
#include "recorder/core/text.h"
#include "recorder/world/engine/go_file_mode.h"

namespace muniment {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepest = 64;
constexpr std::string_view kImagePrefix = "sha256:";
constexpr std::string_view kOwnLabels = "muniment.";

std::unexpected<Error> malformed(const std::string& what, const std::string& why) {
  return fail(ErrorCode::kUnavailable, "the engine's answer is malformed: " + what + " " + why +
                                           "; check which program answers on its socket");
}

Result<Json> parse(std::string_view text, const std::string& what) {
  if (is_nested_deeper(text, kDeepest)) return malformed(what, "is nested too deep");
  Json parsed = Json::parse(text, nullptr, false);
  if (parsed.is_discarded()) return malformed(what, "is no JSON");
  return parsed;
}

Result<Json> parse_object(std::string_view text, const std::string& what) {
  Result<Json> parsed = parse(text, what);
  if (parsed && !parsed->is_object()) return malformed(what, "is no object");
  return parsed;
}

// Reads the fields of one JSON object and keeps the first thing that is wrong, so that a projection
// reads like a list of fields and asks once at its end.
class Fields {
 public:
  Fields(const Json& object, std::string what) : object_(object), what_(std::move(what)) {}

  // Empty where it is missing or null.
  std::string text(const char* name) {
    const Json* const value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) return wrong(name, "is no text"), std::string();
    return value->get_ref<const std::string&>();
  }
  std::string needed_text(const char* name) {
    std::string value = text(name);
    if (value.empty()) wrong(name, "is missing");
    return value;
  }
  bool truth(const char* name) {
    const Json* const value = find(name);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return wrong(name, "is neither true nor false"), false;
    return value->get<bool>();
  }
  // A whole number from 0 on.
  std::optional<std::uint64_t> number(const char* name) {
    const Json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_unsigned()) return wrong(name, "is no whole number"), std::nullopt;
    return value->get<std::uint64_t>();
  }
  // An empty one where it is missing or null.
  const Json& object(const char* name) { return part(name, Json::value_t::object, "is no object"); }
  const Json& array(const char* name) { return part(name, Json::value_t::array, "is no array"); }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> values;
    for (const Json& value : array(name)) {
      if (!value.is_string()) return wrong(name, "holds something that is no text"), values;
      values.push_back(value.get_ref<const std::string&>());
    }
    return values;
  }

  void wrong(const std::string& name, const std::string& why) {
    if (fault_) return;
    fault_ = std::pair(what_ + (name.empty() ? "" : ", " + name), why);
  }
  Status status() const {
    if (fault_) return malformed(fault_->first, fault_->second);
    return {};
  }

 private:
  const Json* find(const char* name) {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  const Json& part(const char* name, Json::value_t type, const char* why) {
    static const Json kNoObject = Json::object();
    static const Json kNoArray = Json::array();
    const Json* const value = find(name);
    if (value != nullptr && value->type() == type) return *value;
    if (value != nullptr) wrong(name, why);
    return type == Json::value_t::object ? kNoObject : kNoArray;
  }

  const Json& object_;
  std::string what_;
  std::optional<std::pair<std::string, std::string>> fault_;
};

void read_id(Fields& fields, v1::ContainerObserved& observed) {
  const std::string id = fields.needed_text("Id");
  if (!is_hex_digest(id)) fields.wrong("Id", "has not 64 hexadecimal digits");
  observed.set_container_id(id);
}

// Podman has containers without an image (a pod's own), and then says "" or "sha256:".
void read_image_id(Fields& fields, const char* name, v1::ContainerObserved& observed) {
  std::string id = fields.text(name);
  if (id.starts_with(kImagePrefix)) id.erase(0, kImagePrefix.size());
  if (id.empty()) return;
  if (!is_hex_digest(id)) fields.wrong(name, "has not 64 hexadecimal digits");
  observed.set_image_id(std::string(kImagePrefix) + id);
}

void read_state(Fields& fields, const char* name, v1::ContainerObserved& observed) {
  const std::string state = fields.needed_text(name);
  const bool word = state.size() <= 32 &&
                    state.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos;
  if (!word) fields.wrong(name, "is no lower-case word");
  observed.set_state(state);
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

// Of our own labels the four that are words of the manifest; of all others what was asked for.
void read_labels(Fields& fields, const std::vector<std::string>& asked,
                 v1::ContainerObserved& observed) {
  constexpr std::array<std::string_view, 4> kOwnWords = {"module", "class", "databases", "exclude"};
  const auto& labels = fields.object("Labels").get_ref<const Json::object_t&>();
  for (const auto& [name, value] : labels) {
    if (!value.is_string()) return fields.wrong("Labels", "holds something that is no text");
    const auto& text = value.get_ref<const std::string&>();
    if (name.starts_with(kOwnLabels)) {
      const std::string word = name.substr(kOwnLabels.size());
      const bool known = std::ranges::find(kOwnWords, word) != kOwnWords.end();
      if (known) (*observed.mutable_muniment_labels())[word] = text;
    }
    if (name == "com.docker.compose.project") observed.set_compose_project(text);
    if (name == "com.docker.compose.service") observed.set_compose_service(text);
    if (name == "com.docker.compose.oneoff") {
      observed.set_compose_oneoff(text == "True" || text == "true");
    }
  }
  for (const std::string& one : asked) {
    const std::size_t sign = one.find('=');
    const auto label = labels.find(one.substr(0, sign));
    if (sign == std::string::npos || label == labels.end()) continue;
    if (label->second.get<std::string>() == one.substr(sign + 1)) observed.add_labels_asked(one);
  }
}

Status read_listed(const Json& entry, const std::vector<std::string>& asked,
                   v1::ContainerObserved& observed) {
  if (!entry.is_object()) return malformed("the list of containers", "holds no objects");
  Fields fields(entry, "the list of containers");
  read_id(fields, observed);
  read_image_id(fields, "ImageID", observed);
  observed.set_image(fields.text("Image"));
  read_state(fields, "State", observed);
  // A link of another container shows as "/other/name".
  for (const std::string& given : fields.texts("Names")) {
    const std::string name = without_slash(given);
    if (name.find('/') != std::string::npos || !observed.name().empty()) continue;
    observed.set_name(name);
  }
  read_labels(fields, asked, observed);
  return fields.status();
}

Status read_running_state(const Json& state, v1::ContainerObserved& observed) {
  Fields fields(state, "the container's State");
  read_state(fields, "Status", observed);
  Fields health(fields.object("Health"), "the container's State.Health");
  const std::string word = health.text("Status");
  // "none" is docker's word for a health check that was switched off.
  if (word != "none") observed.set_health(word);
  const std::string started = fields.text("StartedAt");
  // The year 1 is Go's for never.
  if (!started.empty() && !started.starts_with("0001-01-01T")) {
    using google::protobuf::util::TimeUtil;
    if (!TimeUtil::FromString(started, observed.mutable_started_at())) {
      fields.wrong("StartedAt", "is no time");
    }
  }
  if (Status read = health.status(); !read) return read;
  return fields.status();
}

// In order of destination: dockerd tells them in another order each time.
Status read_mounts(const Json& mounts, v1::ContainerObserved& observed) {
  for (const Json& entry : mounts) {
    if (!entry.is_object()) return malformed("the container's Mounts", "holds no objects");
    Fields fields(entry, "the container's Mounts");
    v1::Mount& mount = *observed.add_mounts();
    mount.set_kind(fields.needed_text("Type"));
    mount.set_name(fields.text("Name"));
    mount.set_source(fields.text("Source"));
    mount.set_destination(fields.needed_text("Destination"));
    mount.set_read_only(!fields.truth("RW"));
    if (Status read = fields.status(); !read) return read;
  }
  std::ranges::sort(*observed.mutable_mounts(), {},
                    [](const auto& one) { return one.destination(); });
  return {};
}

}  // namespace

Result<EngineVersion> version_from_json(std::string_view text) {
  Result<Json> parsed = parse_object(text, "its version");
  if (!parsed) return pass(parsed);
  Fields fields(*parsed, "its version");
  EngineVersion version;
  version.name = "docker";
  version.version = fields.needed_text("Version");
  version.api_version = fields.needed_text("ApiVersion");
  version.least_api_version = fields.text("MinAPIVersion");
  for (const Json& component : fields.array("Components")) {
    if (!component.is_object()) return malformed("its version, Components", "holds no objects");
    Fields part(component, "its version, Components");
    if (part.text("Name") == "Podman Engine") version.name = "podman";
    if (Status read = part.status(); !read) return pass(read);
  }
  if (Status read = fields.status(); !read) return pass(read);
  return version;
}

Result<std::vector<v1::ContainerObserved>> containers_from_json(
    std::string_view text, const std::vector<std::string>& asked) {
  Result<Json> parsed = parse(text, "the list of containers");
  if (!parsed) return pass(parsed);
  std::vector<v1::ContainerObserved> containers;
  if (parsed->is_null()) return containers;
  if (!parsed->is_array()) return malformed("the list of containers", "is no array");
  for (const Json& entry : *parsed) {
    if (Status read = read_listed(entry, asked, containers.emplace_back()); !read)
      return pass(read);
  }
  std::ranges::sort(containers, {},
                    [](const v1::ContainerObserved& c) { return c.container_id(); });
  const auto same = std::ranges::adjacent_find(
      containers, {}, [](const v1::ContainerObserved& c) { return c.container_id(); });
  if (same != containers.end()) return malformed("the list of containers", "names one twice");
  return containers;
}

Result<InspectedContainer> inspected_from_json(std::string_view text,
                                               const std::vector<std::string>& asked) {
  Result<Json> parsed = parse_object(text, "the container");
  if (!parsed) return pass(parsed);
  InspectedContainer container;
  Fields fields(*parsed, "the container");
  read_id(fields, container.observed);
  read_image_id(fields, "Image", container.observed);
  container.observed.set_name(without_slash(fields.text("Name")));
  Fields config(fields.object("Config"), "the container's Config");
  container.observed.set_image(config.text("Image"));
  read_labels(config, asked, container.observed);
  container.observed.set_inspected(true);
  for (const std::string& variable : config.texts("Env")) {
    const std::size_t sign = variable.find('=');
    const std::string name = variable.substr(0, sign);
    container.observed.add_environment_names(name);
    container.environment.emplace_back(
        name, sign == std::string::npos ? std::string() : variable.substr(sign + 1));
  }
  for (const Status& read : {read_running_state(fields.object("State"), container.observed),
                             read_mounts(fields.array("Mounts"), container.observed),
                             config.status(), fields.status()}) {
    if (!read) return std::unexpected(read.error());
  }
  return container;
}

Result<ContainerPath> path_from_header(std::string_view header) {
  const std::string what = "the facts of a path";
  const std::optional<std::string> text = base64_decoded(header);
  if (!text) return malformed(what, "are no base64");
  Result<Json> parsed = parse_object(*text, what);
  if (!parsed) return pass(parsed);
  Fields fields(*parsed, what);
  const std::optional<std::uint64_t> mode = fields.number("mode");
  const std::optional<std::uint64_t> size = fields.number("size");
  if (!mode || *mode > UINT32_MAX) fields.wrong("mode", "is missing or too large");
  if (!size) fields.wrong("size", "is missing");
  const std::string target = fields.text("linkTarget");
  if (Status read = fields.status(); !read) return pass(read);

  ContainerPath path;
  apply_go_mode(static_cast<std::uint32_t>(*mode), path);
  path.size_bytes = *size;
  // Podman gives the path itself for what is no link.
  if (path.kind == v1::PATH_KIND_SYMLINK) path.link_target = target;
  return path;
}

Result<VolumeFacts> volume_from_json(std::string_view text) {
  Result<Json> parsed = parse_object(text, "the volume");
  if (!parsed) return pass(parsed);
  Fields fields(*parsed, "the volume");
  VolumeFacts volume{fields.needed_text("Name"), fields.text("Driver"), fields.text("Mountpoint")};
  if (Status read = fields.status(); !read) return pass(read);
  return volume;
}

Result<EngineReader::ImageNames> image_from_json(std::string_view text) {
  Result<Json> parsed = parse_object(text, "the image");
  if (!parsed) return pass(parsed);
  Fields fields(*parsed, "the image");
  EngineReader::ImageNames names{fields.texts("RepoTags"), fields.texts("RepoDigests")};
  if (Status read = fields.status(); !read) return pass(read);
  return names;
}

Result<std::string> exec_id_from_json(std::string_view text) {
  Result<Json> parsed = parse_object(text, "the exec");
  if (!parsed) return pass(parsed);
  Fields fields(*parsed, "the exec");
  std::string id = fields.needed_text("Id");
  if (!is_hex_digest(id)) fields.wrong("Id", "has not 64 hexadecimal digits");
  if (Status read = fields.status(); !read) return pass(read);
  return id;
}

Result<ExecState> exec_state_from_json(std::string_view text) {
  Result<Json> parsed = parse_object(text, "the exec's state");
  if (!parsed) return pass(parsed);
  Fields fields(*parsed, "the exec's state");
  ExecState state;
  if (!parsed->contains("Running")) fields.wrong("Running", "is missing");
  state.running = fields.truth("Running");
  const auto code = parsed->find("ExitCode");
  if (code != parsed->end() && !code->is_null() && !code->is_number_integer()) {
    fields.wrong("ExitCode", "is no whole number");
  }
  if (Status read = fields.status(); !read) return pass(read);
  if (state.running || code == parsed->end() || code->is_null()) return state;
  const auto number = code->get<std::int64_t>();
  if (number >= 0 && number <= 255) state.exit_code = static_cast<int>(number);
  return state;
}

Result<std::string> exec_body(const ExecBody& wanted) {
  const auto fits = [](const std::string& text) {
    return is_valid_utf8(text) && text.find('\0') == std::string::npos;
  };
  bool all_fit = fits(wanted.user) && std::ranges::all_of(wanted.argv, fits);
  Json environment = Json::array();
  for (const auto& [name, value] : wanted.environment) {
    all_fit = all_fit && fits(name) && fits(value);
    environment.push_back(name + "=" + value);
  }
  if (!all_fit) {
    return fail(ErrorCode::kInvalid,
                "a command for a container holds a zero byte or text that is no UTF-8, in its "
                "arguments, environment or user; an engine takes neither");
  }
  Json body = {{"AttachStdin", wanted.attach_in},
               {"AttachStdout", wanted.attach_out},
               {"AttachStderr", wanted.attach_out},
               {"Tty", false},
               {"Cmd", wanted.argv},
               {"Env", std::move(environment)}};
  if (!wanted.user.empty()) body["User"] = wanted.user;
  return body.dump();
}

std::string error_text_of(std::string_view body) {
  if (!is_nested_deeper(body, kDeepest)) {
    const Json parsed = Json::parse(body, nullptr, false);
    if (parsed.is_object()) {
      const auto message = parsed.find("message");
      if (message != parsed.end() && message->is_string()) return message->get<std::string>();
    }
  }
  while (body.ends_with('\n') || body.ends_with('\r')) body.remove_suffix(1);
  return std::string(body);
}

}  // namespace muniment
