// The judge of a bundle (bundle.h): offline, from its bytes alone and what the verifier brings
// along. Nothing in the bundle is believed before it is proven, nothing is written anywhere.
#ifndef MUNIMENT_REPLAY_VERIFY_BUNDLE_H_
#define MUNIMENT_REPLAY_VERIFY_BUNDLE_H_

#include <string_view>

#include "muniment/v1/report.pb.h"
#include "replay/trust.h"

namespace muniment {

// Whether a file begins as a bundle does; what follows may be anything.
bool looks_like_bundle(std::string_view bytes);

// Checks, in this order, and stops where the rest would be about nothing:
//   the archive is canonical and its entries are those that a bundle has;
//   the checkpoint, by judge_checkpoint();
//   each event is in the tree that the checkpoint is about, at the place its name says;
//   nothing is missing: RunFinished counts the run's events, the blobs that the events name are
//   there (one that a recorded Erased is about may be gone), and nothing is there that these
//   events do not call for;
//   a finished execution has a statement that a trusted key signed, or one that the log says a
//   trusted key followed, and it says what the events say;
//   the reports are what the events give, byte for byte.
// Without trusted keys the same is checked with the keys in the bundle; the best verdict is
// kUnknownSigner then.
v1::VerifyReport verify_bundle(std::string_view bytes, const Trust& trust);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_VERIFY_BUNDLE_H_
