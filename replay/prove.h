// Proofs for strangers, of the newest signed checkpoint: the files of recorder/core/tlog/
// proof_file.h. Their judge is verify_proof.h.
#ifndef MUNIMENT_REPLAY_PROVE_H_
#define MUNIMENT_REPLAY_PROVE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/proof_file.h"
#include "recorder/log/event_log.h"

namespace muniment {

// The newest checkpoint that the log has, of which its nodes give the root.
struct SignedHead {
  Checkpoint checkpoint;
  std::string note;  // as signed
};

// kNotFound: nothing is signed yet; names `muniment checkpoint`. kCorrupt: it is not of this log.
Result<SignedHead> read_signed_head(const LogReader& log);

// That the event is in the log, with the event itself as `extra`. kNotFound: no such event.
// kInvalid: no checkpoint covers it yet; names `muniment checkpoint`. kCorrupt: see
// read_signed_head(); or the proof does not hold, because event and nodes do not fit.
Result<InclusionFile> make_inclusion_file(const LogReader& log, std::uint64_t sequence);

// That the log extends the one of `old_note`, a signed checkpoint; who signed it is not looked at.
// kInvalid: that is no checkpoint, or no newer one is signed yet. kCorrupt: it is of another log,
// of another history, or of more events than this log has.
Result<ConsistencyFile> make_consistency_file(const LogReader& log, std::string_view old_note);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_PROVE_H_
