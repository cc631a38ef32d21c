// The rehearsal that an execution is bound to.
#ifndef MUNIMENT_CLI_REHEARSAL_H_
#define MUNIMENT_CLI_REHEARSAL_H_

#include <string>
#include <vector>

#include "recorder/core/manifest.h"
#include "recorder/core/resolve.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

struct Rehearsal {
  std::string run_id;
  std::string canonical;  // the text of its plan
  Selection selection;    // what it was asked for
};

// `word` names a successful dry run of `purpose` ("backup", "exec"); `modules`, unless empty, must
// be all of its modules: a plan is executed whole.
// kNotFound: it names none; kInvalid: one of another purpose, or other modules; kCorrupt.
Result<Rehearsal> find_plan(const LogReader& log, const std::string& word,
                            const std::string& purpose, const std::vector<std::string>& modules);

// A module that the manifest no longer has is drift: the comparison of the plans will say so.
void drop_missing(const Manifest& manifest, std::vector<std::string>& modules);

}  // namespace muniment

#endif  // MUNIMENT_CLI_REHEARSAL_H_
