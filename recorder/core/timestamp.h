// Points in time as numbers and as protobuf has them.
#ifndef MUNIMENT_RECORDER_CORE_TIMESTAMP_H_
#define MUNIMENT_RECORDER_CORE_TIMESTAMP_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>

namespace muniment {

// Nanoseconds since 1970-01-01T00:00:00Z. An event may claim any time: what does not fit stays at
// the edge of the type.
std::int64_t nanoseconds_of(const google::protobuf::Timestamp& time);

// Its nanos count forward, also before 1970.
google::protobuf::Timestamp timestamp_of(std::int64_t nanoseconds);

// Both parts have the sign of the whole.
google::protobuf::Duration duration_of(std::int64_t nanoseconds);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TIMESTAMP_H_
