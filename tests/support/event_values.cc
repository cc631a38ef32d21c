#include "tests/support/event_values.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <vector>

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void collect(const Message& message, const std::string& prefix, Values& values);

std::vector<const Message*> elements(const Message& message, const FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const Message*> out;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    out.push_back(&reflection.GetRepeatedMessage(message, &field, i));
  }
  if (!field.is_map()) return out;
  std::sort(out.begin(), out.end(), [](const Message* a, const Message* b) {
    const FieldDescriptor* const key = a->GetDescriptor()->map_key();
    return a->GetReflection()->GetString(*a, key) < b->GetReflection()->GetString(*b, key);
  });
  return out;
}

void collect_field(const Message& message, const FieldDescriptor& field, const std::string& path,
                   Values& values) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
  const bool holds_messages = field.message_type() != nullptr;
  const std::vector<const Message*> inner = holds_messages && field.is_repeated()
                                                ? elements(message, field)
                                                : std::vector<const Message*>();
  for (int i = 0; i < count; ++i) {
    const std::string place = field.is_repeated() ? path + "[" + std::to_string(i) + "]" : path;
    if (holds_messages) {
      collect(inner.empty() ? reflection.GetMessage(message, &field)
                            : *inner[static_cast<std::size_t>(i)],
              place + ".", values);
    } else {
      google::protobuf::TextFormat::PrintFieldValueToString(
          message, &field, field.is_repeated() ? i : -1, &values[place]);
    }
  }
}

void collect(const Message& message, const std::string& prefix, Values& values) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    collect_field(message, *field, prefix + field->name(), values);
  }
  const google::protobuf::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    values[prefix + "#" + std::to_string(unknown.field(i).number())] = "unknown";
  }
}

}  // namespace

Values values_of(const Message& message) {
  Values values;
  collect(message, "", values);
  return values;
}

}  // namespace muniment
