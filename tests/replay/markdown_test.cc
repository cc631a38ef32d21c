// Whatever the texts of an evidence are, its Markdown says what we say and nothing more: cmark-gfm
// is asked what it sees.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "recorder/core/text.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "replay/evidence.h"
#include "replay/markdown_text.h"
#include "replay/render_markdown.h"
#include "tests/support/commonmark.h"
#include "tests/support/generator.h"
#include "tests/support/poison.h"
#include "tests/support/sample_runs.h"

namespace muniment {
namespace {

int trials(int quick) {
  return std::getenv("MUNIMENT_FULL") != nullptr ? quick * 40 : quick;
}

// Pieces that mean something to a parser, a forge or a terminal.
constexpr auto kPieces =
    std::to_array<std::string_view>({"`",
                                     "```",
                                     "~~~\n",
                                     "|",
                                     "\\",
                                     "\\|",
                                     "a|b",
                                     "<b>",
                                     "</b>",
                                     "<!--",
                                     "-->",
                                     "</details>",
                                     "<details>",
                                     "</summary>",
                                     "<script>",
                                     "<br>",
                                     "@anna",
                                     "@org/team",
                                     "anna@example.org",
                                     "#12",
                                     "GH-12",
                                     "owner/repo#1",
                                     "JIRA-7",
                                     "defaced",
                                     "0123456789abcdef0123456789abcdef01234567",
                                     "https://example.org/x",
                                     "www.example.org",
                                     "mailto:a@b.org",
                                     "](",
                                     "[x](y)",
                                     "![i](j)",
                                     "[^1]",
                                     "[x]: /y",
                                     "[ ] ",
                                     "*",
                                     "**",
                                     "_",
                                     "__",
                                     "~",
                                     "~~",
                                     "&amp;",
                                     "&#64;anna",
                                     "$x$",
                                     "$`x`$",
                                     ":100:",
                                     ":tada:",
                                     "\n",
                                     "\n\n",
                                     "\r\n",
                                     "\t",
                                     " ",
                                     "  ",
                                     "    ",
                                     "\n- ",
                                     "\n* ",
                                     "\n+ ",
                                     "\n1. ",
                                     "1.",
                                     "2)",
                                     "\n> ",
                                     "> [!NOTE]",
                                     "\n# ",
                                     "\n===\n",
                                     "\n---\n",
                                     "| --- |",
                                     "\n",
                                     "'",
                                     "\"",
                                     "(",
                                     ")",
                                     "!",
                                     "-",
                                     "=",
                                     "->",
                                     "word",
                                     "two words",
                                     "12.5",
                                     "\xe2\x80\xae",
                                     "\xe2\x80\x8b",
                                     "\xe2\x80\xa8",
                                     "\xc2\x9b",
                                     "\xc2\xa0",
                                     "\xe3\x80\x80",
                                     "\xff",
                                     "\xc3",
                                     "\x1b[2J",
                                     std::string_view("\0", 1),
                                     "\x7f",
                                     "é",
                                     "\n<div>\n",
                                     "\n<details><summary>x</summary>\n\n"});

std::string hostile(Generator& generator) {
  std::string out;
  const std::size_t size = generator.below(10);
  for (std::size_t i = 0; i < size; ++i) {
    out += generator.one_in(12) ? generator.bytes(3)
                                : std::string(kPieces[generator.below(kPieces.size())]);
    if (generator.one_in(3)) out += ' ';
  }
  // Longer runs than parsers count.
  if (generator.one_in(30)) out += "\n" + std::string(generator.between(60, 300), '`') + "\n";
  if (generator.one_in(40) && !out.empty()) {
    while (out.size() < 4096) out += out;
  }
  return out;
}

// The same lines and words, of letters alone.
std::string tame(std::string text) {
  for (char& c : text) {
    if (std::string_view(" \n\r\t").find(c) == std::string_view::npos) c = 'y';
  }
  return text;
}

using Change = std::function<std::string(std::string)>;

// Sets fields of every kind, at every depth, at random; each text goes through `change`.
// REQUIRES: no message holds itself.
class Filler {
 public:
  Filler(Generator& generator, Change change) : draw_(generator), change_(std::move(change)) {}

  void fill(google::protobuf::Message& message) {
    const auto* type = message.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const auto* field = type->field(i);
      if (field->is_map() || draw_.one_in(8)) continue;
      const std::size_t count = field->is_repeated() ? draw_.below(4) : 1;
      for (std::size_t n = 0; n < count; ++n) set(message, field);
    }
  }

 private:
  using Field = google::protobuf::FieldDescriptor;

  std::string text() {
    static const std::vector<std::string> keywords = {
        "resolved", "unresolved", "excluded", "committed", "removed", "written",
        "failed",   "unknown",    "applied",  "withheld",  "pass",    "fail",
        "backup",   "--all",      "resolve",  ""};
    if (draw_.one_in(3)) return keywords[draw_.below(keywords.size())];
    return change_(hostile(draw_));
  }

  void set(google::protobuf::Message& message, const Field* field) {
    const auto& r = *message.GetReflection();
    const bool many = field->is_repeated();
    const std::uint64_t number = draw_.one_in(3) ? draw_.below(1U << 31U) : draw_.below(600);
    const auto put = [&](auto add, auto assign, auto value) {
      many ? (r.*add)(&message, field, value) : (r.*assign)(&message, field, value);
    };
    using R = google::protobuf::Reflection;
    switch (field->cpp_type()) {
      case Field::CPPTYPE_MESSAGE:
        return fill(many ? *r.AddMessage(&message, field) : *r.MutableMessage(&message, field));
      case Field::CPPTYPE_STRING:
        return many ? r.AddString(&message, field, text()) : r.SetString(&message, field, text());
      case Field::CPPTYPE_ENUM:
        return put(&R::AddEnumValue, &R::SetEnumValue, static_cast<int>(number % 9));
      case Field::CPPTYPE_BOOL:
        return put(&R::AddBool, &R::SetBool, number % 2 == 0);
      case Field::CPPTYPE_INT32:
        return put(&R::AddInt32, &R::SetInt32, static_cast<std::int32_t>(number));
      case Field::CPPTYPE_UINT32:
        return put(&R::AddUInt32, &R::SetUInt32, static_cast<std::uint32_t>(number));
      case Field::CPPTYPE_INT64:
        return put(&R::AddInt64, &R::SetInt64, static_cast<std::int64_t>(number));
      case Field::CPPTYPE_UINT64:
        return put(&R::AddUInt64, &R::SetUInt64, number);
      case Field::CPPTYPE_DOUBLE:
      case Field::CPPTYPE_FLOAT:
        FAIL() << "no view has a floating-point number";
    }
  }

  Generator& draw_;
  Change change_;
};

// Erasable texts are what their commitments are.
std::optional<std::string> itself(const v1::Erasable& field) {
  return field.commitment();
}

using Renderer = std::string (*)(const v1::Evidence&, const Resolver&);
constexpr std::array<Renderer, 2> kRenderers = {&render_markdown, &render_context_pack};

v1::Evidence filled(Generator generator, const Change& change) {
  v1::Evidence out;
  Filler(generator, change).fill(out);
  return out;
}

TEST(Markdown, OfHostileTextsHasTheBlocksOfHarmlessOnesAndNothingOfTheirs) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int trial = 0; trial < trials(25); ++trial) {
    // A copy of the generator draws the same.
    const v1::Evidence evidence = filled(generator, [](std::string text) { return text; });
    const v1::Evidence harmless = filled(generator, tame);
    generator.below(2);
    for (const Renderer render : kRenderers) {
      const std::string markdown = render(evidence, itself);
      const std::vector<MarkdownNode> nodes = parse_markdown(markdown);
      ASSERT_GT(nodes.size(), 10U);
      ASSERT_EQ(intruder_in(markdown, nodes), "") << "trial " << trial << "\n" << markdown;
      ASSERT_TRUE(is_inert(markdown)) << "trial " << trial;
      ASSERT_EQ(skeleton_of(nodes), skeleton_of(parse_markdown(render(harmless, itself))))
          << "trial " << trial << "\n"
          << markdown;
    }
  }
}

TEST(Markdown, OfSampleRunsHasNoLinksEvenWhenEachTextIsHostile) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::unique_ptr<Store> log = make_memory_log("rs2000.example/muniment");
  const SampleRuns runs = write_sample_runs(*log);
  const Resolver resolve = [&log](const v1::Erasable& field) -> std::optional<std::string> {
    const Result<std::optional<std::string>> text = read_erasable(*log, field);
    return text ? *text : std::nullopt;
  };
  for (const auto& [name, run_id] : runs.by_name()) {
    Result<v1::Evidence> evidence = make_evidence(*log, run_id);
    ASSERT_TRUE(evidence) << evidence.error().message;
    for (const Renderer render : kRenderers) {
      const std::string markdown = render(*evidence, resolve);
      EXPECT_EQ(intruder_in(markdown, parse_markdown(markdown)), "") << name;
      EXPECT_TRUE(is_inert(markdown)) << name;
      v1::Evidence poisoned = *evidence;
      poison(poisoned, hostile(generator) + "</details> @anna #12 ```\n~~~\n|`| <!--");
      const std::string hostile_markdown = render(poisoned, itself);
      EXPECT_EQ(intruder_in(hostile_markdown, parse_markdown(hostile_markdown)), "") << name;
    }
  }
}

// What the code spans and code blocks of a document say, one after the other.
std::vector<std::string> code_in(const std::string& markdown) {
  std::vector<std::string> out;
  for (const MarkdownNode& node : parse_markdown(markdown)) {
    if (node.name == "code" || node.name == "code_block") out.push_back(node.text);
  }
  return out;
}

bool has_long_run(const std::string& text) {
  return text.find(std::string(65, '`')) != text.npos;
}

// What has very long runs of backticks shows them as escapes.
std::string shown(std::string inert_text) {
  if (!has_long_run(inert_text)) return inert_text;
  for (std::size_t at = 0; (at = inert_text.find('`', at)) != inert_text.npos;) {
    inert_text.replace(at, 1, "\\x60");
  }
  return inert_text;
}

std::string inert_lines(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += inert(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return out;
}

void expect_code(const std::string& markdown, const std::vector<std::string>& expected) {
  const std::vector<std::string> found = code_in(markdown);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], expected[i]) << i;
}

TEST(Markdown, CodeSaysWhatTheInertTextSays) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  std::string spans;
  std::vector<std::vector<std::string>> rows = {{"one", "two"}};
  std::string blocks;
  std::vector<std::string> words;
  std::vector<std::string> lines;
  for (int trial = 0; trial < trials(200); ++trial) {
    const std::string text = "x" + hostile(generator) + (generator.one_in(2) ? "`" : "x");
    spans += code_span(text, 100'000) + "\n\n";
    rows.push_back({code_span(text, 100'000), "-"});
    words.push_back(shown(inert(text)));
    blocks += fenced(text, 100'000) + "\n";
    lines.push_back(shown(inert_lines(text)));
  }
  expect_code(spans, words);
  expect_code(markdown_table(rows), words);
  expect_code(blocks, lines);
}

TEST(Markdown, ASentenceSaysItsWords) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int trial = 0; trial < trials(40); ++trial) {
    const std::string text = "x " + hostile(generator) + " x";
    if (has_long_run(text)) continue;  // the words without a run of their own are not escaped
    std::string said;
    for (const MarkdownNode& node : parse_markdown(prose_line(text))) said += node.text;
    std::string expected;
    for (const char c : text) {
      const bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
      if (!space || !expected.ends_with(' ')) expected += space ? ' ' : c;
    }
    // inert() sees no spaces but those that stay.
    EXPECT_EQ(said, inert(expected)) << text;
  }
}

TEST(Markdown, LeavesWordsAloneAndMakesCodeOfTheRest) {
  EXPECT_EQ(sentence("Captured notes (sqlite) on host rs2000."),
            "Captured notes (sqlite) on host rs2000.");
  EXPECT_EQ(sentence("host's re-read, 12.5 of 1,000; done!"),
            "host's re-read, 12.5 of 1,000; done!");
  EXPECT_EQ(sentence("see #12, GH-12 (@anna): deadbee"), "see `#12`, `GH-12` (`@anna`): `deadbee`");
  EXPECT_EQ(sentence("1. x = -> - y"), "1\\. x \\= -\\> \\- y");
  EXPECT_EQ(sentence("a\\n b\n"), "`a\\n` `b\\n`");
  EXPECT_EQ(prose("one\ntwo\r\n\n \nthree\n"), "one\ntwo\n\nthree");
  EXPECT_EQ(prose("\n \n"), "");
  EXPECT_EQ(sentence("wide\xE3\x80\x80space no\xC2\xA0"), "`wide\xE3\x80\x80space` `no\xC2\xA0`");
  EXPECT_EQ(code_span(""), "(empty)");
  EXPECT_EQ(code_span("a`b"), "``a`b``");
  EXPECT_EQ(event_name(12), "`#12`");
  EXPECT_EQ(fenced("a\n````\n\x1b"), "`````text\na\n````\n\\x1B\n`````\n");
  EXPECT_EQ(fenced("0123456789", 4), "```text\n…(6 bytes before)\n6789\n```\n");
  EXPECT_EQ(shell_word("it's $(x)"), "'it'\\''s $(x)'");
  EXPECT_EQ(shell_word("/srv/a-b"), "/srv/a-b");
  EXPECT_EQ(shell_word("a\\b"), "'a\\b'");
  EXPECT_EQ(shell_word("a\nb"), "'a\\nb'");
  EXPECT_EQ(markdown_table({{"only", "a heading"}}), "");
  EXPECT_EQ(folded("nothing", ""), "");
}

}  // namespace
}  // namespace muniment
