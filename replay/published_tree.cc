#include "replay/published_tree.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "recorder/core/check.h"

namespace muniment {
namespace {

// The root over a power of two of hashes.
Digest root_over(std::span<const Digest> hashes) {
  std::array<Digest, kTileWidth> row;
  std::copy(hashes.begin(), hashes.end(), row.begin());
  for (std::size_t n = hashes.size(); n > 1; n /= 2) {
    for (std::size_t i = 0; i < n / 2; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
  }
  return row[0];
}

// Where two rows part, as far as both go; absent: nowhere.
std::optional<std::size_t> first_difference(const std::vector<Digest>& a,
                                            const std::vector<Digest>& b) {
  const auto end = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  const auto place = std::mismatch(a.begin(), a.begin() + end, b.begin());
  if (place.first == a.begin() + end) return std::nullopt;
  return static_cast<std::size_t>(place.first - a.begin());
}

std::string events_text(std::uint64_t first, std::uint64_t count) {
  if (count == 1) return "event " + std::to_string(first);
  return "events " + std::to_string(first) + " to " + std::to_string(first + count - 1);
}

}  // namespace

unsigned PublishedTree::width(std::uint8_t level, std::uint64_t index) const {
  const unsigned shift = level * kTileHeight;
  if (shift >= std::numeric_limits<std::uint64_t>::digits) return 0;
  const std::uint64_t nodes = size_ >> shift;
  const std::uint64_t begin = index * kTileWidth;
  return begin >= nodes ? 0 : static_cast<unsigned>(std::min<std::uint64_t>(nodes - begin, 256));
}

PublishedTree::Level& PublishedTree::load(std::uint8_t level) {
  Level& at = levels_.at(level);
  if (at.is_loaded) return at;
  at.is_loaded = true;
  const unsigned wide = width(level, at.index);
  at.stored.clear();
  if (wide == 0) return at;
  auto stored = files_.hashes({.level = level, .index = at.index, .width = wide});
  if (stored) at.stored = std::move(*stored);
  compared_ += at.stored.size();
  return at;
}

// What the tile above says of the one that is being filled at this level.
std::optional<Digest> PublishedTree::stored_above(std::uint8_t level) {
  const auto above = static_cast<std::uint8_t>(level + 1);
  if (above >= kLevels || width(level, levels_.at(level).index) < kTileWidth) return std::nullopt;
  const Level& at = load(above);
  if (at.stored.size() <= at.computed.size()) return std::nullopt;
  return at.stored[at.computed.size()];
}

bool PublishedTree::add(std::vector<Digest> leaves) {
  Level& at = load(0);
  const unsigned wide = width(0, at.index);
  check(wide > 0 && leaves.size() <= wide, "a bundle holds leaves of this log");
  leaves_ += leaves.size();
  at.computed = std::move(leaves);
  if (at.computed.size() < wide) {
    if (at.stored.empty()) {
      const std::optional<Digest> above = stored_above(0);
      if (!above) return false;
      advance(0);
      push(1, *above);
      return true;
    }
    at.computed.insert(at.computed.end(),
                       at.stored.begin() + static_cast<std::ptrdiff_t>(at.computed.size()),
                       at.stored.end());
  }
  if (wide == kTileWidth) settle(0);
  return true;
}

void PublishedTree::push(std::uint8_t level, const Digest& hash) {
  levels_.at(level).computed.push_back(hash);
  if (levels_.at(level).computed.size() == kTileWidth) settle(level);
}

void PublishedTree::settle(std::uint8_t level) {
  Level& at = load(level);
  Digest hash = root_over(at.computed);
  if (const auto where = first_difference(at.computed, at.stored)) {
    const std::optional<Digest> above = stored_above(level);
    const Digest claimed = root_over(at.stored);
    const bool is_decided = above && (*above == hash || *above == claimed);
    report_difference(level, at, *where, is_decided ? std::optional(*above == hash) : std::nullopt);
    if (is_decided && *above == claimed) {
      hash = claimed;
      at.computed = at.stored;
    }
  }
  settled_(level, at.index, at.computed);
  advance(level);
  push(static_cast<std::uint8_t>(level + 1), hash);
}

void PublishedTree::advance(std::uint8_t level) {
  Level& at = levels_.at(level);
  ++at.index;
  at.computed.clear();
  at.stored.clear();
  at.is_loaded = false;
}

// The perfect subtrees that cover all leaves stand in the right-most tiles, the highest level on
// the left; they are joined from the right.
Digest PublishedTree::root_of(bool prefer_stored) const {
  std::vector<Digest> peaks;
  for (std::size_t level = kLevels; level-- > 0;) {
    const Level& at = levels_.at(level);
    std::span<const Digest> row(prefer_stored && !at.stored.empty() ? at.stored : at.computed);
    for (std::size_t part = kTileWidth / 2; part > 0; part /= 2) {
      if ((row.size() & part) == 0) continue;
      peaks.push_back(root_over(row.first(part)));
      row = row.subspan(part);
    }
  }
  if (peaks.empty()) return sha256("");
  Digest root = peaks.back();
  for (std::size_t i = peaks.size() - 1; i-- > 0;) root = node_hash(peaks[i], root);
  return root;
}

Digest PublishedTree::finish(const Digest& expected) {
  std::vector<std::pair<std::uint8_t, std::size_t>> differences;
  for (std::uint8_t level = 0; level < kLevels; ++level) {
    const Level& at = load(level);
    const auto where = first_difference(at.computed, at.stored);
    if (where) differences.emplace_back(level, *where);
  }
  Digest root = root_of(false);
  const Digest claimed = root_of(true);
  const bool is_decided = root == expected || claimed == expected;
  for (const auto& [level, where] : differences) {
    report_difference(level, levels_.at(level), where,
                      is_decided ? std::optional(root == expected) : std::nullopt);
  }
  const bool believe_tiles = !differences.empty() && is_decided && root != expected;
  if (believe_tiles) root = claimed;
  for (std::uint8_t level = 0; level < kLevels; ++level) {
    const Level& at = levels_.at(level);
    if (at.computed.empty()) continue;
    settled_(level, at.index, believe_tiles && !at.stored.empty() ? at.stored : at.computed);
  }
  if (root == expected) return root;
  std::optional<std::uint64_t> sequence;
  if (!report_.has_first_bad_sequence()) sequence = 0;
  add_finding(report_, kTampered,
              sequence ? "the root of all entries is not the checkpoint's, and no tile contradicts "
                         "the entries: which of them was changed first cannot be known from here"
                       : "the root of all entries is not the checkpoint's",
              to_hex(expected), to_hex(root), sequence);
  return root;
}

void PublishedTree::report_difference(std::uint8_t level, const Level& at, std::size_t where,
                                      std::optional<bool> is_tile_wrong) {
  const unsigned shift = level * kTileHeight;
  const std::uint64_t first = (at.index * kTileWidth + where) << shift;
  const std::string events = events_text(first, std::uint64_t{1} << shift);
  const std::string path = tile_path(
      {.level = level, .index = at.index, .width = static_cast<unsigned>(at.stored.size())});
  const std::string computed = to_hex(at.computed[where]);
  const std::string stored = to_hex(at.stored[where]);
  if (!is_tile_wrong) {
    add_finding(report_, kTampered,
                path + " and the entries differ at " + events +
                    ", and what is above them agrees with neither",
                stored, computed, first);
  } else if (*is_tile_wrong) {
    add_finding(report_, kTampered,
                path + " is wrong at " + events + ": the rest of the tree agrees with the entries",
                computed, stored, first);
  } else {
    add_finding(report_, kTampered,
                events + (shift == 0 ? " is not the one" : " are not those") + " of the tree",
                stored, computed, first);
  }
}

}  // namespace muniment
