// What a sink remembers of the artifacts it has written until they are committed.
#ifndef MUNIMENT_RECORDER_WORLD_CAPTURED_H_
#define MUNIMENT_RECORDER_WORLD_CAPTURED_H_

#include <string>

#include "muniment/v1/effect.pb.h"
#include "muniment/v1/plan.pb.h"
#include "recorder/world/capture.h"

namespace muniment {

// One artifact of this run, in its partial folder.
struct Captured {
  std::string name;
  std::string compression;  // the step's word
  v1::BackupClass backup_class = v1::BACKUP_CLASS_UNSPECIFIED;
  Capture capture;
  bool verified = false;
};

// The fact that a capture leaves. `path` is where the commit puts the artifact.
v1::BackupWritten to_fact(const Captured& artifact, const std::string& path);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_CAPTURED_H_
