// How an artifact is stored: the words of a step's `compression`.
#ifndef MUNIMENT_RECORDER_WORLD_COMPRESSION_H_
#define MUNIMENT_RECORDER_WORLD_COMPRESSION_H_

#include <optional>
#include <string_view>

namespace muniment {

// A zstd level from 1 to 19, or none at all. Levels beyond want more memory than a host that runs
// services can spare.
struct Compression {
  int zstd_level = 0;  // 0: none
  bool none() const { return zstd_level == 0; }
};

// "none" or "zstd:N"; nothing else.
std::optional<Compression> parse_compression(std::string_view word);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_COMPRESSION_H_
