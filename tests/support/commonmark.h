// What a forge's parser makes of Markdown: cmark-gfm with GitHub's extensions.
#ifndef MUNIMENT_TESTS_SUPPORT_COMMONMARK_H_
#define MUNIMENT_TESTS_SUPPORT_COMMONMARK_H_

#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// A node of the document, in the order of its beginning. Adjacent texts are one node.
struct MarkdownNode {
  std::string name;  // of cmark's XML: "paragraph", "code_block", "link", …
  std::size_t depth = 0;
  std::string text;  // of a leaf
};

// The nodes of a document. Fails the test and gives nothing where cmark-gfm cannot be run.
std::vector<MarkdownNode> parse_markdown(const std::string& markdown);

// What in the document is not ours: HTML other than <details>, a link, an image, emphasis, a rule,
// a text that a forge would turn into a link, a row of a table with cells of its own making.
// Empty: nothing.
std::string intruder_in(const std::string& markdown, const std::vector<MarkdownNode>& nodes);

// Blocks and their nesting, without what they say.
std::string skeleton_of(const std::vector<MarkdownNode>& nodes);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_COMMONMARK_H_
