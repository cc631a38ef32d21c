// Which layer may include which: the arrows of the architecture, as patterns over paths.
#include <array>
#include <regex>
#include <string>

#include "tests/support/code_scan.h"
#include "tests/support/tree_rules.h"

namespace muniment {
namespace {

struct Layer {
  const char* name;
  const char* files;     // which files are in it
  const char* includes;  // which of our headers they may include
};

// The first that matches counts.
constexpr std::array kLayers = {
    Layer{"recorder/core", R"(recorder/core/.*)", R"(muniment/v1/.*\.pb\.h|recorder/core/.*)"},
    Layer{"recorder/log", R"(recorder/log/.*)",
          R"(muniment/v1/.*\.pb\.h|recorder/core/.*|recorder/log/.*)"},
    Layer{"recorder/world", R"(recorder/world/.*)",
          R"(muniment/v1/.*\.pb\.h|recorder/core/.*|recorder/world/.*)"},
    Layer{"the shell", R"(recorder/[^/]*)",
          R"(muniment/v1/.*\.pb\.h|recorder/core/.*|recorder/[^/]*)"
          R"(|recorder/log/(event_log|queries|key_codec|inbox)\.h)"
          R"(|recorder/world/(sink|source|progress|step_check)\.h)"},
    Layer{"replay", R"(replay/.*)",
          R"(muniment/v1/.*\.pb\.h|recorder/core/.*|replay/.*)"
          R"(|recorder/log/(event_log|queries|key_codec|merkle|prover|store|tables)\.h)"},
    Layer{"cli", R"(cli/.*)", R"((?!recorder/log/rocks).*)"},
};

// What lies below the tree is ours; generated headers are included as the layer of schemas.
bool is_ours(const std::string& target) {
  static const std::regex kOurs(R"((muniment|proto|recorder|replay|cli|tests)/.*)");
  return std::regex_match(target, kOurs);
}

void check_imports(Violations& violations, const SourceFile& file) {
  static const std::regex kImport(R"re(^\s*import\s+(public\s+|weak\s+)?"([^"]+)")re");
  static const std::regex kAllowed(R"((muniment/v1|google/protobuf)/\w+\.proto)");
  std::size_t number = 0;
  for (const std::string& line : split_lines(file.text)) {
    ++number;
    std::smatch match;
    if (!std::regex_search(line, match, kImport)) continue;
    if (std::regex_match(match[2].str(), kAllowed)) continue;
    violations.push_back(file.path + ":" + std::to_string(number) + ": imports " + match[2].str() +
                         "; proto imports schemas alone");
  }
}

void check_includes(Violations& violations, const SourceFile& file, const Layer& layer) {
  const std::regex allowed(layer.includes);
  for (const Include& include : find_includes(file.text)) {
    // A quoted name that is not ours is a path that does not begin at the root.
    const bool counts = include.quoted || is_ours(include.target);
    if (!counts || include.target.starts_with("google/")) continue;
    if (std::regex_match(include.target, allowed) && !include.target.starts_with("tests/"))
      continue;
    violations.push_back(file.path + ":" + std::to_string(include.line) + ": includes " +
                         include.target + "; " + layer.name + " may not");
  }
}

}  // namespace

Violations find_wrong_arrows(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    if (file.path.ends_with(".proto")) check_imports(violations, file);
    if (!file.path.ends_with(".h") && !file.path.ends_with(".cc")) continue;
    for (const Layer& layer : kLayers) {
      if (!std::regex_match(file.path, std::regex(layer.files))) continue;
      check_includes(violations, file, layer);
      break;
    }
  }
  return violations;
}

}  // namespace muniment
