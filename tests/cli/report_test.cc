// The forms that a report can be asked for in.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/commonmark.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;

class Report : public testing::Test {
 protected:
  Report() {
    here_.populate();
    here_.init();
    out({"backup", "--all", "--dry-run"}, 0);
    out({"note", "latest", "</details> @anna #12 | `x` ``` <!--"}, 0);
  }

  std::string out(const Words& words, int exit_code) const {
    const Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, exit_code) << shown(ran);
    return ran.out;
  }

  // A document whose first line is the verdict, in which nothing is markup but our own.
  std::string markdown(const Words& words) const {
    const std::string text = out(words, 0);
    EXPECT_TRUE(text.starts_with("**DRY RUN OK: 2 modules, 6 steps, 0 written")) << text;
    EXPECT_EQ(intruder_in(text, parse_markdown(text)), "") << text;
    return text;
  }

  Workspace here_;
};

TEST_F(Report, IsMarkdownWhereThatIsAskedFor) {
  const std::string report = markdown({"report", "latest", "--format", "markdown"});
  EXPECT_TRUE(contains(report, "\n### Merge blockers\n"));
  EXPECT_TRUE(contains(report, "````text\n</details> @anna #12 | `x` ``` <!--\n````\n"));
  EXPECT_FALSE(contains(report, "### Test plan"));
  EXPECT_EQ(markdown({"report", "latest", "--format", "markdown"}), report);
}

TEST_F(Report, IsAContextPackInTheOrderOfAPullRequest) {
  const std::string pack = markdown({"report", "latest", "--template", "context-pack"});
  EXPECT_EQ(out({"report", "latest", "--template", "context-pack", "--format", "markdown"}, 0),
            pack);
  std::size_t at = 0;
  for (const char* title :
       {"What changed", "Relevant context", "Runtime evidence", "Merge blockers", "Test plan"}) {
    const std::size_t found = pack.find("\n### " + std::string(title) + "\n", at);
    ASSERT_NE(found, pack.npos) << title << "\n" << pack;
    at = found;
  }
  EXPECT_FALSE(contains(pack, "Product story")) << "the manifest has none";
  EXPECT_TRUE(contains(pack, "muniment verify\n")) << pack;
}

TEST_F(Report, RefusesFormsThatDoNotGoTogether) {
  const Words pack{"report", "latest", "--template", "context-pack"};
  for (const Words& more : {Words{"--format", "text"}, {"--format", "json"}, {"--json"}}) {
    Words words = pack;
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = here_.run(words);
    expect_ended(ran, 2, {"--template context-pack is Markdown", "--format markdown"});
    EXPECT_EQ(ran.out, "");
  }
  expect_ended(here_.run({"report", "latest", "--json", "--format", "markdown"}), 2, {"--json"});
  expect_ended(here_.run({"report", "latest", "--template", "other"}), 2, {"--template"});
  expect_ended(here_.run({"report", "latest", "--format", "html"}), 2, {"--format"});
  for (const Words& more : {Words{"--format", "markdown"}, {"--template", "context-pack"}}) {
    Words words{"report", "ffffffffff"};
    words.insert(words.end(), more.begin(), more.end());
    out(words, 7);
  }
  EXPECT_TRUE(parse_json(out({"report", "latest", "--format", "json"}, 0)));
  EXPECT_TRUE(out({"report", "latest"}, 0).starts_with("DRY RUN OK: "));
}

}  // namespace
}  // namespace muniment
