// The host as a Source.
#ifndef MUNIMENT_RECORDER_WORLD_HOST_SOURCE_H_
#define MUNIMENT_RECORDER_WORLD_HOST_SOURCE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/redact.h"
#include "recorder/world/source.h"

namespace muniment {

// Paths of the host. It knows no engine: to it none is reachable.
std::unique_ptr<Source> make_host_source();

// The host and its container engine, which is asked with GET and HEAD alone, and only when a query
// needs it. `secrets` learns the values of environment variables of inspected containers whose
// names say that they are secret; `labels` are "key=value" whose presence is to be told. Both must
// outlive it.
struct EngineChoice {
  std::string selector;  // the manifest's word: auto, none, unix:///…
  std::function<std::optional<std::string>(const char* name)> environment;
  std::vector<std::string> labels;
};
std::unique_ptr<Source> make_engine_source(EngineChoice choice, Redactor& secrets);

// Facts of a run's start; what cannot be learnt is left out or says why.
v1::HostFacts observe_host();
// Asks `git` (with GIT_OPTIONAL_LOCKS=0, no pager, no fsmonitor, 10 s at most) for HEAD and whether
// the tree is clean; writes nothing.
v1::ReleaseRoot observe_release_root(const std::string& path);
// The actor's observed half: uid, terminal, parent's executable. Names are the caller's to commit
// to.
v1::Actor observe_actor();
std::string observe_user_name();
std::string observe_host_name();
// SHA-256 of the running program's file, 32 bytes; empty when it cannot be read.
std::string observe_program_sha256();

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_HOST_SOURCE_H_
