// A log that another implementation wrote: what is read here is what others write.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/note.h"
#include "recorder/core/tlog/tile.h"
#include "recorder/core/tlog/tree_proof.h"
#include "recorder/log/merkle.h"
#include "tests/support/naive_tree.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

constexpr std::string_view kLogKey =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

// Every size of it was published.
constexpr std::size_t kMostEntries = 15;

std::string log_folder() {
  return vectors_folder() + "/tessera_testlog/testdata/log/";
}

std::string signed_checkpoint(std::size_t size) {
  return read_file(log_folder() + "checkpoint." + std::to_string(size));
}

std::string checkpoint_text_of(std::size_t size) {
  const std::string note = signed_checkpoint(size);
  return note.substr(0, note.rfind("\n\n") + 1);
}

// The only tile of its kind in a log of less than 256 entries.
std::string file_of(std::optional<std::uint8_t> level, std::size_t size) {
  return read_file(log_folder() + tile_path({level, 0, static_cast<unsigned>(size)}));
}

std::vector<Digest> hashes_of(std::string_view tile) {
  std::vector<Digest> hashes;
  for (std::size_t at = 0; at < tile.size(); at += sizeof(Digest)) {
    hashes.push_back(digest_from_bytes(tile.substr(at, sizeof(Digest))));
  }
  return hashes;
}

TEST(PublishedLog, HasTheRootsThatItsCheckpointsState) {
  SKIP_WITHOUT_VECTORS("tessera_testlog");
  for (std::size_t size = 0; size <= kMostEntries; ++size) {
    const std::string text = checkpoint_text_of(size);
    const Result<Checkpoint> checkpoint = parse_checkpoint(text);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    EXPECT_EQ(checkpoint->origin, "example.com/log/testdata");
    EXPECT_EQ(checkpoint->size, size);
    EXPECT_EQ(checkpoint_text(*checkpoint), text);

    std::vector<Digest> leaves;
    if (size > 0) leaves = hashes_of(file_of(0, size));
    ASSERT_EQ(leaves.size(), size);
    CompactRange tree;
    for (const Digest& leaf : leaves) tree.append(leaf, [](auto, auto, const auto&) {});
    EXPECT_EQ(checkpoint->root, tree.root()) << size;
    EXPECT_EQ(checkpoint->root, naive_root(leaves, 0, size)) << size;
  }
}

TEST(PublishedLog, IsSignedByItsKeyAndByNoOther) {
  SKIP_WITHOUT_VECTORS("tessera_testlog");
  const Result<NoteKey> key = parse_vkey(kLogKey);
  ASSERT_TRUE(key) << key.error().message;
  NoteKey other = *key;
  other.public_key[7] = static_cast<char>(other.public_key[7] ^ 1);
  const std::vector<NoteKey> others = {note_key(other.name, other.public_key)};
  for (std::size_t size = 0; size <= kMostEntries; ++size) {
    const Result<Note> note = parse_note(signed_checkpoint(size));
    ASSERT_TRUE(note) << note.error().message;
    EXPECT_EQ(note->text, checkpoint_text_of(size));
    const auto signers = signers_of(*note, std::vector{*key});
    ASSERT_TRUE(signers) << signers.error().message;
    EXPECT_EQ(*signers, std::vector{*key});
    const auto strangers = signers_of(*note, others);
    ASSERT_TRUE(strangers) << strangers.error().message;
    EXPECT_TRUE(strangers->empty());

    // The signature of another size says nothing of this one.
    Note mixed = *note;
    mixed.text = checkpoint_text_of((size + 1) % (kMostEntries + 1));
    EXPECT_FALSE(signers_of(mixed, std::vector{*key}));
  }
}

TEST(PublishedLog, HasBundlesWhoseEntriesAreTheLeavesOfItsTiles) {
  SKIP_WITHOUT_VECTORS("tessera_testlog");
  for (std::size_t size = 1; size <= kMostEntries; ++size) {
    const std::string bundle = file_of(std::nullopt, size);
    const auto entries = parse_entry_bundle(bundle, static_cast<unsigned>(size));
    ASSERT_TRUE(entries) << entries.error().message;
    std::vector<Digest> leaves;
    for (const std::string_view entry : *entries) leaves.push_back(leaf_hash(entry));
    EXPECT_EQ(leaves, hashes_of(file_of(0, size)));
    EXPECT_EQ(entry_bundle({entries->begin(), entries->end()}), bundle);
  }
}

TEST(PublishedLog, LaysOutTheTilesThatALogOfEachSizeHas) {
  SKIP_WITHOUT_VECTORS("tessera_testlog");
  std::set<std::string> expected;
  for (std::size_t size = 0; size <= kMostEntries; ++size) {
    for (const Tile& tile : tiles_of(size)) expected.insert(tile_path(tile));
  }
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(log_folder() + "tile")) {
    if (entry.is_directory()) continue;
    const std::string path = std::filesystem::relative(entry.path(), log_folder()).string();
    const Result<Tile> tile = parse_tile_path(path);
    ASSERT_TRUE(tile) << tile.error().message;
    EXPECT_EQ(tile_path(*tile), path);
    found.insert(path);
  }
  EXPECT_EQ(found, expected);
}

TEST(PublishedLog, ProvesItsEntriesAndItsGrowthUnderThePublishedRoots) {
  SKIP_WITHOUT_VECTORS("tessera_testlog");
  NaiveTree tree(hashes_of(file_of(0, kMostEntries)));
  std::vector<Digest> roots;
  for (std::size_t size = 0; size <= kMostEntries; ++size) {
    const Result<Checkpoint> checkpoint = parse_checkpoint(checkpoint_text_of(size));
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    roots.push_back(checkpoint->root);
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_TRUE(
          verify_inclusion(tree.leaves()[i], i, size, tree.inclusion(i, size), roots[size]));
      EXPECT_TRUE(verify_consistency(i + 1, size, tree.consistency(i + 1, size), roots[i + 1],
                                     roots[size]));
    }
  }
}

}  // namespace
}  // namespace muniment
