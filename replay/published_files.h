// Reading the files of a published log that somebody else may have written: what is wrong with one
// becomes a finding, and what can still be read of it is handed on.
#ifndef MUNIMENT_REPLAY_PUBLISHED_FILES_H_
#define MUNIMENT_REPLAY_PUBLISHED_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/report.pb.h"
#include "recorder/core/digest.h"
#include "recorder/core/tlog/tile.h"
#include "replay/verify_published.h"

namespace muniment {

// All adds its findings to the report. Not thread-safe.
class PublishedReader {
 public:
  PublishedReader(const PublishedFiles& files, v1::VerifyReport& report)
      : files_(files), report_(report) {}

  // The note; absent: there is none that could be read.
  std::optional<std::string> checkpoint();

  // The hashes of a tile, exactly `tile.width`. Where a partial one is missing, the full one
  // speaks for it, as the standard lets a log remove it. Absent: missing or useless.
  // REQUIRES: tile.level.
  std::optional<std::vector<Digest>> hashes(const Tile& tile);

  // The leaf hashes of a bundle: `tile.width` of them, or less where it is cut off or malformed.
  // Full bundles speak for partial ones as above. Absent: missing or unreadable.
  // REQUIRES: !tile.level.
  std::optional<std::vector<Digest>> leaves(const Tile& tile);

  // The same for a partial tile or bundle of an earlier size, which nobody misses: absent when it
  // was removed meanwhile, or is useless.
  std::optional<std::vector<Digest>> earlier(const Tile& tile);

 private:
  struct File {
    std::string path;
    std::string bytes;
    bool is_full = false;  // the full one, instead of the one that was asked for
  };

  std::optional<File> read(const Tile& tile, bool is_needed);
  std::optional<std::string> read_path(const std::string& path, std::uint64_t most,
                                       bool& is_missing);
  std::optional<std::vector<Digest>> hashes_of(const Tile& tile, const File& file);
  std::vector<Digest> leaves_of(const Tile& tile, const File& file);

  const PublishedFiles& files_;
  v1::VerifyReport& report_;
};

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_PUBLISHED_FILES_H_
