#include "recorder/core/text.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "recorder/core/check.h"

namespace muniment {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 15: Cf, Zl, Zp, Co and the code points that are ignored when shown (selectors, fillers).
constexpr std::array kUnseen = {
    Range{0xAD, 0xAD},       Range{0x34F, 0x34F},     Range{0x600, 0x605},
    Range{0x61C, 0x61C},     Range{0x6DD, 0x6DD},     Range{0x70F, 0x70F},
    Range{0x890, 0x891},     Range{0x8E2, 0x8E2},     Range{0x115F, 0x1160},
    Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},   Range{0x200B, 0x200F},
    Range{0x2028, 0x202E},   Range{0x2060, 0x206F},   Range{0x3164, 0x3164},
    Range{0xE000, 0xF8FF},   Range{0xFDD0, 0xFDEF},   Range{0xFE00, 0xFE0F},
    Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},   Range{0xFFF0, 0xFFFB},
    Range{0x110BD, 0x110BD}, Range{0x110CD, 0x110CD}, Range{0x13430, 0x1343F},
    Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0000, 0x10FFFF},
};

bool is_unseen(char32_t point) {
  if ((point & 0xFFFEU) == 0xFFFEU) return true;
  const auto* const range =
      std::lower_bound(kUnseen.begin(), kUnseen.end(), point,
                       [](const Range& r, char32_t wanted) { return r.last < wanted; });
  return range != kUnseen.end() && range->first <= point;
}

struct Decoded {
  char32_t point = 0;
  std::size_t size = 0;  // 0: the first byte is invalid
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80U) return {lead, 1};
  const std::size_t size = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
  if (lead < 0xC2U || lead > 0xF4U || text.size() < size) return {};
  char32_t point = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[size] || point > 0x10FFFFU) return {};
  if (point >= 0xD800U && point <= 0xDFFFU) return {};
  return {point, size};
}

constexpr std::string_view kHex = "0123456789ABCDEF";

void escape_bytes(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
}

void escape_point(char32_t point, std::string& out) {
  std::string digits;
  for (; point != 0 || digits.size() < 4; point >>= 4U) digits += kHex[point & 15U];
  out += "\\u{";
  out.append(digits.rbegin(), digits.rend());
  out += '}';
}

// Appends the first code point of `foreign`, or its first byte where it is invalid, and says how
// many bytes that took.
std::size_t append_inert(std::string_view foreign, std::string& out) {
  const Decoded next = decode(foreign);
  const std::size_t size = std::max<std::size_t>(next.size, 1);
  const std::string_view bytes = foreign.substr(0, size);
  const bool control = next.point < 0x20U || (next.point >= 0x7FU && next.point <= 0x9FU);
  if (bytes == "\\") {
    out += "\\\\";
  } else if (bytes == "\n") {
    out += "\\n";
  } else if (bytes == "\t") {
    out += "\\t";
  } else if (bytes == "\r") {
    out += "\\r";
  } else if (next.size == 0 || control) {
    escape_bytes(bytes, out);
  } else if (is_unseen(next.point)) {
    escape_point(next.point, out);
  } else {
    out += bytes;
  }
  return size;
}

}  // namespace

std::string inert(std::string_view foreign) {
  std::string out;
  out.reserve(foreign.size());
  while (!foreign.empty()) foreign.remove_prefix(append_inert(foreign, out));
  return out;
}

std::string inert_short(std::string_view foreign, std::size_t limit) {
  check(limit >= 24, "the limit of a shortened text leaves room for its mark");
  const std::string mark = "…(" + std::to_string(foreign.size()) + " bytes)";
  std::string out;
  std::size_t fits = 0;  // what may stay of `out` when the mark has to follow
  for (std::string_view rest = foreign; !rest.empty();) {
    rest.remove_prefix(append_inert(rest, out));
    if (out.size() + mark.size() <= limit) fits = out.size();
    if (out.size() > limit) {
      out.resize(fits);
      return out + mark;
    }
  }
  return out;
}

std::string valid_utf8(std::string_view foreign) {
  std::string out;
  while (!foreign.empty()) {
    const std::size_t good = valid_utf8_prefix(foreign);
    out += foreign.substr(0, good);
    foreign.remove_prefix(good);
    escape_bytes(foreign.substr(0, 1), out);
    foreign.remove_prefix(std::min<std::size_t>(1, foreign.size()));
  }
  return out;
}

bool is_valid_utf8(std::string_view text) {
  return valid_utf8_prefix(text) == text.size();
}

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t good = 0;
  while (good < text.size()) {
    const std::size_t size = decode(text.substr(good)).size;
    if (size == 0) break;
    good += size;
  }
  return good;
}

// Optimal string alignment; three rows are enough.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace muniment
