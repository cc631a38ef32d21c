// The guard folder: what was signed last, kept where a restore of the store does not reach.
//
// GUARD/                     0700
//   lock                     flock, exclusive while an entry is compared and replaced
//   <id>/                    one for each key that signed; id: 16 hex digits of SHA-256(vkey)
//     log                    "vkey" SP vkey LF "store" SP the folder of the store, up to a last LF
//     checkpoint             the last signed checkpoint, as it is
//
// A log whose key was rotated has an entry for each of its keys; the older ones stay behind at the
// checkpoint that both keys signed, which is enough to know an older copy by.
#ifndef MUNIMENT_RECORDER_LOG_GUARD_H_
#define MUNIMENT_RECORDER_LOG_GUARD_H_

#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/core/tlog/note.h"

namespace muniment {

struct Guarded {
  NoteKey key;
  std::string store;       // where the log lay when it was signed; empty: another took its place
  std::string checkpoint;  // a signed note; empty: nothing was signed yet
};

// The folder of a store as an entry names it: under the name that does not depend on how it was
// reached.
std::string place_of(const std::string& store_folder);

// All entries, without the lock. An absent folder has none. kCorrupt: an entry cannot be read as
// one; kRefused: others can write it.
Result<std::vector<Guarded>> read_guard(const std::string& folder);

// A guard folder, held for writing. Move-only; released at destruction.
class Guard {
 public:
  // Makes the folder where it is missing (0700) and waits for its lock, which is held for the
  // length of a signature. kIo: it cannot be made or written.
  static Result<Guard> hold(const std::string& folder);

  Guard(Guard&& other) noexcept;
  Guard& operator=(Guard&& other) noexcept;
  ~Guard();

  const std::string& folder() const { return folder_; }

  // Makes or replaces the entry of a key, durably.
  Status keep(const Guarded& entry);

 private:
  Guard(std::string folder, int lock) : folder_(std::move(folder)), lock_(lock) {}

  std::string folder_;
  int lock_;  // -1: moved from
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_GUARD_H_
