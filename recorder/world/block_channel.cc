#include "recorder/world/block_channel.h"

#include <new>
#include <utility>

namespace muniment {
namespace {

constexpr std::size_t kAlignment = 4096;

}  // namespace

BlockChannel::BlockChannel(std::size_t blocks) : blocks_(blocks) {
  for (Block& block : blocks_) {
    block.bytes.reset(static_cast<char*>(std::aligned_alloc(kAlignment, Block::kCapacity)));
    if (!block.bytes) throw std::bad_alloc();
    empty_.push_back(&block);
  }
}

Block* BlockChannel::take_empty() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || !empty_.empty(); });
  if (error_) return nullptr;
  Block* block = empty_.front();
  empty_.pop_front();
  block->size = 0;
  return block;
}

void BlockChannel::pass_full(Block* block) {
  const std::scoped_lock lock(mutex_);
  full_.push_back(block);
  changed_.notify_all();
}

void BlockChannel::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

Block* BlockChannel::take_full() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || closed_ || !full_.empty(); });
  if (error_ || full_.empty()) return nullptr;
  Block* block = full_.front();
  full_.pop_front();
  return block;
}

void BlockChannel::give_back(Block* block) {
  const std::scoped_lock lock(mutex_);
  empty_.push_back(block);
  changed_.notify_all();
}

void BlockChannel::fail_with(Error error) {
  const std::scoped_lock lock(mutex_);
  if (!error_) error_ = std::move(error);
  changed_.notify_all();
}

std::optional<Error> BlockChannel::error() {
  const std::scoped_lock lock(mutex_);
  return error_;
}

}  // namespace muniment
