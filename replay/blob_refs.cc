#include "replay/blob_refs.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <string_view>

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

void add_named_by(const Message& message, const std::string& prefix, std::vector<BlobRef>& out) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    const std::string name = prefix + field->name();
    if (std::find(kBlobFields.begin(), kBlobFields.end(), field->full_name()) !=
        kBlobFields.end()) {
      out.push_back({reflection.GetString(message, field), name, false});
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& inner = field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                                  : reflection.GetMessage(message, field);
      if (field->message_type() != v1::Erasable::descriptor()) {
        add_named_by(inner, name + ".", out);
      } else if (const auto& text = static_cast<const v1::Erasable&>(inner);
                 !text.commitment().empty()) {
        out.push_back({text.commitment(), name, true});
      }
    }
  }
}

}  // namespace

std::vector<BlobRef> blobs_named_by(const v1::Event& event) {
  std::vector<BlobRef> out;
  add_named_by(event, "", out);
  return out;
}

}  // namespace muniment
