// Any message of the schema as JSON, in the spelling of the command line's contract.
//
// Field names are those of the proto files; enums are their contract's word, else their name;
// digests are lower-case hexadecimal; sizes, counts and sequences are numbers; times are RFC 3339
// in UTC; durations are seconds as a number; what is absent is null. Foreign text is valid UTF-8:
// invalid bytes are shown as `\xNN`.
#ifndef MUNIMENT_REPLAY_JSON_H_
#define MUNIMENT_REPLAY_JSON_H_

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "google/protobuf/timestamp.pb.h"
#include "muniment/v1/common.pb.h"
#include "replay/resolver.h"

namespace muniment {

struct JsonOptions {
  Resolver resolve;    // not set: an Erasable is shown by its commitment
  bool pretty = true;  // two-space indent; false: one line
  // For people: what is in the place of an erased text, which is null otherwise.
  bool say_erased = false;
};

std::string to_json(const google::protobuf::Message& message, const JsonOptions& options);

// "2026-11-22T11:47:00.123456789Z"; always nine digits, so that text order is time order. "unknown"
// for what is no time of the years 1 to 9999.
std::string rfc3339(const google::protobuf::Timestamp& time);

// The contract's word for an enum value, else its name.
std::string enum_word(const google::protobuf::EnumValueDescriptor& value);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_JSON_H_
