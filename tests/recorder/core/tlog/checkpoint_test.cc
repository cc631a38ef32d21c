#include "recorder/core/tlog/checkpoint.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/generator.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

constexpr std::string_view kVectors = "checkpoint/bodies.json";
// The root of the empty tree, RFC 6962, section 2.1, in base64.
constexpr std::string_view kEmptyRoot = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
constexpr std::string_view kSomeRoot = "CsUoJ4BSAkuEgqICpU6RF3tPwfkPq3ZfFYOXBpnSQ2k=";

Checkpoint some_checkpoint(Generator& generator) {
  Checkpoint checkpoint;
  checkpoint.origin = generator.text(generator.between(1, 20), "abc.example/+ log");
  checkpoint.size = generator.one_in(2) ? generator.between(1, 1000)
                                        : generator.between(1, std::size_t{1} << 62U);
  checkpoint.root = sha256(generator.bytes(8));
  if (generator.one_in(8)) {
    checkpoint.size = 0;
    checkpoint.root = sha256("");
  }
  while (generator.one_in(3)) checkpoint.extensions.push_back(generator.text(5, "xyz =\t1"));
  return checkpoint;
}

TEST(Checkpoint, IsTheTextOfTheStandard) {
  Checkpoint checkpoint{"log.example/muniment", 0, sha256(""), {}};
  EXPECT_EQ(checkpoint_text(checkpoint),
            "log.example/muniment\n0\n" + std::string(kEmptyRoot) + "\n");
  checkpoint.size = 412;
  checkpoint.extensions = {"one", "two words"};
  EXPECT_EQ(checkpoint_text(checkpoint),
            "log.example/muniment\n412\n" + std::string(kEmptyRoot) + "\none\ntwo words\n");
}

TEST(Checkpoint, IsReadAsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 300; ++i) {
    const Checkpoint written = some_checkpoint(generator);
    const Result<Checkpoint> read = parse_checkpoint(checkpoint_text(written));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, written);
  }
}

// A signature covers the text: a reader that took a second spelling for the same statement would
// let the text be changed.
TEST(Checkpoint, HasOneSpelling) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  int taken = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string text = checkpoint_text(some_checkpoint(generator));
    const std::size_t at = generator.below(text.size());
    switch (generator.below(3)) {
      case 0:
        text[at] = generator.text(1, "\n\r 0=+/AB")[0];
        break;
      case 1:
        text.erase(at, 1);
        break;
      default:
        text.insert(at, generator.text(1, "\n\r 0=+/AB"));
    }
    const Result<Checkpoint> read = parse_checkpoint(text);
    if (!read) continue;
    ++taken;
    ASSERT_EQ(checkpoint_text(*read), text);
  }
  EXPECT_GT(taken, 100) << "hardly any change left a checkpoint: nothing was tested";
}

TEST(Checkpoint, IsRefusedWithTheLineThatIsWrong) {
  const std::string root(kSomeRoot);
  const std::array<std::pair<std::string, std::string_view>, 19> cases = {{
      {"", "line 1"},
      {"log", "line 1"},
      {"\n1\n" + root + "\n", "line 1"},
      {"log\n", "line 2"},
      {"log\n1", "line 2"},
      {"log\n\n" + root + "\n", "line 2"},
      {"log\n01\n" + root + "\n", "line 2"},
      {"log\n+1\n" + root + "\n", "line 2"},
      {"log\n1 \n" + root + "\n", "line 2"},
      {"log\n9223372036854775808\n" + root + "\n", "line 2"},
      {"log\n1\n", "line 3"},
      {"log\n1\n" + root, "line 3"},
      {"log\n1\n" + root + "\r\n", "line 3"},
      {"log\n1\n" + root.substr(0, 43) + "\n", "line 3"},    // no padding
      {"log\n1\n" + root.substr(0, 42) + "l=\n", "line 3"},  // a stray bit: k is the spelling
      {"log\n1\nYmFuYW5hcw==\n", "line 3"},
      {"log\n0\n" + root + "\n", "line 3"},
      {"log\n1\n" + root + "\n\n", "line 4"},
      {"log\n1\n" + root + "\none\ntwo", "line 5"},
  }};
  for (const auto& [text, line] : cases) {
    const Result<Checkpoint> read = parse_checkpoint(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(read.error().message.starts_with(line)) << text << read.error().message;
  }
}

TEST(Checkpoint, QuotesForeignTextInertAndShort) {
  const Result<Checkpoint> read = parse_checkpoint("log\n\x1b[2J" + std::string(5000, 'x') + "\n");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message.find('\x1b'), std::string::npos);
  EXPECT_LT(read.error().message.size(), 300U);
}

TEST(Checkpoint, AgreesWithThePublishedVectors) {
  SKIP_WITHOUT_VECTORS(kVectors.data());
  const Json vectors = read_vectors(vectors_folder() + "/" + std::string(kVectors));
  for (const Json& row : member(vectors, "valid").items) {
    const std::string& body = member(row, "body").text;
    EXPECT_EQ(parse_checkpoint(body).has_value(), row.find("strict_refuse") == nullptr) << body;
  }
  ASSERT_EQ(member(vectors, "invalid").items.size(), 7U);
  for (const Json& row : member(vectors, "invalid").items) {
    EXPECT_FALSE(parse_checkpoint(member(row, "body").text)) << member(row, "why").text;
  }
  const Json& real = member(vectors, "golang_tlog");
  const Result<Checkpoint> read = parse_checkpoint(member(real, "body").text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->origin, "go.sum database tree");
  EXPECT_EQ(std::to_string(read->size), member(real, "size").text);
  EXPECT_EQ(read->root, leaf_hash(member(real, "record_utf8").text));
  EXPECT_EQ(checkpoint_text(*read), member(real, "body").text);
}

TEST(Decimal, HasOneSpelling) {
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{10}, (std::uint64_t{1} << 63U) - 1}) {
    const Result<std::uint64_t> read = parse_decimal(std::to_string(number), "the size");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, number);
  }
  for (const std::string_view text :
       {"", "00", "01", "-1", "-0", "+1", " 1", "1 ", "1\n", "0x1", "1e3", "1.0",
        "9223372036854775808", "18446744073709551616", "99999999999999999999999999"}) {
    const Result<std::uint64_t> read = parse_decimal(text, "the size");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(read.error().message.starts_with("the size ")) << read.error().message;
  }
  EXPECT_FALSE(parse_decimal(std::string_view("1\0", 2), "the size"));
}

}  // namespace
}  // namespace muniment
