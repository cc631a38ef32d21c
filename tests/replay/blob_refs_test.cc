#include "replay/blob_refs.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/every_event.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Of things that do not lie in the log.
const std::set<std::string> kOutside = {"muniment.v1.RunStarted.program_sha256",
                                        "muniment.v1.BackupWritten.sha256",
                                        "muniment.v1.BackupWritten.content_sha256",
                                        "muniment.v1.ManifestWritten.sha256",
                                        "muniment.v1.CopyWritten.sha256",
                                        "muniment.v1.EvidenceAttached.report_sha256",
                                        "muniment.v1.ArtifactVerified.sha256",
                                        "muniment.v1.BoundFile.sha256",
                                        "muniment.v1.CommandExecuted.stdout_sha256",
                                        "muniment.v1.CommandExecuted.stderr_sha256",
                                        "muniment.v1.Erased.commitment"};

// Each digest in a message: its field, and its path as blobs_named_by() says it.
void visit_digests(const Message& message, const std::string& prefix,
                   const std::function<void(const FieldDescriptor&, const std::string&)>& visit) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    const std::string path = prefix + field->name();
    if (field->type() == FieldDescriptor::TYPE_BYTES &&
        field->options().GetExtension(v1::shown) == v1::SHOWN_HEX) {
      visit(*field, path);
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const bool many = field->is_repeated();
    visit_digests(many ? message.GetReflection()->GetRepeatedMessage(message, field, 0)
                       : message.GetReflection()->GetMessage(message, field),
                  path + ".", visit);
  }
}

// A new digest in the schema must be one or the other.
TEST(BlobsNamedBy, KnowsOfEachDigestWhetherItIsABlobs) {
  std::set<std::string> outside;
  std::vector<v1::Event> events;
  for (const FieldDescriptor* const body : body_fields()) {
    for (int i = 0; i < alternatives(*body); ++i) events.push_back(full_event(*body, i));
  }
  for (const v1::Event& event : events) {
    std::set<std::string> named;
    for (const BlobRef& blob : blobs_named_by(event)) {
      EXPECT_EQ(blob.sha256.size(), 32U) << blob.field;
      named.insert(blob.erasable ? blob.field + ".commitment" : blob.field);
    }
    visit_digests(event, "", [&](const FieldDescriptor& field, const std::string& path) {
      if (kOutside.contains(field.full_name())) outside.insert(field.full_name());
      EXPECT_NE(named.contains(path), kOutside.contains(field.full_name())) << path;
    });
  }
  EXPECT_EQ(outside, kOutside);
}

TEST(BlobsNamedBy, SkipsWhatIsNotSet) {
  v1::Event event;
  event.mutable_run_started();
  event.mutable_actor()->mutable_claimed();
  EXPECT_TRUE(blobs_named_by(event).empty());
}

TEST(BlobsNamedBy, GoesThroughListsAndTellsTextsApart) {
  v1::Event event;
  event.mutable_note_added()->mutable_text()->set_commitment("text");
  event.mutable_actor()->mutable_claimed()->set_commitment("actor");
  const std::vector<BlobRef> blobs = blobs_named_by(event);
  ASSERT_EQ(blobs.size(), 2U);
  EXPECT_EQ(blobs[0].field, "actor.claimed");
  EXPECT_EQ(blobs[1].field, "note_added.text");
  EXPECT_TRUE(blobs[0].erasable && blobs[1].erasable);
}

}  // namespace
}  // namespace muniment
