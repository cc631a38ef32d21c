// Paths and bundles of a log that is read from elsewhere: what is taken must be the only spelling.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/text.h"
#include "recorder/core/tlog/tile.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_path(std::string_view path) {
  const auto read = muniment::parse_tile_path(path);
  if (!read) {
    require(read.error().code == muniment::ErrorCode::kInvalid);
    require(muniment::is_valid_utf8(read.error().message));
    return;
  }
  require(muniment::tile_path(*read) == path);
  require(!read->level || *read->level <= 63);
  require(read->width >= 1 && read->width <= muniment::kTileWidth);
}

void check_bundle(std::string_view bytes, unsigned width) {
  const auto read = muniment::parse_entry_bundle(bytes, width);
  if (!read) {
    require(read.error().code == muniment::ErrorCode::kCorrupt);
    return;
  }
  require(read->size() == width);
  require(muniment::entry_bundle({read->begin(), read->end()}) == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_path(bytes);
  check_path("tile/" + std::string(bytes));
  if (size == 0) return 0;
  // The first byte says how many entries the rest is to hold.
  check_bundle(bytes.substr(1), data[0] + 1U);
  if (size < 3) return 0;
  // A path with a byte changed.
  std::string path = muniment::tile_path(
      {static_cast<std::uint8_t>(data[0] % 64U), size * size * size, data[1] + 1U});
  path[data[2] % path.size()] = bytes[1];
  check_path(path);
  return 0;
}
