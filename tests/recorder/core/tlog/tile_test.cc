#include "recorder/core/tlog/tile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/generator.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

constexpr std::string_view kVectors = "tlog_tiles/paths.json";

Tile some_tile(Generator& generator) {
  Tile tile;
  if (!generator.one_in(3)) tile.level = static_cast<std::uint8_t>(generator.below(64));
  tile.index = generator.below(std::size_t{1} << generator.between(1, 63));
  if (generator.one_in(2)) tile.width = static_cast<unsigned>(generator.between(1, 255));
  return tile;
}

TEST(TilePath, IsThatOfTheStandard) {
  EXPECT_EQ(tile_path({0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({1, 0, 17}), "tile/1/000.p/17");
  EXPECT_EQ(tile_path({std::nullopt, 999, 256}), "tile/entries/999");
  EXPECT_EQ(tile_path({std::nullopt, 1000, 255}), "tile/entries/x001/000.p/255");
  EXPECT_EQ(tile_path({63, ~std::uint64_t{0}, 1}), "tile/63/x018/x446/x744/x073/x709/x551/615.p/1");
}

TEST(TilePath, IsReadAsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 2000; ++i) {
    const Tile tile = some_tile(generator);
    const Result<Tile> read = parse_tile_path(tile_path(tile));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, tile) << tile_path(tile);
  }
}

TEST(TilePath, HasOneSpelling) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  int taken = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string path = tile_path(some_tile(generator));
    const std::size_t at = generator.below(path.size());
    if (generator.one_in(2)) path.erase(at, generator.between(1, 4));
    if (generator.one_in(2)) path.insert(std::min(at, path.size()), generator.text(1, "0125x/.p"));
    if (generator.one_in(2)) path[generator.below(path.size())] = generator.text(1, "0125x/.p")[0];
    const Result<Tile> read = parse_tile_path(path);
    if (!read) continue;
    ++taken;
    ASSERT_EQ(tile_path(*read), path);
  }
  EXPECT_GT(taken, 100) << "hardly any change left a path: nothing was tested";
}

TEST(TilePath, IsRefusedWhenItIsNone) {
  for (const std::string_view path : {"",
                                      "tile",
                                      "tile/",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/0/0",
                                      "tile/0/00",
                                      "tile/0/0000",
                                      "tile/00/000",
                                      "tile/64/000",
                                      "tile/+1/000",
                                      "tile//000",
                                      "tile/data/000",
                                      "Tile/0/000",
                                      "/tile/0/000",
                                      "tile/0/000/",
                                      "tile/0/x000/000",
                                      "tile/0/x000",
                                      "tile/0/x000/",
                                      "tile/0/000/001",
                                      "tile/0/X001/000",
                                      "tile/0/001.p",
                                      "tile/0/001.p/",
                                      "tile/0/001.p/0",
                                      "tile/0/001.p/256",
                                      "tile/0/001.p/01",
                                      "tile/0/001.p/1/",
                                      "tile/0/001.p/1.p/1",
                                      "tile/0/001.P/1",
                                      "tile/0/../entries/000",
                                      "tile/0/001 ",
                                      "tile/0/x018/x446/x744/x073/x709/x551/616",
                                      "tile/8/000/x001/000"}) {
    const Result<Tile> read = parse_tile_path(path);
    ASSERT_FALSE(read) << path;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_NE(read.error().message.find(path), std::string::npos) << read.error().message;
  }
}

TEST(TilePath, AgreesWithThePublishedVectors) {
  SKIP_WITHOUT_VECTORS(kVectors.data());
  const Json vectors = read_vectors(vectors_folder() + "/" + std::string(kVectors));
  const auto number = [](const Json& row, std::string_view name) {
    return std::stoull(member(row, name).text);
  };
  // There a width of 0 means a full tile.
  const auto width = [&](const Json& row) {
    const auto partial = static_cast<unsigned>(number(row, "p"));
    return partial == 0 ? kTileWidth : partial;
  };
  for (const Json& row : member(vectors, "entries_path").items) {
    EXPECT_EQ(tile_path({std::nullopt, number(row, "N"), width(row)}), member(row, "path").text);
  }
  for (const Json& row : member(vectors, "tile_path").items) {
    const auto level = static_cast<std::uint8_t>(number(row, "L"));
    EXPECT_EQ(tile_path({level, number(row, "N"), width(row)}), member(row, "path").text);
  }
  ASSERT_EQ(member(vectors, "parse_ok").items.size(), 4U);
  for (const Json& row : member(vectors, "parse_ok").items) {
    const std::string path = "tile/" + member(row, "L").text + "/" + member(row, "N").text;
    const Result<Tile> read = parse_tile_path(path);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, (Tile{static_cast<std::uint8_t>(number(row, "level")), number(row, "index"),
                           width(row)}));
  }
  ASSERT_EQ(member(vectors, "parse_error").items.size(), 15U);
  for (const Json& row : member(vectors, "parse_error").items) {
    const std::string path = "tile/" + row.items.at(0).text + "/" + row.items.at(1).text;
    EXPECT_FALSE(parse_tile_path(path)) << path;
  }
}

TEST(TilesOf, ListsTheFilesOfTheStandardsExample) {
  std::map<std::pair<int, bool>, std::vector<Tile>> found;  // by level (-1: entries) and fullness
  for (const Tile& tile : tiles_of(70'000)) {
    found[{tile.level ? *tile.level : -1, tile.is_full()}].push_back(tile);
  }
  for (const int level : {0, -1}) {
    EXPECT_EQ((found[{level, true}].size()), 273U);
    ASSERT_EQ((found[{level, false}].size()), 1U);
    EXPECT_EQ((found[{level, false}][0].width), 112U);
    EXPECT_EQ((found[{level, false}][0].index), 273U);
  }
  EXPECT_EQ((found[{1, true}].size()), 1U);
  ASSERT_EQ((found[{1, false}].size()), 1U);
  EXPECT_EQ((found[{1, false}][0]), (Tile{1, 1, 17}));
  EXPECT_TRUE((found[{2, true}].empty()));
  ASSERT_EQ((found[{2, false}].size()), 1U);
  EXPECT_EQ((found[{2, false}][0]), (Tile{2, 0, 1}));
  EXPECT_TRUE((found[{3, false}].empty()));
  EXPECT_EQ(tiles_of(256), (std::vector<Tile>{{0, 0, 256}, {1, 0, 1}, {std::nullopt, 0, 256}}));
  EXPECT_TRUE(tiles_of(0).empty());
}

// Tile (l, n) holds the roots of the perfect subtrees of 256^l leaves, as many as there are.
TEST(TilesOf, CoversEachNodeOnceInOrder) {
  for (const std::uint64_t size : {1ULL, 2ULL, 255ULL, 256ULL, 257ULL, 511ULL, 512ULL, 65'535ULL,
                                   65'536ULL, 65'537ULL, 131'072ULL, 1'000'000ULL}) {
    const std::vector<Tile> tiles = tiles_of(size);
    std::map<int, std::uint64_t> held;
    int last = 0;
    for (const Tile& tile : tiles) {
      const int level = tile.level ? *tile.level : 64;
      ASSERT_GE(level, last) << "out of order in a log of " << size;
      last = level;
      std::uint64_t& count = held[level];
      ASSERT_EQ(tile.index * kTileWidth, count) << "a gap in a log of " << size;
      ASSERT_GE(tile.width, 1U);
      count += tile.width;
    }
    std::map<int, std::uint64_t> expected = {{64, size}};
    std::uint64_t leaves_below = 1;
    for (int level = 0; size / leaves_below > 0; ++level, leaves_below *= kTileWidth) {
      expected[level] = size / leaves_below;
    }
    EXPECT_EQ(held, expected) << size;
  }
}

TEST(EntryBundle, IsReadAsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 100; ++i) {
    std::vector<std::string> entries;
    while (entries.size() < 256 && !generator.one_in(20)) {
      entries.push_back(generator.bytes(generator.below(300)));
    }
    if (i == 0) entries = {std::string(65'535, 'x'), "", std::string(256, '\0')};
    const std::string bytes = entry_bundle(entries);
    const auto read = parse_entry_bundle(bytes, static_cast<unsigned>(entries.size()));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(std::ranges::equal(*read, entries));
  }
}

TEST(EntryBundle, IsRefusedWhenItsBytesAreNotAllAndOnlyItsEntries) {
  const std::vector<std::string> entries = {"one", "", "three"};
  const std::string bytes = entry_bundle(entries);
  ASSERT_EQ(bytes.size(), 14U);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = parse_entry_bundle(std::string_view(bytes).substr(0, size), 3);
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(parse_entry_bundle(bytes + '\0', 3));
  for (const unsigned width : {0U, 1U, 2U, 4U, 256U}) {
    EXPECT_FALSE(parse_entry_bundle(bytes, width)) << width;
  }
}

TEST(EntryBundle, AgreesWithThePublishedVectors) {
  SKIP_WITHOUT_VECTORS(kVectors.data());
  const Json vectors = read_vectors(vectors_folder() + "/" + std::string(kVectors));
  for (const Json& row : member(vectors, "entry_bundle").items) {
    const std::string bytes = from_hex(member(row, "hex").text);
    if (row.find("error") != nullptr) {
      for (unsigned width = 0; width <= 256; ++width) {
        EXPECT_FALSE(parse_entry_bundle(bytes, width)) << member(row, "hex").text;
      }
      continue;
    }
    std::vector<std::string> entries;
    for (const Json& entry : member(row, "entries").items) entries.push_back(from_hex(entry.text));
    EXPECT_EQ(entry_bundle(entries), bytes);
    const auto read = parse_entry_bundle(bytes, static_cast<unsigned>(entries.size()));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(std::ranges::equal(*read, entries));
  }
}

}  // namespace
}  // namespace muniment
