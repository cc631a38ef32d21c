// Text in Markdown (GitHub's, Gitea's and Forgejo's dialects) that stays text.
//
// A forge turns more into links than CommonMark does, and does so after parsing: mentions, numbers
// of issues, names of commits, addresses, prefixes of its owner's choice. Nothing of that happens
// in code. Hence foreign text is code, and in a sentence each word is that is not plainly a word.
#ifndef MUNIMENT_REPLAY_MARKDOWN_TEXT_H_
#define MUNIMENT_REPLAY_MARKDOWN_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// inert_short(foreign, limit) as a code span; "(empty)" for an empty text.
std::string code_span(std::string_view foreign, std::size_t limit = 4000);

// `#12`, the name of an event, in a form that no forge takes for the number of an issue.
std::string event_name(std::uint64_t sequence);

// A number; a code span where it is so long that it could be the beginning of a commit's name.
std::string plain_number(std::uint64_t number);

// One line of a text of ours whose foreign parts are inert already (their backslashes are not
// doubled again); what is not inert yet becomes so. Words are words, the rest is code spans.
std::string sentence(std::string_view text);

// Foreign text that was written to be read, as paragraphs: its lines stay lines, its empty lines
// part paragraphs. Ends without a newline.
std::string prose(std::string_view foreign);

// The same in one line, for an item of a list.
std::string prose_line(std::string_view foreign);

// Foreign text as a block: the last `limit` bytes, line by line inert, between fences that are
// longer than any run of backticks in it. Ends with a newline.
std::string fenced(std::string_view foreign, std::size_t limit = 16384);

// The same of lines of ours, which a shell can read. Foreign parts: shell_word().
std::string shell_block(const std::vector<std::string>& lines);

// A word of a shell's command line. Where `foreign` cannot be shown as it is, the word is its inert
// form: it is for reading then.
std::string shell_word(std::string_view foreign);

// Cells are Markdown already; the first row is the heading; the rows have as many cells as it has.
// Empty where there is but a heading. Ends with a newline.
std::string markdown_table(const std::vector<std::vector<std::string>>& rows);

// `body`, to be unfolded. REQUIRES: `summary` is a text of ours without markup.
std::string folded(std::string_view summary, const std::string& body);

}  // namespace muniment

#endif  // MUNIMENT_REPLAY_MARKDOWN_TEXT_H_
