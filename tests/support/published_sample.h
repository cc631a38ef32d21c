// A published log made from its entries by the words of the standards alone: an oracle for what
// makes tiles, and something to damage for what checks them.
#ifndef MUNIMENT_TESTS_SUPPORT_PUBLISHED_SAMPLE_H_
#define MUNIMENT_TESTS_SUPPORT_PUBLISHED_SAMPLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/note.h"
#include "recorder/core/tlog/tile.h"
#include "replay/verify_published.h"
#include "tests/support/naive_tree.h"

namespace muniment {

// Path to content.
using FileMap = std::map<std::string, std::string>;

inline const SigningKey& sample_key() {
  static const SigningKey kKey = SigningKey::from_seed(std::string(kEd25519SeedBytes, 's'));
  return kKey;
}
inline NoteKey sample_note_key(const std::string& origin) {
  return note_key(origin, sample_key().public_key());
}

inline std::string sample_checkpoint(const std::string& origin, std::uint64_t size,
                                     const Digest& root) {
  const std::string text =
      checkpoint_text({.origin = origin, .size = size, .root = root, .extensions = {}});
  return format_note(
      {.text = text, .signatures = {sign_note(text, sample_note_key(origin), sample_key())}});
}

// Entries, and the tree over any number of the first of them.
class PublishedSample {
 public:
  static constexpr const char* kOrigin = "log.example/sample";

  explicit PublishedSample(std::vector<std::string> entries) : entries_(std::move(entries)) {
    for (const std::string& entry : entries_) leaves_.push_back(leaf_hash(entry));
  }

  const std::vector<std::string>& entries() const { return entries_; }
  const std::vector<Digest>& leaves() const { return leaves_; }
  Digest root(std::uint64_t size) const { return naive_root(leaves_, 0, size); }

  // Item i is MTH(D[(n * 256 + i) * 256^level : (n * 256 + i + 1) * 256^level]).
  std::string bytes_of(const Tile& tile) const {
    const std::uint64_t first = tile.index * kTileWidth;
    std::string bytes;
    for (std::uint64_t at = first; at < first + tile.width; ++at) {
      if (tile.level) {
        const unsigned shift = *tile.level * kTileHeight;
        bytes += as_bytes(naive_root(leaves_, at << shift, (at + 1) << shift));
      } else {
        bytes += static_cast<char>(entries_[at].size() / 256);
        bytes += static_cast<char>(entries_[at].size() % 256);
        bytes += entries_[at];
      }
    }
    return bytes;
  }

  // What a log of that size publishes.
  FileMap files(std::uint64_t size) const {
    FileMap files{{"checkpoint", sample_checkpoint(kOrigin, size, root(size))}};
    for (const Tile& tile : tiles_of(size)) files[tile_path(tile)] = bytes_of(tile);
    return files;
  }

 private:
  std::vector<std::string> entries_;
  std::vector<Digest> leaves_;
};

// The port over a map. `files` must outlive it.
inline PublishedFiles published_in(const FileMap& files) {
  return {
      .read = [&files](const std::string& path,
                       std::uint64_t most) -> Result<std::optional<std::string>> {
        const auto found = files.find(path);
        if (found == files.end()) return std::nullopt;
        if (found->second.size() > most)
          return fail(ErrorCode::kCorrupt, "more bytes than allowed");
        return found->second;
      },
      .list = [&files](const std::function<void(const std::string&)>& visit) -> Status {
        for (const auto& [path, bytes] : files) visit(path);
        return {};
      },
  };
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_PUBLISHED_SAMPLE_H_
