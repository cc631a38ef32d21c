// A log as static files, in the layout of C2SP tlog-tiles (https://c2sp.org/tlog-tiles): what
// belongs into which file.
//
//   checkpoint                   a signed note; all that the other files are judged by
//   tile/…                       hashes and entries, see recorder/core/tlog/tile.h
//   .muniment-publishing/        only while `muniment publish` works, or after it was killed: a
//                                file that is not ready yet; mode 0700, so that nobody is served it
#ifndef MUNIMENT_REPLAY_TILES_H_
#define MUNIMENT_REPLAY_TILES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/core/tlog/tile.h"
#include "recorder/log/event_log.h"

namespace muniment {

inline constexpr std::string_view kCheckpointFile = "checkpoint";
inline constexpr std::string_view kPublishingFolder = ".muniment-publishing";

// The number of events that a log must have for this tile to be in it: a tile is behind a
// checkpoint of this size or larger. 2^64 - 1 where no log can be so large.
std::uint64_t end_of(const Tile& tile);

// How many bytes a tile or bundle has at least and at most; a tile of hashes has one size.
struct SizeBounds {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};
SizeBounds size_bounds(const Tile& tile);

// The file's content, from the rows of the log. REQUIRES: end_of(tile) is at most the log's size.
// kCorrupt: a row is missing or is no hash; names `muniment verify`.
Result<std::string> tile_bytes(const LogReader& log, const Tile& tile);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_TILES_H_
