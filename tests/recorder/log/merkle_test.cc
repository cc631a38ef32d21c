#include "recorder/log/merkle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/naive_tree.h"

namespace muniment {
namespace {

std::vector<Digest> numbered_leaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash("leaf " + std::to_string(i)));
  return leaves;
}

const NodeVisitor kIgnore = [](std::uint8_t, std::uint64_t, const Digest&) {};

TEST(CompactRange, HasTheRootOfTheNaiveRecursionAtEverySize) {
  const std::vector<Digest> leaves = numbered_leaves(300);
  CompactRange tree;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    ASSERT_EQ(tree.root(), naive_root(leaves, 0, size)) << "size " << size;
    if (size < leaves.size()) tree.append(leaves[size], kIgnore);
  }
}

TEST(CompactRange, ReportsEachPerfectSubtreeOnceWithItsHash) {
  const std::vector<Digest> leaves = numbered_leaves(300);
  CompactRange tree;
  std::map<std::pair<std::uint8_t, std::uint64_t>, Digest> nodes;
  for (const Digest& leaf : leaves) {
    tree.append(leaf, [&](std::uint8_t level, std::uint64_t index, const Digest& hash) {
      EXPECT_TRUE(nodes.emplace(std::pair(level, index), hash).second);
    });
    ASSERT_EQ(nodes.size(), node_count(tree.size()));
  }
  for (const auto& [place, hash] : nodes) {
    const std::size_t width = std::size_t{1} << place.first;
    const std::size_t first = place.second * width;
    ASSERT_LE(first + width, leaves.size());
    EXPECT_EQ(hash, naive_root(leaves, first, first + width));
  }
}

TEST(CompactRange, GoesOnFromItsPeaks) {
  const std::vector<Digest> leaves = numbered_leaves(70);
  for (std::size_t cut = 0; cut <= leaves.size(); ++cut) {
    CompactRange tree;
    for (std::size_t i = 0; i < cut; ++i) tree.append(leaves[i], kIgnore);
    std::optional<CompactRange> again = CompactRange::from_peaks(tree.size(), tree.peaks());
    ASSERT_TRUE(again);
    for (std::size_t i = cut; i < leaves.size(); ++i) again->append(leaves[i], kIgnore);
    ASSERT_EQ(again->root(), naive_root(leaves, 0, leaves.size()));
  }
}

TEST(CompactRange, RefusesPeaksThatDoNotFitTheSize) {
  EXPECT_FALSE(CompactRange::from_peaks(3, {Digest{}}));
  EXPECT_FALSE(CompactRange::from_peaks(0, {Digest{}}));
  EXPECT_TRUE(CompactRange::from_peaks(3, {Digest{}, Digest{}}));
}

std::vector<std::string> strings_of(const std::string& json, const std::string& list) {
  const std::size_t begin = json.find('[', json.find('"' + list + '"'));
  const std::string body = json.substr(begin, json.find(']', begin) - begin);
  const std::regex quoted("\"([0-9a-f]*)\"");
  std::vector<std::string> found;
  for (std::sregex_iterator at(body.begin(), body.end(), quoted), end; at != end; ++at) {
    found.push_back((*at)[1]);
  }
  return found;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

TEST(CompactRange, AgreesWithThePublishedVectors) {
  const std::string path =
      std::string(MUNIMENT_SOURCE_DIR) + "/../shared/vectors/rfc6962/hasher_and_tree8.json";
  std::ifstream file(path);
  if (!file) GTEST_SKIP() << "no vectors at " << path;
  std::ostringstream text;
  text << file.rdbuf();
  const std::vector<std::string> leaves = strings_of(text.str(), "tree8_leaf_inputs_hex");
  const std::vector<std::string> roots = strings_of(text.str(), "tree8_root_by_size");
  ASSERT_EQ(leaves.size(), 8U);
  ASSERT_EQ(roots.size(), 9U);
  CompactRange tree;
  EXPECT_EQ(to_hex(tree.root()), roots[0]);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    tree.append(leaf_hash(from_hex(leaves[i])), kIgnore);
    EXPECT_EQ(to_hex(tree.root()), roots[i + 1]) << "size " << i + 1;
  }
}

}  // namespace
}  // namespace muniment
