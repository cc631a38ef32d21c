// One manifest run twice in one world, with either sink, and what is compared of the two streams.
#ifndef MUNIMENT_TESTS_SUPPORT_TWO_STREAMS_H_
#define MUNIMENT_TESTS_SUPPORT_TWO_STREAMS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "muniment/v1/store.pb.h"
#include "recorder/core/manifest.h"
#include "recorder/gate_facts.h"
#include "recorder/log/store.h"
#include "recorder/world/sinks.h"

namespace muniment {

// What both runs share.
struct RunInput {
  const Manifest* manifest = nullptr;
  std::vector<const Module*> modules;
  bool all = false;
  std::string store;  // its path; protected like the backup root
  // Both look at this engine, and the execution captures through it; absent: at the host alone.
  std::optional<EngineUse> engine = std::nullopt;
  GateRules gates = {};
  std::string follows = {};  // the execution: the rehearsal that it follows
};

struct Stream {
  std::vector<v1::Event> events;
  v1::RunState state;
};

// Composed as the composition root does it. Fails the test where the log does not take an event.
Stream rehearse(const RunInput& input, Store& log);
Stream execute(const RunInput& input, Store& log);

// A masked field, as a path of names from the event down.
using FieldPath = std::string_view;

// The mask of the law: what is cleared on both sides before the streams are compared …
extern const std::vector<FieldPath> kMasked;
// … and what is taken from the execution: side effects, verification, ApprovalConsumed.
extern const std::vector<v1::Event::BodyCase> kTaken;
extern const std::vector<v1::Event::BodyCase> kNothingTaken;

// Clears the field, where it is set.
void clear_field(google::protobuf::Message& message, FieldPath path);

// The events without those whose body is one of `taken`. caused_by becomes the place of its event
// in what is left, the run's own id "RUN"; then the fields of `masked` are cleared. One text an
// event.
std::vector<std::string> masked_stream(const Stream& stream,
                                       const std::vector<v1::Event::BodyCase>& taken,
                                       const std::vector<FieldPath>& masked);

// Fails the test fatally at the first event that differs.
void expect_same(const std::vector<std::string>& rehearsed, const std::vector<std::string>& done);

// Whether there is an event of kTaken.
bool has_taken(const Stream& stream);
std::size_t count_of(const Stream& stream, v1::Event::BodyCase body);
bool each_settled(const Stream& stream, v1::StepResult result);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_TWO_STREAMS_H_
