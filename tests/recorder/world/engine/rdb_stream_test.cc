// RDB files as they stream by; the oracle of the checksum is the bitwise definition.
#include "recorder/world/engine/rdb_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/generator.h"

namespace muniment {
namespace {

// One bit at a time, not reflected: the definition, turned around at the end.
std::uint64_t naive_crc(const std::string& bytes) {
  std::uint64_t crc = 0;
  for (const char c : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const bool in = ((static_cast<unsigned char>(c) >> bit) & 1U) != 0;
      const bool top = (crc >> 63U) != 0;
      crc = (crc << 1U) ^ (in != top ? 0xad93d23594c935a9U : 0);
    }
  }
  std::uint64_t out = 0;
  for (unsigned bit = 0; bit < 64; ++bit) out |= ((crc >> bit) & 1U) << (63U - bit);
  return out;
}

std::string with_checksum(std::string body, bool zero = false) {
  const std::uint64_t crc = zero ? 0 : naive_crc(body);
  for (unsigned i = 0; i < 8; ++i) body += static_cast<char>((crc >> (8U * i)) & 0xffU);
  return body;
}

std::string rdb(Generator& draw, std::size_t bytes) {
  std::string body = "REDIS0010";
  for (std::size_t i = 0; i < bytes; ++i) body += static_cast<char>(draw.below(256));
  return with_checksum(body + '\xff');
}

// What came out, or the error's code.
Result<std::string> pass_through(Generator& draw, const std::string& stream, std::uint64_t size) {
  std::string out;
  RdbStream rdb([&](std::string_view piece) -> Status {
    out.append(piece);
    return {};
  });
  for (std::string_view rest = stream; !rest.empty();) {
    const std::size_t n = std::min<std::size_t>(rest.size(), draw.between(1, 100));
    if (Status written = rdb.write(rest.substr(0, n)); !written) return pass(written);
    rest.remove_prefix(n);
  }
  if (Status whole = rdb.finish(size); !whole) return pass(whole);
  return out;
}

TEST(RdbStream, HasTheChecksumOfItsDefinition) {
  EXPECT_EQ(crc64_jones(0, "123456789"), 0xe9c6d914c4b8d9caU);  // the value in Redis' own test
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 300; ++i) {
    const std::string text = draw.text(draw.below(70), "abc\xff");
    const std::size_t cut = draw.below(text.size() + 1);
    EXPECT_EQ(crc64_jones(crc64_jones(0, text.substr(0, cut)), text.substr(cut)), naive_crc(text));
  }
}

TEST(RdbStream, HandsOnTheFileWithoutTheMarkBehindIt) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 200; ++i) {
    const std::string file = rdb(draw, draw.below(300));
    const std::string mark(RdbStream::kMarkBytes, 'e');
    for (const std::string& stream : {file, file + mark}) {
      const Result<std::string> out = pass_through(draw, stream, file.size());
      ASSERT_TRUE(out) << out.error().message;
      EXPECT_EQ(*out, file);
    }
  }
}

TEST(RdbStream, TakesNothingThatIsCutOrChanged) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 300; ++i) {
    const std::string file = rdb(draw, draw.below(200));
    const std::string cut = file.substr(0, draw.below(file.size()));
    EXPECT_FALSE(pass_through(draw, cut, file.size()));
    EXPECT_FALSE(pass_through(draw, cut, cut.size()));
    std::string changed = file;
    changed[draw.below(changed.size())] ^= static_cast<char>(1U << draw.below(8));
    EXPECT_FALSE(pass_through(draw, changed, file.size()));
  }
}

TEST(RdbStream, KnowsAFileWithoutChecksum) {
  Generator draw;
  const std::string file = with_checksum(std::string("REDIS0010abc\xff"), true);
  EXPECT_TRUE(pass_through(draw, file, file.size()));
}

TEST(RdbStream, ReadsTheSizeThatRedisCliSays) {
  EXPECT_EQ(rdb_size_said("sending REPLCONF\nTransfer finished with success after 22191 bytes\n"),
            22191U);
  EXPECT_EQ(rdb_size_said("SYNC sent to master, writing 512 bytes to '-'\nTransfer finished with "
                          "success.\n"),
            512U);
  EXPECT_EQ(rdb_size_said("writing bytes of bulk transfer until EOF marker to '-'"), std::nullopt);
  EXPECT_EQ(rdb_size_said(""), std::nullopt);
  EXPECT_EQ(rdb_size_said("success after 99999999999999999999999 bytes"), std::nullopt);
}

}  // namespace
}  // namespace muniment
