#include "recorder/world/content_reader.h"

#include <zstd.h>

#include <cerrno>
#include <new>
#include <utility>

#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

}  // namespace

struct ContentReader::Zstd {
  struct Free {
    void operator()(ZSTD_DCtx* freed) const { ZSTD_freeDCtx(freed); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
  ZSTD_inBuffer in{nullptr, 0, 0};
  bool frame_ended = false;
};

ContentReader::ContentReader(int fd, std::string path, Compression compression, Progress& progress)
    : fd_(fd),
      path_(std::move(path)),
      compression_(compression),
      progress_(progress),
      stored_(kPieceBytes) {
  if (compression.none()) return;
  content_.resize(kPieceBytes);
  zstd_ = std::make_unique<Zstd>();
  if (!zstd_->context) throw std::bad_alloc();
}

ContentReader::~ContentReader() = default;

Result<std::string_view> ContentReader::next() {
  if (ended_) return std::string_view();
  Result<std::string_view> piece = zstd_ ? decompress() : read_stored();
  if (!piece) return piece;
  content_bytes_ += piece->size();
  if (zstd_) content_hash_.update(*piece);
  if (piece->empty()) end();
  return piece;
}

void ContentReader::end() {
  ended_ = true;
  stored_sha256_ = stored_hash_.finish();
  content_sha256_ = zstd_ ? content_hash_.finish() : stored_sha256_;
}

Result<std::string_view> ContentReader::read_stored() {
  if (progress_.stop_requested()) {
    return fail(ErrorCode::kInterrupted, "verification stopped on request; run it again");
  }
  const std::int64_t n = read_full(fd_, stored_);
  if (n < 0) return system_failure("read", path_, errno);
  const std::string_view piece(stored_.data(), static_cast<std::size_t>(n));
  stored_hash_.update(piece);
  stored_bytes_ += piece.size();
  progress_.advance(piece.size());
  return piece;
}

Result<std::string_view> ContentReader::decompress() {
  ZSTD_outBuffer out{content_.data(), content_.size(), 0};
  while (out.pos == 0) {
    if (zstd_->in.pos == zstd_->in.size) {
      const Result<std::string_view> stored = read_stored();
      if (!stored) return stored;
      if (stored->empty() && zstd_->frame_ended) return std::string_view();
      if (stored->empty()) {
        return fail(ErrorCode::kCorrupt,
                    "the zstd frame ends early, after " + std::to_string(stored_bytes_) + " bytes");
      }
      zstd_->in = {stored->data(), stored->size(), 0};
    }
    if (zstd_->frame_ended) {
      return fail(ErrorCode::kCorrupt, "bytes follow the end of the zstd frame");
    }
    const std::size_t left = ZSTD_decompressStream(zstd_->context.get(), &out, &zstd_->in);
    if (ZSTD_isError(left) != 0) {
      return fail(ErrorCode::kCorrupt, std::string("zstd: ") + ZSTD_getErrorName(left));
    }
    zstd_->frame_ended = left == 0;
  }
  return std::string_view(content_.data(), out.pos);
}

}  // namespace muniment
