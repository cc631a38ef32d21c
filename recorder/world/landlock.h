// The kernel holds a rehearsal to its word.
#ifndef MUNIMENT_RECORDER_WORLD_LANDLOCK_H_
#define MUNIMENT_RECORDER_WORLD_LANDLOCK_H_

#include <string>
#include <vector>

#include "muniment/v1/run.pb.h"

namespace muniment {

// Forbids this process, and all it starts, to create, write, truncate, rename, link or remove
// anything outside `writable_folders` (which must exist) and `/dev/null`. Cannot be undone. What
// holds is in the answer, in the words of the kernel's ABI; where the kernel refuses, `enforced` is
// false and `not_because` says why: that is no error. REQUIRES: called before any thread is started
// (threads started earlier stay free).
v1::Enforcement forbid_writes_outside(const std::vector<std::string>& writable_folders);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_LANDLOCK_H_
