#include "recorder/world/block_encoder.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

namespace muniment {
namespace {

constexpr int kWorkers = 2;
// Bounds what zstd holds in flight; larger jobs compress no better at these levels.
constexpr int kJobBytes = 2 << 20;

std::unexpected<Error> zstd_failure(std::size_t code) {
  return fail(ErrorCode::kIo, std::string("cannot compress: ") + ZSTD_getErrorName(code) +
                                  "; free memory, or choose compression none");
}

}  // namespace

struct BlockEncoder::State {
  struct Free {
    void operator()(ZSTD_CCtx* freed) const { ZSTD_freeCCtx(freed); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
};

BlockEncoder::BlockEncoder(Compression compression, BlockChannel& out) : out_(out) {
  if (compression.none()) return;
  zstd_ = std::make_unique<State>();
  ZSTD_CCtx* context = zstd_->context.get();
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, compression.zstd_level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  // A libzstd without threads refuses these two and works in the caller's.
  ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, kWorkers);
  ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, kJobBytes);
}

BlockEncoder::~BlockEncoder() = default;

bool BlockEncoder::has_room() {
  if (block_ != nullptr && block_->size == Block::kCapacity) {
    out_.pass_full(block_);
    block_ = nullptr;
  }
  if (block_ == nullptr) block_ = out_.take_empty();
  return block_ != nullptr;
}

Status BlockEncoder::write(std::string_view content) {
  return zstd_ ? compress(content, false) : copy(content);
}

Status BlockEncoder::finish() {
  if (zstd_) {
    if (Status done = compress({}, true); !done) return done;
  }
  if (block_ != nullptr) out_.pass_full(block_);
  block_ = nullptr;
  out_.close();
  return {};
}

Status BlockEncoder::compress(std::string_view content, bool last) {
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  std::size_t left = 1;
  while (last ? left != 0 : in.pos < in.size) {
    if (!has_room()) return std::unexpected(*out_.error());
    ZSTD_outBuffer out{block_->bytes.get(), Block::kCapacity, block_->size};
    left =
        ZSTD_compressStream2(zstd_->context.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0) return zstd_failure(left);
    block_->size = out.pos;
  }
  return {};
}

Status BlockEncoder::copy(std::string_view content) {
  while (!content.empty()) {
    if (!has_room()) return std::unexpected(*out_.error());
    const std::size_t n = std::min(content.size(), Block::kCapacity - block_->size);
    std::memcpy(block_->bytes.get() + block_->size, content.data(), n);
    block_->size += n;
    content.remove_prefix(n);
  }
  return {};
}

}  // namespace muniment
