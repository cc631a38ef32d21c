#include "recorder/world/engine/engine_reader.h"

#include <utility>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/world/engine/api_version.h"
#include "recorder/world/engine/engine_http.h"
#include "recorder/world/engine/engine_json.h"

namespace muniment {
namespace {

constexpr std::size_t kMostShown = 80;

// What reads a body, with the request in front of what it finds wrong.
template <class T>
Result<T> in_answer_to(const EngineRequest& request, Result<T> read) {
  if (!read) read.error().message = name_of(request) + ": " + read.error().message;
  return read;
}

// The version to ask in, from what the engine says of itself.
Result<std::string> negotiate(const EngineRequest& request, const std::string& pinged,
                              const EngineVersion& version) {
  const std::string& own_text = pinged.empty() ? version.api_version : pinged;
  const std::optional<ApiVersion> own = ApiVersion::parse(own_text);
  const std::optional<ApiVersion> least = version.least_api_version.empty()
                                              ? ApiVersion{}
                                              : ApiVersion::parse(version.least_api_version);
  if (!own || !least || *least > *own) {
    return std::unexpected(trouble(
        request,
        "the answer is malformed: its API versions are " + inert_short(own_text, kMostShown) +
            " at most and " + inert_short(version.least_api_version, kMostShown) + " at least",
        "check which program answers on the socket"));
  }
  const std::optional<ApiVersion> chosen = chosen_api(*own, *least);
  if (!chosen) {
    return std::unexpected(trouble(request,
                                   "the engine is too old: it speaks API version " + own->text() +
                                       ", needed is " + kLeastApi.text(),
                                   "install docker 19.03, podman 3 or newer"));
  }
  return chosen->text();
}

}  // namespace

void teach_secrets(const InspectedContainer& container, Redactor& secrets) {
  std::vector<std::string> environment;
  environment.reserve(container.environment.size());
  for (const auto& [name, value] : container.environment) environment.push_back(name + "=" + value);
  secrets.add_environment(environment);
}

// What the connection is, and the versioned prefix of its paths.
class EngineReader::Http {
 public:
  Http(std::string socket, const EngineLimits& limits) : http(std::move(socket), limits) {}

  // An answer of status 200, or the error that the engine's status is.
  Result<HttpAnswer> get(const std::string& target) {
    Result<HttpAnswer> answer = http.get(target);
    if (answer && answer->status != 200) {
      return std::unexpected(http.refused("GET", target, *answer));
    }
    return answer;
  }
  EngineRequest request(const std::string& path) const { return {http.socket(), "GET", path}; }

  EngineHttp http;
  std::string prefix;  // "/v1.41"
};

EngineReader::EngineReader(std::unique_ptr<Http> http, v1::EngineFacts facts)
    : http_(std::move(http)), facts_(std::move(facts)) {}

EngineReader::~EngineReader() = default;

Result<std::unique_ptr<EngineReader>> EngineReader::connect(const EngineAddress& address,
                                                            const EngineLimits& limits) {
  auto http = std::make_unique<Http>(address.socket, limits);
  Result<HttpAnswer> ping = http->get("/_ping");
  if (!ping) return pass(ping);
  Result<HttpAnswer> answer = http->get("/version");
  if (!answer) return pass(answer);
  const EngineRequest request = http->request("/version");
  Result<EngineVersion> version = in_answer_to(request, version_from_json(answer->body));
  if (!version) return pass(version);
  Result<std::string> api = negotiate(request, ping->header("api-version"), *version);
  if (!api) return pass(api);
  v1::EngineFacts facts;
  facts.set_name(version->name);
  facts.set_version(inert_short(version->version, kMostShown));
  facts.set_api_version(*api);
  http->prefix = "/v" + *api;
  return std::unique_ptr<EngineReader>(new EngineReader(std::move(http), std::move(facts)));
}

Result<std::vector<v1::ContainerObserved>> EngineReader::list() {
  const std::string path = http_->prefix + "/containers/json";
  Result<HttpAnswer> answer = http_->get(path + "?all=1");
  if (!answer) return pass(answer);
  return in_answer_to(http_->request(path), containers_from_json(answer->body, labels_));
}

Result<InspectedContainer> EngineReader::inspect(const std::string& container_id) {
  if (!is_hex_digest(container_id)) return std::unexpected(no_container_id(container_id));
  const std::string path = http_->prefix + "/containers/" + container_id + "/json";
  Result<HttpAnswer> answer = http_->get(path);
  if (!answer) return pass(answer);
  Result<InspectedContainer> inspected =
      in_answer_to(http_->request(path), inspected_from_json(answer->body, labels_));
  if (inspected && inspected->observed.container_id() != container_id) {
    return std::unexpected(trouble(http_->request(path), "the answer is about another container",
                                   "check which program answers on the socket"));
  }
  return inspected;
}

Result<std::optional<ContainerPath>> EngineReader::stat_path(const std::string& container_id,
                                                             const std::string& path) {
  if (!is_hex_digest(container_id)) return std::unexpected(no_container_id(container_id));
  const std::string target =
      http_->prefix + "/containers/" + container_id + "/archive?path=" + url_encoded(path);
  Result<HttpAnswer> answer = http_->http.head(target);
  if (!answer) return pass(answer);
  if (answer->status == 404) {
    // The same status stands for a container and for a path that is not there.
    Result<InspectedContainer> there = inspect(container_id);
    if (!there) return pass(there);
    return std::optional<ContainerPath>();
  }
  if (answer->status != 200) {
    return std::unexpected(http_->http.refused("HEAD", target, *answer));
  }
  const EngineRequest request{http_->http.socket(), "HEAD", target.substr(0, target.find('?'))};
  Result<ContainerPath> facts =
      in_answer_to(request, path_from_header(answer->header("x-docker-container-path-stat")));
  if (!facts) return pass(facts);
  return *facts;
}

Result<std::optional<VolumeFacts>> EngineReader::volume(const std::string& name) {
  // No engine has a volume of such a name, and in a URL it would name something else.
  const bool possible = !name.empty() && name.find('/') == std::string::npos &&
                        name.find_first_not_of('.') != std::string::npos;
  if (!possible) return std::optional<VolumeFacts>();
  const std::string path = http_->prefix + "/volumes/" + url_encoded(name);
  Result<HttpAnswer> answer = http_->get(path);
  if (!answer && answer.error().code == ErrorCode::kNotFound) return std::optional<VolumeFacts>();
  if (!answer) return pass(answer);
  Result<VolumeFacts> facts = in_answer_to(http_->request(path), volume_from_json(answer->body));
  if (!facts) return pass(facts);
  // Podman also finds a volume by the beginning of its name.
  if (facts->name != name) return std::optional<VolumeFacts>();
  return *facts;
}

Result<EngineReader::ImageNames> EngineReader::image(const std::string& image_id) {
  std::string_view digits = image_id;
  if (digits.starts_with("sha256:")) digits.remove_prefix(7);
  if (!is_hex_digest(digits)) {
    return fail(ErrorCode::kInvalid, inert_short(image_id, kMostShown) +
                                         " is no image's id; give all 64 hexadecimal digits");
  }
  const std::string path = http_->prefix + "/images/" + std::string(digits) + "/json";
  Result<HttpAnswer> answer = http_->get(path);
  if (!answer) return pass(answer);
  return in_answer_to(http_->request(path), image_from_json(answer->body));
}

}  // namespace muniment
