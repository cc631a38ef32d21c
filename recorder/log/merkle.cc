#include "recorder/log/merkle.h"

#include <bit>
#include <utility>

namespace muniment {

std::optional<CompactRange> CompactRange::from_peaks(std::uint64_t size,
                                                     std::vector<Digest> peaks) {
  if (static_cast<std::size_t>(std::popcount(size)) != peaks.size()) return std::nullopt;
  CompactRange range;
  range.size_ = size;
  range.peaks_ = std::move(peaks);
  return range;
}

void CompactRange::append(const Digest& leaf, const NodeVisitor& completed) {
  Digest hash = leaf;
  std::uint8_t level = 0;
  std::uint64_t index = size_;
  completed(level, index, hash);
  while ((index & 1U) != 0) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
    ++level;
    index >>= 1U;
    completed(level, index, hash);
  }
  peaks_.push_back(hash);
  ++size_;
}

Digest CompactRange::root() const {
  if (peaks_.empty()) return sha256("");
  Digest hash = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) hash = node_hash(peaks_[i], hash);
  return hash;
}

std::uint64_t node_count(std::uint64_t size) {
  std::uint64_t nodes = 0;
  for (; size > 0; size >>= 1U) nodes += size;
  return nodes;
}

}  // namespace muniment
