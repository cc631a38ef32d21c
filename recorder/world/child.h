// Runs another program for what it prints.
#ifndef MUNIMENT_RECORDER_WORLD_CHILD_H_
#define MUNIMENT_RECORDER_WORLD_CHILD_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

struct ChildResult {
  int exit_status = 0;  // 128 + N when signal N ended it
  std::string out;      // the first `keep_bytes` of each stream
  std::string err;
};

// Runs `argv` (found by PATH of this process) with the environment `environment` alone, standard
// input at its end, in a process group of its own. What is printed beyond `keep_bytes` is read and
// dropped. kUnavailable: the program cannot be started. kIo: it did not end within `limit`; its
// whole group was killed.
Result<ChildResult> run_child(const std::vector<std::string>& argv,
                              const std::vector<std::string>& environment,
                              std::chrono::milliseconds limit, std::size_t keep_bytes);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_CHILD_H_
