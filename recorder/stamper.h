// Puts the envelope on an event: id, time, actor, host. The one place where time and chance enter.
#ifndef MUNIMENT_RECORDER_STAMPER_H_
#define MUNIMENT_RECORDER_STAMPER_H_

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/clock.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// Hides `text` behind a commitment. `blob` is what must be stored with the event that holds it.
struct Hidden {
  v1::Erasable field;
  std::string blob;
};
Hidden hide(std::string_view text);

// What all events of one invocation share.
struct Envelope {
  std::string run_id;
  v1::Mode mode = v1::MODE_UNSPECIFIED;
  v1::Actor actor;
  v1::Host host;
};

// Stamps events in order. Not thread-safe.
class Stamper {
 public:
  // `last`: the log's last event, to notice a clock that was set between two invocations.
  Stamper(Clock& clock, Envelope envelope, std::optional<v1::Event> last);

  // The event with its envelope; before it a ClockStepped when the wall clock has moved by more
  // than two seconds against CLOCK_BOOTTIME since the event before.
  std::vector<v1::Event> stamp(v1::Event body);

  // The same as facts about the log itself: of no run.
  std::vector<v1::Event> stamp_facts(v1::Event body);

  const Envelope& envelope() const { return envelope_; }

 private:
  v1::Event seal(v1::Event body, const Instant& now) const;

  Clock& clock_;
  Envelope envelope_;
  std::optional<Instant> last_;
};

// An entry for the log. The bytes made here are the ones that are hashed, stored and retried.
Entry make_entry(const v1::Event& event, std::vector<std::string> blobs = {});

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_STAMPER_H_
