// A parser of JSON (RFC 8259) that forgives nothing: what a program that reads ours may rely on.
#ifndef MUNIMENT_TESTS_SUPPORT_STRICT_JSON_H_
#define MUNIMENT_TESTS_SUPPORT_STRICT_JSON_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muniment {

struct Json {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  std::string text;  // a string decoded to UTF-8; a number as it was written; "true", "false"
  std::vector<Json> items;
  std::vector<std::pair<std::string, Json>> members;  // in their order

  // The member of that name, or nullptr.
  const Json* find(std::string_view name) const;
  bool is_null() const { return kind == Kind::kNull; }
};

// Absent when `text` is not exactly one JSON value, blanks around it allowed. Also absent: a name
// twice in one object, bytes that are no UTF-8, a lone surrogate, a raw control character.
std::optional<Json> parse_json(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_STRICT_JSON_H_
