// The engine's multiplexed stream: standard output and standard error of a command in frames.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_FRAME_READER_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_FRAME_READER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "recorder/core/result.h"

namespace muniment {

enum class ExecChannel { kOut, kErr };

// Takes frames apart as their bytes come, split anywhere. Format (Engine API, "Attach to a
// container", stream format): one byte type, three zero bytes, payload length as 32-bit big-endian,
// payload. Types: 0 and 1 standard output, 2 standard error, 3 an error of the engine itself.
// Nothing is kept but the head of the current frame and the first 4 KiB of an engine's error.
class FrameReader {
 public:
  // A longer payload is no frame of any engine: they cut at 32 KiB.
  static constexpr std::uint32_t kMostPayload = 16U << 20U;

  // Gets the pieces of payload in their order; an error of it ends the stream.
  using Take = std::function<Status(ExecChannel, std::string_view)>;

  // kCorrupt: this is no frame (unknown type, padding that is not zero, length above kMostPayload),
  // or the engine reported an error (type 3), whose text is in the message. After an error nothing
  // more may be fed.
  Status feed(std::string_view bytes, const Take& take);

  // Whether the stream may end here: no frame has begun that is not complete.
  bool at_boundary() const { return head_bytes_ == 0 && payload_left_ == 0; }

  // Payload handed on so far, of both channels.
  std::uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  Status begin_frame();
  Status add_engine_error(std::string_view piece);

  std::array<unsigned char, 8> head_{};
  std::size_t head_bytes_ = 0;
  std::uint32_t payload_left_ = 0;
  unsigned char type_ = 0;
  std::string engine_error_;
  std::uint64_t payload_bytes_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_FRAME_READER_H_
