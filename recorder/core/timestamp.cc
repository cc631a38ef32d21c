#include "recorder/core/timestamp.h"

#include <limits>

namespace muniment {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

std::int64_t nanoseconds_of(const google::protobuf::Timestamp& time) {
  std::int64_t out = 0;
  if (!__builtin_mul_overflow(time.seconds(), kSecond, &out) &&
      !__builtin_add_overflow(out, time.nanos(), &out)) {
    return out;
  }
  return time.seconds() < 0 ? std::numeric_limits<std::int64_t>::min()
                            : std::numeric_limits<std::int64_t>::max();
}

google::protobuf::Timestamp timestamp_of(std::int64_t nanoseconds) {
  google::protobuf::Timestamp out;
  out.set_seconds((nanoseconds / kSecond) - (nanoseconds % kSecond < 0 ? 1 : 0));
  out.set_nanos(static_cast<std::int32_t>(((nanoseconds % kSecond) + kSecond) % kSecond));
  return out;
}

google::protobuf::Duration duration_of(std::int64_t nanoseconds) {
  google::protobuf::Duration out;
  out.set_seconds(nanoseconds / kSecond);
  out.set_nanos(static_cast<std::int32_t>(nanoseconds % kSecond));
  return out;
}

}  // namespace muniment
