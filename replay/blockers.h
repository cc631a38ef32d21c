// What speaks against a merge: each condition with its verdict and the events that prove it.
#ifndef MUNIMENT_REPLAY_BLOCKERS_H_
#define MUNIMENT_REPLAY_BLOCKERS_H_

#include "muniment/v1/report.pb.h"

namespace muniment {

// Fills `evidence.blockers` from `evidence.run`, in the report's order. REQUIRES: the run is set.
void add_blockers(v1::Evidence& evidence);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_BLOCKERS_H_
