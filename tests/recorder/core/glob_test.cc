#include "recorder/core/glob.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/generator.h"

namespace muniment {
namespace {

// A second reading of the rules, which tries everything and shares nothing with glob.cc: a pattern
// becomes a list of byte sets.
using ByteSet = std::array<bool, 256>;
struct Piece {
  bool run = false;
  ByteSet bytes{};
};

std::size_t index_of(char c) {
  return static_cast<unsigned char>(c);
}

Piece set_piece(std::string_view pattern, std::size_t& i) {
  Piece piece;
  const bool negated = pattern[++i] == '!';
  if (negated) ++i;
  std::string members;
  std::vector<bool> escaped;
  for (bool first = true; first || pattern[i] != ']'; first = false, ++i) {
    const bool is_escape = pattern[i] == '\\';
    if (is_escape) ++i;
    members += pattern[i];
    escaped.push_back(is_escape);
  }
  for (std::size_t m = 0; m < members.size(); ++m) {
    const bool span = m + 2 < members.size() && members[m + 1] == '-' && !escaped[m + 1];
    const std::size_t last = index_of(members[span ? m + 2 : m]);
    for (std::size_t b = index_of(members[m]); b <= last; ++b) piece.bytes[b] = true;
    if (span) m += 2;
  }
  if (negated) {
    for (bool& byte : piece.bytes) byte = !byte;
  }
  return piece;
}

std::vector<Piece> pieces_of(std::string_view component) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < component.size(); ++i) {
    Piece piece;
    if (component[i] == '*') {
      piece.run = true;
    } else if (component[i] == '?') {
      piece.bytes.fill(true);
    } else if (component[i] == '[') {
      piece = set_piece(component, i);
    } else {
      if (component[i] == '\\') ++i;
      piece.bytes[index_of(component[i])] = true;
    }
    pieces.push_back(piece);
  }
  return pieces;
}

bool naive_name(const std::vector<Piece>& pieces, std::size_t at, std::string_view name) {
  if (at == pieces.size()) return name.empty();
  if (pieces[at].run) {
    for (std::size_t n = 0; n <= name.size(); ++n) {
      if (naive_name(pieces, at + 1, name.substr(n))) return true;
    }
    return false;
  }
  return !name.empty() && pieces[at].bytes[index_of(name[0])] &&
         naive_name(pieces, at + 1, name.substr(1));
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  if (path == "/") return out;
  for (const char c : path) {
    if (c == '/') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

bool naive_path(const std::vector<std::string>& pattern, std::size_t p,
                const std::vector<std::string>& path, std::size_t s) {
  if (p == pattern.size()) return s == path.size();
  if (pattern[p] == "**") {
    for (std::size_t n = s; n <= path.size(); ++n) {
      if (naive_path(pattern, p + 1, path, n)) return true;
    }
    return false;
  }
  return s < path.size() && naive_name(pieces_of(pattern[p]), 0, path[s]) &&
         naive_path(pattern, p + 1, path, s + 1);
}

std::string some_pattern(Generator& generator) {
  static const std::vector<std::string> kParts = {
      "a",     "b",      "c",    "*",     "*",      "?",   "[ab]",    "[!a]",
      "[a-b]", "**",     "[]a]", "[!]a]", "\\*",    "\\a", "[a\\]b]", "[-a]",
      "[a-]",  "[\\!a]", "]",    "-",     "[b\\-]", "!",   "[*?]"};
  std::string out;
  for (std::size_t n = generator.between(1, 4); n > 0; --n) {
    out += '/';
    if (generator.one_in(3)) {
      out += "**";
      continue;
    }
    for (std::size_t m = generator.between(1, 4); m > 0; --m) {
      out += kParts[generator.below(kParts.size())];
    }
  }
  return out;
}

std::string some_path(Generator& generator) {
  if (generator.one_in(50)) return "/";
  std::string out;
  for (std::size_t n = generator.between(1, 5); n > 0; --n) {
    out += '/';
    out += generator.text(generator.between(1, 4), generator.one_in(4) ? "ab*?]!-\\[" : "ab");
  }
  return out;
}

TEST(GlobMatch, AgreesWithANaiveMatcher) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  int matched = 0;
  for (int i = 0; i < 60000; ++i) {
    const std::string pattern = some_pattern(generator);
    const std::string path = some_path(generator);
    ASSERT_EQ(glob_error(pattern), "") << pattern;
    const bool expected = naive_path(split(pattern), 0, split(path), 0);
    ASSERT_EQ(glob_match(pattern, path), expected) << pattern << "  " << path;
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, 1000) << "the generator no longer hits";
}

TEST(GlobMatch, ReadsAsItsHeaderSays) {
  EXPECT_TRUE(glob_match("/a/**", "/a"));
  EXPECT_TRUE(glob_match("/a/**", "/a/b/c"));
  EXPECT_FALSE(glob_match("/a/**", "/ab"));
  EXPECT_TRUE(glob_match("/data/git/**/tmp_*", "/data/git/tmp_1"));
  EXPECT_TRUE(glob_match("/data/git/**/tmp_*", "/data/git/x/y/tmp_"));
  EXPECT_FALSE(glob_match("/data/git/**/tmp_*", "/data/git/tmp_1/x")) << "the caller prunes";
  EXPECT_TRUE(glob_match("/a**b", "/axxb"));
  EXPECT_FALSE(glob_match("/a**b", "/a/b"));
  EXPECT_FALSE(glob_match("/a*b", "/a/b"));
  EXPECT_FALSE(glob_match("/a?b", "/a/b"));
  EXPECT_FALSE(glob_match("/a[!x]b", "/a/b"));
  EXPECT_FALSE(glob_match("/a[+-9]b", "/a/b"));
  EXPECT_TRUE(glob_match("/**", "/"));
  EXPECT_FALSE(glob_match("a", "/a"));
}

TEST(GlobMatch, StaysQuickWhereBacktrackingWouldNot) {
  std::string pattern = "/";
  std::string folders;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  for (int i = 0; i < 200; ++i) folders += "/**/a";
  EXPECT_FALSE(glob_match(pattern + "b", "/" + std::string(2000, 'a')));
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "/a";
  EXPECT_FALSE(glob_match(folders + "/b", deep));
}

TEST(GlobMatch, SurvivesAnyBytes) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 50000; ++i) {
    const std::string pattern = "/" + generator.text(generator.below(12), "/*?[]!\\-ab.");
    const std::string path = "/" + generator.text(generator.below(12), "/ab]");
    const bool matched = glob_match(pattern, path);
    const bool plain = pattern.find_first_of("*?[\\") == std::string::npos;
    if (plain) {
      ASSERT_EQ(matched, pattern == path) << pattern << "  " << path;
    }
    glob_error(pattern);
  }
}

TEST(GlobError, NamesWhatIsWrong) {
  EXPECT_EQ(glob_error("/a/*.txt"), "");
  EXPECT_EQ(glob_error("/"), "");
  EXPECT_NE(glob_error("").find("absolute"), std::string_view::npos);
  EXPECT_NE(glob_error("a/b").find("absolute"), std::string_view::npos);
  EXPECT_NE(glob_error("/a//b").find("empty component"), std::string_view::npos);
  EXPECT_NE(glob_error("/a/").find("empty component"), std::string_view::npos);
  EXPECT_NE(glob_error("/a/../b").find(".."), std::string_view::npos);
  EXPECT_NE(glob_error("/a/./b").find("."), std::string_view::npos);
  EXPECT_NE(glob_error("/a[bc").find("not closed"), std::string_view::npos);
  EXPECT_NE(glob_error("/[]").find("not closed"), std::string_view::npos);
  EXPECT_NE(glob_error("/a[b/c]").find("not closed"), std::string_view::npos);
  EXPECT_NE(glob_error("/a\\").find("backslash"), std::string_view::npos);
  EXPECT_NE(glob_error("/a\\/b").find("backslash"), std::string_view::npos);
  EXPECT_NE(glob_error("/[z-a]").find("backwards"), std::string_view::npos);
}

}  // namespace
}  // namespace muniment
