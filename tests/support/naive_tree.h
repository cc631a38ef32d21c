// The tree of RFC 6962, section 2.1, as its text says it: an oracle.
#ifndef MUNIMENT_TESTS_SUPPORT_NAIVE_TREE_H_
#define MUNIMENT_TESTS_SUPPORT_NAIVE_TREE_H_

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"

namespace muniment {

// The largest power of two smaller than `count`. REQUIRES: count > 1.
inline std::size_t naive_split(std::size_t count) {
  std::size_t split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

// Over leaf hashes [begin, end).
inline Digest naive_root(const std::vector<Digest>& leaves, std::size_t begin, std::size_t end) {
  const std::size_t count = end - begin;
  if (count == 0) return sha256("");
  if (count == 1) return leaves[begin];
  const std::size_t split = naive_split(count);
  return node_hash(naive_root(leaves, begin, begin + split),
                   naive_root(leaves, begin + split, end));
}

// Proofs by the same text. Each hash is made once and kept, so that a test can ask for all of them.
class NaiveTree {
 public:
  explicit NaiveTree(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}

  const std::vector<Digest>& leaves() const { return leaves_; }

  // MTH(D[size]).
  Digest root(std::size_t size) { return hash(0, size); }

  // PATH(index, D[size]), section 2.1.1.
  std::vector<Digest> inclusion(std::size_t index, std::size_t size) {
    return path(index, 0, size);
  }

  // PROOF(old_size, D[size]), section 2.1.2.
  std::vector<Digest> consistency(std::size_t old_size, std::size_t size) {
    return subproof(old_size, 0, size, true);
  }

  // MTH(D[begin:end]).
  Digest hash(std::size_t begin, std::size_t end) {
    if (end - begin < 2) return naive_root(leaves_, begin, end);
    const auto known = hashes_.find({begin, end});
    if (known != hashes_.end()) return known->second;
    const std::size_t middle = begin + naive_split(end - begin);
    const Digest made = node_hash(hash(begin, middle), hash(middle, end));
    hashes_.emplace(std::pair(begin, end), made);
    return made;
  }

 private:
  // PATH(m, D[begin:end]).
  std::vector<Digest> path(std::size_t m, std::size_t begin, std::size_t end) {
    if (end - begin == 1) return {};
    const std::size_t k = naive_split(end - begin);
    std::vector<Digest> proof = m < k ? path(m, begin, begin + k) : path(m - k, begin + k, end);
    proof.push_back(m < k ? hash(begin + k, end) : hash(begin, begin + k));
    return proof;
  }

  // SUBPROOF(m, D[begin:end], b).
  std::vector<Digest> subproof(std::size_t m, std::size_t begin, std::size_t end, bool b) {
    if (m == end - begin) return b ? std::vector<Digest>{} : std::vector{hash(begin, end)};
    const std::size_t k = naive_split(end - begin);
    std::vector<Digest> proof =
        m <= k ? subproof(m, begin, begin + k, b) : subproof(m - k, begin + k, end, false);
    proof.push_back(m <= k ? hash(begin + k, end) : hash(begin, begin + k));
    return proof;
  }

  std::vector<Digest> leaves_;
  std::map<std::pair<std::size_t, std::size_t>, Digest> hashes_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_NAIVE_TREE_H_
