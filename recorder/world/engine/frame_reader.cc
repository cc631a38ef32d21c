#include "recorder/world/engine/frame_reader.h"

#include <algorithm>
#include <utility>

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr unsigned char kStandardError = 2;
constexpr unsigned char kEngineError = 3;
constexpr std::size_t kMostEngineError = 4096;
constexpr std::size_t kMostShown = 512;

}  // namespace

Status FrameReader::feed(std::string_view bytes, const Take& take) {
  while (!bytes.empty()) {
    if (payload_left_ == 0) {
      const std::size_t taken = std::min(bytes.size(), head_.size() - head_bytes_);
      for (const char byte : bytes.substr(0, taken)) {
        head_[head_bytes_++] = static_cast<unsigned char>(byte);
      }
      bytes.remove_prefix(taken);
      if (head_bytes_ < head_.size()) return {};
      if (Status begun = begin_frame(); !begun) return begun;
      continue;
    }
    const std::string_view piece = bytes.substr(0, payload_left_);
    bytes.remove_prefix(piece.size());
    payload_left_ -= static_cast<std::uint32_t>(piece.size());
    if (type_ == kEngineError) {
      if (Status added = add_engine_error(piece); !added) return added;
      continue;
    }
    payload_bytes_ += piece.size();
    const ExecChannel channel = type_ == kStandardError ? ExecChannel::kErr : ExecChannel::kOut;
    if (Status taken = take(channel, piece); !taken) return taken;
  }
  return {};
}

Status FrameReader::begin_frame() {
  head_bytes_ = 0;
  type_ = head_[0];
  if (type_ > kEngineError) {
    return fail(ErrorCode::kCorrupt, "the stream holds no frame: its type is " +
                                         std::to_string(type_) + ", known are 0 to 3");
  }
  if (head_[1] != 0 || head_[2] != 0 || head_[3] != 0) {
    return fail(ErrorCode::kCorrupt, "the stream holds no frame: its padding is not zero");
  }
  std::uint32_t length = 0;
  for (std::size_t i = 4; i < head_.size(); ++i) length = (length << 8U) | head_[i];
  if (length > kMostPayload) {
    return fail(ErrorCode::kCorrupt, "the stream holds no frame: it would have " +
                                         std::to_string(length) + " bytes, allowed are " +
                                         std::to_string(kMostPayload));
  }
  payload_left_ = length;
  return type_ == kEngineError && length == 0 ? add_engine_error({}) : Status();
}

Status FrameReader::add_engine_error(std::string_view piece) {
  engine_error_ += piece.substr(0, kMostEngineError - engine_error_.size());
  if (payload_left_ > 0) return {};
  return fail(ErrorCode::kCorrupt,
              "the engine reported an error in the stream: " +
                  (engine_error_.empty() ? "(no text)" : inert_short(engine_error_, kMostShown)));
}

}  // namespace muniment
