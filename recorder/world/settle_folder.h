// What becomes of a partial folder: committed under its final name, or removed.
#ifndef MUNIMENT_RECORDER_WORLD_SETTLE_FOLDER_H_
#define MUNIMENT_RECORDER_WORLD_SETTLE_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/world/captured.h"
#include "recorder/world/folders.h"
#include "recorder/world/place.h"

namespace muniment {

// Writes manifest.json beside the artifacts, 0600, and makes file and folder durable.
// Fails when the folder holds anything but the artifacts, each as it was verified.
Result<StoredFile> write_run_manifest(const Folder& partial, const Place& place,
                                      const std::vector<const Captured*>& artifacts);

// THE COMMIT: renames the partial folder to its final name and makes that durable. Never replaces
// anything; a file system that cannot promise that is refused.
Status commit_folder(const Folder& module_folder, const Place& place);

// Removes a partial folder with the regular files in it. When it holds anything else it fails and
// touches nothing. The number of bytes that the files had.
Result<std::uint64_t> discard_folder(const Folder& module_folder, const Folder& partial,
                                     const Place& place);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SETTLE_FOLDER_H_
