// The tree of a published log, computed again from its leaf hashes while they come, and compared
// with its tiles.
#ifndef MUNIMENT_REPLAY_PUBLISHED_TREE_H_
#define MUNIMENT_REPLAY_PUBLISHED_TREE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "muniment/v1/report.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/tlog/tile.h"
#include "replay/published_files.h"

namespace muniment {

// Keeps, for each level of tiles, the one that is being filled: what was computed, and what the
// file of that tile says. Where the two differ, the tile one level above, or at the right edge the
// checkpoint's root, says which of them is believed; the other is a finding. What is believed is
// what goes on upwards, so that one changed entry is one finding. Not thread-safe.
class PublishedTree {
 public:
  // Told the hashes of each tile when they are known: one level, one index, up to 256 of them.
  using TileVisitor = std::function<void(std::uint8_t level, std::uint64_t index,
                                         const std::vector<Digest>& believed)>;

  PublishedTree(std::uint64_t size, PublishedReader& files, v1::VerifyReport& report,
                TileVisitor settled)
      : size_(size), files_(files), report_(report), settled_(std::move(settled)) {}

  // The leaves of the next bundle: as many as it holds, or fewer (also none) where it cannot be
  // read; what is missing is taken from the tiles. False: those do not say it either, and nothing
  // more can be computed. REQUIRES: not all bundles were added.
  bool add(std::vector<Digest> leaves);

  // The root that the leaves give, after the last bundle; adds a finding unless it is `expected`.
  Digest finish(const Digest& expected);

  // Of all leaves so far.
  std::uint64_t leaves() const { return leaves_; }
  // Hashes in tiles that were compared.
  std::uint64_t compared() const { return compared_; }

 private:
  struct Level {
    std::uint64_t index = 0;
    std::vector<Digest> computed;
    std::vector<Digest> stored;  // empty: missing or useless
    bool is_loaded = false;
  };
  // 2^64 leaves have eight levels of tiles.
  static constexpr std::size_t kLevels = 8;

  unsigned width(std::uint8_t level, std::uint64_t index) const;
  Level& load(std::uint8_t level);
  std::optional<Digest> stored_above(std::uint8_t level);
  void push(std::uint8_t level, const Digest& hash);
  void settle(std::uint8_t level);
  void advance(std::uint8_t level);
  Digest root_of(bool prefer_stored) const;
  void report_difference(std::uint8_t level, const Level& at, std::size_t where,
                         std::optional<bool> is_tile_wrong);

  const std::uint64_t size_;
  PublishedReader& files_;
  v1::VerifyReport& report_;
  TileVisitor settled_;
  std::array<Level, kLevels> levels_;
  std::uint64_t leaves_ = 0;
  std::uint64_t compared_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_PUBLISHED_TREE_H_
