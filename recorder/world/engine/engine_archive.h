// The engine's archive of a path in a container, member by member.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_ARCHIVE_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_ARCHIVE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/world/engine/engine_control.h"
#include "recorder/world/progress.h"

struct archive_entry;

namespace muniment {

// One member. `path` is absolute and the container's; `link` is that of a hard link's first name,
// else empty. `entry` is valid during the call.
struct ArchiveMember {
  std::string path;
  std::string link;
  archive_entry* entry = nullptr;
  std::uint64_t size_bytes = 0;  // of a regular file's content
};

// What is to be done with each. `content` gets what follows the member it was called for.
struct ArchiveVisitor {
  std::function<Status(const ArchiveMember&)> member;
  std::function<Status(std::string_view)> content;  // empty: it is read and dropped
};

// Reads the whole archive of `path`. Names are made absolute whatever the engine calls them: docker
// and Podman begin with the last component of `path`, Podman leaves it out where the container does
// not run. kCorrupt: the archive is cut off, has no end (two blocks of zeros), or holds a name that
// leads out of `path`. kInterrupted: a stop was asked for.
Status read_engine_archive(EngineControl& engine, const std::string& container_id,
                           const std::string& path, const ArchiveVisitor& visitor,
                           Progress& progress);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_ENGINE_ARCHIVE_H_
