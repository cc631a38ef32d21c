#include "recorder/core/known_secrets.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace muniment {
namespace {

constexpr std::uint8_t kNoSextet = 0xFF;

constexpr std::array<std::uint8_t, 256> sextet_table() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoSextet);
  const std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::uint8_t next = 0;
  for (const char c : letters) table[static_cast<unsigned char>(c)] = next++;
  table[static_cast<unsigned char>('-')] = 62;
  table[static_cast<unsigned char>('_')] = 63;
  return table;
}
constexpr std::array<std::uint8_t, 256> kSextets = sextet_table();

std::uint8_t sextet(char c) {
  return kSextets[static_cast<unsigned char>(c)];
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

// The byte that `%XX` at the front of `text` stands for.
std::optional<unsigned char> percent_byte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const std::optional<unsigned> high = hex_digit(text[1]);
  const std::optional<unsigned> low = hex_digit(text[2]);
  if (!high || !low) return std::nullopt;
  return static_cast<unsigned char>((*high << 4U) | *low);
}

// How many bytes `value` takes at the front of `text` where `%XX` is one byte; 0 if it is not
// there.
std::size_t decoded_size(std::string_view value, std::string_view text) {
  std::size_t used = 0;
  for (const char c : value) {
    const std::string_view rest = text.substr(used);
    if (rest.empty()) return 0;
    if (rest[0] == '%' && percent_byte(rest) == static_cast<unsigned char>(c)) {
      used += 3;
    } else if (rest[0] == c || (c == ' ' && rest[0] == '+')) {
      used += 1;
    } else {
      return 0;
    }
  }
  return used;
}

// The same, where `%XX` may also be three bytes of a value that has a `%` of its own.
std::size_t written_size(std::string_view value, std::string_view text) {
  const std::size_t literal = text.starts_with(value) ? value.size() : 0;
  return std::max(literal, decoded_size(value, text));
}

}  // namespace

void KnownSecrets::add(std::string rule, std::string value) {
  if (value.size() < kLeastBytes) return;
  const auto same = [&](const Secret& other) { return other.value == value; };
  if (std::any_of(secrets_.begin(), secrets_.end(), same)) return;
  const std::size_t secret = secrets_.size();
  by_byte_[static_cast<unsigned char>(value[0])].push_back(secret);
  longest_form_ = std::max(longest_form_, 3 * value.size());
  secrets_.push_back({std::move(rule), std::move(value)});
  for (std::size_t alignment = 0; alignment < 3; ++alignment) add_base64(secret, alignment);
}

// RFC 4648: three bytes are four characters. `alignment` bytes of something else precede the value
// in its group, so its first character may begin, and its last one end, with bits of a neighbour.
void KnownSecrets::add_base64(std::size_t secret, std::size_t alignment) {
  const std::string& value = secrets_[secret].value;
  const std::size_t first_bit = 8 * alignment;
  const std::size_t end_bit = first_bit + 8 * value.size();
  Base64Form form;
  form.secret = secret;
  for (std::size_t at = first_bit / 6 * 6; at < end_bit; at += 6) {
    unsigned bits = 0;
    unsigned mask = 0;
    for (std::size_t bit = at; bit < at + 6; ++bit) {
      bits <<= 1U;
      mask <<= 1U;
      if (bit < first_bit || bit >= end_bit) continue;
      const auto byte = static_cast<unsigned char>(value[(bit - first_bit) / 8]);
      bits |= (static_cast<unsigned>(byte) >> (7U - bit % 8U)) & 1U;
      mask |= 1U;
    }
    if (form.sextets.empty()) form.first_mask = static_cast<std::uint8_t>(mask);
    form.last_mask = static_cast<std::uint8_t>(mask);
    form.sextets += static_cast<char>(bits);
  }
  by_sextet_[static_cast<unsigned char>(form.sextets[1])].push_back(forms_.size());
  forms_.push_back(std::move(form));
}

void KnownSecrets::match_bytes(std::string_view text, unsigned char first, std::size_t first_bytes,
                               Match& best) const {
  for (const std::size_t secret : by_byte_[first]) {
    const std::string& value = secrets_[secret].value;
    // Most values part from the text at their second byte.
    const char next = text.size() > first_bytes ? text[first_bytes] : '\0';
    if (next != value[1] && next != '%' && next != '+') continue;
    const std::size_t size = written_size(value, text);
    if (size > best.size) best = {size, secret};
  }
}

void KnownSecrets::match_base64(std::string_view text, Match& best) const {
  if (text.size() < 3 || sextet(text[1]) == kNoSextet) return;
  for (const std::size_t index : by_sextet_[sextet(text[1])]) {
    const Base64Form& form = forms_[index];
    std::size_t size = form.sextets.size();
    // Most forms part from the text here; asking first halves the time.
    if (static_cast<std::uint8_t>(form.sextets[2]) != sextet(text[2])) continue;
    if (text.size() < size) continue;
    bool same = true;
    for (std::size_t i = 0; same && i < size; ++i) {
      const std::uint8_t mask = i == 0 ? form.first_mask : i + 1 == size ? form.last_mask : 0x3F;
      const std::uint8_t got = sextet(text[i]);
      same = got != kNoSextet && (got & mask) == static_cast<std::uint8_t>(form.sextets[i]);
    }
    if (!same) continue;
    for (int padding = 0; padding < 2 && size < text.size() && text[size] == '='; ++padding) ++size;
    if (size > best.size) best = {size, form.secret};
  }
}

KnownSecrets::Match KnownSecrets::longest_at(std::string_view text) const {
  Match best;
  const auto first = static_cast<unsigned char>(text[0]);
  match_bytes(text, first, 1, best);
  if (first == '%') {
    const std::optional<unsigned char> byte = percent_byte(text);
    if (byte) match_bytes(text, *byte, 3, best);
  }
  if (first == '+') match_bytes(text, ' ', 1, best);
  match_base64(text, best);
  return best;
}

void KnownSecrets::replace(std::string_view text, std::size_t decided, std::size_t& covered,
                           std::string& out) const {
  for (std::size_t i = 0; i < decided; ++i) {
    const Match match = longest_at(text.substr(i));
    if (match.size > 0 && i >= covered) out += mask_of(secrets_[match.secret].rule);
    covered = std::max(covered, i + match.size);
    if (i >= covered) out += text[i];
  }
  covered -= std::min(covered, decided);
}

std::string mask_of(std::string_view rule) {
  return "[redacted:" + std::string(rule) + "]";
}

bool is_mask(std::string_view text) {
  return text.starts_with("[redacted:") && text.find(']') + 1 == text.size();
}

}  // namespace muniment
