#include "recorder/core/glob.h"

#include <cstddef>
#include <optional>

namespace muniment {
namespace {

// One unit of a component's pattern: a byte, `?`, `*` or a set.
struct Unit {
  enum class Kind { kByte, kAny, kRun, kSet } kind;
  std::size_t size;      // bytes of the pattern
  char byte;             // of kByte
  std::string_view set;  // of kSet: what stands between the brackets
};

// A `]` that comes first in a set is an ordinary byte, as in a shell.
std::optional<std::size_t> set_end(std::string_view pattern) {
  std::size_t i = 1;
  if (i < pattern.size() && pattern[i] == '!') ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == ']') {
      return i;
    }
  }
  return std::nullopt;
}

// Nothing where the pattern ends in a backslash or in an open set.
std::optional<Unit> next_unit(std::string_view pattern) {
  switch (pattern.front()) {
    case '*':
      return Unit{Unit::Kind::kRun, 1, 0, {}};
    case '?':
      return Unit{Unit::Kind::kAny, 1, 0, {}};
    case '\\':
      if (pattern.size() < 2) return std::nullopt;
      return Unit{Unit::Kind::kByte, 2, pattern[1], {}};
    case '[': {
      const std::optional<std::size_t> end = set_end(pattern);
      if (!end) return std::nullopt;
      return Unit{Unit::Kind::kSet, *end + 1, 0, pattern.substr(1, *end - 1)};
    }
    default:
      return Unit{Unit::Kind::kByte, 1, pattern.front(), {}};
  }
}

// The next byte of a set, without its backslash.
unsigned char take(std::string_view& set) {
  if (set.size() > 1 && set.front() == '\\') set.remove_prefix(1);
  const auto byte = static_cast<unsigned char>(set.front());
  set.remove_prefix(1);
  return byte;
}

struct Span {
  unsigned char first;
  unsigned char last;
};

Span take_span(std::string_view& set) {
  const unsigned char first = take(set);
  if (set.size() < 2 || set.front() != '-') return {first, first};
  set.remove_prefix(1);
  return {first, take(set)};
}

bool in_set(std::string_view set, unsigned char byte) {
  const bool negated = set.starts_with('!');
  if (negated) set.remove_prefix(1);
  bool found = false;
  while (!set.empty()) {
    const Span span = take_span(set);
    found = found || (span.first <= byte && byte <= span.last);
  }
  return found != negated;
}

bool takes(const Unit& unit, char byte) {
  if (unit.kind == Unit::Kind::kAny) return true;
  if (unit.kind == Unit::Kind::kSet) return in_set(unit.set, static_cast<unsigned char>(byte));
  return unit.byte == byte;
}

// Only the last `*` is ever tried again: what an earlier one takes more, a later one may take less.
// That bounds the time by pattern × name. match_components does the same with `**`.
bool match_component(std::string_view pattern, std::string_view name) {
  std::optional<std::string_view> after_run;
  std::string_view retry;
  while (true) {
    if (pattern.empty() && name.empty()) return true;
    const std::optional<Unit> unit = pattern.empty() ? std::nullopt : next_unit(pattern);
    if (!pattern.empty() && !unit) return false;
    if (unit && unit->kind == Unit::Kind::kRun) {
      pattern.remove_prefix(1);
      after_run = pattern;
      retry = name;
    } else if (unit && !name.empty() && takes(*unit, name.front())) {
      pattern.remove_prefix(unit->size);
      name.remove_prefix(1);
    } else if (after_run && !retry.empty()) {
      retry.remove_prefix(1);
      name = retry;
      pattern = *after_run;
    } else {
      return false;
    }
  }
}

// "/a/b" is the component "a" and the rest "/b"; "" has no component.
std::string_view first_component(std::string_view path) {
  return path.substr(1, path.find('/', 1) - 1);
}

std::string_view rest_of(std::string_view path) {
  return path.substr(1 + first_component(path).size());
}

bool match_components(std::string_view pattern, std::string_view path) {
  std::optional<std::string_view> after_run;
  std::string_view retry;
  while (true) {
    if (pattern.empty() && path.empty()) return true;
    if (!pattern.empty() && first_component(pattern) == "**") {
      pattern = rest_of(pattern);
      after_run = pattern;
      retry = path;
    } else if (!pattern.empty() && !path.empty() &&
               match_component(first_component(pattern), first_component(path))) {
      pattern = rest_of(pattern);
      path = rest_of(path);
    } else if (after_run && !retry.empty()) {
      retry = rest_of(retry);
      path = retry;
      pattern = *after_run;
    } else {
      return false;
    }
  }
}

std::string_view component_error(std::string_view component) {
  if (component.empty()) return "it has an empty component";
  if (component == "." || component == "..") return "it has a component `.` or `..`";
  while (!component.empty()) {
    const std::optional<Unit> unit = next_unit(component);
    if (!unit && component.front() == '[') return "a `[` is not closed before the next `/`";
    if (!unit) return "a backslash has no byte after it";
    std::string_view set = unit->set;
    if (set.starts_with('!')) set.remove_prefix(1);
    while (!set.empty()) {
      const Span span = take_span(set);
      if (span.first > span.last) return "a range in a set runs backwards";
    }
    component.remove_prefix(unit->size);
  }
  return {};
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) {
  if (!pattern.starts_with('/') || !path.starts_with('/')) return false;
  if (pattern == "/") return path == "/";
  return match_components(pattern, path == "/" ? std::string_view() : path);
}

std::string_view glob_error(std::string_view pattern) {
  if (!pattern.starts_with('/')) return "it is not absolute";
  if (pattern.find('\0') != std::string_view::npos) return "it holds a NUL byte";
  if (pattern == "/") return {};
  for (; !pattern.empty(); pattern = rest_of(pattern)) {
    const std::string_view error = component_error(first_component(pattern));
    if (!error.empty()) return error;
  }
  return {};
}

}  // namespace muniment
