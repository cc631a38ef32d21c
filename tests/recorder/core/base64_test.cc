#include "recorder/core/base64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/generator.h"

namespace muniment {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 4648, section 10.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kVectors = {{
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
}};

// Bit by bit, as slow and as plain as it can be.
std::string naive_base64(std::string_view bytes) {
  std::string bits;
  for (const char c : bytes) {
    for (int bit = 7; bit >= 0; --bit) {
      bits += ((static_cast<unsigned char>(c) >> bit) & 1) != 0 ? '1' : '0';
    }
  }
  while (bits.size() % 6 != 0) bits += '0';
  std::string text;
  for (std::size_t i = 0; i < bits.size(); i += 6) {
    text += kAlphabet[std::stoul(bits.substr(i, 6), nullptr, 2)];
  }
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::string url_safe(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

TEST(Base64, FollowsTheExamplesOfTheStandard) {
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(base64_decoded(text), bytes);
    EXPECT_EQ(base64_decoded_strictly(text), bytes);
  }
}

TEST(Base64, AgreesWithCountingBits) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 500; ++i) {
    const std::string bytes = generator.bytes(generator.below(70));
    const std::string text = base64(bytes);
    ASSERT_EQ(text, naive_base64(bytes));
    ASSERT_EQ(base64_decoded_strictly(text), bytes);
  }
}

TEST(Base64, ReadsBothAlphabetsPaddedOrNot) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 500; ++i) {
    const std::string bytes = generator.bytes(generator.below(40));
    std::string text = base64(bytes);
    ASSERT_EQ(base64_decoded(url_safe(text)), bytes) << text;
    while (text.ends_with('=')) text.pop_back();
    ASSERT_EQ(base64_decoded(text), bytes) << text;
    ASSERT_EQ(base64_decoded(url_safe(text)), bytes) << text;
  }
}

// Of all that could be written for one byte, 256 spellings are strict, and so on for two.
TEST(Base64, HasOneStrictSpellingForEachText) {
  std::size_t of_one_byte = 0;
  std::size_t of_two_bytes = 0;
  for (const char a : kAlphabet) {
    for (const char b : kAlphabet) {
      const std::string two = {a, b};
      of_one_byte += base64_decoded_strictly(two + "==").has_value() ? 1U : 0U;
      EXPECT_FALSE(base64_decoded_strictly(two)) << two;
      EXPECT_FALSE(base64_decoded_strictly(two + "=")) << two;
      for (const char c : kAlphabet) {
        of_two_bytes += base64_decoded_strictly(two + c + "=").has_value() ? 1U : 0U;
      }
    }
  }
  EXPECT_EQ(of_one_byte, 256U);
  EXPECT_EQ(of_two_bytes, 65536U);
}

TEST(Base64, IsStrictOnlyInTheStandardAlphabet) {
  EXPECT_EQ(base64_decoded_strictly("+/+/"), "\xfb\xff\xbf");
  EXPECT_FALSE(base64_decoded_strictly("-_-_"));
  EXPECT_EQ(base64_decoded("-_-_"), "\xfb\xff\xbf");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* const text :
       {"=",        "==",    "===",   "====",  "A",    "A=",       "A==",
        "A===",     "AA=",   "AAA==", "AA=A",  "=AAA", "Zm9vY",    "Zm9v\n",
        "Zm9v\r\n", "Zm 9v", " Zm9v", "Zm9v ", "Zm9!", "Zm9v====", "Zg==Zg=="}) {
    EXPECT_FALSE(base64_decoded(text)) << text;
    EXPECT_FALSE(base64_decoded_strictly(text)) << text;
  }
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool is_digit = kAlphabet.find(c) != std::string_view::npos;
    EXPECT_EQ(base64_decoded_strictly(std::string("AA") + c + "A").has_value(), is_digit) << byte;
    EXPECT_EQ(base64_decoded(std::string("AA") + c + "A").has_value(),
              is_digit || c == '-' || c == '_')
        << byte;
  }
}

}  // namespace
}  // namespace muniment
