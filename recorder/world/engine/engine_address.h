// Where the container engine listens.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_ADDRESS_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_ADDRESS_H_

#include <functional>
#include <optional>
#include <string>

#include "recorder/core/result.h"

namespace muniment {

struct EngineAddress {
  std::string socket;   // absolute path of a unix socket
  std::string because;  // what chose it: "manifest", "DOCKER_HOST", "first that is there"
};

// `selector` is the manifest's word: "unix:///path" or "auto". For auto: DOCKER_HOST where it names
// a unix socket; else the first that exists of /run/docker.sock, /var/run/docker.sock,
// $XDG_RUNTIME_DIR/docker.sock, $XDG_RUNTIME_DIR/podman/podman.sock, /run/podman/podman.sock.
// kUnavailable: none is there (the message lists where it was looked for), or DOCKER_HOST names
// another transport than unix. kInvalid: "none", which allows no engine.
Result<EngineAddress> find_engine(
    const std::string& selector,
    const std::function<std::optional<std::string>(const char* name)>& environment);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_ADDRESS_H_
