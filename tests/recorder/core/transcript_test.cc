// Two streams of a command, redacted line by line and put in the order they came.
#include "recorder/core/transcript.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/redacted_lines.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

constexpr std::size_t kLimit = 4096;

std::string in_pieces(const Redactor& redactor, std::string_view text, Generator& draw) {
  std::string out;
  RedactedLines lines(redactor, [&](std::uint64_t, std::string_view line) { out += line; });
  std::uint64_t arrival = 0;
  while (!text.empty()) {
    const std::size_t size = draw.between(1, std::min<std::size_t>(text.size(), 5000));
    lines.write(text.substr(0, size), ++arrival);
    text.remove_prefix(size);
  }
  lines.finish();
  return out;
}

std::string random_output(Generator& draw, const std::vector<std::string>& secrets) {
  std::string out;
  for (std::size_t i = draw.below(400); i > 0; --i) {
    if (draw.one_in(6)) {
      out += secrets[draw.below(secrets.size())];
    } else {
      out += draw.text(draw.below(40), "abc =\n\n\xff");
    }
    if (draw.one_in(9)) out += "password=hunter2 token\n";
  }
  return out;
}

// However the pieces fall, and whatever lines a secret runs over.
TEST(RedactedLines, AreWhatRedactMakesOfTheWhole) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  const std::vector<std::string> secrets = {"correct horse battery", "first line\nsecond line\n3",
                                            "abcabcabc"};
  Redactor redactor;
  for (const std::string& secret : secrets) redactor.add_secret("secret:x", secret);
  for (int i = 0; i < 200 && !testing::Test::HasFailure(); ++i) {
    const std::string text = random_output(draw, secrets);
    const std::string got = in_pieces(redactor, text, draw);
    EXPECT_EQ(got, redactor.redact(text));
    for (const std::string& secret : secrets) EXPECT_EQ(got.find(secret), got.npos);
  }
}

TEST(RedactedLines, ComeWithThePieceThatEndedThem) {
  const Redactor redactor;
  std::vector<std::pair<std::uint64_t, std::string>> got;
  RedactedLines lines(redactor, [&](std::uint64_t arrival, std::string_view line) {
    got.emplace_back(arrival, line);
  });
  lines.write("one\ntw", 3);
  lines.write("o\nthree\nfo", 7);
  lines.write("ur", 8);
  lines.finish();
  const std::vector<std::pair<std::uint64_t, std::string>> expected = {
      {3, "one\n"}, {7, "two\n"}, {7, "three\n"}, {8, "four"}};
  EXPECT_EQ(got, expected);
}

TEST(RedactedLines, DoNotFillTheMemoryWithALineThatNeverEnds) {
  const Redactor redactor;
  std::size_t parts = 0;
  std::size_t bytes = 0;
  RedactedLines lines(redactor, [&](std::uint64_t, std::string_view line) {
    ++parts;
    bytes += line.size();
  });
  const std::string piece(65536, 'x');
  for (std::uint64_t i = 0; i < 64; ++i) lines.write(piece, i);
  EXPECT_GE(parts, 2U);
  lines.finish();
  EXPECT_EQ(bytes, 64 * piece.size());
}

TEST(Transcript, PutsLinesInTheOrderTheyCame) {
  Transcript transcript(kLimit);
  transcript.add(2, false, "second\n");
  transcript.add(3, true, "third\n");
  transcript.add(1, true, "first, told late\n");
  transcript.add(4, false, "no newline");
  EXPECT_EQ(transcript.text(), "err| first, told late\nout| second\nerr| third\nout| no newline\n");
  EXPECT_EQ(transcript.cut_bytes(), 0U);
}

TEST(Transcript, CutsItsMiddleAndCountsWhatIsGone) {
  Transcript transcript(kLimit);
  std::size_t added = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    transcript.add(i, i % 2 == 1, line);
    added += line.size() + 5;
  }
  const std::string text = transcript.text();
  EXPECT_LE(text.size(), kLimit);
  EXPECT_GT(text.size(), kLimit * 3 / 4);
  EXPECT_TRUE(text.starts_with("out| line 0\nerr| line 1\n")) << text.substr(0, 40);
  EXPECT_TRUE(text.ends_with("out| line 998\nerr| line 999\n"));
  const std::string mark = "[" + std::to_string(transcript.cut_bytes()) + " bytes left out]\n";
  EXPECT_NE(text.find("\n" + mark), text.npos) << text;
  EXPECT_EQ(text.size() - mark.size() + transcript.cut_bytes(), added);
}

TEST(Transcript, MarksTheRestOfALineThatWasCutInside) {
  Transcript transcript(2 * kLimit + 64 + 16);
  transcript.add(1, false, std::string(9 * kLimit, 'x') + "\n");
  transcript.add(2, false, "end\n");
  const std::string text = transcript.text();
  const std::size_t mark = text.find(" bytes left out]\n");
  ASSERT_NE(mark, text.npos);
  EXPECT_TRUE(text.substr(mark).starts_with(" bytes left out]\n...| xxx")) << text.substr(mark, 60);
  EXPECT_TRUE(text.ends_with("xxx\nout| end\n"));
}

TEST(Transcript, LetsNoLineFeignACutOrTheOtherStream) {
  Transcript transcript(kLimit);
  transcript.add(1, false, "[7 bytes left out]\n");
  transcript.add(2, false, "err| not one\n");
  EXPECT_EQ(transcript.text(), "out| [7 bytes left out]\nout| err| not one\n");
}

// Neither the size nor the order of what comes breaks the limit or the count.
TEST(Transcript, HoldsItsLimitForRandomLines) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int round = 0; round < 100; ++round) {
    Transcript transcript(kLimit);
    std::size_t added = 0;
    for (std::size_t i = draw.below(300); i > 0; --i) {
      const std::string line(draw.below(draw.one_in(10) ? 9000 : 60), 'y');
      transcript.add(draw.below(100), draw.one_in(2), line + "\n");
      added += line.size() + 6;
    }
    const std::string text = transcript.text();
    EXPECT_LE(text.size(), kLimit);
    EXPECT_LE(transcript.cut_bytes(), added);
    EXPECT_EQ(text.size() == added, transcript.cut_bytes() == 0);
  }
}

}  // namespace
}  // namespace muniment
