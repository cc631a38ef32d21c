// What a sink tells while it works, and how it learns that it should stop.
#ifndef MUNIMENT_RECORDER_WORLD_PROGRESS_H_
#define MUNIMENT_RECORDER_WORLD_PROGRESS_H_

#include <cstdint>

namespace muniment {

class Progress {
 public:
  virtual ~Progress() = default;
  // `bytes` more were read from the source or from disk. Called from the sink's thread, often.
  virtual void advance(std::uint64_t bytes) = 0;
  // Whether a person asked to stop. A sink asks at least each 8 MiB, cleans up nothing by itself
  // and answers `failed` with `interrupted`.
  virtual bool stop_requested() = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_PROGRESS_H_
