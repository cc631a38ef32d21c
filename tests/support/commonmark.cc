#include "tests/support/commonmark.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <fstream>

#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

std::string unescaped(std::string_view xml) {
  static constexpr std::array<std::pair<std::string_view, char>, 4> kEntities = {
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&amp;", '&'}}};
  std::string out;
  while (!xml.empty()) {
    const auto* const found =
        std::find_if(kEntities.begin(), kEntities.end(),
                     [&](const auto& entity) { return xml.starts_with(entity.first); });
    out += found == kEntities.end() ? xml.front() : found->second;
    xml.remove_prefix(found == kEntities.end() ? 1 : found->first.size());
  }
  return out;
}

// cmark's own XML, not any: no comments, no quoted '>'.
std::vector<MarkdownNode> nodes_of(std::string_view xml) {
  std::vector<MarkdownNode> out;
  std::size_t depth = 0;
  for (;;) {
    const std::size_t open = xml.find('<');
    if (open == xml.npos) return out;
    const std::size_t close = xml.find('>', open);
    const std::string_view tag = xml.substr(open + 1, close - open - 1);
    xml.remove_prefix(close + 1);
    if (tag.starts_with('?') || tag.starts_with('!')) continue;
    if (tag.starts_with('/')) {
      --depth;
      continue;
    }
    MarkdownNode node{
        .name = std::string(tag.substr(0, tag.find_first_of(" /"))), .depth = depth, .text = ""};
    // What stands between the tags of other nodes is there to be looked at.
    if (tag.find("xml:space") != tag.npos) node.text = unescaped(xml.substr(0, xml.find('<')));
    if (!tag.ends_with('/')) ++depth;
    const bool joins = !out.empty() && node.name == "text" && out.back().name == "text" &&
                       out.back().depth == node.depth;
    if (joins) {
      out.back().text += node.text;
    } else {
      out.push_back(node);
    }
  }
}

bool is_our_html(std::string_view html) {
  if (html == "</details>\n") return true;
  constexpr std::string_view kBegin = "<details><summary>";
  constexpr std::string_view kEnd = "</summary>\n";
  if (!html.starts_with(kBegin) || !html.ends_with(kEnd)) return false;
  html.remove_prefix(kBegin.size());
  html.remove_suffix(kEnd.size());
  return std::all_of(html.begin(), html.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == ' ' || c == ','; });
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// The length of the word of letters and digits at the front.
std::size_t word_at(std::string_view text) {
  const auto* const end = std::find_if_not(text.begin(), text.end(), is_alnum);
  return static_cast<std::size_t>(end - text.begin());
}

// Forges look for these in text after it was parsed; escapes do not hold them off.
std::string link_in(std::string_view given) {
  const std::string lowered = lower(given);
  std::string_view text = lowered;
  for (const char* mark : {"@", "#", "://", "www.", "mailto:", "$", "![", "]("}) {
    if (text.find(mark) != text.npos) return std::string("has ") + mark + ": " + lowered;
  }
  while (!text.empty()) {
    const std::string_view word = text.substr(0, word_at(text));
    if (word.size() >= 7 && word.find_first_not_of("0123456789abcdef") == word.npos) {
      return "could name a commit: " + lowered;
    }
    text.remove_prefix(word.size());
    const std::size_t next = text.size() < 2 ? 0 : word_at(text.substr(1));
    if (next > 0 && !word.empty() && text[0] == '-' && text[1] >= '0' && text[1] <= '9') {
      return "could name an issue, as GH-12 does: " + lowered;
    }
    if (next > 0 && text[0] == ':') return "could name an emoji: " + lowered;
    text.remove_prefix(text.empty() ? 0 : 1);
  }
  return "";
}

// Bars that divide, by the strictest reading: one is escaped by an odd number of backslashes.
std::size_t dividers_in(std::string_view row) {
  std::size_t bars = 0;
  std::size_t backslashes = 0;
  for (const char c : row) {
    if (c == '|' && backslashes % 2 == 0) ++bars;
    backslashes = c == '\\' ? backslashes + 1 : 0;
  }
  return bars;
}

// A parser cuts and fills rows to the width of the heading, so it is the source that shows it.
std::string uneven_row_in(std::string_view markdown) {
  std::string fence;
  std::size_t columns = 0;
  while (!markdown.empty()) {
    const std::string_view line = markdown.substr(0, markdown.find('\n'));
    markdown.remove_prefix(std::min(line.size() + 1, markdown.size()));
    const std::size_t ticks = std::min(line.find_first_not_of('`'), line.size());
    if (!fence.empty()) {
      if (line == fence) fence.clear();
    } else if (ticks >= 3 && line.find('`', ticks) == line.npos) {
      fence.assign(ticks, '`');
    } else if (!line.starts_with('|')) {
      columns = 0;
    } else {
      const std::size_t bars = dividers_in(line);
      if (columns == 0) columns = bars;
      if (bars != columns || !line.ends_with(" |")) return std::string(line);
    }
  }
  return fence.empty() ? "" : "a fence that does not end";
}

}  // namespace

std::vector<MarkdownNode> parse_markdown(const std::string& markdown) {
  const TempDir dir;
  const std::string file = dir / "document.md";
  std::ofstream(file, std::ios::binary) << markdown;
  const Ran ran = run_program({"cmark-gfm", "-t", "xml", "-e", "table", "-e", "autolink", "-e",
                               "strikethrough", "-e", "tasklist", file});
  EXPECT_EQ(ran.exit_code, 0) << "cmark-gfm (script/setup test installs it): " << ran.err;
  return ran.exit_code == 0 ? nodes_of(ran.out) : std::vector<MarkdownNode>();
}

std::string intruder_in(const std::string& markdown, const std::vector<MarkdownNode>& nodes) {
  static constexpr std::array<std::string_view, 15> kOurs = {
      "document", "heading",    "paragraph",    "list",       "item",
      "table",    "table_row",  "table_header", "table_cell", "text",
      "code",     "code_block", "html_block",   "strong",     "softbreak"};
  for (const MarkdownNode& node : nodes) {
    if (std::find(kOurs.begin(), kOurs.end(), node.name) == kOurs.end()) {
      return "a node " + node.name + ": " + node.text;
    }
    if (node.name == "html_block" && !is_our_html(node.text)) return "HTML: " + node.text;
    if (node.name != "text") continue;
    if (std::string link = link_in(node.text); !link.empty()) return "a text that " + link;
  }
  const std::string row = uneven_row_in(markdown);
  return row.empty() ? "" : "an uneven row: " + row;
}

std::string skeleton_of(const std::vector<MarkdownNode>& nodes) {
  std::string out;
  for (const MarkdownNode& node : nodes) {
    if (node.name == "text" || node.name == "code" || node.name == "softbreak") continue;
    out += std::string(node.depth, ' ') + node.name + "\n";
  }
  return out;
}

}  // namespace muniment
