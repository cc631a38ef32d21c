// Foreign text (names, paths, labels, standard error) made inert for people and for JSON.
#ifndef MUNIMENT_RECORDER_CORE_TEXT_H_
#define MUNIMENT_RECORDER_CORE_TEXT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace muniment {

// One line that a terminal, a log and a report can show as it is: printable UTF-8 stays; a
// backslash becomes `\\`; newline, tab and carriage return become `\n`, `\t`, `\r`; every other
// control character (C0, DEL, C1) and every invalid byte becomes `\xNN` (two upper-case hexadecimal
// digits) for each of its bytes, so that C1 (`\xC2\x85`) and a stray byte (`\x85`) stay apart;
// bidirectional marks and overrides, zero-width and other format characters, line and paragraph
// separators, private-use and unassigned-by-design code points (U+FFFE, U+FFFF) become `\u{NNNN}`.
// Different inputs give different outputs.
std::string inert(std::string_view foreign);

// inert(), cut to at most `limit` bytes with `…(N bytes)` at the end where something was cut; N is
// the size of all of `foreign`. Never cuts inside an escape or a code point. REQUIRES: limit >= 24.
std::string inert_short(std::string_view foreign, std::size_t limit);

// Valid UTF-8, whatever came in: an invalid byte becomes `\xNN`; everything else, control
// characters included, stays (JSON and protobuf `string` fields carry them).
std::string valid_utf8(std::string_view foreign);

bool is_valid_utf8(std::string_view text);

// How many bytes at the front of `text` are valid UTF-8: where the first bad byte stands.
std::size_t valid_utf8_prefix(std::string_view text);

// "1 event", "3 events".
std::string counted(std::uint64_t count, std::string_view noun);

// The word in `words` nearest to `wrong` by edit distance (insert, delete, replace, swap of
// neighbours), or "" when none is near enough to be meant (distance over max(2, length / 3)).
template <class Words>
std::string nearest_word(std::string_view wrong, const Words& words);

// The edit distance that nearest_word uses.
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Words>
std::string nearest_word(std::string_view wrong, const Words& words) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  for (const std::string_view word : words) {
    const std::size_t longer = std::max(word.size(), wrong.size());
    if (longer - std::min(word.size(), wrong.size()) >= best_distance) continue;
    const std::size_t distance = edit_distance(wrong, word);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = word;
  }
  return best;
}

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TEXT_H_
