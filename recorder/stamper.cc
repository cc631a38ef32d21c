#include "recorder/stamper.h"

#include "recorder/core/digest.h"

namespace muniment {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTolerance = 2 * kSecond;

void set_time(google::protobuf::Timestamp& out, std::int64_t ns) {
  out.set_seconds(ns / kSecond);
  out.set_nanos(static_cast<std::int32_t>(ns % kSecond));
}

std::int64_t get_time(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos();
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
  last_ = Instant{.wall_ns = get_time(last->recorded_at()),
                  .boottime_ns = last->boottime_ns(),
                  .boot_id = last->boot_id()};
}

v1::Event Stamper::seal(v1::Event body, const Instant& now) const {
  body.set_event_id(make_uuid7(now.wall_ns));
  set_time(*body.mutable_recorded_at(), now.wall_ns);
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
    const std::int64_t expected = last_->wall_ns + (now.boottime_ns - last_->boottime_ns);
    const std::int64_t step = now.wall_ns - expected;
    if (step > kTolerance || step < -kTolerance) {
      v1::Event stepped;
      stepped.mutable_clock_stepped()->set_step_ns(step);
      set_time(*stepped.mutable_clock_stepped()->mutable_expected_at(), expected);
      out.push_back(seal(std::move(stepped), now));
    }
  }
  last_ = now;
  out.push_back(seal(std::move(body), now));
  return out;
}

Entry make_entry(const v1::Event& event, std::vector<std::string> blobs) {
  return {.bytes = event.SerializeAsString(), .blobs = std::move(blobs)};
}

}  // namespace muniment
