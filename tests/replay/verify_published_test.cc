#include "replay/verify_published.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/generator.h"
#include "tests/support/published_sample.h"

namespace muniment {
namespace {

std::vector<std::string> some_entries(std::size_t count) {
  std::vector<std::string> entries;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back("entry " + std::to_string(i) + std::string(i % 7, '.'));
  }
  return entries;
}

Trust trust_in_sample() {
  return {.keys = {sample_note_key(PublishedSample::kOrigin)}, .origin = {}, .min_size = 0};
}

v1::VerifyReport verify(const FileMap& files) {
  const Trust trust = trust_in_sample();
  return verify_published(published_in(files), trust);
}

// A finding that says it, for failures of which the whole report is wanted.
testing::AssertionResult finds(const v1::VerifyReport& report, const std::string& part) {
  for (const v1::VerifyFinding& row : report.findings()) {
    if (row.what().find(part) != std::string::npos) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "no \"" << part << "\" in:\n" << report.DebugString();
}

void expect_intact(const v1::VerifyReport& report) {
  EXPECT_EQ(report.verdict(), kIntact) << report.DebugString();
  EXPECT_EQ(report.findings_size(), 0) << report.DebugString();
}

// Changes a byte of the entry with this number.
void edit_entry(FileMap& files, const PublishedSample& sample, std::uint64_t size,
                std::uint64_t number) {
  const std::uint64_t index = number / kTileWidth;
  const auto width = static_cast<unsigned>(std::min<std::uint64_t>(size - index * kTileWidth, 256));
  std::size_t at = 2;
  for (std::uint64_t i = index * kTileWidth; i < number; ++i) at += 2 + sample.entries()[i].size();
  files.at(tile_path({.level = {}, .index = index, .width = width}))[at] ^= 1;
}

TEST(VerifyPublished, CallsEverySizeIntact) {
  const PublishedSample sample(some_entries(600));
  for (std::uint64_t size = 0; size <= 600; size += size < 20 || size > 500 ? 1 : 7) {
    SCOPED_TRACE(size);
    const v1::VerifyReport report = verify(sample.files(size));
    expect_intact(report);
    EXPECT_EQ(report.events(), size);
    EXPECT_EQ(report.root_hash(), as_bytes(sample.root(size)));
    EXPECT_EQ(report.checkpoint_size(), size);
    EXPECT_EQ(report.nodes(), size + size / 256);
    EXPECT_EQ(report.what(), "log");
  }
}

TEST(VerifyPublished, CallsThreeLevelsOfTilesIntactAndFindsAnEntryAmongThem) {
  const PublishedSample sample(some_entries(65'536 + 256 + 3));
  const std::uint64_t size = sample.entries().size();
  FileMap files = sample.files(size);
  ASSERT_TRUE(files.contains("tile/2/000.p/1"));
  expect_intact(verify(files));
  FileMap edited = files;
  edit_entry(edited, sample, size, 40'000);
  const v1::VerifyReport report = verify(edited);
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_EQ(report.first_bad_sequence(), 40'000U);
  EXPECT_EQ(report.findings_size(), 1) << report.DebugString();
  files.at("tile/1/000")[32 * 7 + 5] ^= 1;
  const v1::VerifyReport upper = verify(files);
  EXPECT_EQ(upper.findings_size(), 1) << upper.DebugString();
  EXPECT_TRUE(finds(upper, "tile/1/000 is wrong at events 1792 to 2047"));
}

TEST(VerifyPublished, TakesEntriesOfNoAndOfTheMostBytes) {
  const PublishedSample sample({"", std::string(65'535, 'x'), "", "y"});
  for (std::uint64_t size = 0; size <= 4; ++size) expect_intact(verify(sample.files(size)));
}

TEST(VerifyPublished, NamesTheEntryThatWasChangedWhereverItIs) {
  const PublishedSample sample(some_entries(700));
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t size = generator.between(1, 700);
    const std::uint64_t number = generator.below(size);
    SCOPED_TRACE("entry " + std::to_string(number) + " of " + std::to_string(size));
    FileMap files = sample.files(size);
    edit_entry(files, sample, size, number);
    const v1::VerifyReport report = verify(files);
    EXPECT_EQ(report.verdict(), kTampered);
    ASSERT_TRUE(report.has_first_bad_sequence());
    EXPECT_EQ(report.first_bad_sequence(), number);
    EXPECT_EQ(report.findings_size(), 1) << report.DebugString();
    EXPECT_TRUE(finds(report, "event " + std::to_string(number) + " is not the one of the tree"));
  }
}

TEST(VerifyPublished, NamesTheTileThatWasChangedAndClearsTheEntry) {
  const PublishedSample sample(some_entries(700));
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t size = generator.between(1, 700);
    FileMap files = sample.files(size);
    std::vector<std::string> tiles;
    for (const auto& [path, bytes] : files) {
      const Result<Tile> tile = parse_tile_path(path);
      if (tile && tile->level) tiles.push_back(path);
    }
    const std::string& path = tiles[generator.below(tiles.size())];
    std::string& bytes = files.at(path);
    const std::size_t at = generator.below(bytes.size());
    bytes[at] ^= static_cast<char>(1U << generator.below(8));
    const Tile tile = *parse_tile_path(path);
    SCOPED_TRACE(path + " byte " + std::to_string(at) + " of size " + std::to_string(size));
    const v1::VerifyReport report = verify(files);
    EXPECT_EQ(report.verdict(), kTampered);
    EXPECT_EQ(report.first_bad_sequence(), (tile.index * 256 + at / 32) << (8 * *tile.level));
    EXPECT_EQ(report.findings_size(), 1) << report.DebugString();
    EXPECT_TRUE(finds(report, path + " is wrong at"));
  }
}

TEST(VerifyPublished, FindsEveryOneOfSeveralChangedEntries) {
  const PublishedSample sample(some_entries(1'200));
  FileMap files = sample.files(1'200);
  for (const std::uint64_t number : {1'100U, 700U, 3U, 1'199U}) {
    edit_entry(files, sample, 1'200, number);
  }
  const v1::VerifyReport report = verify(files);
  EXPECT_EQ(report.first_bad_sequence(), 3U);
  for (const char* part : {"event 3 is", "event 700 is", "event 1100 is"}) {
    EXPECT_TRUE(finds(report, part));
  }
}

// Whoever changes a tile with its entries must change all above it: the first that was left alone
// tells.
TEST(VerifyPublished, NamesTheRangeWhereEntriesAndTheirTileWereChangedTogether) {
  const PublishedSample sample(some_entries(800));
  std::vector<std::string> entries = sample.entries();
  entries[300] = "forged";
  const PublishedSample forged(entries);
  FileMap files = sample.files(800);
  for (const Tile& tile : {Tile{{}, 1, 256}, Tile{0, 1, 256}}) {
    files[tile_path(tile)] = forged.bytes_of(tile);
  }
  const v1::VerifyReport report = verify(files);
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_EQ(report.first_bad_sequence(), 256U);
  EXPECT_TRUE(finds(report, "events 256 to 511 are not those of the tree"));
  EXPECT_EQ(report.findings_size(), 1) << report.DebugString();
}

TEST(VerifyPublished, SaysThatItDoesNotKnowWhereTheWholeTreeWasMadeAnew) {
  const PublishedSample sample(some_entries(800));
  std::vector<std::string> entries = sample.entries();
  entries[300] = "forged";
  FileMap files = PublishedSample(entries).files(800);
  files["checkpoint"] = sample.files(800).at("checkpoint");
  const v1::VerifyReport report = verify(files);
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_EQ(report.first_bad_sequence(), 0U);
  EXPECT_TRUE(finds(report, "cannot be known"));
  // What was published before tells more.
  files["tile/0/001.p/100"] = sample.bytes_of({0, 1, 100});
  const v1::VerifyReport more = verify(files);
  EXPECT_EQ(more.first_bad_sequence(), 300U) << more.DebugString();
  EXPECT_TRUE(finds(more, "tile/0/001.p/100, which was published for an earlier size"));
}

TEST(VerifyPublished, FindsAnotherHistoryInWhatWasPublishedBefore) {
  const PublishedSample sample(some_entries(800));
  std::vector<std::string> entries = sample.entries();
  entries[780] = "rewritten";
  const PublishedSample rewritten(entries);
  for (const Tile& before : {Tile{0, 3, 20}, Tile{{}, 3, 20}, Tile{0, 3, 13}}) {
    FileMap files = rewritten.files(800);
    files[tile_path(before)] = sample.bytes_of(before);
    const v1::VerifyReport report = verify(files);
    EXPECT_EQ(report.verdict(), kTampered) << tile_path(before);
    EXPECT_EQ(report.first_bad_sequence(), 780U) << tile_path(before);
  }
  FileMap files = rewritten.files(800);
  for (const Tile& before : {Tile{0, 3, 12}, Tile{{}, 3, 12}, Tile{1, 0, 2}, Tile{0, 0, 255}}) {
    files[tile_path(before)] = sample.bytes_of(before);
  }
  expect_intact(verify(files));
}

TEST(VerifyPublished, CallsALogTruncatedWhoseFilesAreMissing) {
  const PublishedSample sample(some_entries(800));
  const FileMap whole = sample.files(800);
  for (const auto& [path, bytes] : whole) {
    if (path == "checkpoint") continue;
    SCOPED_TRACE(path);
    FileMap files = whole;
    files.erase(path);
    const v1::VerifyReport report = verify(files);
    EXPECT_EQ(report.verdict(), kTruncated);
    EXPECT_TRUE(finds(report, path + " is missing"));
    EXPECT_EQ(report.findings_size(), 1) << report.DebugString();
    const Tile tile = *parse_tile_path(path);
    EXPECT_EQ(report.has_first_bad_sequence(), !tile.level);
    if (!tile.level) {
      EXPECT_EQ(report.first_bad_sequence(), tile.index * 256);
    }
  }
  FileMap files = sample.files(500);
  files["checkpoint"] = whole.at("checkpoint");
  const v1::VerifyReport report = verify(files);
  EXPECT_EQ(report.verdict(), kTruncated);
  EXPECT_EQ(report.first_bad_sequence(), 256U) << report.DebugString();
  EXPECT_EQ(report.caveats_size(), 1);
}

TEST(VerifyPublished, LetsAFullTileSpeakForAPartialOneThatWasRemoved) {
  const PublishedSample sample(some_entries(800));
  FileMap files = sample.files(600);
  for (const Tile& tile : {Tile{0, 2, 256}, Tile{{}, 2, 256}}) {
    Tile partial = tile;
    partial.width = 600 - 512;
    ASSERT_EQ(files.erase(tile_path(partial)), 1U);
    files[tile_path(tile)] = sample.bytes_of(tile);
  }
  expect_intact(verify(files));
  files.at("tile/0/002")[0] ^= 1;
  EXPECT_EQ(verify(files).first_bad_sequence(), 512U);
}

TEST(VerifyPublished, PassesOverWhatAPublisherLeftWhoWasKilled) {
  const PublishedSample sample(some_entries(800));
  FileMap files = sample.files(800);
  for (const auto& [path, bytes] : sample.files(300)) files.emplace(path, bytes);
  files["checkpoint"] = sample.files(300).at("checkpoint");
  files[".muniment-publishing/file"] = "half a ti";
  const v1::VerifyReport report = verify(files);
  expect_intact(report);
  EXPECT_EQ(report.events(), 300U);
  ASSERT_EQ(report.caveats_size(), 2) << report.DebugString();
  EXPECT_NE(report.caveats(0).find("are of more events"), std::string::npos);
  EXPECT_NE(report.caveats(1).find("killed"), std::string::npos);
}

TEST(VerifyPublished, FindsWhatDoesNotBelong) {
  const PublishedSample sample(some_entries(10));
  for (const char* path : {"index.html", "tile/0/0", "tile/00/000", "tile/0/000.p/010", "tile",
                           "tile/entries/000.p", "tile/data/000", "Checkpoint", "tile/0/000.p/256",
                           ".muniment-publishing2", "tile/64/000"}) {
    FileMap files = sample.files(10);
    files[path] = "x";
    const v1::VerifyReport report = verify(files);
    EXPECT_EQ(report.verdict(), kTampered) << path;
    EXPECT_TRUE(finds(report, std::string(path) + " does not belong"));
  }
}

TEST(VerifyPublished, FindsABundleThatIsCutOffOrGoesOn) {
  const PublishedSample sample(some_entries(300));
  const std::string path = "tile/entries/000";
  for (const std::size_t cut : {1U, 5U, 500U, 2'000U}) {
    FileMap files = sample.files(300);
    std::string& bytes = files.at(path);
    bytes.resize(bytes.size() - cut);
    std::uint64_t whole = 0;
    for (std::size_t at = 0; at + 2 + sample.entries()[whole].size() <= bytes.size(); ++whole) {
      at += 2 + sample.entries()[whole].size();
    }
    const v1::VerifyReport report = verify(files);
    EXPECT_EQ(report.verdict(), kTampered);
    EXPECT_EQ(report.first_bad_sequence(), whole) << cut << report.DebugString();
  }
  FileMap files = sample.files(300);
  files.at(path) += "more";
  EXPECT_TRUE(finds(verify(files), "goes on behind its last entry"));
}

// Whoever wrote the checkpoint must not be able to keep the verifier busy for ever.
TEST(VerifyPublished, IsNotHeldUpByASizeWithoutFiles) {
  const PublishedSample sample(some_entries(300));
  FileMap files = sample.files(300);
  files["checkpoint"] =
      sample_checkpoint(PublishedSample::kOrigin, (1ULL << 63U) - 1, sample.root(300));
  const v1::VerifyReport report = verify(files);
  EXPECT_EQ(report.verdict(), kTruncated);
  EXPECT_EQ(report.first_bad_sequence(), 256U) << report.DebugString();
}

TEST(VerifyPublished, DoesNotReadWithoutACheckpoint) {
  const PublishedSample sample(some_entries(5));
  FileMap files = sample.files(5);
  files.erase("checkpoint");
  EXPECT_EQ(verify(files).verdict(), kCannotRead);
  files["checkpoint"] = "no note\n";
  EXPECT_EQ(verify(files).verdict(), kCannotRead);
  EXPECT_EQ(verify({}).verdict(), kCannotRead);
}

TEST(VerifyPublished, SaysWhoseSignatureItMisses) {
  const PublishedSample sample(some_entries(5));
  const FileMap files = sample.files(5);
  EXPECT_EQ(verify_published(published_in(files), Trust{}).verdict(), kUnknownSigner);
  const NoteKey other = note_key("other.example", SigningKey::generate().public_key());
  const Trust stranger{.keys = {other}, .origin = PublishedSample::kOrigin, .min_size = 0};
  EXPECT_EQ(verify_published(published_in(files), stranger).verdict(), kUnsigned);
  Trust later = trust_in_sample();
  later.min_size = 6;
  EXPECT_EQ(verify_published(published_in(files), later).verdict(), kOlder);
}

TEST(VerifyPublished, TellsAFileThatCannotBeReadFromOneThatIsWrong) {
  const PublishedSample sample(some_entries(300));
  const FileMap files = sample.files(300);
  const Trust trust = trust_in_sample();
  for (const auto& [code, verdict] :
       {std::pair(ErrorCode::kIo, kCannotRead), std::pair(ErrorCode::kCorrupt, kTampered)}) {
    for (const auto& [path, bytes] : files) {
      PublishedFiles port = published_in(files);
      port.read = [&, inner = port.read, broken = path](
                      const std::string& at,
                      std::uint64_t most) -> Result<std::optional<std::string>> {
        if (at == broken) return fail(code, "no");
        return inner(at, most);
      };
      const v1::VerifyReport report = verify_published(port, trust);
      EXPECT_EQ(report.verdict(), path == "checkpoint" ? kCannotRead : verdict) << path;
      EXPECT_TRUE(finds(report, path + ": no"));
    }
  }
}

// Flips, cuts, inserts or removes something somewhere.
void strike(FileMap& files, Generator& generator) {
  auto at = files.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(generator.below(files.size())));
  std::string& bytes = at->second;
  const std::size_t place = generator.below(bytes.size() + 1);
  if (generator.one_in(4)) {
    files.erase(at);
  } else if (generator.one_in(3)) {
    bytes.resize(place);
  } else if (generator.one_in(2) || place == bytes.size()) {
    bytes.insert(place, generator.bytes(generator.between(1, 40)));
  } else {
    bytes[place] ^= static_cast<char>(generator.between(1, 255));
  }
}

TEST(VerifyPublished, SeesWhateverIsDoneToAFile) {
  const PublishedSample sample(some_entries(600));
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 400; ++i) {
    const FileMap whole = sample.files(generator.between(1, 600));
    FileMap files = whole;
    for (std::size_t blows = generator.between(1, 3); blows > 0 && !files.empty(); --blows) {
      strike(files, generator);
    }
    if (files == whole) continue;
    const v1::VerifyReport report = verify(files);
    EXPECT_NE(report.verdict(), kIntact) << report.DebugString();
    EXPECT_GT(report.findings_size(), 0);
  }
}

}  // namespace
}  // namespace muniment
