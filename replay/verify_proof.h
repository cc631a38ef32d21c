// The judges of proof files (recorder/core/tlog/proof_file.h): offline, from their bytes and what
// the verifier brings along.
#ifndef MUNIMENT_REPLAY_VERIFY_PROOF_H_
#define MUNIMENT_REPLAY_VERIFY_PROOF_H_

#include <optional>
#include <string_view>

#include "muniment/v1/report.pb.h"
#include "replay/trust.h"

namespace muniment {

// Whether a file begins as a .tlog-proof does, or as a consistency file.
bool looks_like_inclusion_file(std::string_view bytes);
bool looks_like_consistency_file(std::string_view bytes);

// That an event is in the log that the file's checkpoint is about. The event is `leaf`, its stored
// bytes, or else what the file itself carries; kCannotRead where there is neither. Where there are
// both they must be the same.
v1::VerifyReport verify_inclusion_file(std::string_view bytes, const Trust& trust,
                                       std::optional<std::string_view> leaf = std::nullopt);

// That the log of the file's checkpoint extends that of `old_checkpoint`, a signed note that is
// judged by the same trust (its size may be below trust.min_size).
v1::VerifyReport verify_consistency_file(std::string_view bytes, const Trust& trust,
                                         std::string_view old_checkpoint);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_VERIFY_PROOF_H_
