// The engine, read only: a type that has no method but GET and HEAD.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_READER_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_READER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "muniment/v1/resolution.pb.h"
#include "recorder/core/redact.h"
#include "recorder/core/result.h"
#include "recorder/world/engine/engine_address.h"

namespace muniment {

// How long an engine may take. Each limit is for one request.
struct EngineLimits {
  std::chrono::milliseconds connect{3000};
  std::chrono::milliseconds answer{20000};  // a whole answer, or 20 s without a byte of a stream
  std::size_t most_answer_bytes = 64U << 20U;
  // How long a command may take to end behind its stream, and after each signal.
  std::chrono::milliseconds settle{5000};
};

// One container as inspected. `observed` is the allow-list projection that may be recorded;
// `environment` holds values, secrets among them: it is never recorded, printed or kept.
struct InspectedContainer {
  v1::ContainerObserved observed;
  std::vector<std::pair<std::string, std::string>> environment;
};

// Tells the redactor the values of variables whose names say that they are secret.
void teach_secrets(const InspectedContainer& container, Redactor& secrets);

// What a path in a container is, without following a link at its end.
struct ContainerPath {
  v1::PathKind kind = v1::PATH_KIND_UNSPECIFIED;  // REGULAR, DIRECTORY, SYMLINK or OTHER
  std::uint64_t size_bytes = 0;
  std::uint32_t mode = 0;  // permission bits with setuid, setgid and sticky, as stat has them
  std::string link_target;
};

struct VolumeFacts {
  std::string name;
  std::string driver;
  std::string mountpoint;  // on the engine's host
};

// Not thread-safe. Errors: kUnavailable when the engine cannot be reached, refuses the connection
// (permission), speaks no API version from 1.40 on, does not answer in time, answers malformed or
// breaks off; the message names the socket, what was asked and what to do next. kNotFound: the
// engine knows no such object.
class EngineReader {
 public:
  // Asks /_ping and /version. The API version is the engine's own, at most 1.41, at least what
  // the engine's MinAPIVersion says.
  static Result<std::unique_ptr<EngineReader>> connect(const EngineAddress& address,
                                                       const EngineLimits& limits = {});
  ~EngineReader();
  EngineReader(const EngineReader&) = delete;
  EngineReader& operator=(const EngineReader&) = delete;

  // name ("docker", "podman"), version, api_version; the selector is the caller's.
  const v1::EngineFacts& facts() const { return facts_; }

  // Labels as "key=value": list() and inspect() say which of them a container has.
  void ask_for_labels(std::vector<std::string> labels) { labels_ = std::move(labels); }

  // All containers, stopped ones too, in order of id: what the list says of each (id, image id,
  // image, name, compose labels, muniment labels, all labels' names are left out, state). Mounts,
  // environment and health are for inspect().
  Result<std::vector<v1::ContainerObserved>> list();

  // kNotFound: it is gone.
  Result<InspectedContainer> inspect(const std::string& container_id);

  // Absent: there is nothing at that path.
  Result<std::optional<ContainerPath>> stat_path(const std::string& container_id,
                                                 const std::string& path);

  // Absent: no such volume.
  Result<std::optional<VolumeFacts>> volume(const std::string& name);

  // Repository names and digests of an image, as the engine prints them; empty where it knows none.
  struct ImageNames {
    std::vector<std::string> tags;
    std::vector<std::string> digests;
  };
  Result<ImageNames> image(const std::string& image_id);

 private:
  class Http;
  EngineReader(std::unique_ptr<Http> http, v1::EngineFacts facts);

  std::unique_ptr<Http> http_;
  v1::EngineFacts facts_;
  std::vector<std::string> labels_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_READER_H_
