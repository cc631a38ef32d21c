#include "replay/tiles.h"

#include <limits>
#include <vector>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/log/key_codec.h"

namespace muniment {
namespace {

constexpr std::size_t kHashBytes = std::tuple_size_v<Digest>;
constexpr std::size_t kLengthBytes = 2;

std::unexpected<Error> damaged(const Tile& tile, const char* what, std::uint64_t index) {
  return fail(ErrorCode::kCorrupt, tile_path(tile) + " cannot be made: " + what + " " +
                                       std::to_string(index) +
                                       " is missing or damaged; run `muniment verify`");
}

// The values of `tile.width` rows that follow each other, from `first` on; `key_of` makes their
// keys.
template <class KeyOf>
Result<std::vector<std::string>> rows_of(const LogReader& log, const Tile& tile, Table table,
                                         const KeyOf& key_of) {
  const std::uint64_t first = tile.index * kTileWidth;
  std::vector<std::string> rows;
  rows.reserve(tile.width);
  const Status scanned = log.scan(table, key_of(first), Direction::kForward,
                                  [&](std::string_view key, std::string_view value) {
                                    if (key != key_of(first + rows.size())) return false;
                                    rows.emplace_back(value);
                                    return rows.size() < tile.width;
                                  });
  if (!scanned) return std::unexpected(scanned.error());
  if (rows.size() < tile.width) {
    return damaged(tile, table == Table::kEvent ? "event" : "tree node", first + rows.size());
  }
  return rows;
}

}  // namespace

std::uint64_t end_of(const Tile& tile) {
  constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  const unsigned shift = tile.level.value_or(0) * kTileHeight;
  if (tile.index >= kNever / kTileWidth) return kNever;
  const std::uint64_t end = tile.index * kTileWidth + tile.width;
  if (shift >= std::numeric_limits<std::uint64_t>::digits || end > (kNever >> shift)) return kNever;
  return end << shift;
}

SizeBounds size_bounds(const Tile& tile) {
  if (tile.level) return {.least = tile.width * kHashBytes, .most = tile.width * kHashBytes};
  return {.least = tile.width * kLengthBytes, .most = tile.width * (kLengthBytes + kMaxEventBytes)};
}

Result<std::string> tile_bytes(const LogReader& log, const Tile& tile) {
  if (!tile.level) {
    Result<std::vector<std::string>> entries =
        rows_of(log, tile, Table::kEvent, [](std::uint64_t at) { return sequence_key(at); });
    if (!entries) return pass(entries);
    return entry_bundle(*entries);
  }
  const unsigned level = *tile.level * kTileHeight;
  check(level < std::numeric_limits<std::uint64_t>::digits, "a log has no tile so high");
  Result<std::vector<std::string>> hashes =
      rows_of(log, tile, Table::kNode,
              [level](std::uint64_t at) { return node_key(static_cast<std::uint8_t>(level), at); });
  if (!hashes) return pass(hashes);
  std::string bytes;
  bytes.reserve(hashes->size() * kHashBytes);
  for (std::size_t i = 0; i < hashes->size(); ++i) {
    const std::string& hash = (*hashes)[i];
    if (hash.size() != kHashBytes) return damaged(tile, "tree node", tile.index * kTileWidth + i);
    bytes += hash;
  }
  return bytes;
}

}  // namespace muniment
