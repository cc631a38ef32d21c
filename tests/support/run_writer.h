// Writes runs into a log as the recorder does, with ids and times that are given, not drawn.
#ifndef MUNIMENT_TESTS_SUPPORT_RUN_WRITER_H_
#define MUNIMENT_TESTS_SUPPORT_RUN_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/core/run_state.h"
#include "recorder/log/event_log.h"
#include "tests/support/sample_events.h"

namespace muniment {

inline constexpr std::int64_t kNsPerMs = 1'000'000;

// The text behind a commitment, as hide() makes it but with a salt that never changes.
inline std::string erasable_blob(const std::string& text) {
  return std::string(32, 's') + text;
}
inline v1::Erasable erasable(const std::string& text) {
  v1::Erasable out;
  out.set_commitment(std::string(as_bytes(sha256(erasable_blob(text)))));
  return out;
}

// A log and the clock of its host.
struct LogScript {
  LogWriter& log;
  std::int64_t now_ns = 0;
  std::uint64_t events = 0;
};

// One invocation: its envelope and what it has written.
class RunWriter {
 public:
  RunWriter(LogScript& script, std::string run_id, v1::Mode mode, std::string actor)
      : script_(script), run_id_(std::move(run_id)), mode_(mode), actor_(std::move(actor)) {}

  // Appends the event 1 ms after the one before and returns its sequence.
  std::uint64_t add(v1::Event event, std::vector<std::string> blobs = {}) {
    stamp(event);
    for (const char* text : {actor_.c_str(), "anna"}) blobs.push_back(erasable_blob(text));
    const Result<Appended> appended =
        script_.log.append({Entry{event.SerializeAsString(), std::move(blobs)}}, {});
    check(appended.has_value(), "a sample event can be appended");
    ++script_.events;
    script_.now_ns += kNsPerMs;
    state_ = evolve(std::move(state_), event, appended->sequences.front());
    return appended->sequences.front();
  }

  void wait(std::int64_t ms) { script_.now_ns += ms * kNsPerMs; }

  const v1::RunState& state() const { return state_; }
  const std::string& run_id() const { return run_id_; }

 private:
  void stamp(v1::Event& event) const {
    event.set_event_id(sample_uuid(script_.events, 1));
    event.mutable_recorded_at()->set_seconds(script_.now_ns / 1'000'000'000);
    event.mutable_recorded_at()->set_nanos(
        static_cast<std::int32_t>(script_.now_ns % 1'000'000'000));
    event.set_boot_id("0d5ee5cc-3cb6-4d0c-a9a5-2f7c6e1d1a77");
    event.set_boottime_ns(script_.now_ns - 1'700'000'000'000'000'000);
    event.set_run_id(run_id_);
    event.set_mode(mode_);
    event.set_caused_by(state_.last_event_id());
    v1::Actor& actor = *event.mutable_actor();
    actor.set_kind(v1::ACTOR_KIND_OPERATOR);
    *actor.mutable_claimed() = erasable(actor_);
    actor.set_uid(1000);
    *actor.mutable_user_name() = erasable("anna");
    actor.set_terminal(true);
    actor.set_parent_executable("/usr/bin/bash");
    event.mutable_host()->set_name("rs2000");
    event.mutable_host()->set_origin("rs2000.example/muniment");
  }

  LogScript& script_;
  std::string run_id_;
  v1::Mode mode_;
  std::string actor_;
  v1::RunState state_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RUN_WRITER_H_
