// A bundle: one file that shows a stranger what became of a run, offline. Its format is
// proto/README.md; its judge is verify_bundle.h.
//
//   bundle.json                        v1::BundleIndex
//   checkpoint                         the log's newest signed checkpoint
//   vkey                               public keys, one a line: for convenience, they prove nothing
//   events/<sequence>                  stored bytes: of the run, about the run; each KeyRotated;
//                                      each Erased that is about a text of these events
//   proofs/<sequence>.tlog-proof       that the event is in the checkpoint's tree
//   blobs/<SHA-256 in hex>             what these events name and is still there
//   statement.intoto.json              the signed envelope, where the run has one
//   report.md, report.json             rendered from the entries above
#ifndef MUNIMENT_REPLAY_BUNDLE_H_
#define MUNIMENT_REPLAY_BUNDLE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/core/tlog/note.h"
#include "recorder/log/event_log.h"

namespace muniment {

inline constexpr std::string_view kBundleFormat = "muniment-bundle/1";
inline constexpr std::size_t kMostBundleBytes = 256U << 20U;

struct BundleMaker {
  NoteKey key;          // the log's public key
  std::string version;  // of this program: printable ASCII, at most 64 characters
};

// Same events, checkpoint and program: same bytes.
// Errors: kNotFound (no such run; no checkpoint is signed), kInvalid (the newest checkpoint does
// not cover the run's events, or the bundle would be larger than kMostBundleBytes: the message says
// what to do), kCorrupt (a blob or a node is missing).
Result<std::string> make_bundle(const LogReader& log, const std::string& run_id,
                                const BundleMaker& maker);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_BUNDLE_H_
