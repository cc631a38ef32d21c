// One host's log with a run of every kind that this release knows: fixed ids and times, plans and
// resolutions by the product's own pure functions. Golden files are made from it.
#ifndef MUNIMENT_TESTS_SUPPORT_SAMPLE_RUNS_H_
#define MUNIMENT_TESTS_SUPPORT_SAMPLE_RUNS_H_

#include <string>
#include <utility>
#include <vector>

#include "recorder/log/event_log.h"

namespace muniment {

// Ids by what became of the run, in the order of the log.
struct SampleRuns {
  std::string resolved;     // observation
  std::string rehearsed;    // dry run, held to it by the kernel
  std::string executed;     // follows `rehearsed`; later a note and two checks
  std::string failed;       // the disk fills at step 4 of 6
  std::string unresolved;   // a module that is not there
  std::string drifted;      // follows `rehearsed` in a changed world
  std::string gated;        // the gate of a module is closed
  std::string interrupted;  // Ctrl-C in step 1
  std::string abandoned;    // the process died in step 4; found by `unheld`
  std::string unheld;       // dry run of notes alone, the kernel enforces nothing
  std::string running;      // removes what `abandoned` left, then is in step 1
  std::string candidate;    // dry run of the gated module ledger; approved twice, once in vain
  std::string closed;       // follows `candidate`: its only approval was revoked
  std::string opened;       // follows `candidate` and consumes the other approval
  std::string commanded;    // a command on the host

  std::vector<std::pair<std::string, std::string>> by_name() const;
};

// Appends them to an empty log of the origin rs2000.example/muniment.
SampleRuns write_sample_runs(LogWriter& log);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_SAMPLE_RUNS_H_
