// Hostile text in every place of a message that can hold text.
#ifndef MUNIMENT_TESTS_SUPPORT_POISON_H_
#define MUNIMENT_TESTS_SUPPORT_POISON_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/text.h"

namespace muniment {

// Newlines, a terminal's commands (ESC and C1), a bell, DEL, NUL, an overriding direction, a line
// separator, a quote, a backslash, and 200 bytes more.
inline std::string hostile_text() {
  constexpr char kText[] =
      "a\nb\r\n\x1b[2J\x1b]0;t\x07\x7f\xc2\x9b"
      "31m\0\xe2\x80\xae\xe2\x80\xa8\"\\";
  return std::string(kText, sizeof kText - 1) + std::string(200, 'y');
}

// Replaces the value of each `string` and `bytes` field that is set, at every depth, by `text`;
// bytes also get a byte that is no UTF-8. Keys of maps stay.
inline void poison(google::protobuf::Message& message, const std::string& text) {
  using google::protobuf::FieldDescriptor;
  const auto& r = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_map()) continue;
    const std::string value = field->type() == FieldDescriptor::TYPE_BYTES ? text + "\xff" : text;
    const int count = field->is_repeated() ? r.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        poison(field->is_repeated() ? *r.MutableRepeatedMessage(&message, field, i)
                                    : *r.MutableMessage(&message, field),
               text);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && field->is_repeated()) {
        r.SetRepeatedString(&message, field, i, value);
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        r.SetString(&message, field, value);
      }
    }
  }
}

// Whether a terminal may be shown `text`: printable UTF-8 and line feeds.
inline bool is_inert(std::string_view text) {
  std::string lines_apart;
  for (const char c : text) {
    if (c != '\n' && c != '\\') lines_apart += c;
  }
  return inert(lines_apart) == lines_apart;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_POISON_H_
