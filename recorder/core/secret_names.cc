#include "recorder/core/secret_names.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace muniment {
namespace {

using std::size_t;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <class Words>
bool ends_with_one_of(std::string_view text, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.ends_with(word); });
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_quote(char c) {
  return c == '"' || c == '\'';
}
bool is_reference_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}
char peek(std::string_view text, size_t i) {
  return i < text.size() ? text[i] : '\0';
}

bool is_reference(std::string_view word) {
  if (word == "trust") return true;
  constexpr std::array<std::string_view, 3> kKinds = {"env:", "file-env:", "secret:"};
  return std::any_of(kKinds.begin(), kKinds.end(), [&](std::string_view kind) {
    return word.starts_with(kind) && word.size() > kind.size() &&
           std::all_of(word.begin() + static_cast<std::ptrdiff_t>(kind.size()), word.end(),
                       is_reference_byte);
  });
}

// The text of `["trust", "env:X"]` or `"env:X"`, however it is spaced.
bool is_references(std::string_view value) {
  const bool list = value.starts_with('[');
  size_t i = list ? 1 : 0;
  while (true) {
    while (i < value.size() && is_space(value[i])) ++i;
    if (!is_quote(peek(value, i))) return list && peek(value, i) == ']';
    const size_t end = value.find(value[i], i + 1);
    if (end == std::string_view::npos) return false;
    if (!is_reference(value.substr(i + 1, end - i - 1))) return false;
    if (!list) return true;
    i = end + 1;
    while (i < value.size() && (is_space(value[i]) || value[i] == ',')) ++i;
  }
}

}  // namespace

bool is_secret_name(std::string_view name) {
  if (name == "PWD" || name == "OLDPWD" || name == "SSH_AUTH_SOCK") return false;
  constexpr std::array<std::string_view, 7> kParts = {"pass", "pwd",  "secret",    "token",
                                                      "key",  "auth", "credential"};
  const std::string word = lower(name);
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return word.contains(part); });
}

bool is_secret_option(std::string_view dashed) {
  const size_t dashes = dashed.starts_with("--") ? 2 : 1;
  std::string name = lower(dashed.substr(dashes));
  std::replace(name.begin(), name.end(), '_', '-');
  // `-p` and its like mean another thing in each program.
  if (dashes == 1 && name.size() < 4) return false;
  if (name.starts_with("no-")) return false;
  if (name == "pass" || name == "pwd" || name == "auth") return true;
  constexpr std::array<std::string_view, 17> kEndings = {
      "password",   "passwd",   "passphrase", "-pass",       "-pwd",          "requirepass",
      "secret",     "token",    "credential", "credentials", "api-key",       "apikey",
      "access-key", "auth-key", "secret-key", "private-key", "encryption-key"};
  return ends_with_one_of(name, kEndings);
}

bool is_secret_header(std::string_view name) {
  constexpr std::array<std::string_view, 8> kEndings = {"authorization", "cookie",   "api-key",
                                                        "apikey",        "auth-key", "secret-key",
                                                        "-token",        "-secret"};
  return ends_with_one_of(lower(name), kEndings);
}

bool is_manifest_reference(std::string_view name, std::string_view value) {
  if (name == "password") return is_references(value);
  if (name == "auth") return value.starts_with('{');
  if (name == "secrets") return value.starts_with("\"/") || value.starts_with("'/");
  if (name == "keys") return value.starts_with("\"sk\"") || value.starts_with("'sk'");
  return false;
}

}  // namespace muniment
