#include "recorder/core/signers.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <utility>

#include "recorder/core/base64.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

// What is wrong with a line, for the message.
template <class T>
using Read = std::expected<T, std::string>;

std::unexpected<std::string> wrong(std::string why) {
  return std::unexpected(std::move(why));
}

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kCertificate = "-cert-v01@openssh.com";
constexpr std::array<std::string_view, 7> kKeyTypes = {"ssh-ed25519",
                                                       "ssh-rsa",
                                                       "ecdsa-sha2-nistp256",
                                                       "ecdsa-sha2-nistp384",
                                                       "ecdsa-sha2-nistp521",
                                                       "sk-ssh-ed25519@openssh.com",
                                                       "sk-ecdsa-sha2-nistp256@openssh.com"};
constexpr std::array<std::string_view, 3> kOptions = {"namespaces", "valid-after", "valid-before"};

std::string in_quotes(std::string_view foreign) {
  return "`" + inert_short(foreign, 80) + "`";
}

template <class Words>
bool is_one_of(std::string_view word, const Words& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void skip_blanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
}

std::string_view take_word(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(word.size());
  skip_blanks(rest);
  return word;
}

// In quotes as a whole, or without any: ssh-keygen reads other spellings in ways of its own.
Read<std::string_view> take_principals(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const std::string_view word = take_word(rest);
    if (!word.contains('"')) return word;
    return wrong("a quote within the principals; put all of them in quotes, or none");
  }
  const std::size_t end = rest.find('"', 1);
  const bool closed = end != std::string_view::npos;
  if (!closed || end + 1 == rest.size() || !kBlanks.contains(rest[end + 1])) {
    return wrong("the quote before the principals is not closed before a blank; close it");
  }
  const std::string_view list = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  skip_blanks(rest);
  return list;
}

Read<void> check_principal(const std::string& name) {
  if (name.empty()) {
    return wrong("a principal without a name; expected `anna@example.org` or a list with commas");
  }
  if (name.find_first_of("*?!") != std::string::npos) {
    return wrong("principal " + in_quotes(name) +
                 " is a pattern, so that anybody would be a signer; write each name out");
  }
  std::string seen = name;
  std::erase(seen, '\\');
  if (inert(seen) == seen) return {};
  return wrong("principal " + in_quotes(name) +
               " holds what cannot be seen; write it in plain text");
}

Read<std::vector<std::string>> split_principals(std::string_view list) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string name(list.substr(begin, end - begin));
    if (auto fine = check_principal(name); !fine) return wrong(fine.error());
    out.push_back(std::move(name));
    begin = end + 1;
  }
  return out;
}

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// The value of an option with its quotes; a backslash keeps a quote from ending it.
bool skip_value(std::string_view& rest) {
  if (!rest.starts_with("=\"")) return false;
  rest.remove_prefix(2);
  while (!rest.empty() && rest.front() != '"') rest.remove_prefix(rest.starts_with("\\\"") ? 2 : 1);
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  return true;
}

Read<void> skip_options(std::string_view& rest) {
  std::vector<std::string> seen;
  for (;;) {
    const std::string_view word = rest.substr(0, rest.find_first_of("=,\" \t"));
    const std::string name = lower(word);
    rest.remove_prefix(word.size());
    if (name == "cert-authority") {
      return wrong(
          "`cert-authority` lets certificates sign, and the file would not say whose; "
          "list the keys themselves");
    }
    if (!is_one_of(name, kOptions)) {
      return wrong(in_quotes(word) +
                   " is neither a known key type (ssh-ed25519, ssh-rsa, "
                   "ecdsa-sha2-nistp256, sk-ssh-ed25519@openssh.com …) nor an option "
                   "(namespaces, valid-after, valid-before)");
    }
    if (is_one_of(name, seen)) return wrong("option `" + name + "` twice; keep one");
    if (!skip_value(rest)) {
      return wrong("option `" + name + "` without its value; expected `" + name + "=\"…\"`");
    }
    seen.push_back(name);
    if (rest.empty() || kBlanks.contains(rest.front())) break;
    if (rest.front() != ',') {
      return wrong("option `" + name + "` is followed by " + in_quotes(rest.substr(0, 1)) +
                   "; expected a comma or a blank");
    }
    rest.remove_prefix(1);
  }
  skip_blanks(rest);
  return {};
}

// RFC 4253, section 6.6: a key begins with its type as a string with its length.
std::optional<std::string_view> type_in(std::string_view blob) {
  if (blob.size() < 4) return std::nullopt;
  std::uint32_t size = 0;
  for (const char c : blob.substr(0, 4)) size = (size << 8U) | static_cast<unsigned char>(c);
  if (blob.size() - 4 <= size) return std::nullopt;
  return blob.substr(4, size);
}

std::string fingerprint_of(std::string_view blob) {
  std::string text = base64(as_bytes(sha256(blob)));
  text.erase(text.find_last_not_of('=') + 1);
  return "SHA256:" + text;
}

Read<Signer> read_key(std::string_view rest) {
  const std::string_view type = take_word(rest);
  const std::string_view key = take_word(rest);
  if (type.ends_with(kCertificate)) {
    return wrong(in_quotes(type) + " is a certificate; list the public key itself");
  }
  if (!is_one_of(type, kKeyTypes)) {
    return wrong(type.empty() ? "no key; expected `PRINCIPAL ssh-ed25519 AAAA…`"
                              : in_quotes(type) +
                                    " is no known key type; expected ssh-ed25519, "
                                    "ssh-rsa, ecdsa-sha2-nistp256, sk-ssh-ed25519@openssh.com …");
  }
  const std::optional<std::string> blob = base64_decoded_strictly(key);
  if (key.empty() || !blob || type_in(*blob) != type) {
    return wrong("the text behind `" + std::string(type) +
                 "` is no such key; copy the line of the .pub file whole");
  }
  return Signer{
      .principals = {}, .key_type = std::string(type), .fingerprint = fingerprint_of(*blob)};
}

Read<Signer> read_line(std::string_view line) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      return wrong("the character `" + inert(std::string_view(&c, 1)) +
                   "`; save the file as plain text with line feeds alone");
    }
  }
  Read<std::string_view> list = take_principals(line);
  if (!list) return wrong(list.error());
  Read<std::vector<std::string>> principals = split_principals(*list);
  if (!principals) return wrong(principals.error());
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  if (!word.empty() && !is_one_of(word, kKeyTypes) && !word.ends_with(kCertificate)) {
    if (auto skipped = skip_options(line); !skipped) return wrong(skipped.error());
  }
  Read<Signer> signer = read_key(line);
  if (signer) signer->principals = *std::move(principals);
  return signer;
}

}  // namespace

Result<std::vector<Signer>> parse_signers(std::string_view text) {
  std::vector<Signer> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string at = "line " + std::to_string(number) + ": ";
    if (line.contains('\0')) {
      return fail(ErrorCode::kInvalid, at + "a NUL byte; expected a text file of ssh-keygen");
    }
    skip_blanks(line);
    if (line.empty() || line.starts_with('#')) continue;
    Read<Signer> signer = read_line(line);
    if (!signer) return fail(ErrorCode::kInvalid, at + signer.error());
    out.push_back(*std::move(signer));
  }
  if (!out.empty()) return out;
  return fail(ErrorCode::kInvalid,
              "no key in it; expected lines `PRINCIPAL ssh-ed25519 AAAA…`, one for each signer");
}

bool is_security_key(const Signer& signer) {
  return signer.key_type.starts_with("sk-");
}

}  // namespace muniment
