// The growing tree of RFC 6962, section 2.1: what has to be kept to go on appending.
#ifndef MUNIMENT_RECORDER_LOG_MERKLE_H_
#define MUNIMENT_RECORDER_LOG_MERKLE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "recorder/core/digest.h"

namespace muniment {

// The hash of a perfect subtree: of the leaves [index << level, (index + 1) << level).
using NodeVisitor =
    std::function<void(std::uint8_t level, std::uint64_t index, const Digest& hash)>;

// The roots ("peaks") of the perfect subtrees that together cover the first `size` leaves: one for
// each set bit of the size, largest first. A value: pure, copyable, not thread-safe.
class CompactRange {
 public:
  // An empty tree.
  CompactRange() = default;

  // A tree as it was kept. Absent when the number of peaks does not fit the size.
  static std::optional<CompactRange> from_peaks(std::uint64_t size, std::vector<Digest> peaks);

  // Appends a leaf hash. Reports each perfect subtree that it completes, the leaf itself first,
  // then upwards: every node of the tree is reported exactly once in its life.
  void append(const Digest& leaf, const NodeVisitor& completed);

  // The tree hash over all leaves; of no leaves, the SHA-256 of nothing.
  Digest root() const;

  std::uint64_t size() const { return size_; }
  const std::vector<Digest>& peaks() const { return peaks_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> peaks_;
};

// How many perfect subtrees a tree of this size has: the rows of the table kNode.
std::uint64_t node_count(std::uint64_t size);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_MERKLE_H_
