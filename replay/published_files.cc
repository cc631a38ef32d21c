#include "replay/published_files.h"

#include <string_view>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/core/tlog/note.h"
#include "replay/tiles.h"

namespace muniment {
namespace {

constexpr std::size_t kHashBytes = std::tuple_size_v<Digest>;
constexpr std::size_t kLengthBytes = 2;

std::string bytes_text(std::uint64_t n) {
  return std::to_string(n) + (n == 1 ? " byte" : " bytes");
}

Tile full_of(const Tile& tile) {
  return {.level = tile.level, .index = tile.index, .width = kTileWidth};
}

// Takes an entry off the front of a bundle; absent: there is none that is whole.
std::optional<std::string_view> take_entry(std::string_view& bytes) {
  if (bytes.size() < kLengthBytes) return std::nullopt;
  const auto high = static_cast<unsigned char>(bytes[0]);
  const auto low = static_cast<unsigned char>(bytes[1]);
  const std::size_t size = (std::size_t{high} << 8U) | low;
  if (bytes.size() - kLengthBytes < size) return std::nullopt;
  const std::string_view entry = bytes.substr(kLengthBytes, size);
  bytes.remove_prefix(kLengthBytes + size);
  return entry;
}

}  // namespace

std::optional<std::string> PublishedReader::read_path(const std::string& path, std::uint64_t most,
                                                      bool& is_missing) {
  Result<std::optional<std::string>> bytes = files_.read(path, most);
  is_missing = bytes && !bytes->has_value();
  if (bytes) return std::move(*bytes);
  const bool is_wrong = bytes.error().code == ErrorCode::kCorrupt;
  add_finding(report_, is_wrong ? kTampered : kCannotRead, path + ": " + bytes.error().message);
  return std::nullopt;
}

std::optional<std::string> PublishedReader::checkpoint() {
  bool is_missing = false;
  std::optional<std::string> note =
      read_path(std::string(kCheckpointFile), kMostNoteBytes, is_missing);
  if (is_missing) {
    add_finding(report_, kCannotRead,
                "there is no file `checkpoint`: this is no published log, or one whose first "
                "publication has not ended");
  } else if (!note) {
    worsen(report_, kCannotRead);
  }
  return note;
}

std::optional<PublishedReader::File> PublishedReader::read(const Tile& tile, bool is_needed) {
  File file{.path = tile_path(tile), .bytes = {}, .is_full = false};
  bool is_missing = false;
  std::optional<std::string> bytes = read_path(file.path, size_bounds(tile).most, is_missing);
  if (is_missing && is_needed && !tile.is_full()) {
    const Tile full = full_of(tile);
    bytes = read_path(tile_path(full), size_bounds(full).most, is_missing);
    file.is_full = true;
  }
  if (is_missing && is_needed) {
    std::optional<std::uint64_t> sequence;
    if (!tile.level) sequence = tile.index * kTileWidth;
    add_finding(report_, kTruncated, file.path + " is missing", "a file that the checkpoint needs",
                "none", sequence);
  }
  if (!bytes) return std::nullopt;
  if (file.is_full) file.path = tile_path(full_of(tile));
  file.bytes = std::move(*bytes);
  return file;
}

std::optional<std::vector<Digest>> PublishedReader::hashes_of(const Tile& tile, const File& file) {
  const unsigned width = file.is_full ? kTileWidth : tile.width;
  if (file.bytes.size() != width * kHashBytes) {
    add_finding(report_, kTampered, file.path + " has another size than a tile of its name",
                bytes_text(width * kHashBytes), bytes_text(file.bytes.size()));
    return std::nullopt;
  }
  std::vector<Digest> hashes;
  hashes.reserve(kTileWidth);
  for (unsigned i = 0; i < tile.width; ++i) {
    hashes.push_back(
        digest_from_bytes(std::string_view(file.bytes).substr(i * kHashBytes, kHashBytes)));
  }
  return hashes;
}

std::vector<Digest> PublishedReader::leaves_of(const Tile& tile, const File& file) {
  std::vector<Digest> leaves;
  leaves.reserve(kTileWidth);
  std::string_view rest = file.bytes;
  while (leaves.size() < tile.width) {
    const std::optional<std::string_view> entry = take_entry(rest);
    if (!entry) {
      add_finding(report_, kTampered, file.path + " holds fewer whole entries than its name says",
                  std::to_string(tile.width), std::to_string(leaves.size()),
                  tile.index * kTileWidth + leaves.size());
      return leaves;
    }
    leaves.push_back(leaf_hash(*entry));
  }
  if (!rest.empty() && !file.is_full) {
    add_finding(report_, kTampered, file.path + " goes on behind its last entry", "its end",
                bytes_text(rest.size()));
  }
  return leaves;
}

std::optional<std::vector<Digest>> PublishedReader::hashes(const Tile& tile) {
  check(tile.level.has_value(), "a tile of hashes has a level");
  const std::optional<File> file = read(tile, true);
  if (!file) return std::nullopt;
  return hashes_of(tile, *file);
}

std::optional<std::vector<Digest>> PublishedReader::leaves(const Tile& tile) {
  check(!tile.level.has_value(), "a bundle has no level");
  const std::optional<File> file = read(tile, true);
  if (!file) return std::nullopt;
  return leaves_of(tile, *file);
}

std::optional<std::vector<Digest>> PublishedReader::earlier(const Tile& tile) {
  const std::optional<File> file = read(tile, false);
  if (!file) return std::nullopt;
  if (tile.level) return hashes_of(tile, *file);
  return leaves_of(tile, *file);
}

}  // namespace muniment
