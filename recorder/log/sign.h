// Signing checkpoints: what keeps a log from being signed in two versions.
//
// Before anything is signed, the log proves to itself that it extends what was signed before: the
// newest checkpoint in the store, and the one in the guard folder, which a restored copy of the
// store does not take back. The guard learns of a checkpoint before anybody else does.
#ifndef MUNIMENT_RECORDER_LOG_SIGN_H_
#define MUNIMENT_RECORDER_LOG_SIGN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "recorder/core/result.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/log/guard.h"
#include "recorder/log/log_key.h"
#include "recorder/log/store.h"

namespace muniment {

// What the guard knows and the log does not extend.
struct Fork {
  Guarded known;
  std::string why;  // what is wrong, and what to do
};

// Compares the log with the guard; `current` is the public half of its key. Absent: the log extends
// all that was signed with its keys, and nothing else is known to lie in its place. kCorrupt: an
// entry of the guard, or a node of the tree, cannot be believed.
Result<std::optional<Fork>> find_fork(const LogReader& log, const std::string& store_folder,
                                      const NoteKey& current, const std::string& guard_folder);

struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::string note;
  bool is_new = false;  // false: the newest one covers all events already
};

// Signs the log as it is, keeps the checkpoint in the guard and then in the store, both durably.
// With `accept_fork` what find_fork() finds is passed over: the caller has recorded why.
// While a rotation is under way the checkpoint has both signatures, and the next key takes over.
// Errors: kCorrupt (a fork, its message says why; the store's own newest checkpoint is not
// extended), kIo (guard or store cannot be written; then nothing was signed that anybody saw).
Result<SignedCheckpoint> sign_checkpoint(Store& log, const LogKeys& keys,
                                         const std::string& guard_folder, bool accept_fork = false);

// Makes the guard know a new log before anything is signed, and forget which logs lay in the same
// folder before. For `init`.
Status introduce_to_guard(const std::string& store_folder, const NoteKey& key,
                          const std::string& guard_folder);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_SIGN_H_
