#include "recorder/world/engine/frame_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/generator.h"

namespace muniment {
namespace {

std::string head(unsigned char type, std::uint32_t length) {
  std::string bytes{static_cast<char>(type), '\0', '\0', '\0'};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>((length >> shift) & 0xffU);
  }
  return bytes;
}

std::string frame(unsigned char type, const std::string& payload) {
  return head(type, static_cast<std::uint32_t>(payload.size())) + payload;
}

// What came out of a stream.
struct Heard {
  std::string out;
  std::string err;
  Status status;
  bool at_boundary = false;
  std::uint64_t payload_bytes = 0;
};

Heard hear(const std::vector<std::string>& pieces) {
  Heard heard;
  FrameReader reader;
  for (const std::string& piece : pieces) {
    heard.status = reader.feed(piece, [&](ExecChannel channel, std::string_view bytes) -> Status {
      EXPECT_FALSE(bytes.empty());
      (channel == ExecChannel::kOut ? heard.out : heard.err) += bytes;
      return {};
    });
    if (!heard.status) break;
  }
  heard.at_boundary = reader.at_boundary();
  heard.payload_bytes = reader.payload_bytes();
  return heard;
}

TEST(FrameReader, TakesAStreamApartWhereverItIsSplit) {
  const std::string stream = frame(1, "first") + frame(2, "wrong") + frame(1, "") +
                             frame(0, " zero") + frame(1, std::string(300, 'x'));
  for (std::size_t a = 0; a <= stream.size(); ++a) {
    const Heard heard = hear({stream.substr(0, a), stream.substr(a)});
    ASSERT_TRUE(heard.status) << heard.status.error().message;
    ASSERT_EQ(heard.out, "first zero" + std::string(300, 'x')) << a;
    ASSERT_EQ(heard.err, "wrong") << a;
    ASSERT_EQ(heard.payload_bytes, 315U);
    ASSERT_TRUE(heard.at_boundary);
  }
  std::vector<std::string> single;
  for (const char byte : stream) single.emplace_back(1, byte);
  const Heard heard = hear(single);
  EXPECT_EQ(heard.out, "first zero" + std::string(300, 'x'));
  EXPECT_EQ(heard.err, "wrong");
}

TEST(FrameReader, IsAtABoundaryBehindWholeFramesAlone) {
  const std::vector<std::string> frames = {frame(1, "abc"), frame(2, ""), frame(2, "defgh")};
  std::string stream;
  std::vector<std::size_t> ends = {0};
  for (const std::string& one : frames) {
    stream += one;
    ends.push_back(stream.size());
  }
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const bool whole = std::find(ends.begin(), ends.end(), cut) != ends.end();
    EXPECT_EQ(hear({stream.substr(0, cut)}).at_boundary, whole) << cut;
  }
}

TEST(FrameReader, RefusesAGiantLengthWithoutWaitingForIt) {
  EXPECT_TRUE(hear({head(1, FrameReader::kMostPayload)}).status);
  for (const std::uint32_t length : {FrameReader::kMostPayload + 1, 0x7fffffffU, 0xffffffffU}) {
    const Heard heard = hear({head(1, length)});
    ASSERT_FALSE(heard.status);
    EXPECT_EQ(heard.status.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(heard.status.error().message.find(std::to_string(length)), std::string::npos);
  }
}

TEST(FrameReader, RefusesEveryUnknownTypeAndEveryPadding) {
  for (unsigned type = 4; type < 256; ++type) {
    const Heard heard = hear({frame(1, "kept") + head(static_cast<unsigned char>(type), 1)});
    ASSERT_FALSE(heard.status) << type;
    EXPECT_EQ(heard.status.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(heard.out, "kept");
  }
  for (const std::size_t at : {1U, 2U, 3U}) {
    std::string padded = frame(1, "x");
    padded[at] = '\1';
    EXPECT_FALSE(hear({padded}).status) << at;
  }
}

TEST(FrameReader, ReportsAnErrorOfTheEngineInertAndShort) {
  const Heard plain = hear({frame(3, "no space \x1b[31mleft"), frame(1, "never")});
  ASSERT_FALSE(plain.status);
  EXPECT_EQ(plain.status.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(plain.status.error().message.find("no space \\x1B[31mleft"), std::string::npos);
  EXPECT_EQ(plain.out, "");

  const Heard empty = hear({frame(3, "")});
  ASSERT_FALSE(empty.status);
  EXPECT_NE(empty.status.error().message.find("(no text)"), std::string::npos);

  const std::string piece(40000, 'e');
  const Heard heard = hear({head(3, 120000), piece, piece, piece});
  ASSERT_FALSE(heard.status);
  EXPECT_LT(heard.status.error().message.size(), 700U);
  EXPECT_EQ(heard.payload_bytes, 0U);
  EXPECT_FALSE(hear({head(3, 120000), piece}).at_boundary);
}

TEST(FrameReader, EndsWithTheErrorOfWhoTakes) {
  FrameReader reader;
  int calls = 0;
  const Status fed = reader.feed(frame(1, "a") + frame(1, "b"), [&](ExecChannel, std::string_view) {
    ++calls;
    return Status(fail(ErrorCode::kIo, "the disk is full"));
  });
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, ErrorCode::kIo);
  EXPECT_EQ(calls, 1);
}

TEST(FrameReader, AgreesWithTheFramesThatWereWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    Heard expected;
    const std::size_t frames = generator.below(12);
    for (std::size_t i = 0; i < frames; ++i) {
      const auto type = static_cast<unsigned char>(generator.below(3));
      const std::string payload = generator.bytes(generator.below(generator.one_in(8) ? 5000 : 40));
      stream += frame(type, payload);
      (type == 2 ? expected.err : expected.out) += payload;
    }
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = generator.between(1, generator.one_in(3) ? 4000 : 9);
      pieces.push_back(stream.substr(at, size));
      at += size;
    }
    const Heard heard = hear(pieces);
    ASSERT_TRUE(heard.status);
    ASSERT_EQ(heard.out, expected.out);
    ASSERT_EQ(heard.err, expected.err);
    ASSERT_TRUE(heard.at_boundary);
    ASSERT_EQ(heard.payload_bytes, expected.out.size() + expected.err.size());
  }
}

}  // namespace
}  // namespace muniment
