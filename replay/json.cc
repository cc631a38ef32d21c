#include "replay/json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include <cstdio>
#include <ctime>
#include <map>

#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::int64_t kYear1 = -62'135'596'800;  // what RFC 3339 can write, in seconds since 1970
constexpr std::int64_t kYear10000 = 253'402'300'800;

class Printer {
 public:
  explicit Printer(const JsonOptions& options) : options_(options) {}

  std::string take() { return std::move(out_); }

  void message(const Message& message) {
    if (wrote_special(message)) return;
    open('{');
    const auto* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor& field = *descriptor->field(i);
      // Of a oneof only the member that is set is shown.
      if (field.real_containing_oneof() != nullptr &&
          !message.GetReflection()->HasField(message, &field)) {
        continue;
      }
      item();
      out_ += json_quote(field.name());
      out_ += options_.pretty ? ": " : ":";
      value_of(message, field);
    }
    close('}');
  }

 private:
  bool wrote_special(const Message& message) {
    const std::string& name = message.GetDescriptor()->full_name();
    if (name == "google.protobuf.Timestamp") {
      out_ += json_quote(rfc3339(static_cast<const google::protobuf::Timestamp&>(message)));
    } else if (name == "google.protobuf.Duration") {
      duration(static_cast<const google::protobuf::Duration&>(message));
    } else if (name == "muniment.v1.Erasable") {
      erasable(static_cast<const v1::Erasable&>(message));
    } else {
      return false;
    }
    return true;
  }

  void duration(const google::protobuf::Duration& value) {
    // The format has the sign on both parts; a part that contradicts it is no duration.
    const bool negative = value.seconds() < 0 || value.nanos() < 0;
    if (value.nanos() <= -1'000'000'000 || value.nanos() >= 1'000'000'000 ||
        (negative && (value.seconds() > 0 || value.nanos() > 0))) {
      out_ += "null";
      return;
    }
    const auto seconds = static_cast<std::uint64_t>(value.seconds());
    char text[48];
    std::snprintf(text, sizeof text, "%s%llu.%09d", negative ? "-" : "",
                  static_cast<unsigned long long>(negative ? 0 - seconds : seconds),
                  negative ? -value.nanos() : value.nanos());
    out_ += text;
  }

  void erasable(const v1::Erasable& field) {
    if (field.commitment().empty()) {
      out_ += "null";
      return;
    }
    if (!options_.resolve) {
      out_ += json_quote("sha256:" + to_hex(field.commitment()));
      return;
    }
    const std::optional<std::string> text = options_.resolve(field);
    if (text) {
      out_ += json_quote(valid_utf8(*text));
    } else {
      out_ += options_.say_erased ? json_quote(options_.resolve.words_for_gone(field)) : "null";
    }
  }

  void value_of(const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    if (field.is_map()) return map_of(message, field);
    if (field.is_repeated()) {
      open('[');
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        item();
        element(message, field, i);
      }
      return close(']');
    }
    if (field.has_presence() && !reflection.HasField(message, &field)) {
      out_ += "null";
      return;
    }
    element(message, field, -1);
  }

  void map_of(const Message& message, const FieldDescriptor& field) {
    // A map has no order of its own: that of its keys is the same every time.
    std::map<std::string, const Message*> rows;
    const Reflection& reflection = *message.GetReflection();
    const auto* entry = field.message_type();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& row = reflection.GetRepeatedMessage(message, &field, i);
      rows.emplace(row.GetReflection()->GetString(row, entry->map_key()), &row);
    }
    open('{');
    for (const auto& [key, row] : rows) {
      item();
      out_ += json_quote(valid_utf8(key));
      out_ += options_.pretty ? ": " : ":";
      element(*row, *entry->map_value(), -1);
    }
    close('}');
  }

  // The i-th element of a repeated field, or the field itself with i == -1.
  void element(const Message& m, const FieldDescriptor& field, int i) {
    const Reflection& r = *m.GetReflection();
    const bool many = i >= 0;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        out_ += std::to_string(many ? r.GetRepeatedInt32(m, &field, i) : r.GetInt32(m, &field));
        return;
      case FieldDescriptor::CPPTYPE_INT64:
        out_ += std::to_string(many ? r.GetRepeatedInt64(m, &field, i) : r.GetInt64(m, &field));
        return;
      case FieldDescriptor::CPPTYPE_UINT32:
        return number(field, many ? r.GetRepeatedUInt32(m, &field, i) : r.GetUInt32(m, &field));
      case FieldDescriptor::CPPTYPE_UINT64:
        out_ += std::to_string(many ? r.GetRepeatedUInt64(m, &field, i) : r.GetUInt64(m, &field));
        return;
      case FieldDescriptor::CPPTYPE_BOOL:
        out_ += (many ? r.GetRepeatedBool(m, &field, i) : r.GetBool(m, &field)) ? "true" : "false";
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        out_ +=
            json_quote(enum_word(*(many ? r.GetRepeatedEnum(m, &field, i) : r.GetEnum(m, &field))));
        return;
      case FieldDescriptor::CPPTYPE_STRING:
        return text(field, many ? r.GetRepeatedString(m, &field, i) : r.GetString(m, &field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return message(many ? r.GetRepeatedMessage(m, &field, i) : r.GetMessage(m, &field));
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT:
        out_ += "null";  // the schema has none: a float has no one spelling
        return;
    }
  }

  void number(const FieldDescriptor& field, std::uint32_t value) {
    if (field.options().GetExtension(v1::shown) != v1::SHOWN_OCTAL) {
      out_ += std::to_string(value);
      return;
    }
    char text[16];
    std::snprintf(text, sizeof text, "\"%04o\"", value & 07777U);
    out_ += text;
  }

  void text(const FieldDescriptor& field, const std::string& value) {
    const bool hex = field.options().GetExtension(v1::shown) == v1::SHOWN_HEX;
    // An empty digest or an unset id is absent, not a text of no length.
    if (value.empty() && !field.is_repeated() &&
        (hex || field.type() == FieldDescriptor::TYPE_STRING)) {
      out_ += "null";
      return;
    }
    out_ += json_quote(hex ? to_hex(value) : valid_utf8(value));
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
    first_ = true;
  }

  void close(char bracket) {
    --depth_;
    if (!first_) new_line();
    out_ += bracket;
    first_ = false;
  }

  void item() {
    if (!first_) out_ += ',';
    first_ = false;
    new_line();
  }

  void new_line() {
    if (!options_.pretty) return;
    out_ += '\n';
    out_.append(depth_ * 2, ' ');
  }

  const JsonOptions& options_;
  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

}  // namespace

std::string to_json(const Message& message, const JsonOptions& options) {
  Printer printer(options);
  printer.message(message);
  return printer.take();
}

std::string rfc3339(const google::protobuf::Timestamp& time) {
  const std::time_t seconds = time.seconds();
  std::tm parts{};
  const bool in_range = seconds >= kYear1 && seconds < kYear10000 && time.nanos() >= 0 &&
                        time.nanos() < 1'000'000'000;
  if (!in_range || gmtime_r(&seconds, &parts) == nullptr) return "unknown";
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                time.nanos());
  return text;
}

std::string enum_word(const google::protobuf::EnumValueDescriptor& value) {
  const std::string& word = value.options().GetExtension(v1::word);
  return word.empty() ? value.name() : word;
}

}  // namespace muniment
