#include "recorder/core/tlog/tree_proof.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/base64.h"
#include "tests/support/generator.h"
#include "tests/support/naive_tree.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

constexpr std::size_t kMostLeaves = 300;

NaiveTree numbered_tree(std::size_t count, std::string_view word = "leaf") {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash(std::string(word) + " " + std::to_string(i)));
  }
  return NaiveTree(std::move(leaves));
}

// The eight leaves that the implementations of RFC 6962 are tested with, and the root over the
// first 0, 1, 2 … of them.
const std::array<std::string, 8> kKnownLeaves = {"",
                                                 "00",
                                                 "10",
                                                 "2021",
                                                 "3031",
                                                 "40414243",
                                                 "5051525354555657",
                                                 "606162636465666768696a6b6c6d6e6f"};
const std::array<std::string_view, 9> kKnownRoots = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

NaiveTree known_tree() {
  std::vector<Digest> leaves;
  for (const std::string& leaf : kKnownLeaves) leaves.push_back(leaf_hash(from_hex(leaf)));
  return NaiveTree(std::move(leaves));
}

Digest known_root(std::size_t size) {
  return digest_from_bytes(from_hex(kKnownRoots.at(size)));
}

TEST(TreeProof, HoldsUnderTheKnownRootsOfTheKnownLeaves) {
  NaiveTree tree = known_tree();
  for (std::size_t size = 0; size <= kKnownLeaves.size(); ++size) {
    ASSERT_EQ(to_hex(tree.root(size)), kKnownRoots.at(size));
    for (std::size_t index = 0; index < size; ++index) {
      EXPECT_TRUE(verify_inclusion(tree.leaves()[index], index, size, tree.inclusion(index, size),
                                   known_root(size)));
    }
    for (std::size_t old = 1; old <= size; ++old) {
      EXPECT_TRUE(verify_consistency(old, size, tree.consistency(old, size), known_root(old),
                                     known_root(size)));
    }
  }
}

// RFC 6962, section 2.1.3: the tree of seven leaves, whose nodes it calls a to l.
TEST(TreeProof, TakesTheExamplesOfTheRfc) {
  NaiveTree tree = known_tree();
  const std::vector<Digest>& leaves = tree.leaves();
  const Digest b = leaves[1];
  const Digest c = leaves[2];
  const Digest d = leaves[3];
  const Digest f = leaves[5];
  const Digest g = tree.hash(0, 2);
  const Digest h = tree.hash(2, 4);
  const Digest i = tree.hash(4, 6);
  const Digest j = leaves[6];
  const Digest k = tree.hash(0, 4);
  const Digest l = tree.hash(4, 7);
  const Digest root = known_root(7);
  EXPECT_TRUE(verify_inclusion(leaves[0], 0, 7, std::vector{b, h, l}, root));
  EXPECT_TRUE(verify_inclusion(leaves[3], 3, 7, std::vector{c, g, l}, root));
  EXPECT_TRUE(verify_inclusion(leaves[4], 4, 7, std::vector{f, j, k}, root));
  EXPECT_TRUE(verify_inclusion(leaves[6], 6, 7, std::vector{i, k}, root));
  EXPECT_TRUE(verify_consistency(3, 7, std::vector{c, d, g, l}, known_root(3), root));
  EXPECT_TRUE(verify_consistency(4, 7, std::vector{l}, known_root(4), root));
  EXPECT_TRUE(verify_consistency(6, 7, std::vector{i, j, k}, known_root(6), root));
}

TEST(TreeProof, HoldsWhereverTheTextOfTheRfcMakesOne) {
  NaiveTree tree = numbered_tree(kMostLeaves);
  for (std::size_t size = 1; size <= kMostLeaves; ++size) {
    const Digest root = tree.root(size);
    for (std::size_t number = 0; number < size; ++number) {
      const Status included =
          verify_inclusion(tree.leaves()[number], number, size, tree.inclusion(number, size), root);
      ASSERT_TRUE(included) << included.error().message;
      const Status consistent = verify_consistency(
          number + 1, size, tree.consistency(number + 1, size), tree.root(number + 1), root);
      ASSERT_TRUE(consistent) << consistent.error().message;
    }
  }
}

void expect_refused(const Status& status, std::string_view what) {
  ASSERT_FALSE(status) << what;
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt) << what;
}

// Every proof that differs from `proof` in one small thing.
std::vector<std::pair<std::string, std::vector<Digest>>> changed(const std::vector<Digest>& proof,
                                                                 Generator& generator) {
  std::vector<std::pair<std::string, std::vector<Digest>>> all;
  const auto add = [&](const std::string& how) -> std::vector<Digest>& {
    return all.emplace_back(how + " in a proof of " + std::to_string(proof.size()), proof).second;
  };
  for (std::size_t i = 0; i < proof.size(); ++i) {
    const std::string at = " " + std::to_string(i);
    std::vector<Digest>& flipped = add("bit flipped in hash" + at);
    flipped[i].at(generator.below(32)) ^= static_cast<std::uint8_t>(1U << generator.below(8));
    std::vector<Digest>& dropped = add("dropped hash" + at);
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(i));
    for (std::size_t j = i + 1; j < proof.size(); ++j) {
      std::swap(add("swapped" + at + " and " + std::to_string(j))[i], all.back().second[j]);
    }
  }
  for (std::size_t i = 0; i <= proof.size(); ++i) {
    std::vector<Digest>& grown = add("added hash " + std::to_string(i));
    grown.insert(grown.begin() + static_cast<std::ptrdiff_t>(i),
                 generator.one_in(2) || proof.empty() ? sha256("x") : proof.front());
  }
  return all;
}

TEST(InclusionProof, IsRefusedWhenAnythingIsChanged) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  constexpr std::size_t kSizes = 36;
  NaiveTree tree = numbered_tree(kSizes);
  for (std::size_t size = 1; size <= kSizes; ++size) {
    for (std::size_t index = 0; index < size; ++index) {
      const std::vector<Digest> proof = tree.inclusion(index, size);
      const Digest& leaf = tree.leaves()[index];
      const Digest root = tree.root(size);
      for (const auto& [how, other] : changed(proof, generator)) {
        expect_refused(verify_inclusion(leaf, index, size, other, root), how);
      }
      for (std::size_t other = 0; other <= kSizes; ++other) {
        if (other != index) {
          expect_refused(verify_inclusion(leaf, other, size, proof, root), "another index");
        }
        if (other != size) {
          // Under the root of another size. The same root with another size may hold: a proof of
          // leaf 0 of 3 has the shape of one of 4. What binds size and root is the checkpoint.
          expect_refused(verify_inclusion(leaf, index, other, proof, tree.root(other)),
                         "another size");
        }
      }
      expect_refused(verify_inclusion(sha256("x"), index, size, proof, root), "another leaf");
      expect_refused(verify_inclusion(leaf, index, size, proof, sha256("x")), "another root");
    }
  }
}

TEST(ConsistencyProof, IsRefusedWhenAnythingIsChanged) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  constexpr std::size_t kSizes = 36;
  NaiveTree tree = numbered_tree(kSizes);
  for (std::size_t size = 1; size <= kSizes; ++size) {
    for (std::size_t old = 1; old <= size; ++old) {
      const std::vector<Digest> proof = tree.consistency(old, size);
      const Digest old_root = tree.root(old);
      const Digest root = tree.root(size);
      for (const auto& [how, other] : changed(proof, generator)) {
        expect_refused(verify_consistency(old, size, other, old_root, root), how);
      }
      for (std::size_t other = 0; other <= kSizes; ++other) {
        if (other != old) {
          expect_refused(verify_consistency(other, size, proof, tree.root(other), root),
                         "another old size");
        }
        if (other != size) {
          expect_refused(verify_consistency(old, other, proof, old_root, tree.root(other)),
                         "another size");
        }
      }
      expect_refused(verify_consistency(old, size, proof, sha256("x"), root), "another old root");
      expect_refused(verify_consistency(old, size, proof, old_root, sha256("x")), "another root");
      if (old != size) {
        expect_refused(verify_consistency(old, size, proof, root, old_root), "roots swapped");
      }
    }
  }
}

// A log that changed its past: no proof that either history makes joins them.
TEST(ConsistencyProof, DoesNotJoinTwoHistories) {
  NaiveTree told = numbered_tree(40);
  std::vector<Digest> leaves = told.leaves();
  leaves[7] = leaf_hash("leaf 7, but nicer");
  NaiveTree retold(leaves);
  for (std::size_t old = 8; old <= 40; ++old) {
    for (std::size_t size = old; size <= 40; ++size) {
      for (NaiveTree* tree : {&told, &retold}) {
        expect_refused(verify_consistency(old, size, tree->consistency(old, size), told.root(old),
                                          retold.root(size)),
                       "joined");
      }
    }
  }
}

TEST(TreeProof, SaysWhatWasExpectedAndWhatWasFound) {
  NaiveTree tree = numbered_tree(8);
  std::vector<Digest> proof = tree.inclusion(5, 8);
  const Status other_root = verify_inclusion(tree.leaves()[5], 5, 8, proof, tree.root(7));
  ASSERT_FALSE(other_root);
  for (const std::string& part : {std::string("event 5"), std::string("log of 8"),
                                  to_hex(tree.root(8)), to_hex(tree.root(7))}) {
    EXPECT_NE(other_root.error().message.find(part), std::string::npos)
        << other_root.error().message;
  }
  proof.pop_back();
  const Status too_short = verify_inclusion(tree.leaves()[5], 5, 8, proof, tree.root(8));
  ASSERT_FALSE(too_short);
  EXPECT_NE(too_short.error().message.find("has 2 hashes where 3 "), std::string::npos)
      << too_short.error().message;
  const Status shrunk = verify_consistency(9, 8, {}, tree.root(8), tree.root(8));
  ASSERT_FALSE(shrunk);
  EXPECT_NE(shrunk.error().message.find("has become shorter"), std::string::npos);
}

TEST(TreeProof, EndsForAnySizesThatAProofClaims) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  const std::vector<Digest> proof(64, sha256("x"));
  for (const std::uint64_t size : {kMost, kMost - 1, kMost / 2, kMost / 2 + 1, std::uint64_t{0}}) {
    for (const std::uint64_t other :
         {kMost, kMost - 1, kMost / 2 + 1, size - 1, std::uint64_t{1}}) {
      for (std::size_t length = 0; length <= proof.size(); ++length) {
        const Proof part = Proof(proof).first(length);
        EXPECT_FALSE(verify_inclusion(proof[0], other, size, part, sha256("y")));
        EXPECT_FALSE(verify_consistency(other, size, part, sha256("y"), sha256("z")));
      }
    }
  }
}

// A probe of the vectors. Absent: a hash in it has not 32 bytes, which cannot be said to our
// verifier at all.
std::optional<Status> verdict_on(const Json& probe) {
  const auto digest = [](const Json& text) -> std::optional<Digest> {
    const std::optional<std::string> bytes = base64_decoded_strictly(text.text);
    if (!bytes || bytes->size() != sizeof(Digest)) return std::nullopt;
    return digest_from_bytes(*bytes);
  };
  const auto number = [&](std::string_view name) { return std::stoull(member(probe, name).text); };
  std::vector<Digest> proof;
  for (const Json& item : member(probe, "proof").items) {
    const std::optional<Digest> hash = digest(item);
    if (!hash) return std::nullopt;
    proof.push_back(*hash);
  }
  const bool is_inclusion = probe.find("leafIdx") != nullptr;
  const std::optional<Digest> first = digest(member(probe, is_inclusion ? "leafHash" : "root1"));
  const std::optional<Digest> second = digest(member(probe, is_inclusion ? "root" : "root2"));
  if (!first || !second) return std::nullopt;
  if (is_inclusion) {
    return verify_inclusion(*first, number("leafIdx"), number("treeSize"), proof, *second);
  }
  return verify_consistency(number("size1"), number("size2"), proof, *first, *second);
}

TEST(TreeProof, AgreesWithThePublishedProbes) {
  SKIP_WITHOUT_VECTORS("merkle/testdata");
  int good = 0;
  int bad = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(vectors_folder() + "/merkle/testdata")) {
    if (entry.path().extension() != ".json") continue;
    const Json probe = read_vectors(entry.path().string());
    const bool is_good = member(probe, "wantErr").text == "false";
    const std::optional<Status> verdict = verdict_on(probe);
    EXPECT_EQ(verdict && *verdict, is_good) << entry.path();
    ++(is_good ? good : bad);
  }
  EXPECT_GE(good, 8);
  EXPECT_GE(bad, 120);
}

TEST(TreeProof, AgreesWithThePublishedTree) {
  constexpr std::string_view kFile = "rfc6962/hasher_and_tree8.json";
  SKIP_WITHOUT_VECTORS(kFile.data());
  const Json vectors = read_vectors(vectors_folder() + "/" + std::string(kFile));
  EXPECT_EQ(member(vectors, "empty_root").text, kKnownRoots[0]);
  for (const Json& row : member(vectors, "leaf").items) {
    EXPECT_EQ(to_hex(leaf_hash(from_hex(member(row, "data_hex").text))), member(row, "hash").text);
  }
  NaiveTree tree = known_tree();
  const std::vector<Json>& levels = member(vectors, "tree8_nodes_by_level").items;
  ASSERT_EQ(levels.size(), 4U);
  for (std::size_t level = 0; level < levels.size(); ++level) {
    for (std::size_t index = 0; index < levels[level].items.size(); ++index) {
      EXPECT_EQ(to_hex(tree.hash(index << level, (index + 1) << level)),
                levels[level].items[index].text);
    }
  }
}

}  // namespace
}  // namespace muniment
