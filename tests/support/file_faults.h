// Runs a program and lets one of its file system calls fail, or kills the program there.
//
// Calls are numbered over all threads of the program in the order in which they begin. (strace's
// `inject=…:when=N` counts each thread by itself: the calls of a thread that writes an artifact
// would be hidden behind those of the main thread.)
#ifndef MUNIMENT_TESTS_SUPPORT_FILE_FAULTS_H_
#define MUNIMENT_TESTS_SUPPORT_FILE_FAULTS_H_

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/run_program.h"

namespace muniment {

enum class Fault { kNone, kKill, kInterrupt, kIoError, kNoSpace };

// "SIGKILL", "SIGINT", "EIO", "ENOSPC"; "" for none.
std::string fault_name(Fault fault);

struct FaultPlan {
  std::string under;  // only calls on paths that begin with this are counted
  Fault fault = Fault::kNone;
  std::size_t at = std::numeric_limits<std::size_t>::max();  // the first call is 0
};

// A call that makes, changes, syncs, closes, renames or removes a file or folder, or opens one.
struct FileCall {
  std::string name;  // "pwrite64"
  std::string path;  // as far as it is known: what a rename renames, what a descriptor stands for
};

struct FaultyRun {
  Ran ran;
  std::vector<FileCall> calls;  // those that were counted, in order
  bool struck = false;          // the call was reached
  bool hung = false;            // it did not end within two minutes and was killed
  bool refused = false;         // the kernel does not let this process trace: nothing was run
};

// A call that fails is not carried out, save close(): it closes and then says that it failed, as
// Linux does. A call at which the program is killed is not carried out either; one at which it is
// interrupted is. May be used from several threads at a time.
FaultyRun run_with_fault(const std::vector<std::string>& argv, const RunWith& with,
                         const FaultPlan& plan);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_FILE_FAULTS_H_
