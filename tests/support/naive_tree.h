// The tree hash of RFC 6962, section 2.1, as its text says it: an oracle.
#ifndef MUNIMENT_TESTS_SUPPORT_NAIVE_TREE_H_
#define MUNIMENT_TESTS_SUPPORT_NAIVE_TREE_H_

#include <cstddef>
#include <vector>

#include "recorder/core/digest.h"

namespace muniment {

// Over leaf hashes [begin, end).
inline Digest naive_root(const std::vector<Digest>& leaves, std::size_t begin, std::size_t end) {
  const std::size_t count = end - begin;
  if (count == 0) return sha256("");
  if (count == 1) return leaves[begin];
  std::size_t split = 1;  // the largest power of two smaller than count
  while (split * 2 < count) split *= 2;
  return node_hash(naive_root(leaves, begin, begin + split),
                   naive_root(leaves, begin + split, end));
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_NAIVE_TREE_H_
