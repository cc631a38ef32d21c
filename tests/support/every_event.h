// Events of every type of the schema, every field of them set: by descriptor, so that a new type or
// a new field is in them without being asked for.
#ifndef MUNIMENT_TESTS_SUPPORT_EVERY_EVENT_H_
#define MUNIMENT_TESTS_SUPPORT_EVERY_EVENT_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"

namespace muniment {

// The field of an event that holds its body: run_started, run_finished, …
std::vector<const google::protobuf::FieldDescriptor*> body_fields();

// How many alternatives the largest `oneof` inside a body's message has, at least 1.
int alternatives(const google::protobuf::FieldDescriptor& body);

// An event whose every field, at every depth, holds a value that follows from the field's path
// alone ("run_started.host_facts.kernel"): the same for ever, and another one for another field.
// A repeated field has two elements. Where only one field of a `oneof` can be set, it is the one
// with the number `alternative` among them (modulo their count).
// Ids are UUIDs, digests have 32 bytes, foreign text is hostile: bytes that are no UTF-8, control
// characters, a right-to-left mark.
v1::Event full_event(const google::protobuf::FieldDescriptor& body, int alternative = 0);

// An event as a later version may write it: a body with a number that this schema does not know.
inline constexpr int kUnknownBody = 1999;
v1::Event unknown_event();

// Sets the field of `message` at `path` as full_event() does, sub-messages whole.
void fill_field(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                const std::string& path, int alternative);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_EVERY_EVENT_H_
