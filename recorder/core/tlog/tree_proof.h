// The verifier of proofs: RFC 9162, sections 2.1.3.2 and 2.1.4.2 (the tree is that of RFC 6962).
// It shares nothing with what makes proofs but the two hashes.
#ifndef MUNIMENT_RECORDER_CORE_TLOG_TREE_PROOF_H_
#define MUNIMENT_RECORDER_CORE_TLOG_TREE_PROOF_H_

#include <cstdint>
#include <span>

#include "recorder/core/digest.h"
#include "recorder/core/result.h"

namespace muniment {

// Hashes from the leaf's sibling upwards (RFC 6962, section 2.1.1), or of section 2.1.2.
using Proof = std::span<const Digest>;

// That the leaf with this hash is number `index` of the `size` leaves under `root`.
// kCorrupt says what was expected and what was found; a proof that is too long or too short is one.
Status verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size, Proof proof,
                        const Digest& root);

// That the first `old_size` of the `size` leaves under `root` are those under `old_root`.
// kCorrupt as above, also for old_size == 0 (nothing is proven by it) and old_size > size.
Status verify_consistency(std::uint64_t old_size, std::uint64_t size, Proof proof,
                          const Digest& old_root, const Digest& root);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_TREE_PROOF_H_
