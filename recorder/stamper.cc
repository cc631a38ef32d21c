#include "recorder/stamper.h"

#include <limits>

#include "recorder/core/digest.h"
#include "recorder/core/timestamp.h"

namespace muniment {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTolerance = 2 * kSecond;

// The log's last event may claim any time: what does not fit stays at the edge.
std::int64_t edge(bool is_low) {
  return is_low ? std::numeric_limits<std::int64_t>::min()
                : std::numeric_limits<std::int64_t>::max();
}

std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? edge(a < 0) : sum;
}

std::int64_t subtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  return __builtin_sub_overflow(a, b, &difference) ? edge(a < b) : difference;
}

}  // namespace

Hidden hide(std::string_view text) {
  const auto salt = random_bytes();
  Hidden out;
  out.blob.assign(reinterpret_cast<const char*>(salt.data()), salt.size());
  out.blob += text;
  out.field.set_commitment(std::string(as_bytes(sha256(out.blob))));
  return out;
}

Stamper::Stamper(Clock& clock, Envelope envelope, std::optional<v1::Event> last)
    : clock_(clock), envelope_(std::move(envelope)) {
  if (!last) return;
  last_ = Instant{.wall_ns = nanoseconds_of(last->recorded_at()),
                  .boottime_ns = last->boottime_ns(),
                  .boot_id = last->boot_id()};
}

v1::Event Stamper::seal(v1::Event body, const Instant& now) const {
  body.set_event_id(make_uuid7(now.wall_ns));
  *body.mutable_recorded_at() = timestamp_of(now.wall_ns);
  body.set_boot_id(now.boot_id);
  body.set_boottime_ns(now.boottime_ns);
  body.set_run_id(envelope_.run_id);
  body.set_mode(envelope_.mode);
  *body.mutable_actor() = envelope_.actor;
  *body.mutable_host() = envelope_.host;
  return body;
}

std::vector<v1::Event> Stamper::stamp(v1::Event body) {
  const Instant now = clock_.now();
  std::vector<v1::Event> out;
  if (last_ && last_->boot_id == now.boot_id) {
    const std::int64_t passed = subtract(now.boottime_ns, last_->boottime_ns);
    const std::int64_t expected = add(last_->wall_ns, passed);
    const std::int64_t step = subtract(now.wall_ns, expected);
    if (step > kTolerance || step < -kTolerance) {
      v1::Event stepped;
      stepped.mutable_clock_stepped()->set_step_ns(step);
      *stepped.mutable_clock_stepped()->mutable_expected_at() = timestamp_of(expected);
      out.push_back(seal(std::move(stepped), now));
    }
  }
  last_ = now;
  out.push_back(seal(std::move(body), now));
  return out;
}

std::vector<v1::Event> Stamper::stamp_facts(v1::Event body) {
  std::vector<v1::Event> out = stamp(std::move(body));
  for (v1::Event& event : out) event.clear_run_id();
  return out;
}

Entry make_entry(const v1::Event& event, std::vector<std::string> blobs) {
  return {.bytes = event.SerializeAsString(), .blobs = std::move(blobs)};
}

}  // namespace muniment
