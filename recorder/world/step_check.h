// What a step must hold to be carried out at all.
#ifndef MUNIMENT_RECORDER_WORLD_STEP_CHECK_H_
#define MUNIMENT_RECORDER_WORLD_STEP_CHECK_H_

#include "muniment/v1/plan.pb.h"
#include "recorder/core/result.h"

namespace muniment {

// Whether a step can be carried out at all: what it must hold for its kind and class (absolute
// paths without `..`, a partial folder and a final folder beside each other, a plain file name …).
// Both sinks call it first; a step that fails it is settled as failed with the message.
Status validate_step(const v1::Step& step);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_STEP_CHECK_H_
