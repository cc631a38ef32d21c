// Tiles and entry bundles: C2SP tlog-tiles, https://c2sp.org/tlog-tiles.
//
//   tile/<L>/<N>[.p/<W>]        W (256 when full) hashes: the roots of the subtrees of 256^L leaves
//                               numbered N*256 … N*256+W-1
//   tile/entries/<N>[.p/<W>]    the leaves N*256 … N*256+W-1, each behind its length in 16 bits
//
// N is written in groups of three digits, all but the last with an x in front: x001/x234/067.
#ifndef MUNIMENT_RECORDER_CORE_TLOG_TILE_H_
#define MUNIMENT_RECORDER_CORE_TLOG_TILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

inline constexpr unsigned kTileWidth = 256;
inline constexpr unsigned kTileHeight = 8;  // levels of the tree between two levels of tiles

struct Tile {
  std::optional<std::uint8_t> level;  // 0 to 63; absent: an entry bundle
  std::uint64_t index = 0;
  unsigned width = kTileWidth;  // 1 to 256

  bool operator==(const Tile&) const = default;
  bool is_full() const { return width == kTileWidth; }
};

// Relative to the log's root: "tile/0/x001/234.p/7". REQUIRES: a level and a width as above.
std::string tile_path(const Tile& tile);

// Strict: the one spelling that tile_path() writes. kInvalid otherwise.
Result<Tile> parse_tile_path(std::string_view path);

// All tiles and bundles of a log of this size, in order: level 0 upwards, then entries; full ones
// and the partial one at each level's right edge.
std::vector<Tile> tiles_of(std::uint64_t size);

// REQUIRES: each entry at most 65,535 bytes.
std::string entry_bundle(const std::vector<std::string>& entries);

// The entries of a bundle that holds exactly `width`; the views live as long as `bytes`.
// kCorrupt: a length that runs past the end, too few, or bytes left over.
Result<std::vector<std::string_view>> parse_entry_bundle(std::string_view bytes, unsigned width);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_TILE_H_
