// Names, key ids and verifier keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/base64.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/note.h"
#include "tests/support/note_signers.h"

namespace muniment {
namespace {

constexpr std::string_view kVkey =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

void expect_refused(std::string_view vkey, const std::string& why) {
  const Result<NoteKey> key = parse_vkey(vkey);
  ASSERT_FALSE(key) << vkey;
  EXPECT_EQ(key.error().code, ErrorCode::kInvalid);
  EXPECT_NE(key.error().message.find(why), std::string::npos) << key.error().message;
  EXPECT_TRUE(is_valid_utf8(key.error().message));
}

// A vkey that is right in everything but what the caller puts into it.
std::string vkey_with(const std::string& name, const std::string& typed) {
  const std::string id = to_hex(as_bytes(sha256(name + "\n" + typed)).substr(0, 4));
  return name + "+" + id + "+" + base64(typed);
}

std::string utf8(char32_t point) {
  std::string out;
  const auto add = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80U) {
    add(point);
  } else if (point < 0x800U) {
    add(0xC0U | (point >> 6U));
    add(0x80U | (point & 0x3FU));
  } else {
    add(0xE0U | (point >> 12U));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  }
  return out;
}

// White_Space of Unicode's PropList.txt; there is none beyond the basic plane.
bool is_space(char32_t point) {
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x09, 0x0d},     {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
      {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
  return std::ranges::any_of(kRanges,
                             [&](auto r) { return r.first <= point && point <= r.second; });
}

TEST(NoteKey, HasANameWithoutWhiteSpacePlusAndControls) {
  for (char32_t point = 0; point < 0x10000; ++point) {
    const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
    const bool allowed = !is_space(point) && point >= 0x20 && point != '+' && !is_surrogate;
    ASSERT_EQ(is_note_name("a" + utf8(point) + "b"), allowed) << static_cast<unsigned>(point);
  }
  EXPECT_FALSE(is_note_name(""));
  EXPECT_FALSE(is_note_name("\xff"));
  EXPECT_FALSE(is_note_name("a\xe2\x80"));
  EXPECT_TRUE(is_note_name("\U0001f5dd"));
}

TEST(NoteKey, IsReadAsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (std::size_t i = 0; i < 200; ++i) {
    const NoteKey key =
        generator.one_in(2) ? some_note_signer(generator, i).key : some_witness(generator, i).key;
    const Result<NoteKey> read = parse_vkey(vkey_of(key));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, key);
    EXPECT_TRUE(vkey_of(key).starts_with(key.name + "+" + key_id_hex(key.id) + "+"));
  }
}

// The id is over the name too, so that each byte of a vkey counts.
TEST(NoteKey, IsRefusedWithAnotherByteOrWithoutOne) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (const std::string& vkey : {std::string(kVkey), vkey_of(some_note_signer(generator, 1).key),
                                  vkey_of(some_witness(generator, 1).key)}) {
    ASSERT_TRUE(parse_vkey(vkey));
    for (std::size_t at = 0; at < vkey.size(); ++at) {
      for (unsigned other = 1; other < 256; ++other) {
        std::string changed = vkey;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ other);
        ASSERT_FALSE(parse_vkey(changed)) << changed;
      }
      EXPECT_FALSE(parse_vkey(vkey.substr(0, at))) << at;
      EXPECT_FALSE(parse_vkey(vkey.substr(at + 1))) << at;
    }
    EXPECT_FALSE(parse_vkey(vkey + "\n"));
    EXPECT_FALSE(parse_vkey(" " + vkey));
  }
}

// The key may hold the sign that separates: only the first two do.
TEST(NoteKey, IsSplitAtTheFirstTwoPlusSigns) {
  const std::string public_key(32, '\xfb');
  const NoteKey key = note_key("a", public_key);
  ASSERT_GT(std::ranges::count(vkey_of(key), '+'), 2);
  const Result<NoteKey> read = parse_vkey(vkey_of(key));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->public_key, public_key);
}

TEST(NoteKey, SaysWhatIsWrong) {
  const std::string good = "\x01" + std::string(32, 'k');
  ASSERT_TRUE(parse_vkey(vkey_with("a", good)));
  expect_refused("", "three parts");
  expect_refused("a", "three parts");
  expect_refused("a+530d903a", "three parts");
  expect_refused("+530d903a+AekyeRrm", "no valid name");
  expect_refused(vkey_with("a b", good), "no valid name");
  expect_refused(vkey_with("a\u2003b", good), "no valid name");
  expect_refused(vkey_with("a", ""), "padded base64");
  expect_refused(vkey_with("a", "\x01"), "padded base64");
  expect_refused(std::string(kVkey) + "=", "padded base64");
  expect_refused(vkey_with("a", good + "k"), "type 0x01 and has 33 bytes, expected 32");
  expect_refused(vkey_with("a", good.substr(0, 32)), "type 0x01 and has 31 bytes, expected 32");
  expect_refused(vkey_with("a", "\x04k"), "type 0x04 and has 1 bytes, expected 32");
  expect_refused(vkey_with("a", "e" + std::string(32, 'k')), "of type 0x65");
  expect_refused("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                 "key id \"530D903A\", expected 530d903a");
  expect_refused("example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                 "key id \"530d903a\", expected ");
}

}  // namespace
}  // namespace muniment
