// Which blobs an event names.
#ifndef MUNIMENT_REPLAY_BLOB_REFS_H_
#define MUNIMENT_REPLAY_BLOB_REFS_H_

#include <functional>
#include <string>
#include <vector>

#include "muniment/v1/event.pb.h"

namespace muniment {

struct BlobRef {
  std::string sha256;     // 32 bytes, if the event says what it should
  std::string field;      // "run_started.manifest_sha256"
  bool erasable = false;  // the salted text behind an Erasable: it may be gone
};

// In the order of the fields. Digests of things outside the log (programs, artifacts, reports) are
// not among them; nor are those in fields that this program does not know.
std::vector<BlobRef> blobs_named_by(const v1::Event& event);

// The same without the names of fields, for whoever asks very many events.
using BlobVisitor = std::function<void(const std::string& sha256, bool erasable)>;
void visit_blobs_named_by(const v1::Event& event, const BlobVisitor& visit);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_BLOB_REFS_H_
