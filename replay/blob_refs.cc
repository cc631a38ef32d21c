#include "replay/blob_refs.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Those that proto/README.md lists.
constexpr std::array<std::string_view, 6> kBlobFields = {
    "muniment.v1.RunStarted.manifest_sha256",
    "muniment.v1.RunStarted.context_sha256",
    "muniment.v1.PlanSealed.canonical_sha256",
    "muniment.v1.GatePolicyRecorded.policy_sha256",
    "muniment.v1.ApprovalSubmitted.statement_sha256",
    "muniment.v1.CommandExecuted.transcript_sha256"};

bool is_blob_field(const FieldDescriptor& field) {
  return std::find(kBlobFields.begin(), kBlobFields.end(), field.full_name()) != kBlobFields.end();
}

// The fields of each type of message below which a blob can be named, in order: most events name
// none, and an audit asks them all.
class Schema {
 public:
  using Fields = std::vector<const FieldDescriptor*>;

  Schema() { gather(*v1::Event::descriptor()); }

  const Fields& fields_of(const Message& message) const {
    return fields_.at(message.GetDescriptor());
  }

 private:
  const Fields& gather(const google::protobuf::Descriptor& type) {
    const auto [place, is_new] = fields_.try_emplace(&type);
    if (!is_new) return place->second;
    Fields fields;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* const field = type.field(i);
      const google::protobuf::Descriptor* const inner = field->message_type();
      if (is_blob_field(*field) || inner == v1::Erasable::descriptor() ||
          (inner != nullptr && !gather(*inner).empty())) {
        fields.push_back(field);
      }
    }
    std::sort(fields.begin(), fields.end(), [](const FieldDescriptor* a, const FieldDescriptor* b) {
      return a->number() < b->number();
    });
    return fields_[&type] = std::move(fields);
  }

  std::map<const google::protobuf::Descriptor*, Fields> fields_;
};

void add_named_by(const Schema& schema, const Message& message, const std::string& prefix,
                  std::vector<BlobRef>& out) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  for (const FieldDescriptor* const field : schema.fields_of(message)) {
    if (field->is_repeated() ? reflection.FieldSize(message, field) == 0
                             : !reflection.HasField(message, field)) {
      continue;
    }
    const std::string name = prefix + field->name();
    if (is_blob_field(*field)) {
      out.push_back({reflection.GetString(message, field), name, false});
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& inner = field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                                  : reflection.GetMessage(message, field);
      if (field->message_type() != v1::Erasable::descriptor()) {
        add_named_by(schema, inner, name + ".", out);
      } else if (const auto& text = static_cast<const v1::Erasable&>(inner);
                 !text.commitment().empty()) {
        out.push_back({text.commitment(), name, true});
      }
    }
  }
}

}  // namespace

std::vector<BlobRef> blobs_named_by(const v1::Event& event) {
  static const Schema schema;
  std::vector<BlobRef> out;
  add_named_by(schema, event, "", out);
  return out;
}

}  // namespace muniment
