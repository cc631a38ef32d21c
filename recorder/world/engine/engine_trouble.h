// What goes wrong between this program and an engine, in words: what was asked of which socket,
// what happened, what to do next.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_TROUBLE_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_TROUBLE_H_

#include <chrono>
#include <string>
#include <string_view>

#include "recorder/core/result.h"

namespace muniment {

// A request as messages name it. A query may be long, and names what people filter for: it is cut.
struct EngineRequest {
  std::string socket;
  std::string method;
  std::string path;  // without its query
};

// "GET /version of the engine at SOCKET", inert.
std::string name_of(const EngineRequest& request);

// kUnavailable: "NAME: WHAT; NEXT".
Error trouble(const EngineRequest& request, std::string_view what, std::string_view next);

// kUnavailable for connect(2) that failed with `error_number`: the socket is not there, may not be
// used (by whom it may is looked up and said), nobody listens, or the queue is full.
Error connect_trouble(const EngineRequest& request, int error_number);

// kUnavailable: no answer within `limit`.
Error silence(const EngineRequest& request, std::chrono::milliseconds limit);

// kInvalid: a text that was given as a container's id is none.
Error no_container_id(std::string_view given);

// An answer of status 400 and above. 404 is kNotFound, 409 kBusy, all others kUnavailable. `text`
// is what the engine says of it, foreign: it is shown inert and short.
Error refusal(const EngineRequest& request, long status, std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_TROUBLE_H_
