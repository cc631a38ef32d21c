#include "tests/support/strict_json.h"

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr int kDeepest = 100;

void append_utf8(char32_t point, std::string& out) {
  if (point < 0x80U) {
    out += static_cast<char>(point);
    return;
  }
  const int more = point < 0x800U ? 1 : point < 0x10000U ? 2 : 3;
  constexpr unsigned kLead[] = {0, 0xC0U, 0xE0U, 0xF0U};
  out += static_cast<char>(kLead[more] | (point >> (6 * more)));
  for (int i = more; i-- > 0;) out += static_cast<char>(0x80U | ((point >> (6 * i)) & 0x3FU));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::optional<Json> whole() {
    std::optional<Json> value = parse(0);
    skip_blanks();
    return rest_.empty() ? value : std::nullopt;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != rest_.npos) {
      rest_.remove_prefix(1);
    }
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  bool take_after_blanks(std::string_view token) {
    skip_blanks();
    return take(token);
  }

  std::optional<Json> parse(int depth) {
    if (depth > kDeepest) return std::nullopt;
    skip_blanks();
    if (rest_.empty()) return std::nullopt;
    if (rest_[0] == '{') return object(depth);
    if (rest_[0] == '[') return array(depth);
    if (rest_[0] == '"') return string();
    if (take("null")) return Json{};
    for (const char* word : {"true", "false"}) {
      if (take(word)) return Json{Json::Kind::kBool, word, {}, {}};
    }
    return number();
  }

  std::optional<Json> object(int depth) {
    Json out{Json::Kind::kObject, {}, {}, {}};
    take("{");
    if (take_after_blanks("}")) return out;
    do {
      skip_blanks();
      std::optional<Json> name = string();
      if (!name || out.find(name->text) != nullptr || !take_after_blanks(":")) return std::nullopt;
      std::optional<Json> value = parse(depth + 1);
      if (!value) return std::nullopt;
      out.members.emplace_back(std::move(name->text), *std::move(value));
    } while (take_after_blanks(","));
    return take_after_blanks("}") ? std::optional(out) : std::nullopt;
  }

  std::optional<Json> array(int depth) {
    Json out{Json::Kind::kArray, {}, {}, {}};
    take("[");
    if (take_after_blanks("]")) return out;
    do {
      std::optional<Json> value = parse(depth + 1);
      if (!value) return std::nullopt;
      out.items.push_back(*std::move(value));
    } while (take_after_blanks(","));
    return take_after_blanks("]") ? std::optional(out) : std::nullopt;
  }

  std::optional<Json> string() {
    Json out{Json::Kind::kString, {}, {}, {}};
    if (!take("\"")) return std::nullopt;
    while (!rest_.empty() && rest_[0] != '"') {
      const char c = rest_[0];
      if (static_cast<unsigned char>(c) < 0x20U) return std::nullopt;
      rest_.remove_prefix(1);
      if (c != '\\') {
        out.text += c;
      } else if (!escape(out.text)) {
        return std::nullopt;
      }
    }
    if (!take("\"") || !is_valid_utf8(out.text)) return std::nullopt;
    return out;
  }

  bool escape(std::string& out) {
    if (take("u")) {
      std::optional<char32_t> point = hex4();
      if (!point || (*point >= 0xDC00U && *point <= 0xDFFFU)) return false;
      if (*point >= 0xD800U && *point <= 0xDBFFU) {
        const std::optional<char32_t> low = take("\\u") ? hex4() : std::nullopt;
        if (!low || *low < 0xDC00U || *low > 0xDFFFU) return false;
        point = 0x10000U + ((*point - 0xD800U) << 10U) + (*low - 0xDC00U);
      }
      append_utf8(*point, out);
      return true;
    }
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    const std::size_t at = rest_.empty() ? kNames.npos : kNames.find(rest_[0]);
    if (at == kNames.npos) return false;
    rest_.remove_prefix(1);
    out += kValues[at];
    return true;
  }

  std::optional<char32_t> hex4() {
    char32_t value = 0;
    if (rest_.size() < 4) return std::nullopt;
    for (const char c : rest_.substr(0, 4)) {
      const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
      if (digit == std::string_view::npos) return std::nullopt;
      value = value * 16 + static_cast<char32_t>(digit < 16 ? digit : digit - 6);
    }
    rest_.remove_prefix(4);
    return value;
  }

  std::string digits() {
    std::string out;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      out += rest_[0];
      rest_.remove_prefix(1);
    }
    return out;
  }

  std::optional<Json> number() {
    Json out{Json::Kind::kNumber, take("-") ? "-" : "", {}, {}};
    const std::string whole = digits();
    if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return std::nullopt;
    out.text += whole;
    if (take(".")) {
      const std::string fraction = digits();
      if (fraction.empty()) return std::nullopt;
      out.text += "." + fraction;
    }
    return out;  // we write no exponents
  }

  std::string_view rest_;
};

}  // namespace

const Json* Json::find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::optional<Json> parse_json(std::string_view text) {
  return Parser(text).whole();
}

}  // namespace muniment
