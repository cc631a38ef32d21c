// The host as a Source.
#ifndef MUNIMENT_RECORDER_WORLD_HOST_SOURCE_H_
#define MUNIMENT_RECORDER_WORLD_HOST_SOURCE_H_

#include <memory>
#include <string>

#include "muniment/v1/event.pb.h"
#include "recorder/world/source.h"

namespace muniment {

std::unique_ptr<Source> make_host_source();

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
