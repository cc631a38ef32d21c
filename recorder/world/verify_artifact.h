// Reads an artifact again from disk and compares it with what its capture said.
#ifndef MUNIMENT_RECORDER_WORLD_VERIFY_ARTIFACT_H_
#define MUNIMENT_RECORDER_WORLD_VERIFY_ARTIFACT_H_

#include <cstdint>
#include <string>

#include "recorder/core/result.h"
#include "recorder/world/captured.h"
#include "recorder/world/folders.h"
#include "recorder/world/progress.h"

namespace muniment {

// What was done and what came out. `detail` says what was expected and what was found; it is empty
// when `ok`. Digest and size are of the file as it was read now.
struct Verification {
  bool ok = false;
  std::string method;  // "read again: sha256, zstd, tar"
  std::string detail;
  std::uint64_t size_bytes = 0;
  Digest sha256{};
};

// Checks, in `folder`: one regular file, mode 0600, one link; size and SHA-256 as stored; the zstd
// frame complete with its checksum; size and SHA-256 of the content; for class files each header of
// the tar and the number of its members. A file that differs is a Verification that is not ok; an
// error is a disk that cannot be read, or a stop that was asked for.
Result<Verification> verify_artifact(const Folder& folder, const Captured& artifact,
                                     Progress& progress);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_VERIFY_ARTIFACT_H_
