#include "replay/tiles.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "tests/support/published_sample.h"
#include "tests/support/rows_log.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

constexpr std::uint64_t kEvents = 1'000;

class Tiles : public testing::Test {
 protected:
  Tiles() {
    std::vector<std::string> entries;
    for (Entry& entry : sample_entries(0, kEvents)) entries.push_back(std::move(entry.bytes));
    sample_ = std::make_unique<PublishedSample>(std::move(entries));
    EXPECT_TRUE(log_->append(sample_entries(0, kEvents), std::nullopt));
  }

  std::unique_ptr<Store> log_ = make_memory_log("log.example/sample");
  std::unique_ptr<PublishedSample> sample_;
};

TEST_F(Tiles, AreWhatTheStandardSaysAtEverySize) {
  std::map<std::string, Tile> all;
  for (std::uint64_t size = 0; size <= kEvents; ++size) {
    for (const Tile& tile : tiles_of(size)) all.emplace(tile_path(tile), tile);
  }
  EXPECT_GT(all.size(), 1'990U);
  for (const auto& [path, tile] : all) {
    const Result<std::string> bytes = tile_bytes(*log_, tile);
    ASSERT_TRUE(bytes) << bytes.error().message;
    ASSERT_EQ(*bytes, sample_->bytes_of(tile)) << path;
    EXPECT_GE(bytes->size(), size_bounds(tile).least) << path;
    EXPECT_LE(bytes->size(), size_bounds(tile).most) << path;
  }
}

TEST_F(Tiles, AreNotMadeFromRowsThatAreMissing) {
  RowsLog rows(*log_);
  rows.table(Table::kNode).erase(node_key(0, 300));
  rows.table(Table::kNode)[node_key(8, 2)] = "short";
  rows.table(Table::kEvent).erase(sequence_key(600));
  for (const auto& [tile, part] :
       std::vector<std::pair<Tile, const char*>>{{{0, 1, 256}, "tree node 300"},
                                                 {{1, 0, 3}, "tree node 2"},
                                                 {{{}, 2, 256}, "event 600"}}) {
    const Result<std::string> bytes = tile_bytes(rows, tile);
    ASSERT_FALSE(bytes) << tile_path(tile);
    EXPECT_EQ(bytes.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(bytes.error().message.find(part), std::string::npos) << bytes.error().message;
  }
  EXPECT_TRUE(tile_bytes(rows, {0, 1, 44}));
  EXPECT_FALSE(tile_bytes(rows, {0, 3, 256})) << "the log ends before";
}

TEST(EndOfTile, IsTheSizeThatALogMustHave) {
  EXPECT_EQ(end_of({0, 0, 1}), 1U);
  EXPECT_EQ(end_of({std::nullopt, 3, 256}), 1024U);
  EXPECT_EQ(end_of({1, 0, 2}), 512U);
  EXPECT_EQ(end_of({7, 0, 127}), 127ULL << 56U);
  EXPECT_EQ(end_of({7, 1, 1}), UINT64_MAX);
  EXPECT_EQ(end_of({8, 0, 1}), UINT64_MAX);
  EXPECT_EQ(end_of({63, UINT64_MAX, 256}), UINT64_MAX);
  EXPECT_EQ(end_of({0, UINT64_MAX / 2, 256}), UINT64_MAX);
}

}  // namespace
}  // namespace muniment
