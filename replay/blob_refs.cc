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
constexpr std::array<std::string_view, 9> kBlobFields = {
    "muniment.v1.RunStarted.manifest_sha256",
    "muniment.v1.RunStarted.context_sha256",
    "muniment.v1.PlanSealed.canonical_sha256",
    "muniment.v1.GatePolicyRecorded.policy_sha256",
    "muniment.v1.GatePolicyRecorded.signers_sha256",
    "muniment.v1.ApprovalSubmitted.statement_sha256",
    "muniment.v1.ApprovalSubmitted.policy_sha256",
    "muniment.v1.ApprovalSubmitted.signers_sha256",
    "muniment.v1.CommandExecuted.transcript_sha256"};

bool is_blob_field(const FieldDescriptor& field) {
  return std::find(kBlobFields.begin(), kBlobFields.end(), field.full_name()) != kBlobFields.end();
}

// The fields of each type of message at or below which a blob is named, in order: most events name
// none, and an audit asks them all.
struct Step {
  const FieldDescriptor* field;
  const std::vector<Step>* inner;  // nullptr: the field itself names one
};
using Steps = std::vector<Step>;

class Schema {
 public:
  Schema() : event_(gather(*v1::Event::descriptor())) {}
  const Steps& event() const { return event_; }

 private:
  const Steps& gather(const google::protobuf::Descriptor& type) {
    const auto [place, is_new] = steps_.try_emplace(&type);
    if (!is_new) return place->second;
    Steps steps;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* const field = type.field(i);
      const google::protobuf::Descriptor* const inner = field->message_type();
      if (is_blob_field(*field) || inner == v1::Erasable::descriptor()) {
        steps.push_back({field, nullptr});
      } else if (inner != nullptr && !gather(*inner).empty()) {
        steps.push_back({field, &steps_.at(inner)});
      }
    }
    std::sort(steps.begin(), steps.end(),
              [](const Step& a, const Step& b) { return a.field->number() < b.field->number(); });
    place->second = std::move(steps);
    return place->second;
  }

  std::map<const google::protobuf::Descriptor*, Steps> steps_;
  const Steps& event_;
};

using Path = std::vector<const FieldDescriptor*>;

// `path` leads to the field while `visit` is called.
void walk(const Steps& steps, const Message& message, Path& path, const BlobVisitor& visit) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::OneofDescriptor* oneof = nullptr;  // the last one met …
  const FieldDescriptor* set = nullptr;                      // … and its member that is there
  for (const auto& [field, inner_steps] : steps) {
    if (const auto* const its = field->real_containing_oneof(); its != nullptr) {
      if (its != oneof) set = reflection.GetOneofFieldDescriptor(message, its);
      oneof = its;
      if (set != field) continue;
    }
    const bool many = field->is_repeated();
    const int count = many                                  ? reflection.FieldSize(message, field)
                      : reflection.HasField(message, field) ? 1
                                                            : 0;
    if (count == 0) continue;
    path.push_back(field);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      std::string scratch;
      visit(reflection.GetStringReference(message, field, &scratch), false);
      path.pop_back();
      continue;
    }
    for (int i = 0; i < count; ++i) {
      const Message& inner = many ? reflection.GetRepeatedMessage(message, field, i)
                                  : reflection.GetMessage(message, field);
      if (inner_steps != nullptr) {
        walk(*inner_steps, inner, path, visit);
      } else if (const auto& text = static_cast<const v1::Erasable&>(inner);
                 !text.commitment().empty()) {
        visit(text.commitment(), true);
      }
    }
    path.pop_back();
  }
}

const Schema& schema() {
  static const Schema schema;
  return schema;
}

}  // namespace

std::vector<BlobRef> blobs_named_by(const v1::Event& event) {
  std::vector<BlobRef> out;
  Path path;
  walk(schema().event(), event, path, [&](const std::string& sha256, bool erasable) {
    std::string name;
    for (const FieldDescriptor* const field : path) {
      name += (name.empty() ? "" : ".") + field->name();
    }
    out.push_back({sha256, std::move(name), erasable});
  });
  return out;
}

void visit_blobs_named_by(const v1::Event& event, const BlobVisitor& visit) {
  Path path;
  walk(schema().event(), event, path, visit);
}

}  // namespace muniment
