// The form in which content is stored: as it is, or as one zstd frame.
#ifndef MUNIMENT_RECORDER_WORLD_BLOCK_ENCODER_H_
#define MUNIMENT_RECORDER_WORLD_BLOCK_ENCODER_H_

#include <memory>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/world/block_channel.h"
#include "recorder/world/compression.h"

namespace muniment {

// Encodes a stream into the blocks of `out`. zstd compresses with two threads of its own and writes
// a checksum. Not thread-safe; `out` must outlive it.
class BlockEncoder {
 public:
  BlockEncoder(Compression compression, BlockChannel& out);
  ~BlockEncoder();
  BlockEncoder(const BlockEncoder&) = delete;
  BlockEncoder& operator=(const BlockEncoder&) = delete;

  Status write(std::string_view content);
  // Ends the frame, passes the last block and closes `out`.
  Status finish();

 private:
  struct State;
  Status compress(std::string_view content, bool last);
  Status copy(std::string_view content);
  // A block with room in block_; false when `out` has failed.
  bool has_room();

  BlockChannel& out_;
  Block* block_ = nullptr;
  std::unique_ptr<State> zstd_;  // null: stored as it is
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_BLOCK_ENCODER_H_
