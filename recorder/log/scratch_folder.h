// A temporary folder of this process alone: what RocksDB wants beside a store that is being
// written.
#ifndef MUNIMENT_RECORDER_LOG_SCRATCH_FOLDER_H_
#define MUNIMENT_RECORDER_LOG_SCRATCH_FOLDER_H_

#include <string>

#include "recorder/core/result.h"

namespace muniment {

// Nothing until make(); removed with what is in it at destruction. Move-only.
class ScratchFolder {
 public:
  ScratchFolder() = default;
  ~ScratchFolder();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&& other) noexcept;

  // Makes the folder, 0700, in the system's folder for temporary files. kIo with the reason.
  Status make();

  // Empty before make().
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_SCRATCH_FOLDER_H_
