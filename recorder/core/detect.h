// The ladder of detection: what says of which backup class a container is. Pure.
#ifndef MUNIMENT_RECORDER_CORE_DETECT_H_
#define MUNIMENT_RECORDER_CORE_DETECT_H_

#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/resolution.pb.h"
#include "recorder/core/backup_class.h"

namespace muniment {

// One rung that says something. The evidence is in words and inert.
struct RungSays {
  v1::Rung rung = v1::RUNG_UNSPECIFIED;
  v1::BackupClass backup_class = v1::BACKUP_CLASS_UNSPECIFIED;
  std::string evidence;
};

// What each rung below the manifest says, strongest first: label, image repository, environment
// names, mount destinations, the content of the one path. Rungs that say nothing are not in it.
//   image        the last component of the repository, without registry, tag and digest
//   environment  names that only a server's image sets (PGDATA, REDIS_VERSION); names that its
//                clients have as well (POSTGRES_PASSWORD) say nothing
//   mount        where servers keep their data; /data says nothing
std::vector<RungSays> climb_ladder(const ContainerSight& sight);

// "postgres" of "registry.example:5000/team/postgres:15@sha256:…".
std::string_view repository_base(std::string_view image);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_DETECT_H_
