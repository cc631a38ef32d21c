// What makes proofs, from the rows of the table kNode: O(log n) reads for each. What checks them is
// recorder/core/tlog/tree_proof.h, which shares nothing with this but the hashes.
#ifndef MUNIMENT_RECORDER_LOG_PROVER_H_
#define MUNIMENT_RECORDER_LOG_PROVER_H_

#include <cstdint>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/result.h"
#include "recorder/log/event_log.h"

namespace muniment {

// All: REQUIRES sizes of at most the log's. kCorrupt: a node is missing or is no hash.

// The root of the first `size` events.
Result<Digest> root_at(const LogReader& log, std::uint64_t size);

// RFC 6962, section 2.1.1: the leaf's sibling first. REQUIRES: index < size.
Result<std::vector<Digest>> prove_inclusion(const LogReader& log, std::uint64_t index,
                                            std::uint64_t size);

// RFC 6962, section 2.1.2. REQUIRES: 0 < old_size <= size.
Result<std::vector<Digest>> prove_consistency(const LogReader& log, std::uint64_t old_size,
                                              std::uint64_t size);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_PROVER_H_
