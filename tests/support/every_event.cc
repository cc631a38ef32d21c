#include "tests/support/every_event.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdint>

#include "recorder/core/digest.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A number that follows from the path, and is large enough to need all bytes of its type.
std::uint64_t number_of(const std::string& path) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : sha256(path)) number = number * 251 + byte;
  return number | (1ULL << 62U) | 1U;
}

std::string uuid_of(const std::string& path) {
  std::string text = to_hex(sha256(path)).substr(0, 36);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text[dash] = '-';
  text[14] = '7';
  text[19] = '8';
  return text;
}

std::string text_of(const FieldDescriptor& field, const std::string& path) {
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    const std::string& owner = field.containing_type()->name();
    const bool is_id = owner == "Event" && field.name() != "module";
    return is_id ? uuid_of(path) : path;
  }
  if (field.options().GetExtension(v1::shown) == v1::SHOWN_HEX) {
    return std::string(as_bytes(sha256(path)));
  }
  return path + "\xff\n\x1b[31m\xe2\x80\xae\x80";
}

// A Timestamp or a Duration must have these to be a time at all.
std::uint64_t bounded(const FieldDescriptor& field, std::uint64_t number) {
  if (field.name() == "nanos") return number % 1'000'000'000;
  if (field.name() == "seconds") return number % 4'000'000'000;
  return number;
}

class Filler {
 public:
  Filler(Message& message, const FieldDescriptor& field)
      : message_(message), field_(field), reflection_(*message.GetReflection()) {}

  void put(const std::string& path, int alternative);

 private:
  template <class Value>
  void store(void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
             void (Reflection::*add)(Message*, const FieldDescriptor*, Value) const, Value value) {
    (reflection_.*(field_.is_repeated() ? add : set))(&message_, &field_, std::move(value));
  }

  Message& message_;
  const FieldDescriptor& field_;
  const Reflection& reflection_;
};

void fill_message(Message& message, const std::string& path, int alternative) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const google::protobuf::OneofDescriptor* const choice = field.real_containing_oneof();
    const bool is_taken =
        choice == nullptr || field.index_in_oneof() == alternative % choice->field_count();
    if (is_taken) fill_field(message, field, path + "." + field.name(), alternative);
  }
}

void Filler::put(const std::string& path, int alternative) {
  const std::uint64_t number = bounded(field_, number_of(path));
  switch (field_.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return store<bool>(&Reflection::SetBool, &Reflection::AddBool, true);
    case FieldDescriptor::CPPTYPE_INT32:
      return store(&Reflection::SetInt32, &Reflection::AddInt32,
                   static_cast<std::int32_t>(number & 0x7fffffffU));
    case FieldDescriptor::CPPTYPE_INT64:
      return store(&Reflection::SetInt64, &Reflection::AddInt64, static_cast<std::int64_t>(number));
    case FieldDescriptor::CPPTYPE_UINT32:
      return store(&Reflection::SetUInt32, &Reflection::AddUInt32,
                   static_cast<std::uint32_t>(number));
    case FieldDescriptor::CPPTYPE_UINT64:
      return store(&Reflection::SetUInt64, &Reflection::AddUInt64, number);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return store(&Reflection::SetDouble, &Reflection::AddDouble, static_cast<double>(number));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return store(&Reflection::SetFloat, &Reflection::AddFloat, static_cast<float>(number));
    case FieldDescriptor::CPPTYPE_ENUM:
      // The first value that means something: the values added later do not change it.
      return store(&Reflection::SetEnumValue, &Reflection::AddEnumValue, 1);
    case FieldDescriptor::CPPTYPE_STRING:
      return store(&Reflection::SetString, &Reflection::AddString, text_of(field_, path));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return fill_message(field_.is_repeated()
                              ? *reflection_.AddMessage(&message_, &field_, nullptr)
                              : *reflection_.MutableMessage(&message_, &field_, nullptr),
                          path, alternative);
  }
}

int most_alternatives(const google::protobuf::Descriptor& type) {
  int most = 1;
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    most = std::max(most, type.oneof_decl(i)->field_count());
  }
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->message_type() == nullptr) continue;
    most = std::max(most, most_alternatives(*type.field(i)->message_type()));
  }
  return most;
}

}  // namespace

std::vector<const FieldDescriptor*> body_fields() {
  const google::protobuf::OneofDescriptor& body = *v1::Event::descriptor()->FindOneofByName("body");
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < body.field_count(); ++i) fields.push_back(body.field(i));
  return fields;
}

int alternatives(const FieldDescriptor& body) {
  return most_alternatives(*body.message_type());
}

void fill_field(Message& message, const FieldDescriptor& field, const std::string& path,
                int alternative) {
  Filler filler(message, field);
  if (!field.is_repeated()) return filler.put(path, alternative);
  for (const char* const element : {"[0]", "[1]"}) filler.put(path + element, alternative);
}

v1::Event full_event(const FieldDescriptor& body, int alternative) {
  v1::Event event;
  const google::protobuf::Descriptor& type = *v1::Event::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.containing_oneof() != nullptr) continue;
    // Ids differ from body to body, so that all of these can lie in one log.
    const bool is_own_id = field.name() == "event_id";
    const std::string path =
        (is_own_id ? body.name() + std::to_string(alternative) + "." : "") + field.name();
    fill_field(event, field, path, alternative);
  }
  fill_field(event, body, body.name(), alternative);
  return event;
}

v1::Event unknown_event() {
  v1::Event event = full_event(*v1::Event::descriptor()->FindFieldByName("note_added"));
  event.clear_body();
  event.set_event_id(uuid_of("unknown"));
  // A message with one field of each wire type, as a later schema may have it.
  google::protobuf::UnknownFieldSet body;
  body.AddVarint(1, 7);
  body.AddFixed64(2, 8);
  body.AddLengthDelimited(3, "text of a later version");
  body.AddFixed32(5, 9);
  std::string bytes;
  body.SerializeToString(&bytes);
  v1::Event::GetReflection()->MutableUnknownFields(&event)->AddLengthDelimited(kUnknownBody, bytes);
  return event;
}

}  // namespace muniment
