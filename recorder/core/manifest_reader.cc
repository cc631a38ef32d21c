#include "recorder/core/manifest_reader.h"

#include <algorithm>

#include "recorder/core/text.h"

namespace muniment {
namespace {

std::string in_quotes(std::string_view text) {
  return "`" + inert_short(text, 80) + "`";
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a point";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  return "something else";
}

constexpr std::string_view kDurationForm = "a duration such as \"90s\", \"10m\", \"24h\" or \"7d\"";
constexpr std::string_view kSizeForm = "a size such as \"512KiB\" or \"2GiB\"";

}  // namespace

std::string Problems::text(std::string_view file) const {
  std::vector<Problem> sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  std::string out;
  for (const Problem& problem : sorted) {
    if (!out.empty()) out += '\n';
    out += inert(file) + ":" + std::to_string(problem.at.line) + ":" +
           std::to_string(problem.at.column) + ": " + problem.what;
  }
  return out;
}

Position position_of(const toml::source_region& region) {
  if (!region.begin) return {};
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

std::string list_words(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += "`" + std::string(words[i]) + "`";
  }
  return out;
}

std::string suggest(std::string_view wrong, const std::vector<std::string_view>& words) {
  const std::string near = nearest_word(wrong, words);
  return near.empty() ? "" : "; did you mean `" + near + "`?";
}

std::string_view path_error(std::string_view path) {
  if (path.empty()) return "it is empty";
  if (path.front() != '/') return "it does not begin with `/`";
  if (path.find('\0') != std::string_view::npos) return "it holds a zero byte";
  std::size_t begin = 1;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) return "it holds `//`";
    if (part == "." || part == "..") return "it holds a component `.` or `..`";
    begin = end + 1;
  }
  return "";
}

TableReader::TableReader(Problems& problems, const toml::table& table, std::string name)
    : problems_(problems),
      table_(table),
      name_(std::move(name)),
      at_(position_of(table.source())) {}

Position TableReader::at(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return node == nullptr ? at_ : position_of(node->source());
}

void TableReader::require(std::string_view key, std::string_view example) {
  known_.emplace(key);
  if (has(key)) return;
  problems_.add(at_,
                name_ + " has no `" + std::string(key) + "`; expected " + std::string(example));
}

void TableReader::expected(const toml::node& node, std::string_view key, std::string_view what) {
  problems_.add(position_of(node.source()), "`" + std::string(key) + "` of " + name_ + " is " +
                                                std::string(type_name(node)) + "; expected " +
                                                std::string(what));
}

const toml::node* TableReader::node(std::string_view key) {
  known_.emplace(key);
  return table_.get(key);
}

const toml::table& TableReader::all_known() {
  for (const auto& [key, value] : table_) known_.emplace(key.str());
  return table_;
}

std::optional<std::string> TableReader::expect_text(std::string_view key, std::string_view what) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->as_string()) {
    if (value->get().find('\0') == std::string::npos) return value->get();
    complain(key, "`" + std::string(key) + "` of " + name_ + " holds a zero byte; take it out");
    return std::nullopt;
  }
  expected(*found, key, what);
  return std::nullopt;
}

std::optional<std::string> TableReader::text(std::string_view key) {
  std::optional<std::string> found = expect_text(key, "a text in quotes");
  if (!found || !found->empty()) return found;
  complain(key, "`" + std::string(key) + "` of " + name_ + " is empty; write it or leave it out");
  return std::nullopt;
}

std::optional<bool> TableReader::flag(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->as_boolean()) return value->get();
  expected(*found, key, "true or false, without quotes");
  return std::nullopt;
}

std::optional<std::int64_t> TableReader::number(std::string_view key, std::int64_t least,
                                                std::int64_t most) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  const std::string range =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const auto* value = found->as_integer();
  if (value == nullptr) {
    expected(*found, key, range);
    return std::nullopt;
  }
  if (value->get() >= least && value->get() <= most) return value->get();
  complain(key, "`" + std::string(key) + "` of " + name_ + " is " + std::to_string(value->get()) +
                    "; expected " + range);
  return std::nullopt;
}

std::optional<std::string> TableReader::word(std::string_view key,
                                             const std::vector<std::string_view>& words) {
  std::optional<std::string> found = expect_text(key, list_words(words));
  if (!found || std::find(words.begin(), words.end(), *found) != words.end()) return found;
  complain(key, "`" + std::string(key) + "` of " + name_ + " is " + in_quotes(*found) +
                    "; expected " + list_words(words) + suggest(*found, words));
  return std::nullopt;
}

std::optional<std::string> TableReader::path(std::string_view key) {
  std::optional<std::string> found = expect_text(key, "an absolute path in quotes");
  if (!found) return found;
  const std::string_view wrong = path_error(*found);
  if (!wrong.empty()) {
    complain(key, "`" + std::string(key) + "` of " + name_ + " is " + in_quotes(*found) + ": " +
                      std::string(wrong) + "; expected an absolute path");
    return std::nullopt;
  }
  if (found->size() > 1 && found->ends_with('/')) found->pop_back();
  return found;
}

std::optional<std::chrono::seconds> TableReader::duration(std::string_view key) {
  const std::optional<std::string> found = expect_text(key, kDurationForm);
  if (!found) return std::nullopt;
  std::optional<std::chrono::seconds> value = parse_duration(*found);
  if (!value) {
    complain(key, "`" + std::string(key) + "` of " + name_ + " is " + in_quotes(*found) +
                      "; expected " + std::string(kDurationForm));
  }
  return value;
}

std::optional<std::uint64_t> TableReader::size(std::string_view key) {
  const std::optional<std::string> found = expect_text(key, kSizeForm);
  if (!found) return std::nullopt;
  std::optional<std::uint64_t> value = parse_size(*found);
  if (!value) {
    complain(key, "`" + std::string(key) + "` of " + name_ + " is " + in_quotes(*found) +
                      "; expected " + std::string(kSizeForm));
  }
  return value;
}

std::vector<TableReader::Placed> TableReader::read_list(std::string_view key,
                                                        const toml::array& list) {
  std::vector<Placed> out;
  for (const toml::node& element : list) {
    const auto* value = element.as_string();
    if (value == nullptr) {
      expected(element, key, "a list of texts in quotes");
    } else if (value->get().empty() || value->get().find('\0') != std::string::npos) {
      problems_.add(position_of(element.source()),
                    "`" + std::string(key) + "` of " + name_ +
                        " holds an empty text or a zero byte; write it or leave it out");
    } else {
      out.push_back({position_of(element.source()), value->get()});
    }
  }
  return out;
}

std::vector<std::string> TableReader::texts(std::string_view key, const ElementCheck& wrong) {
  const toml::node* found = node(key);
  if (found == nullptr) return {};
  const toml::array* list = found->as_array();
  if (list == nullptr) {
    expected(*found, key, "a list of texts, `[\"…\"]`");
    return {};
  }
  if (list->empty()) {
    complain(key, "`" + std::string(key) + "` of " + name_ +
                      " is an empty list; fill it or leave it out");
  }
  std::vector<std::string> out;
  for (Placed& element : read_list(key, *list)) {
    const std::string why = wrong ? wrong(element.text) : "";
    if (!why.empty()) {
      problems_.add(element.at, "`" + std::string(key) + "` of " + name_ + " holds " +
                                    in_quotes(element.text) + ": " + why);
    } else if (std::find(out.begin(), out.end(), element.text) != out.end()) {
      problems_.add(element.at, "`" + std::string(key) + "` of " + name_ + " holds " +
                                    in_quotes(element.text) + " twice; take one out");
    } else {
      out.push_back(std::move(element.text));
    }
  }
  return out;
}

std::vector<TableReader::Placed> TableReader::text_or_texts(std::string_view key) {
  const toml::node* found = node(key);
  if (found == nullptr) return {};
  if (const toml::array* list = found->as_array()) return read_list(key, *list);
  std::optional<std::string> one = text(key);
  if (!one) return {};
  return {{at(key), std::move(*one)}};
}

std::optional<TableReader> TableReader::table(std::string_view key, std::string name) {
  const toml::node* found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const toml::table* inner = found->as_table()) {
    return TableReader(problems_, *inner, std::move(name));
  }
  expected(*found, key, "a table, `{ … }` or `[" + std::string(key) + "]`");
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key, const std::string& name) {
  const toml::node* found = node(key);
  if (found == nullptr) return {};
  const toml::array* list = found->as_array();
  std::vector<TableReader> out;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    if (const toml::table* inner = list->get(i)->as_table()) {
      out.emplace_back(problems_, *inner, name);
    } else {
      expected(*list->get(i), key, "tables, each begun by `" + name + "`");
    }
  }
  if (list == nullptr) expected(*found, key, "tables, each begun by `" + name + "`");
  return out;
}

void TableReader::finish() {
  const std::vector<std::string_view> words(known_.begin(), known_.end());
  for (const auto& [key, value] : table_) {
    if (known_.contains(key.str())) continue;
    problems_.add(position_of(key.source()), "unknown key " + in_quotes(key.str()) + " in " +
                                                 name_ + "; expected " + list_words(words) +
                                                 suggest(key.str(), words));
  }
}

}  // namespace muniment
