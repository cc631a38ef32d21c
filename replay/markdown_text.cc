#include "replay/markdown_text.h"

#include <algorithm>

#include "recorder/core/check.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_alnum(char c) {
  return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

// inert(), but backslashes stay as they are.
std::string inert_but_backslashes(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t at = text.find('\\');
    out += inert(text.substr(0, at));
    if (at == text.npos) return out;
    out += '\\';
    text.remove_prefix(at + 1);
  }
}

// The length of the escape of inert() at the front of a text that begins with a backslash; 0: none.
std::size_t escape_at(std::string_view text) {
  constexpr std::size_t kHex = 4;  // \xNN
  if (text.size() < 2) return 0;
  if (std::string_view("\\ntr").find(text[1]) != text.npos) return 2;
  const auto after_digits = [&](std::size_t from) {
    return std::min(text.find_first_not_of("0123456789ABCDEF", from), text.size());
  };
  if (text[1] == 'x') return after_digits(2) >= kHex ? kHex : 0;
  if (!text.starts_with("\\u{")) return 0;
  const std::size_t end = after_digits(3);
  return end > 3 && text.substr(end).starts_with('}') ? end + 1 : 0;
}

// inert() of what is not inert yet: an escape stays, any other backslash is foreign.
std::string seen(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += inert(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t escape = escape_at(text);
    out += escape > 0 ? text.substr(0, escape) : "\\\\";
    text.remove_prefix(std::max<std::size_t>(escape, 1));
  }
  return out;
}

std::size_t longest_run(std::string_view text, char wanted) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == wanted ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

// cmark knows no code span between more than 80 backticks, and counts those of a fence to 255: text
// with longer runs shows each backtick as an escape.
std::string without_long_runs(std::string_view text) {
  constexpr std::size_t kMost = 64;
  const bool keep = longest_run(text, '`') <= kMost;
  std::string out;
  for (const char c : text) out += c == '`' && !keep ? std::string("\\x60") : std::string(1, c);
  return out;
}

// A code span of one line of text that is inert.
std::string span(std::string_view given) {
  if (given.empty()) return "(empty)";
  const std::string text = without_long_runs(given);
  const std::string fence(longest_run(text, '`') + 1, '`');
  // Parsers strip one space where there is one at both ends.
  const auto is_edge = [](char c) { return c == '`' || c == ' '; };
  const char* const pad = is_edge(text.front()) || is_edge(text.back()) ? " " : "";
  return fence + pad + text + pad + fence;
}

// Whether a forge could take a part of it for the name of a commit.
bool names_commit(std::string_view text) {
  constexpr std::size_t kShortest = 7;
  std::size_t size = 0;
  bool hex = true;
  for (const char c : text) {
    if (is_alnum(c)) {
      ++size;
      hex = hex && is_hex(c);
      continue;
    }
    if (hex && size >= kShortest) return true;
    size = 0;
    hex = true;
  }
  return hex && size >= kShortest;
}

// Spaces beyond ASCII: next to them a parser takes no emphasis for one. All are three bytes but the
// first.
bool has_foreign_space(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view three = text.substr(at, 3);
    if (three.starts_with("\xC2\xA0") || three == "\xE1\x9A\x80" || three == "\xE2\x80\xAF" ||
        three == "\xE2\x81\x9F" || three == "\xE3\x80\x80" ||
        (three >= "\xE2\x80\x80" && three <= "\xE2\x80\x8A")) {
      return true;
    }
  }
  return false;
}

// Letters and digits; "12.5"; "re-read"; "host's". No forge makes more of it than text.
bool is_plain(std::string_view word) {
  const auto all = [&](auto allowed) { return std::all_of(word.begin(), word.end(), allowed); };
  const auto has = [&](const char* any) { return word.find_first_of(any) != word.npos; };
  if (word.empty() || names_commit(word) || has_foreign_space(word)) return false;
  if (has(".,")) {
    return is_digit(word.front()) &&
           all([](char c) { return is_digit(c) || c == '.' || c == ','; });
  }
  if (has("-"))
    return is_lower(word.front()) && all([](char c) { return is_lower(c) || c == '-'; });
  return all([](char c) { return is_alnum(c) || !is_ascii(c) || c == '\''; });
}

// A word of a sentence; punctuation around it stays outside of the code span.
std::string shown_word(std::string_view word) {
  if (word == "=" || word == "-") return "\\" + std::string(word);
  if (word == "->") return "-\\>";
  const std::size_t first = word.find_first_not_of("(\"'");
  if (first == word.npos) return span(word);
  const std::size_t last = word.find_last_not_of(".,;:!?)\"'");
  if (last == word.npos || last < first) return span(word);
  const std::string_view core = word.substr(first, last - first + 1);
  const std::string_view tail = word.substr(last + 1);
  std::string out(word.substr(0, first));
  if (!is_plain(core)) return out + span(core) + std::string(tail);
  out += core;
  // At the start of a line a number would begin a list.
  const bool number = std::all_of(core.begin(), core.end(), is_digit);
  if (number && (tail.starts_with('.') || tail.starts_with(')'))) out += '\\';
  return out + std::string(tail);
}

std::string words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out += (out.empty() ? "" : " ") + shown_word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string spaces_for(std::string_view text, std::string_view these) {
  std::string out(text);
  for (char& c : out) {
    if (these.find(c) != these.npos) c = ' ';
  }
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string fence_around(std::string_view given, std::string_view info) {
  const std::string body = without_long_runs(given);
  const std::string fence(std::max<std::size_t>(longest_run(body, '`') + 1, 3), '`');
  return fence + std::string(info) + "\n" + body + fence + "\n";
}

}  // namespace

std::string code_span(std::string_view foreign, std::size_t limit) {
  return span(inert_short(foreign, limit));
}

std::string event_name(std::uint64_t sequence) {
  return span("#" + std::to_string(sequence));
}

std::string plain_number(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return names_commit(digits) ? span(digits) : digits;
}

std::string sentence(std::string_view text) {
  return words(seen(text));
}

std::string prose_line(std::string_view foreign) {
  return words(inert(spaces_for(foreign, "\n\r\t")));
}

std::string prose(std::string_view foreign) {
  std::string out;
  bool parted = false;
  for (const std::string_view line : lines_of(foreign)) {
    const std::string shown = prose_line(line);
    parted = parted || shown.empty();
    if (shown.empty()) continue;
    if (!out.empty()) out += parted ? "\n\n" : "\n";
    out += shown;
    parted = false;
  }
  return out;
}

std::string fenced(std::string_view foreign, std::size_t limit) {
  std::string body;
  if (foreign.size() > limit) {
    body = "…(" + std::to_string(foreign.size() - limit) + " bytes before)\n";
    foreign.remove_prefix(foreign.size() - limit);
  }
  for (const std::string_view line : lines_of(foreign)) body += inert(line) + "\n";
  return fence_around(body, "text");
}

std::string shell_block(const std::vector<std::string>& lines) {
  std::string body;
  for (const std::string& line : lines) body += inert_but_backslashes(line) + "\n";
  return fence_around(body, "sh");
}

std::string shell_word(std::string_view foreign) {
  std::string text =
      inert_but_backslashes(foreign) == foreign ? std::string(foreign) : inert(foreign);
  const bool bare = std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || std::string_view("_./:=,@%+-").find(c) != std::string_view::npos;
  });
  if (bare && !text.empty()) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string markdown_table(const std::vector<std::vector<std::string>>& rows) {
  if (rows.size() < 2) return "";
  std::string out;
  for (const std::vector<std::string>& row : rows) {
    check(row.size() == rows[0].size(), "each row of a table has a cell for each heading");
    out += '|';
    for (const std::string& cell : row) {
      out += ' ';
      // A parser divides a row before it looks for code.
      for (const char c : cell) out += c == '|' ? std::string("\\|") : std::string(1, c);
      out += " |";
    }
    out += '\n';
    if (&row != &rows[0]) continue;
    for (std::size_t i = 0; i < row.size(); ++i) out += "| --- ";
    out += "|\n";
  }
  return out;
}

std::string folded(std::string_view summary, const std::string& body) {
  if (body.empty()) return "";
  // A parser takes what lies between for Markdown only where empty lines part it from the tags.
  return "<details><summary>" + std::string(summary) + "</summary>\n\n" + body +
         (body.ends_with('\n') ? "" : "\n") + "\n</details>\n";
}

}  // namespace muniment
