// The one door out: the only kind of object that causes a side effect.
#ifndef MUNIMENT_RECORDER_WORLD_SINK_H_
#define MUNIMENT_RECORDER_WORLD_SINK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/result.h"

namespace muniment {

// How a step ended. A sink never throws and never returns without one: only a crash leaves a step
// unsettled.
struct Outcome {
  v1::StepResult result = v1::STEP_RESULT_FAILED;
  std::optional<std::uint64_t> bytes;
  std::optional<std::int32_t> exit_status;
  std::string error_tail;    // redacted
  std::string detail;        // why it failed and what to do next; what the operator should know
  bool interrupted = false;  // a person asked to stop while the step ran
};

// Where a sink says what it did, between a step's start and its settlement.
class Facts {
 public:
  virtual ~Facts() = default;
  // Durable when it returns. Only `event`'s body is read; the envelope is the recorder's.
  // A sink that gets an error settles its step as failed.
  virtual Status record(v1::Event event) = 0;
  // The same, with the blobs that `event` refers to. Whoever keeps no blobs records the event.
  virtual Status record_with(v1::Event event, std::vector<std::string> /*blobs*/) {
    return record(std::move(event));
  }
};

class Sink {
 public:
  virtual ~Sink() = default;
  // Carries out one step. REQUIRES: its StepStarted is durable.
  virtual Outcome perform(const v1::Step& step, Facts& facts) = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SINK_H_
