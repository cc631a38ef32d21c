#include "recorder/core/tlog/tile.h"

#include <limits>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/checkpoint.h"

namespace muniment {
namespace {

constexpr std::string_view kRoot = "tile/";
constexpr std::string_view kEntries = "entries";
constexpr std::string_view kPartial = ".p/";
constexpr std::uint8_t kMostLevel = 63;
constexpr std::size_t kGroupDigits = 3;
constexpr std::uint64_t kGroup = 1000;
constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kMostEntryBytes = 0xffff;

std::string three_digits(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kGroupDigits - digits.size(), '0') + digits;
}

std::string grouped(std::uint64_t index) {
  std::string text = three_digits(index % kGroup);
  for (index /= kGroup; index > 0; index /= kGroup) {
    text.insert(0, "x" + three_digits(index % kGroup) + "/");
  }
  return text;
}

// Takes "067" off the front of `text`; absent: three digits do not stand there.
std::optional<std::uint64_t> take_group(std::string_view& text) {
  if (text.size() < kGroupDigits) return std::nullopt;
  std::uint64_t number = 0;
  for (const char digit : text.substr(0, kGroupDigits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  text.remove_prefix(kGroupDigits);
  return number;
}

// Takes "x001/x234/067" off the front of `text`; absent: no number in its one spelling does.
std::optional<std::uint64_t> take_index(std::string_view& text) {
  if (text.starts_with("x000/")) return std::nullopt;
  std::uint64_t index = 0;
  for (bool more = true; more;) {
    more = text.starts_with('x');
    if (more) text.remove_prefix(1);
    const std::optional<std::uint64_t> group = take_group(text);
    if (!group || __builtin_mul_overflow(index, kGroup, &index) ||
        __builtin_add_overflow(index, *group, &index)) {
      return std::nullopt;
    }
    if (!more) break;
    if (!text.starts_with('/')) return std::nullopt;
    text.remove_prefix(1);
  }
  return index;
}

// Adds the tiles or bundles that hold `count` things.
void add_row(std::vector<Tile>& tiles, std::optional<std::uint8_t> level, std::uint64_t count) {
  const std::uint64_t full = count / kTileWidth;
  for (std::uint64_t index = 0; index < full; ++index) tiles.push_back({level, index, kTileWidth});
  const auto rest = static_cast<unsigned>(count % kTileWidth);
  if (rest > 0) tiles.push_back({level, full, rest});
}

std::unexpected<Error> no_tile(std::string_view path, const std::string& why) {
  return fail(ErrorCode::kInvalid, "\"" + inert_short(path, 80) + "\" is not the path of a tile: " +
                                       why + "; one is tile/0/x001/234.p/5");
}

}  // namespace

std::string tile_path(const Tile& tile) {
  check(!tile.level || *tile.level <= kMostLevel, "a tile's level is at most 63");
  check(tile.width >= 1 && tile.width <= kTileWidth, "a tile holds 1 to 256 hashes");
  std::string path(kRoot);
  path += tile.level ? std::to_string(*tile.level) : std::string(kEntries);
  path += "/" + grouped(tile.index);
  if (!tile.is_full()) path += std::string(kPartial) + std::to_string(tile.width);
  return path;
}

Result<Tile> parse_tile_path(std::string_view path) {
  std::string_view rest = path;
  if (!rest.starts_with(kRoot)) return no_tile(path, "it does not begin with tile/");
  rest.remove_prefix(kRoot.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return no_tile(path, "a level alone names none");
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);

  Tile tile;
  if (level != kEntries) {
    const Result<std::uint64_t> number = parse_decimal(level, "the level");
    if (!number) return no_tile(path, number.error().message);
    if (*number > kMostLevel) return no_tile(path, "its level is above 63");
    tile.level = static_cast<std::uint8_t>(*number);
  }

  const std::optional<std::uint64_t> index = take_index(rest);
  if (!index) return no_tile(path, "its number is to stand in groups of three digits");
  tile.index = *index;
  if (rest.empty()) return tile;

  if (!rest.starts_with(kPartial)) return no_tile(path, "only .p/ may follow its number");
  rest.remove_prefix(kPartial.size());
  const Result<std::uint64_t> width = parse_decimal(rest, "the width");
  if (!width) return no_tile(path, width.error().message);
  if (*width == 0 || *width >= kTileWidth) {
    return no_tile(path, "the width of a partial one is 1 to 255");
  }
  tile.width = static_cast<unsigned>(*width);
  return tile;
}

std::vector<Tile> tiles_of(std::uint64_t size) {
  std::vector<Tile> tiles;
  std::uint8_t level = 0;
  for (std::uint64_t nodes = size; nodes > 0; nodes >>= kTileHeight) add_row(tiles, level++, nodes);
  add_row(tiles, std::nullopt, size);
  return tiles;
}

std::string entry_bundle(const std::vector<std::string>& entries) {
  std::string bytes;
  for (const std::string& entry : entries) {
    check(entry.size() <= kMostEntryBytes, "an entry of a bundle has at most 65,535 bytes");
    bytes += static_cast<char>(entry.size() >> 8U);
    bytes += static_cast<char>(entry.size() & 0xffU);
    bytes += entry;
  }
  return bytes;
}

Result<std::vector<std::string_view>> parse_entry_bundle(std::string_view bytes, unsigned width) {
  const auto wrong = [&](std::size_t found, const std::string& why) {
    return fail(ErrorCode::kCorrupt, "a bundle of " + std::to_string(width) + " entries " + why +
                                         " after " + std::to_string(found) +
                                         ": fetch or export it again");
  };
  std::vector<std::string_view> entries;
  while (entries.size() < width) {
    if (bytes.size() < kLengthBytes) return wrong(entries.size(), "ends");
    const std::size_t size =
        (static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8U) |
        static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(kLengthBytes);
    if (bytes.size() < size) {
      return wrong(entries.size(), "has " + std::to_string(bytes.size()) + " of the " +
                                       std::to_string(size) + " bytes of the next");
    }
    entries.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (!bytes.empty()) {
    return wrong(entries.size(), "has " + std::to_string(bytes.size()) + " bytes left over");
  }
  return entries;
}

}  // namespace muniment
