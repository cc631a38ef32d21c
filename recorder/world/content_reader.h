// A stored artifact as its content, hashed on both sides of the compression.
#ifndef MUNIMENT_RECORDER_WORLD_CONTENT_READER_H_
#define MUNIMENT_RECORDER_WORLD_CONTENT_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/result.h"
#include "recorder/world/compression.h"
#include "recorder/world/progress.h"

namespace muniment {

// Reads from a descriptor piece by piece. Not thread-safe; `progress` must outlive it.
class ContentReader {
 public:
  // `fd` stays the caller's; `path` stands in messages.
  ContentReader(int fd, std::string path, Compression compression, Progress& progress);
  ~ContentReader();
  ContentReader(const ContentReader&) = delete;
  ContentReader& operator=(const ContentReader&) = delete;

  // The next piece of content; empty at the end. Valid until the next call.
  // kCorrupt: what is stored is not one complete zstd frame. kIo: it cannot be read.
  // kInterrupted: a stop was asked for.
  Result<std::string_view> next();

  // What went by, whole once next() has answered with an empty piece; the digests are set then.
  // Bytes and digest of the file as stored, and of the content behind the compression.
  std::uint64_t stored_bytes() const { return stored_bytes_; }
  std::uint64_t content_bytes() const { return content_bytes_; }
  const Digest& stored_sha256() const { return stored_sha256_; }
  const Digest& content_sha256() const { return content_sha256_; }

 private:
  struct Zstd;
  // Takes the digests; nothing is read any more.
  void end();
  Result<std::string_view> read_stored();
  Result<std::string_view> decompress();

  int fd_;
  std::string path_;
  Compression compression_;
  Progress& progress_;
  // One buffer for each side; a piece lives in one of them until the next call.
  std::vector<char> stored_;
  std::vector<char> content_;
  std::unique_ptr<Zstd> zstd_;
  Sha256 stored_hash_;
  Sha256 content_hash_;
  Digest stored_sha256_{};
  Digest content_sha256_{};
  bool ended_ = false;  // next() has answered with the empty piece
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t content_bytes_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_CONTENT_READER_H_
