#include "recorder/log/prover.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/tlog/tree_proof.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "tests/support/generator.h"
#include "tests/support/naive_tree.h"
#include "tests/support/rows_log.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

constexpr std::size_t kMostEvents = 300;

// Counts what is read.
class CountedLog : public RowsLog {
 public:
  using RowsLog::RowsLog;

  Result<std::optional<std::string>> get(Table from, std::string_view key) const override {
    ++reads_;
    return RowsLog::get(from, key);
  }

  std::size_t take_reads() const { return std::exchange(reads_, 0); }

 private:
  mutable std::size_t reads_ = 0;
};

CountedLog log_of(std::size_t count) {
  const std::unique_ptr<Store> store = make_memory_log("prover.test/log");
  const Result<Appended> appended = store->append(sample_entries(0, count), std::nullopt);
  EXPECT_TRUE(appended) << appended.error().message;
  return CountedLog(*store);
}

NaiveTree tree_of(const RowsLog& log) {
  std::vector<Digest> leaves;
  for (const auto& [key, bytes] : log.table(Table::kEvent)) leaves.push_back(leaf_hash(bytes));
  return NaiveTree(std::move(leaves));
}

// A path and the hashes beside it: twice the height of the tree.
std::size_t most_reads(std::uint64_t size) {
  return 2 * static_cast<std::size_t>(std::bit_width(size));
}

TEST(Prover, KnowsTheRootAtEverySize) {
  const CountedLog log = log_of(kMostEvents);
  NaiveTree tree = tree_of(log);
  ASSERT_EQ(tree.leaves().size(), kMostEvents);
  for (std::size_t size = 0; size <= kMostEvents; ++size) {
    const Result<Digest> root = root_at(log, size);
    ASSERT_TRUE(root) << root.error().message;
    EXPECT_EQ(*root, tree.root(size)) << size;
    EXPECT_LE(log.take_reads(), most_reads(size));
  }
  EXPECT_EQ(std::string(as_bytes(tree.root(kMostEvents))), log.state()->root());
}

TEST(Prover, MakesThePathOfTheRfcForEveryEventAtEverySize) {
  const CountedLog log = log_of(kMostEvents);
  NaiveTree tree = tree_of(log);
  for (std::size_t size = 1; size <= kMostEvents; ++size) {
    const Digest root = tree.root(size);
    for (std::size_t index = 0; index < size; ++index) {
      const Result<std::vector<Digest>> proof = prove_inclusion(log, index, size);
      ASSERT_TRUE(proof) << proof.error().message;
      ASSERT_EQ(*proof, tree.inclusion(index, size)) << index << " of " << size;
      ASSERT_LE(log.take_reads(), most_reads(size)) << index << " of " << size;
      ASSERT_TRUE(verify_inclusion(tree.leaves()[index], index, size, *proof, root));
    }
  }
}

TEST(Prover, MakesTheConsistencyProofOfTheRfcForEveryPairOfSizes) {
  const CountedLog log = log_of(kMostEvents);
  NaiveTree tree = tree_of(log);
  for (std::size_t size = 1; size <= kMostEvents; ++size) {
    const Digest root = tree.root(size);
    for (std::size_t old = 1; old <= size; ++old) {
      const Result<std::vector<Digest>> proof = prove_consistency(log, old, size);
      ASSERT_TRUE(proof) << proof.error().message;
      ASSERT_EQ(*proof, tree.consistency(old, size)) << old << " of " << size;
      ASSERT_LE(log.take_reads(), most_reads(size)) << old << " of " << size;
      ASSERT_TRUE(verify_consistency(old, size, *proof, tree.root(old), root));
    }
  }
}

// A log of the same event over and over: a node's hash depends on its level alone, so that there is
// one of any size.
class EndlessLog : public LogReader {
 public:
  EndlessLog() {
    hashes_[0] = leaf_hash("again");
    for (std::size_t i = 1; i < hashes_.size(); ++i) {
      hashes_.at(i) = node_hash(hashes_.at(i - 1), hashes_.at(i - 1));
    }
  }

  Result<v1::StoreState> state() const override { return v1::StoreState(); }
  Result<std::optional<std::string>> get(Table, std::string_view key) const override {
    ++reads_;
    return std::string(as_bytes(hashes_.at(static_cast<unsigned char>(key[0]))));
  }
  Status scan(Table, std::string_view, Direction, const RowVisitor&) const override { return {}; }
  Status refresh() override { return {}; }

  std::size_t take_reads() const { return std::exchange(reads_, 0); }

 private:
  std::array<Digest, 64> hashes_{};
  mutable std::size_t reads_ = 0;
};

TEST(Prover, ProvesLogsThatNoDiskHolds) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const EndlessLog log;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t size =
        generator.between(1, (std::size_t{1} << generator.between(1, 63)) - 1);
    const std::uint64_t number = generator.below(size);
    const Digest root = root_at(log, size).value();
    const Digest old_root = root_at(log, number + 1).value();
    EXPECT_LE(log.take_reads(), most_reads(size));

    const Result<std::vector<Digest>> path = prove_inclusion(log, number, size);
    EXPECT_LE(log.take_reads(), most_reads(size)) << number << " of " << size;
    ASSERT_TRUE(path);
    EXPECT_LE(path->size(), std::bit_width(size));
    const Status included = verify_inclusion(leaf_hash("again"), number, size, *path, root);
    ASSERT_TRUE(included) << included.error().message;

    const Result<std::vector<Digest>> proof = prove_consistency(log, number + 1, size);
    EXPECT_LE(log.take_reads(), most_reads(size)) << number + 1 << " of " << size;
    ASSERT_TRUE(proof);
    EXPECT_LE(proof->size(), std::bit_width(size) + 1U);
    const Status consistent = verify_consistency(number + 1, size, *proof, old_root, root);
    ASSERT_TRUE(consistent) << consistent.error().message;
  }
}

// What the three questions answer when each of them needs node 0 on level 2.
std::vector<Error> errors_of(const LogReader& log) {
  const Result<Digest> root = root_at(log, 7);
  const Result<std::vector<Digest>> path = prove_inclusion(log, 5, 8);
  const Result<std::vector<Digest>> proof = prove_consistency(log, 6, 8);
  EXPECT_FALSE(root);
  EXPECT_FALSE(path);
  EXPECT_FALSE(proof);
  if (root || path || proof) return {};
  return {root.error(), path.error(), proof.error()};
}

TEST(Prover, NamesANodeThatIsMissingOrNoHash) {
  CountedLog log = log_of(13);
  std::string& node = log.table(Table::kNode)[node_key(2, 0)];
  ASSERT_EQ(node.size(), 32U);
  node = "short";
  for (const Error& error : errors_of(log)) {
    EXPECT_EQ(error.code, ErrorCode::kCorrupt);
    EXPECT_NE(error.message.find("node 0 on level 2"), std::string::npos) << error.message;
    EXPECT_NE(error.message.find("has 5 bytes, expected 32"), std::string::npos) << error.message;
  }
  log.table(Table::kNode).erase(node_key(2, 0));
  for (const Error& error : errors_of(log)) {
    EXPECT_EQ(error.code, ErrorCode::kCorrupt);
    EXPECT_NE(error.message.find("node 0 on level 2 of the tree is missing"), std::string::npos)
        << error.message;
  }
}

// A disk that cannot be read says nothing about what is on it.
TEST(Prover, HandsOnWhatTheReaderSays) {
  class Unreadable : public RowsLog {
   public:
    using RowsLog::RowsLog;
    Result<std::optional<std::string>> get(Table, std::string_view) const override {
      return fail(ErrorCode::kIo, "no disk");
    }
  };
  for (const Error& error : errors_of(Unreadable(log_of(13)))) {
    EXPECT_EQ(error.code, ErrorCode::kIo);
    EXPECT_EQ(error.message, "no disk");
  }
}

}  // namespace
}  // namespace muniment
