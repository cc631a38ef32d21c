#include "tests/support/code_scan.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <utility>

namespace muniment {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Copies code and blanks what is asked for.
class Blanker {
 public:
  Blanker(std::string_view code, bool literals) : code_(code), literals_(literals) {}

  std::string run() {
    while (at_ < code_.size()) {
      if (ahead("//")) {
        blank_until(code_.find('\n', at_));
      } else if (ahead("/*")) {
        blank_until(past("*/", at_ + 2));
      } else if (ahead("R\"") && (at_ == 0 || !is_word(code_[at_ - 1]))) {
        raw_string();
      } else if (code_[at_] == '"' ||
                 (code_[at_] == '\'' && (at_ == 0 || !is_word(code_[at_ - 1])))) {
        quoted(code_[at_]);
      } else {
        out_ += code_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  bool ahead(std::string_view word) const { return code_.substr(at_).starts_with(word); }

  std::size_t past(std::string_view word, std::size_t from) const {
    const std::size_t found = code_.find(word, from);
    return found == std::string_view::npos ? found : found + word.size();
  }

  void blank_until(std::size_t end) {
    for (end = std::min(end, code_.size()); at_ < end; ++at_)
      out_ += code_[at_] == '\n' ? '\n' : ' ';
  }
  void keep_until(std::size_t end) {
    out_ += code_.substr(at_, std::min(end, code_.size()) - at_);
    at_ = std::min(end, code_.size());
  }
  // The quotes stay, so that a literal still looks like one.
  void literal(std::size_t opening, std::size_t closing, std::size_t end) {
    if (!literals_) return keep_until(end);
    keep_until(opening);
    blank_until(closing);
    keep_until(end);
  }

  void raw_string() {
    const std::size_t open = code_.find('(', at_);
    if (open == std::string_view::npos) return keep_until(code_.size());
    const std::string close = ")" + std::string(code_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const std::size_t end = past(close, open);
    literal(open + 1, end == std::string_view::npos ? end : end - close.size(), end);
  }

  void quoted(char quote) {
    std::size_t end = at_ + 1;
    while (end < code_.size() && code_[end] != quote && code_[end] != '\n') {
      end += code_[end] == '\\' ? std::size_t{2} : std::size_t{1};
    }
    literal(at_ + 1, end, end + 1);
  }

  std::string_view code_;
  bool literals_;
  std::size_t at_ = 0;
  std::string out_;
};

bool is_preprocessor(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '#';
}

bool is_empty(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Blanks preprocessor lines with their continuations.
std::string without_preprocessor(std::string_view code) {
  std::string out;
  bool goes_on = false;
  for (const std::string& line : split_lines(code)) {
    const bool blank = goes_on || is_preprocessor(line);
    goes_on = blank && line.ends_with('\\');
    out += (blank ? std::string(line.size(), ' ') : line) + "\n";
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

enum class Brace { kScope, kFunction, kOther, kPart };

// What a brace opens, from the text between the last statement and itself.
Brace judge_brace(const std::string& header, bool in_function, int parentheses) {
  static const std::regex kInitialisers(R"(\)\s*(noexcept)?\s*:[^:])");
  static const std::regex kType(R"((^|[^\w])(class|struct|union|enum)\s[^()]*$)");
  if (in_function) return Brace::kOther;
  if (parentheses > 0) return Brace::kPart;
  if (header.starts_with("namespace") || header.starts_with("extern") || header.empty()) {
    return Brace::kScope;
  }
  const bool has_initialisers = std::regex_search(header, kInitialisers);
  if (has_initialisers && (is_word(header.back()) || header.back() == '>')) return Brace::kPart;
  if (header.ends_with('=')) return Brace::kPart;
  if (header.find('(') == std::string::npos || std::regex_search(header, kType)) {
    return header.find("class") != std::string::npos ||
                   header.find("struct") != std::string::npos ||
                   header.find("union") != std::string::npos
               ? Brace::kScope
               : Brace::kPart;
  }
  return Brace::kFunction;
}

class FunctionFinder {
 public:
  explicit FunctionFinder(std::string code) : code_(std::move(code)) {}

  std::vector<Function> run() {
    for (at_ = 0; at_ < code_.size(); ++at_) step(code_[at_]);
    return std::move(found_);
  }

 private:
  struct Open {
    Brace kind;
    std::size_t statement;
    int parentheses;
  };

  void step(char c) {
    if (c == '\n') ++line_;
    if (c == '(') ++parentheses_;
    if (c == ')') --parentheses_;
    if (c == '{') return open();
    if (c == '}') return close();
    const bool ends = (c == ';' && parentheses_ == 0) || (c == ':' && is_access_word());
    if (ends && functions_ == 0 && !in_part()) begin_statement();
  }

  bool is_access_word() const {
    const std::string before =
        one_line(std::string_view(code_).substr(statement_, at_ - statement_));
    return before == "public" || before == "private" || before == "protected";
  }

  bool in_part() const { return !stack_.empty() && stack_.back().kind == Brace::kPart; }

  void begin_statement() { statement_ = at_ + 1; }

  std::string header() const {
    return one_line(std::string_view(code_).substr(statement_, at_ - statement_));
  }

  void open() {
    const bool in_part = !stack_.empty() && stack_.back().kind == Brace::kPart;
    const Brace kind = in_part ? Brace::kPart : judge_brace(header(), functions_ > 0, parentheses_);
    stack_.push_back({kind, statement_, parentheses_});
    if (kind == Brace::kFunction) {
      ++functions_;
      const std::size_t first = code_.find_first_not_of(" \t\n", statement_);
      const auto skipped = std::count(code_.begin() + static_cast<std::ptrdiff_t>(first),
                                      code_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
      pending_ = {header(), line_ - static_cast<std::size_t>(skipped), 0};
    }
    if (kind == Brace::kScope) {
      parentheses_ = 0;
      begin_statement();
    }
  }

  void close() {
    if (stack_.empty()) return;
    const Open top = stack_.back();
    stack_.pop_back();
    parentheses_ = top.parentheses;
    if (top.kind == Brace::kFunction) {
      --functions_;
      pending_.lines = line_ - pending_.line + 1;
      found_.push_back(pending_);
    }
    if (top.kind == Brace::kFunction || top.kind == Brace::kScope) begin_statement();
  }

  std::string code_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t statement_ = 0;
  int parentheses_ = 0;
  int functions_ = 0;
  std::vector<Open> stack_;
  Function pending_;
  std::vector<Function> found_;
};

}  // namespace

std::string without_comments(std::string_view code) {
  return Blanker(code, false).run();
}

std::string without_literals(std::string_view code) {
  return Blanker(code, true).run();
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<Include> find_includes(std::string_view code) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> includes;
  std::size_t number = 0;
  for (const std::string& line : split_lines(without_comments(code))) {
    ++number;
    std::smatch match;
    if (!std::regex_search(line, match, kInclude)) continue;
    includes.push_back({number, match[2].str(), match[1].str() == "\""});
  }
  return includes;
}

std::vector<Function> find_functions(std::string_view code) {
  return FunctionFinder(without_preprocessor(without_literals(code))).run();
}

double comment_share(std::string_view code) {
  const std::vector<std::string> lines = split_lines(code);
  const std::vector<std::string> bare = split_lines(without_comments(code));
  std::size_t commented = 0;
  std::size_t counted = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_empty(lines[i]) || is_preprocessor(bare[i])) continue;
    ++counted;
    if (lines[i] != bare[i]) ++commented;
  }
  return counted == 0 ? 0 : static_cast<double>(commented) / static_cast<double>(counted);
}

}  // namespace muniment
