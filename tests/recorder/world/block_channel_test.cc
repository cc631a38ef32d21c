// Blocks arrive in order, never more than there are, and a failure of one side frees the other.
#include "recorder/world/block_channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/generator.h"

namespace muniment {
namespace {

void stamp(Block* block, std::uint64_t number) {
  std::memcpy(block->bytes.get(), &number, sizeof number);
  block->size = sizeof number;
}

std::uint64_t stamp_of(const Block* block) {
  std::uint64_t number = 0;
  std::memcpy(&number, block->bytes.get(), sizeof number);
  return number;
}

TEST(BlockChannel, HandsBlocksOnInOrderAndNoneTwice) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int round = 0; round < 10; ++round) {
    const std::size_t blocks = generator.between(1, 5);
    const std::uint64_t count = generator.below(3000);
    BlockChannel channel(blocks);
    std::atomic<std::size_t> abroad = 0;
    std::atomic<bool> stale = false;
    std::thread filler([&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        Block* block = channel.take_empty();
        stale = stale || block->size != 0;
        ++abroad;
        stamp(block, i);
        channel.pass_full(block);
      }
      channel.close();
    });
    std::uint64_t next = 0;
    std::size_t most = 0;
    while (Block* block = channel.take_full()) {
      EXPECT_EQ(stamp_of(block), next);
      ++next;
      most = std::max(most, abroad.load());
      --abroad;
      channel.give_back(block);
    }
    filler.join();
    EXPECT_EQ(next, count);
    EXPECT_LE(most, blocks);
    EXPECT_FALSE(stale) << "an empty block was not empty";
    EXPECT_FALSE(channel.error().has_value());
  }
}

TEST(BlockChannel, HasDistinctBlocksThatDirectIoCanUse) {
  BlockChannel channel(4);
  std::set<const char*> places;
  for (int i = 0; i < 4; ++i) {
    const Block* block = channel.take_empty();
    ASSERT_NE(block, nullptr);
    places.insert(block->bytes.get());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block->bytes.get()) % 4096, 0U);
    std::memset(block->bytes.get(), 0x5a, Block::kCapacity);
  }
  EXPECT_EQ(places.size(), 4U);
}

TEST(BlockChannel, DrainsWhatWasPassedBeforeItWasClosed) {
  BlockChannel channel(3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    Block* block = channel.take_empty();
    stamp(block, i);
    channel.pass_full(block);
  }
  channel.close();
  for (std::uint64_t i = 0; i < 3; ++i) {
    Block* block = channel.take_full();
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(stamp_of(block), i);
    channel.give_back(block);
  }
  EXPECT_EQ(channel.take_full(), nullptr);
  EXPECT_EQ(channel.take_full(), nullptr) << "the end is not the end";
}

TEST(BlockChannel, FreesAFillerThatWaitsWhenTheDrainerFails) {
  BlockChannel channel(1);
  channel.pass_full(channel.take_empty());
  Block* seen = nullptr;
  std::thread filler([&] { seen = channel.take_empty(); });
  channel.fail_with({ErrorCode::kIo, "the disk is full"});
  filler.join();
  EXPECT_EQ(seen, nullptr);
  EXPECT_EQ(channel.take_full(), nullptr) << "a block came out of a channel that failed";
  ASSERT_TRUE(channel.error().has_value());
  EXPECT_EQ(channel.error()->message, "the disk is full");
}

TEST(BlockChannel, FreesADrainerThatWaitsWhenTheFillerFails) {
  BlockChannel channel(2);
  Block* seen = nullptr;
  std::thread drainer([&] { seen = channel.take_full(); });
  channel.fail_with({ErrorCode::kInterrupted, "given up"});
  drainer.join();
  EXPECT_EQ(seen, nullptr);
  EXPECT_EQ(channel.take_empty(), nullptr) << "an empty block of a channel that failed";
}

TEST(BlockChannel, KeepsTheFirstErrorOfSeveral) {
  BlockChannel channel(1);
  EXPECT_FALSE(channel.error().has_value());
  channel.fail_with({ErrorCode::kCorrupt, "first"});
  channel.fail_with({ErrorCode::kIo, "second"});
  ASSERT_TRUE(channel.error().has_value());
  EXPECT_EQ(channel.error()->message, "first");
  EXPECT_EQ(channel.error()->code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace muniment
