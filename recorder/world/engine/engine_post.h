// The one type that can ask an engine to do something.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_POST_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_POST_H_

#include <string>

#include "recorder/core/result.h"
#include "recorder/world/engine/engine_http.h"

namespace muniment {

// EngineHttp that can POST, for engine_control.cc alone. Each POST has a connection of its own, so
// that libcurl never sends one a second time because a kept connection had been closed.
class EnginePost : public EngineHttp {
 public:
  using EngineHttp::EngineHttp;

  Result<HttpAnswer> post(const std::string& target, const std::string& json) {
    return send("POST", target, &json);
  }
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_POST_H_
