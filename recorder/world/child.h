// Runs another program for what it prints.
#ifndef MUNIMENT_RECORDER_WORLD_CHILD_H_
#define MUNIMENT_RECORDER_WORLD_CHILD_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
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

// A child that is given something.
struct ChildTerms {
  std::string input;  // its standard input, from a file in memory
  // Further files in memory: where `argv` says "{0}", "{1}" …, it gets the path of the file, which
  // no other process can see.
  std::vector<std::string> files;
  // Absent: it may take as long as a person does, stays in our process group, so that it can ask on
  // the controlling terminal, and is ended as soon as `stop` says so (kInterrupted).
  std::optional<std::chrono::milliseconds> limit;
  std::function<bool()> stop;
  std::size_t keep_bytes = 64U << 10U;
};

// Likewise. kInterrupted also where SIGINT ended it: the person meant both of us.
Result<ChildResult> run_child_with(const std::vector<std::string>& argv,
                                   const std::vector<std::string>& environment,
                                   const ChildTerms& terms);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_CHILD_H_
