#include "recorder/core/secret_shapes.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "recorder/core/known_secrets.h"
#include "recorder/core/secret_names.h"

namespace muniment {
namespace {

using std::size_t;

// Where a value stands in the text; empty: nothing to mask, go on at `end`.
struct Value {
  size_t begin;
  size_t end;
  std::string_view rule;
};

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_space(char c) {
  return is_blank(c) || c == '\n' || c == '\r';
}
bool is_quote(char c) {
  return c == '"' || c == '\'' || c == '`';
}
bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_name_byte(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

char at(std::string_view text, size_t i) {
  return i < text.size() ? text[i] : '\n';
}

size_t line_end(std::string_view text, size_t i) {
  return std::min(text.find('\n', i), text.size());
}

// Where `quote` closes, or where the line ends.
size_t closing(std::string_view text, size_t i, char quote) {
  for (; at(text, i) != '\n'; ++i) {
    if (text[i] == '\\' && at(text, i + 1) != '\n') {
      ++i;
    } else if (text[i] == quote) {
      return i;
    }
  }
  return std::min(i, text.size());
}

// What may follow a quote that closes a string around a value.
bool ends_value(char c) {
  return is_space(c) || std::string_view(",;])}&|\\").contains(c);
}

// The end of a shell word. A quote inside it either opens a part of the word (`abc'def'`) or closes
// a string around the word (`"psql --password abc"`): what follows it tells which.
size_t word_end(std::string_view text, size_t i) {
  const size_t begin = i;
  while (!is_space(at(text, i))) {
    if (text[i] == '\\' && at(text, i + 1) != '\n') {
      i += 2;
    } else if (!is_quote(text[i])) {
      ++i;
    } else if (i > begin && ends_value(at(text, i + 1))) {
      break;
    } else {
      const bool leads = i == begin;
      i = closing(text, i + 1, text[i]);
      if (at(text, i) != '\n') ++i;
      if (leads && ends_value(at(text, i))) break;
    }
  }
  return i;
}

// A word, without the quotes when one pair stands around all of it.
Value word_value(std::string_view text, size_t begin, std::string_view rule) {
  const size_t end = word_end(text, begin);
  if (end >= begin + 2 && is_quote(text[begin]) &&
      closing(text, begin + 1, text[begin]) == end - 1) {
    return {begin + 1, end - 1, rule};
  }
  return {begin, end, rule};
}

// The quote that stands right before a name, if one does.
char opened_before(std::string_view text, size_t i) {
  return i > 0 && is_quote(text[i - 1]) ? text[i - 1] : '\0';
}

// The value of `name=VALUE` that begins at `begin`; the quote before the name ends it, too.
Value assigned_value(std::string_view text, size_t name_begin, size_t begin,
                     std::string_view rule) {
  const char quote = opened_before(text, name_begin);
  if (quote != '\0') return {begin, closing(text, begin, quote), rule};
  return word_value(text, begin, rule);
}

size_t skip_blanks(std::string_view text, size_t i) {
  while (is_blank(at(text, i)) || text.substr(i).starts_with("\\\n")) {
    i += is_blank(text[i]) ? 1U : 2U;
  }
  return i;
}

// Between two strings of an array: blanks and line ends around one comma, then a quote.
std::optional<size_t> next_string(std::string_view text, size_t i) {
  const auto skip = [&] {
    while (i < text.size() && is_space(text[i])) ++i;
  };
  skip();
  if (at(text, i) != ',') return std::nullopt;
  ++i;
  skip();
  if (!is_quote(at(text, i))) return std::nullopt;
  return i;
}

// `--a-name` at `i`, as long as it is.
std::string_view option_name(std::string_view text, size_t i) {
  size_t end = i;
  while (is_alnum(at(text, end)) || at(text, end) == '-' || at(text, end) == '_') ++end;
  return text.substr(i, end - i);
}

std::optional<Value> option_at(std::string_view text, size_t i) {
  if (text[i] != '-' || (i > 0 && is_name_byte(text[i - 1]))) return std::nullopt;
  const std::string_view name = option_name(text, i);
  const size_t end = i + name.size();
  if (!is_secret_option(name)) return std::nullopt;
  if (at(text, end) == '=') return assigned_value(text, i, end + 1, "option");
  const char quote = opened_before(text, i);
  size_t begin = end;
  if (quote != '\0' && at(text, end) == quote) {
    if (const auto string = next_string(text, end + 1)) {
      begin = *string;
    } else {
      begin = skip_blanks(text, end + 1);
      if (begin == end + 1) return Value{end, end, {}};
    }
  } else {
    begin = skip_blanks(text, end);
    if (begin == end) return Value{end, end, {}};
  }
  // An option that follows at once says that this one has no value of its own.
  const size_t bare = is_quote(at(text, begin)) ? begin + 1 : begin;
  if (at(text, bare) == '-' && is_secret_option(option_name(text, bare)))
    return Value{bare, bare, {}};
  return word_value(text, begin, "option");
}

std::optional<Value> header_value(std::string_view text, size_t i, size_t name_end) {
  const char quote = opened_before(text, i);
  const bool closed = quote != '\0' && at(text, name_end) == quote;
  size_t begin = name_end + (closed ? 1 : 0);
  while (is_blank(at(text, begin))) ++begin;
  if (at(text, begin) != ':') return std::nullopt;
  ++begin;
  while (is_blank(at(text, begin))) ++begin;
  if (closed) return word_value(text, begin, "header");
  size_t end = quote != '\0' ? closing(text, begin, quote) : line_end(text, begin);
  while (end > begin && is_space(text[end - 1])) --end;
  return Value{begin, end, "header"};
}

// Whether the name at `i` begins a label of the manifest: `label = "key=value"`.
bool is_label(std::string_view text, size_t i) {
  if (opened_before(text, i) == '\0') return false;
  std::string_view before = text.substr(0, i - 1);
  const auto trim = [&] {
    while (before.ends_with(' ') || before.ends_with('\t')) before.remove_suffix(1);
  };
  trim();
  if (!before.ends_with('=')) return false;
  before.remove_suffix(1);
  trim();
  return before.ends_with("label");
}

std::optional<Value> word_at(std::string_view text, size_t i) {
  if (!is_name_byte(text[i]) || text[i] == '-') return std::nullopt;
  size_t end = i;
  while (is_name_byte(at(text, end))) ++end;
  const std::string_view name = text.substr(i, end - i);
  if (at(text, end) == '=' && is_secret_name(name) &&
      !is_manifest_reference(name, text.substr(end + 1)) && !is_label(text, i)) {
    return assigned_value(text, i, end + 1, "assignment");
  }
  if (is_secret_header(name)) {
    if (const auto value = header_value(text, i, end)) return value;
  }
  return Value{end, end, {}};
}

// User info ends at the last `@` before the path. A password with a `/` of its own hides that `@`;
// then what looks like a port is no number.
std::optional<Value> url_at(std::string_view text, size_t i) {
  if (!text.substr(i).starts_with("://") || i == 0 || !is_alnum(text[i - 1])) return std::nullopt;
  const size_t begin = i + 3;
  constexpr std::string_view kEnds = " \t\r\n\"<>`/?#";
  const std::string_view host = text.substr(begin, text.find_first_of(kEnds, begin) - begin);
  size_t sign = host.rfind('@');
  const size_t colon = host.find(':');
  if (sign == std::string_view::npos && colon != std::string_view::npos && !host.starts_with('[') &&
      host.find_first_not_of("0123456789", colon + 1) != std::string_view::npos) {
    constexpr size_t kLongestPassword = 256;
    const std::string_view near = text.substr(begin, kLongestPassword);
    sign = near.substr(0, near.find_first_of(kEnds.substr(0, kEnds.size() - 3))).rfind('@');
  }
  if (sign == std::string_view::npos || sign == 0) return std::nullopt;
  return Value{begin, begin + sign, "url"};
}

std::optional<Value> value_at(std::string_view text, size_t i) {
  if (text[i] == ':') return url_at(text, i);
  if (text[i] == '-') return option_at(text, i);
  return word_at(text, i);
}

}  // namespace

std::string mask_shapes(std::string_view text) {
  std::string out;
  size_t copied = 0;
  for (size_t i = 0; i < text.size();) {
    const std::optional<Value> value = value_at(text, i);
    if (!value) {
      ++i;
      continue;
    }
    const std::string_view secret = text.substr(value->begin, value->end - value->begin);
    if (!secret.empty() && !is_mask(secret)) {
      out += text.substr(copied, value->begin - copied);
      out += mask_of(value->rule);
      copied = value->end;
    }
    i = std::max(value->end, i + 1);
  }
  out += text.substr(copied);
  return out;
}

std::vector<std::string> mask_arguments(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  bool is_value = false;
  for (const std::string& argument : arguments) {
    const std::string_view text = argument;
    const std::string_view name = text.substr(0, text.find('='));
    const bool names_option =
        text.starts_with('-') && option_name(text, 0) == name && is_secret_option(name);
    const bool names_variable = !text.starts_with('-') && is_secret_name(name) &&
                                std::all_of(name.begin(), name.end(), is_name_byte);
    const bool has_value = name.size() + 1 < text.size();
    if (is_value && !names_option) {
      out.push_back(text.empty() || is_mask(text) ? argument : mask_of("option"));
    } else if (has_value && (names_option || names_variable)) {
      const std::string_view value = text.substr(name.size() + 1);
      const std::string mask = mask_of(names_option ? "option" : "assignment");
      out.push_back(is_mask(value) ? argument : std::string(name) + "=" + mask);
    } else {
      out.push_back(mask_shapes(text));
    }
    is_value = names_option && name.size() == text.size();
  }
  return out;
}

}  // namespace muniment
