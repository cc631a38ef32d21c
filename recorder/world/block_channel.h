// A bounded lane of buffers between two threads.
#ifndef MUNIMENT_RECORDER_WORLD_BLOCK_CHANNEL_H_
#define MUNIMENT_RECORDER_WORLD_BLOCK_CHANNEL_H_

#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

// `capacity` bytes, aligned for direct I/O, of which the first `size` are filled.
struct Block {
  static constexpr std::size_t kCapacity = std::size_t{1} << 20U;
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> bytes;
  std::size_t size = 0;
};

// A fixed number of blocks goes round: the filler takes an empty one, passes it on full; the
// drainer takes it and gives it back. The blocks are the channel's. One filler, one drainer, each
// in a thread of its own; every method may be called from either.
class BlockChannel {
 public:
  explicit BlockChannel(std::size_t blocks);

  // Waits for an empty block (size 0). Null when the drainer has failed: see error().
  Block* take_empty();
  void pass_full(Block* block);
  // No more blocks will come.
  void close();

  // Waits for a full block, in the order they were passed. Null when there will be none: the filler
  // closed the channel, or one side failed.
  Block* take_full();
  void give_back(Block* block);

  // Ends the traffic in both directions; the first error stays.
  void fail_with(Error error);
  // What fail_with() was told.
  std::optional<Error> error();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Block> blocks_;
  std::deque<Block*> empty_;
  std::deque<Block*> full_;
  bool closed_ = false;
  std::optional<Error> error_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_BLOCK_CHANNEL_H_
