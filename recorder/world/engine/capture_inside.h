// Captures out of a container, by the class of the step.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_CAPTURE_INSIDE_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_CAPTURE_INSIDE_H_

#include <string>
#include <vector>

#include "muniment/v1/plan.pb.h"
#include "recorder/core/result.h"
#include "recorder/world/capture.h"
#include "recorder/world/captured.h"
#include "recorder/world/engine/container_commands.h"

namespace muniment {

// What a capture out of a container stands on. What it refers to must outlive the call.
struct InsideTarget {
  const v1::Step& step;
  const Folder& folder;  // the partial folder
  FolderIdentity backup_root;
  std::string secrets_folder;
};

// The artifacts that the step made, in order of name; complete, fsynced, content checked as far as
// that is possible while it streams. An error: whatever was written is no backup.
Result<std::vector<Captured>> capture_inside(const InsideTarget& target,
                                             ContainerCommands& commands);

// The parts, one for each class.
//   postgres  MODULE.globals.sql (roles and tablespaces, with its closing line) and MODULE.DB.dump
//             (custom format) for each database
//   redis     the RDB exactly as the server counts it, without the mark behind it; magic, end byte
//             and CRC-64 checked
//   files     the engine's archive of each path, rewritten member by member as one tar, compared
//             with a list taken before
//   sqlite    by the linked library where the file lies on this host, else by the container's
//   sqlite3
Result<std::vector<Captured>> capture_postgres(const InsideTarget& target,
                                               ContainerCommands& commands);
Result<std::vector<Captured>> capture_redis(const InsideTarget& target,
                                            ContainerCommands& commands);
Result<std::vector<Captured>> capture_container_files(const InsideTarget& target,
                                                      ContainerCommands& commands);
Result<std::vector<Captured>> capture_container_sqlite(const InsideTarget& target,
                                                       ContainerCommands& commands);

// The file name of a database's dump: MODULE.DATABASE.dump, where bytes of the name other than
// letters, digits, `_` and `-` are written %XX; a name that gets too long ends in part of its hash.
std::string dump_name(const std::string& module, const std::string& database);

// Reads a stored dump to its end with the container's pg_restore, which checks every block.
// `fd` is open on it at its beginning.
Status check_dump(int fd, const std::string& name, ContainerCommands& commands);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_CAPTURE_INSIDE_H_
