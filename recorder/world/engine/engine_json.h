// What the engine's JSON says, as values of our own. Pure functions, and the one place that knows
// the shape of the answers (Engine API 1.40 to 1.41, and Podman's compatible API).
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_JSON_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_JSON_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "muniment/v1/resolution.pb.h"
#include "recorder/core/result.h"
#include "recorder/world/engine/engine_reader.h"

namespace muniment {

// Each function below fails with kUnavailable, and a message that names what was malformed, where
// the text is no JSON, is nested deeper than any answer, or a field that is used has another type
// than the API says. Fields that are not used are never looked at. Podman's null, {} and "" for
// what it does not have are taken as absent.

// GET /version.
struct EngineVersion {
  std::string name;  // "docker", "podman"
  std::string version;
  std::string api_version;
  std::string least_api_version;  // empty: the engine names none
};
Result<EngineVersion> version_from_json(std::string_view text);

// GET /containers/json: the projection of the list, in order of id. `asked` are labels as
// "key=value" whose presence is to be told.
Result<std::vector<v1::ContainerObserved>> containers_from_json(
    std::string_view text, const std::vector<std::string>& asked = {});

// GET /containers/ID/json: the projection, and the environment with its values apart from it.
// Of labels the four that are words of the manifest are kept; arguments are left out.
Result<InspectedContainer> inspected_from_json(std::string_view text,
                                               const std::vector<std::string>& asked = {});

// The header X-Docker-Container-Path-Stat: base64 of JSON. Its mode is that of Go's os.FileMode.
Result<ContainerPath> path_from_header(std::string_view header);

// GET /volumes/NAME and GET /images/ID/json.
Result<VolumeFacts> volume_from_json(std::string_view text);
Result<EngineReader::ImageNames> image_from_json(std::string_view text);

// POST /containers/ID/exec, and GET /exec/ID/json. The exit code is absent while the command runs,
// when it never started, and when it is none (0 to 255).
struct ExecState {
  bool running = false;
  std::optional<int> exit_code;
};
Result<std::string> exec_id_from_json(std::string_view text);
Result<ExecState> exec_state_from_json(std::string_view text);

// The body that creates an exec. kInvalid: a part of it is no UTF-8 or holds a zero byte, which
// JSON and a command line cannot carry; the message does not show it.
struct ExecBody {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string user;  // empty: the container's own
  bool attach_in = false;
  bool attach_out = true;  // standard output and standard error
};
Result<std::string> exec_body(const ExecBody& wanted);

// What an error's body says: its "message", else its text; not inert yet.
std::string error_text_of(std::string_view body);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_JSON_H_
