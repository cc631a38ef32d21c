#include "recorder/core/digest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/generator.h"
#include "tests/support/naive_tree.h"

namespace muniment {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// FIPS 180-4: the examples of NIST for SHA-256, and the edges of a block from NIST's
// SHA256ShortMsg.
TEST(Sha256, GivesTheKnownAnswers) {
  const std::vector<std::pair<std::string, std::string>> answers = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
      {from_hex("d3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
      {from_hex("11af"), "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
  };
  for (const auto& [message, digest] : answers) {
    EXPECT_EQ(to_hex(sha256(message)), digest) << message.substr(0, 20);
  }
}

// RFC 6962, section 2.1, over the eight inputs of the test data of the certificate-transparency
// project (cpp/merkletree/merkle_tree_test.cc); the root at each size.
TEST(TreeHashes, GiveTheRootsOfCertificateTransparency) {
  const std::array inputs = {"",
                             "00",
                             "10",
                             "2021",
                             "3031",
                             "40414243",
                             "5051525354555657",
                             "606162636465666768696a6b6c6d6e6f"};
  const std::array roots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    leaves.push_back(leaf_hash(from_hex(inputs[i])));
    EXPECT_EQ(to_hex(naive_root(leaves, 0, leaves.size())), roots[i]) << i + 1 << " leaves";
  }
}

TEST(TreeHashes, AreTheHashOfAPrefixAndTheRest) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 200; ++i) {
    const std::string leaf = draw.bytes(draw.below(300));
    EXPECT_EQ(leaf_hash(leaf), sha256(std::string(1, '\0') + leaf));
    const Digest left = sha256(draw.bytes(8));
    const Digest right = sha256(draw.bytes(8));
    const std::string both = std::string(as_bytes(left)) + std::string(as_bytes(right));
    EXPECT_EQ(node_hash(left, right), sha256("\x01" + both));
    EXPECT_NE(node_hash(left, right), node_hash(right, left));
    // A node cannot be passed off as a leaf.
    EXPECT_NE(node_hash(left, right), leaf_hash(both));
  }
}

TEST(Sha256, OfAStreamIsThatOfTheWholeHoweverItIsCut) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 300; ++i) {
    const std::string whole = draw.bytes(draw.below(1000));
    Sha256 stream;
    for (std::string_view rest = whole; !rest.empty();) {
      const std::size_t piece = draw.below(std::min<std::size_t>(rest.size(), 130) + 1);
      stream.update(rest.substr(0, piece));
      rest.remove_prefix(piece);
    }
    EXPECT_EQ(stream.finish(), sha256(whole)) << to_hex(whole);
  }
}

TEST(Sha256, IsTheSameFromManyThreads) {
  const std::string text(10'000, 'm');
  const Digest expected = sha256(text);
  std::array<int, 4> wrong{};
  std::vector<std::thread> threads;
  for (int& mine : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) mine += sha256(text) == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
}

TEST(Digest, GoesThroughBytesAndHexUnchanged) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = draw.bytes(32);
    const Digest digest = digest_from_bytes(bytes);
    EXPECT_EQ(as_bytes(digest), bytes);
    EXPECT_EQ(from_hex(to_hex(digest)), bytes);
    EXPECT_EQ(to_hex(bytes).find_first_not_of("0123456789abcdef"), std::string::npos);
  }
  EXPECT_EQ(to_hex(std::string_view("\x00\x7f\x80\xff", 4)), "007f80ff");
}

TEST(DigestDeathTest, OfAnotherSizeIsABrokenProgram) {
  EXPECT_DEATH(digest_from_bytes(std::string(31, 'x')), "a digest has 32 bytes");
}

}  // namespace
}  // namespace muniment
