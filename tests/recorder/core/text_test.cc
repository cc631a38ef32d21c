#include "recorder/core/text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/generator.h"

namespace muniment {
namespace {

std::string utf8(unsigned point) {
  std::string out;
  const auto add = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (point < 0x80U) {
    add(point);
  } else if (point < 0x800U) {
    add(0xC0U | (point >> 6U));
    add(0x80U | (point & 0x3FU));
  } else if (point < 0x10000U) {
    add(0xE0U | (point >> 12U));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  } else {
    add(0xF0U | (point >> 18U));
    add(0x80U | ((point >> 12U) & 0x3FU));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  }
  return out;
}

// The way back. That it exists is what "different inputs give different outputs" means.
std::string undo(std::string_view shown) {
  std::string out;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] != '\\') {
      out += shown[i];
      continue;
    }
    const char kind = shown[++i];
    if (kind == 'x') {
      out += static_cast<char>(std::stoul(std::string(shown.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else if (kind == 'u') {
      const std::size_t end = shown.find('}', i);
      const std::string digits(shown.substr(i + 2, end - i - 2));
      out += utf8(static_cast<unsigned>(std::stoul(digits, nullptr, 16)));
      i = end;
    } else {
      out += kind == 'n' ? '\n' : kind == 't' ? '\t' : kind == 'r' ? '\r' : '\\';
    }
  }
  return out;
}

// Valid and invalid pieces side by side.
std::string foreign_text(Generator& generator) {
  std::string out;
  for (std::size_t n = generator.below(20); n > 0; --n) {
    if (generator.one_in(3)) {
      out += generator.bytes(generator.between(1, 4));
    } else if (generator.one_in(2)) {
      out += generator.text(generator.between(1, 6), "ab\\x{}un0 \n\t\r\x1b\x7f");
    } else {
      std::size_t point = generator.below(0x110000);
      if (generator.one_in(2)) point = 0x2000 + generator.below(0x100);
      if (point >= 0xD800 && point <= 0xDFFF) point = 0xFEFF;
      out += utf8(static_cast<unsigned>(point));
    }
  }
  return out;
}

TEST(Inert, CanBeUndone) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 20000; ++i) {
    const std::string foreign = foreign_text(generator);
    ASSERT_EQ(undo(inert(foreign)), foreign);
  }
}

TEST(Inert, IsValidAndHasNoControlCharacter) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 20000; ++i) {
    const std::string shown = inert(foreign_text(generator));
    ASSERT_TRUE(is_valid_utf8(shown));
    for (const char c : shown) ASSERT_FALSE((c >= 0 && c < 0x20) || c == 0x7f) << shown;
  }
}

TEST(Inert, ShowsEachKindAsItsEscape) {
  EXPECT_EQ(inert("Grüße, 世界 🎉"), "Grüße, 世界 🎉");
  EXPECT_EQ(inert("a\\b\n\t\r"), "a\\\\b\\n\\t\\r");
  EXPECT_EQ(inert(std::string_view("\0\x1b[31m\x7f", 7)), "\\x00\\x1B[31m\\x7F");
  EXPECT_EQ(inert("\xC2\x85"), "\\xC2\\x85");
  EXPECT_EQ(inert("\x85\xFF"), "\\x85\\xFF");
  EXPECT_EQ(inert("\xED\xA0\x80"), "\\xED\\xA0\\x80") << "a surrogate";
  EXPECT_EQ(inert("\xC0\xAF"), "\\xC0\\xAF") << "an overlong slash";
  EXPECT_EQ(inert("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80") << "above U+10FFFF";
}

TEST(Inert, EscapesWhatCannotBeSeen) {
  for (const unsigned point :
       {0xADU, 0x61CU, 0x180EU, 0x200BU, 0x200FU, 0x2028U, 0x2029U, 0x202EU, 0x2060U, 0x2066U,
        0x2069U, 0xE000U, 0xFEFFU, 0xFFFEU, 0xFFFFU, 0x1FFFEU, 0xE0041U, 0xF0000U, 0x10FFFFU}) {
    EXPECT_TRUE(inert(utf8(point)).starts_with("\\u{")) << std::hex << point;
  }
  EXPECT_EQ(inert("\xE2\x80\xAE"), "\\u{202E}");
  EXPECT_EQ(inert("\xF3\xA0\x81\x81"), "\\u{E0041}");
  for (const unsigned point : {0xA0U, 0xAEU, 0x600U - 1U, 0x2010U, 0x2027U, 0x2070U, 0x3000U,
                               0xFFFDU, 0x10000U, 0x1F600U}) {
    EXPECT_EQ(inert(utf8(point)), utf8(point)) << std::hex << point;
  }
}

TEST(InertShort, KeepsToItsLimitAndCutsBetweenPieces) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 20000; ++i) {
    const std::string foreign = foreign_text(generator);
    const std::size_t limit = generator.between(24, 60);
    const std::string whole = inert(foreign);
    const std::string shown = inert_short(foreign, limit);
    ASSERT_LE(shown.size(), limit);
    if (whole.size() <= limit) {
      ASSERT_EQ(shown, whole);
      continue;
    }
    const std::string mark = "…(" + std::to_string(foreign.size()) + " bytes)";
    ASSERT_TRUE(shown.ends_with(mark)) << shown;
    const std::string kept = shown.substr(0, shown.size() - mark.size());
    ASSERT_TRUE(whole.starts_with(kept));
    ASSERT_TRUE(foreign.starts_with(undo(kept))) << "cut inside an escape: " << kept;
    ASSERT_TRUE(is_valid_utf8(kept));
  }
}

TEST(ValidUtf8, KeepsWhatIsValidAndEscapesTheRest) {
  EXPECT_EQ(valid_utf8("a\nü\x1b"), "a\nü\x1b");
  EXPECT_EQ(valid_utf8("a\xFFü\xC3"), "a\\xFFü\\xC3");
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 5000; ++i) {
    const std::string foreign = foreign_text(generator);
    ASSERT_TRUE(is_valid_utf8(valid_utf8(foreign)));
    if (is_valid_utf8(foreign)) {
      ASSERT_EQ(valid_utf8(foreign), foreign);
    }
    const std::size_t good = valid_utf8_prefix(foreign);
    ASSERT_EQ(is_valid_utf8(foreign), good == foreign.size());
    ASSERT_TRUE(is_valid_utf8(foreign.substr(0, good)));
  }
}

std::size_t naive_distance(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const std::size_t replaced = naive_distance(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1);
  std::size_t best =
      std::min({naive_distance(a.substr(1), b) + 1, naive_distance(a, b.substr(1)) + 1, replaced});
  const bool swapped = a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0];
  if (swapped) best = std::min(best, naive_distance(a.substr(2), b.substr(2)) + 1);
  return best;
}

TEST(EditDistance, AgreesWithItsDefinition) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 2000; ++i) {
    const std::string a = generator.text(generator.below(6), "abc");
    const std::string b = generator.text(generator.below(6), "abc");
    ASSERT_EQ(edit_distance(a, b), naive_distance(a, b)) << a << " " << b;
  }
}

TEST(NearestWord, FindsWhatWasMeantAndNothingElse) {
  const std::array<std::string_view, 4> words = {"class", "container", "databases", "gate"};
  EXPECT_EQ(nearest_word("clas", words), "class");
  EXPECT_EQ(nearest_word("calss", words), "class");
  EXPECT_EQ(nearest_word("conatiners", words), "container");
  EXPECT_EQ(nearest_word("zebra", words), "");
  EXPECT_EQ(nearest_word(std::string(100000, 'x'), words), "");
  EXPECT_EQ(nearest_word("x", std::vector<std::string>{}), "");
}

}  // namespace
}  // namespace muniment
