#include "recorder/core/tlog/proof_file.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/base64.h"
#include "tests/support/generator.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

constexpr std::string_view kVectors = "tlog_proof/format.json";
constexpr std::string_view kHash = "CsUoJ4BSAkuEgqICpU6RF3tPwfkPq3ZfFYOXBpnSQ2k=";

std::vector<Digest> some_hashes(Generator& generator) {
  std::vector<Digest> hashes;
  const std::size_t count = generator.one_in(10) ? 63 : generator.below(20);
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(sha256(generator.bytes(8)));
  return hashes;
}

InclusionFile some_inclusion(Generator& generator) {
  InclusionFile file;
  if (generator.one_in(2)) file.extra = generator.bytes(generator.below(100));
  file.index = generator.below(std::size_t{1} << generator.between(1, 62));
  file.hashes = some_hashes(generator);
  file.checkpoint = generator.bytes(generator.between(1, 50));
  return file;
}

ConsistencyFile some_consistency(Generator& generator) {
  InclusionFile like = some_inclusion(generator);
  return {like.index, std::move(like.hashes), std::move(like.checkpoint)};
}

TEST(ProofFile, IsReadAsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 300; ++i) {
    const InclusionFile inclusion = some_inclusion(generator);
    const Result<InclusionFile> read = parse_inclusion(format_inclusion(inclusion));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->extra, inclusion.extra);
    EXPECT_EQ(read->index, inclusion.index);
    EXPECT_EQ(read->hashes, inclusion.hashes);
    EXPECT_EQ(read->checkpoint, inclusion.checkpoint);

    const ConsistencyFile consistency = some_consistency(generator);
    const Result<ConsistencyFile> other = parse_consistency(format_consistency(consistency));
    ASSERT_TRUE(other) << other.error().message;
    EXPECT_EQ(other->old_size, consistency.old_size);
    EXPECT_EQ(other->hashes, consistency.hashes);
    EXPECT_EQ(other->checkpoint, consistency.checkpoint);
  }
}

TEST(ProofFile, HasOneSpelling) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  constexpr std::string_view kBytes = "\n\r 0=+/AB";
  int taken = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string text = generator.one_in(2) ? format_inclusion(some_inclusion(generator))
                                           : format_consistency(some_consistency(generator));
    const std::size_t at = generator.below(text.size());
    if (generator.one_in(2)) text[at] = generator.text(1, kBytes)[0];
    if (generator.one_in(2)) text.erase(at, 1);
    if (generator.one_in(2)) text.insert(at, generator.text(1, kBytes));
    if (const Result<InclusionFile> read = parse_inclusion(text)) {
      ++taken;
      ASSERT_EQ(format_inclusion(*read), text);
    }
    if (const Result<ConsistencyFile> read = parse_consistency(text)) {
      ++taken;
      ASSERT_EQ(format_consistency(*read), text);
    }
  }
  EXPECT_GT(taken, 100) << "hardly any change left a proof: nothing was tested";
}

template <class File>
void expect_wrong(const Result<File>& read, std::string_view line, const std::string& text) {
  ASSERT_FALSE(read) << text;
  EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(read.error().message.starts_with(std::string(line) + " of the proof "))
      << text << read.error().message;
}

TEST(InclusionFile, IsRefusedWithTheLineThatIsWrong) {
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  const std::string hash = std::string(kHash) + "\n";
  const std::array<std::pair<std::string, std::string_view>, 18> cases = {{
      {"", "line 1"},
      {"c2sp.org/tlog-proof@v1", "line 1"},
      {"c2sp.org/tlog-proof@v2\nindex 1\n\nx", "line 1"},
      {"c2sp.org/tlog-proof@v1\r\nindex 1\n\nx", "line 1"},
      {head, "line 2"},
      {head + "index 1", "line 2"},
      {head + "index 01\n\nx", "line 2"},
      {head + "index  1\n\nx", "line 2"},
      {head + "Index 1\n\nx", "line 2"},
      {head + "extra YQ\nindex 1\n\nx", "line 2"},    // no padding
      {head + "extra YR==\nindex 1\n\nx", "line 2"},  // a stray bit
      {head + "extra YQ==", "line 2"},
      {head + "extra YQ==\nextra YQ==\nindex 1\n\nx", "line 3"},
      {head + "index 1\nextra YQ==\n\nx", "line 3"},
      {head + "index 1\n" + hash, "line 4"},
      {head + "index 1\n" + hash + "YQ==\n\nx", "line 4"},
      {head + "index 1\n" + hash + "\n", "line 5"},
      {head + "index 1\n" + hash + hash.substr(0, 42) + "l=\n\nx", "line 4"},  // a stray bit
  }};
  for (const auto& [text, line] : cases) expect_wrong(parse_inclusion(text), line, text);
}

TEST(ConsistencyFile, IsRefusedWithTheLineThatIsWrong) {
  const std::string hash = std::string(kHash) + "\n";
  const std::array<std::pair<std::string, std::string_view>, 8> cases = {{
      {"", "line 1"},
      {"old 1", "line 1"},
      {"old -1\n\nx", "line 1"},
      {"index 1\n\nx", "line 1"},
      {"old 1\n" + hash, "line 3"},
      {"old 1\n" + hash + "\n", "line 4"},
      {"old 1\nextra YQ==\n\nx", "line 2"},
      {"old 1\n" + hash + " " + hash + "\nx", "line 3"},
  }};
  for (const auto& [text, line] : cases) expect_wrong(parse_consistency(text), line, text);
}

TEST(ProofFile, HasAtMost63Hashes) {
  std::string hashes;
  for (int i = 0; i < 63; ++i) hashes += std::string(kHash) + "\n";
  EXPECT_TRUE(parse_inclusion("c2sp.org/tlog-proof@v1\nindex 1\n" + hashes + "\nx"));
  EXPECT_TRUE(parse_consistency("old 1\n" + hashes + "\nx"));
  hashes += std::string(kHash) + "\n";
  const std::string inclusion = "c2sp.org/tlog-proof@v1\nindex 1\n" + hashes + "\nx";
  expect_wrong(parse_inclusion(inclusion), "line 66", inclusion);
  const std::string consistency = "old 1\n" + hashes + "\nx";
  expect_wrong(parse_consistency(consistency), "line 65", consistency);
}

TEST(InclusionFile, AgreesWithThePublishedVectors) {
  SKIP_WITHOUT_VECTORS(kVectors.data());
  const Json vectors = read_vectors(vectors_folder() + "/" + std::string(kVectors));
  ASSERT_EQ(member(vectors, "valid").items.size(), 3U);
  for (const Json& row : member(vectors, "valid").items) {
    const std::string& text = member(row, "text").text;
    const Result<InclusionFile> read = parse_inclusion(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(std::to_string(read->index), member(row, "index").text);
    EXPECT_EQ(read->checkpoint, member(row, "checkpoint").text);
    const Json* const extra = row.find("extra_utf8");
    ASSERT_EQ(read->extra.has_value(), extra != nullptr);
    EXPECT_EQ(read->extra.value_or(""), extra != nullptr ? extra->text : "");
    const std::vector<Json>& hashes = member(row, "hashes_b64").items;
    ASSERT_EQ(read->hashes.size(), hashes.size());
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      EXPECT_EQ(base64(as_bytes(read->hashes[i])), hashes[i].text);
    }
    EXPECT_EQ(format_inclusion(*read), text);
  }
  ASSERT_EQ(member(vectors, "invalid").items.size(), 7U);
  for (const Json& row : member(vectors, "invalid").items) {
    EXPECT_FALSE(parse_inclusion(member(row, "text").text)) << member(row, "why").text;
  }
}

}  // namespace
}  // namespace muniment
