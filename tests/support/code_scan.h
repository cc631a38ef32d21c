// Reads C++ source as text, well enough for rules about its shape. No parser: it knows this
// project's style, and tests/tree/code_scan_test.cc says what it can tell apart.
#ifndef MUNIMENT_TESTS_SUPPORT_CODE_SCAN_H_
#define MUNIMENT_TESTS_SUPPORT_CODE_SCAN_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// The text with each comment replaced by blanks; lines and columns stay. Literals stay.
std::string without_comments(std::string_view code);

// As without_comments(), and the inside of string, raw string and character literals blank too.
std::string without_literals(std::string_view code);

// Lines without their line feeds; a last line feed begins no line.
std::vector<std::string> split_lines(std::string_view text);

struct Include {
  std::size_t line = 0;  // from 1
  std::string target;    // as written between the quotes or angle brackets
  bool quoted = false;
};
std::vector<Include> find_includes(std::string_view code);

struct Function {
  std::string signature;  // without blanks at the ends, on one line
  std::size_t line = 0;   // where the signature begins, from 1
  std::size_t lines = 0;  // up to the closing brace, both counted
};
// Definitions of functions, also members and tests. A lambda belongs to the function around it.
std::vector<Function> find_functions(std::string_view code);

// Share of lines with a comment among those that hold a comment or code; preprocessor lines and
// empty ones are neither. 0 for a text without any.
double comment_share(std::string_view code);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_CODE_SCAN_H_
