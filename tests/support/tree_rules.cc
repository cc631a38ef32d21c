#include "tests/support/tree_rules.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "tests/support/code_scan.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFolders = {"proto", "recorder", "replay", "cli", "tests", "script", ".ci"};

bool is_code(const SourceFile& file) {
  return file.path.ends_with(".h") || file.path.ends_with(".cc");
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder);
}

bool is_product(const SourceFile& file) {
  return is_code(file) && !is_below(file.path, "tests/");
}

std::string read_file(const fs::path& path) {
  std::string text(fs::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(text.data(), std::ssize(text));
  return text;
}

void report(Violations& violations, const SourceFile& file, std::size_t line,
            const std::string& what) {
  violations.push_back(file.path + ":" + std::to_string(line) + ": " + what);
}

// Reports each line of `text`, which stands for the file, on which the pattern is found.
void report_matches(Violations& violations, const SourceFile& file, const std::string& text,
                    const std::regex& pattern, const std::string& rule) {
  std::size_t number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    std::smatch match;
    if (std::regex_search(line, match, pattern)) {
      report(violations, file, number, "`" + match.str() + "`; " + rule);
    }
  }
}

}  // namespace

Tree read_tree(const std::string& root) {
  std::set<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_regular_file()) paths.insert(entry.path());
  }
  for (const char* const folder : kFolders) {
    if (!fs::is_directory(fs::path(root) / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
      if (entry.is_regular_file()) paths.insert(entry.path());
    }
  }
  Tree tree;
  for (const fs::path& path : paths) {
    SourceFile file{path.lexically_relative(root).string(), read_file(path)};
    // A fixture of bytes is no text.
    if (file.text.find('\0') == std::string::npos) tree.push_back(std::move(file));
  }
  return tree;
}

Violations find_foreign_rocksdb(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    if (!is_product(file) || is_below(file.path, "recorder/log/")) continue;
    static const std::regex kRocksDb(R"(#\s*include\s*[<"]rocksdb/|\brocksdb::)");
    report_matches(violations, file, without_comments(file.text), kRocksDb,
                   "only recorder/log knows RocksDB");
  }
  return violations;
}

Violations find_foreign_output(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    if (!is_product(file)) continue;
    if (is_below(file.path, "cli/view") && file.path.ends_with(".cc")) continue;
    static const std::regex kOutput(
        R"(std::cout|\bstdout\b|\bwrite\s*\(\s*(1|STDOUT_FILENO)\b|\bprintf\s*\(|\bputs\s*\(|\bputchar\s*\()");
    report_matches(violations, file, without_literals(file.text), kOutput,
                   "only cli/view*.cc writes standard output");
  }
  return violations;
}

Violations find_foreign_clocks(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    if (!is_product(file) || file.path == "recorder/clock.cc") continue;
    static const std::regex kClock(
        R"(\bsystem_clock\b|\bCLOCK_REALTIME\b|\bgettimeofday\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\))");
    report_matches(violations, file, without_literals(file.text), kClock,
                   "only recorder/clock.cc reads the wall clock");
  }
  return violations;
}

Violations find_words_of_the_mode(const Tree& tree) {
  static const std::regex kWords("dry_run|dry-run|DRY_RUN|kDryRun|MODE_EXECUTION");
  // In a literal, with both dashes and nothing before them, it is the option's name in a message.
  static const std::regex kOption("--dry-run");
  // The condition of a gate, and the filter that finds rehearsals in the log.
  static const std::regex kAllowed(
      R"(recorder/core/(manifest\w*|gate|gate_policy)\.(h|cc)|recorder/gate_facts\.cc)"
      R"(|recorder/world/withholding_sink\.cc)");
  Violations violations;
  for (const SourceFile& file : tree) {
    // replay/ reads events and has no sink to reach: filters and renderers say the word.
    if (!is_product(file) || !is_below(file.path, "recorder/")) continue;
    if (std::regex_match(file.path, kAllowed)) continue;
    const std::string code = std::regex_replace(without_comments(file.text), kOption, "");
    report_matches(violations, file, code, kWords,
                   "a rehearsal is another composition, not a branch");
  }
  return violations;
}

Violations find_long_files(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    const std::size_t lines = split_lines(file.text).size();
    if (is_code(file) && lines > kMostLinesPerFile) {
      report(violations, file, lines,
             std::to_string(lines) + " lines; split it by thought, at most " +
                 std::to_string(kMostLinesPerFile));
    }
  }
  return violations;
}

Violations find_long_functions(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    if (!is_code(file)) continue;
    for (const Function& function : find_functions(file.text)) {
      if (function.lines <= kMostLinesPerFunction) continue;
      report(violations, file, function.line,
             "`" + function.signature + "` has " + std::to_string(function.lines) +
                 " lines; at most " + std::to_string(kMostLinesPerFunction));
    }
  }
  return violations;
}

Violations find_bare_headers(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    const bool counts = is_below(file.path, "recorder/") || is_below(file.path, "replay/");
    if (!counts || !file.path.ends_with(".h")) continue;
    const double share = comment_share(file.text);
    if (share >= kLeastCommentShare) continue;
    report(violations, file, 1,
           std::to_string(static_cast<int>(share * 100)) +
               " % of its lines have a comment; at least " +
               std::to_string(static_cast<int>(kLeastCommentShare * 100)) +
               " %: what it is, effect, success, failure");
  }
  return violations;
}

Violations find_leftovers(const Tree& tree) {
  // Written in pieces, since this file is part of the tree.
  static const std::regex kLater(
      "\\b(TO"
      "DO|FIX"
      "ME|X"
      "XX)\\b");
  static const std::regex kPlace(
      "(^|[^\\w.])/wo"
      "rk/");
  Violations violations;
  for (const SourceFile& file : tree) {
    report_matches(violations, file, file.text, kLater, "do it now or leave it out");
    report_matches(violations, file, file.text, kPlace, "a path of one machine");
  }
  return violations;
}

Violations find_tests_without_target(const Tree& tree) {
  std::set<std::string> folders;
  for (const SourceFile& file : tree) {
    if (file.path != "tests/CMakeLists.txt") continue;
    static const std::regex kPattern(R"(([\w/]+)/\*_test\.cc)");
    const std::sregex_iterator end;
    for (std::sregex_iterator it(file.text.begin(), file.text.end(), kPattern); it != end; ++it) {
      folders.insert("tests/" + (*it)[1].str() + "/");
    }
  }
  Violations violations;
  for (const SourceFile& file : tree) {
    if (!file.path.ends_with("_test.cc")) continue;
    const bool built = std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
      return is_below(file.path, folder);
    });
    if (!built) report(violations, file, 1, "no pattern of tests/CMakeLists.txt builds this test");
  }
  return violations;
}

Violations find_long_readme(const Tree& tree) {
  Violations violations;
  for (const SourceFile& file : tree) {
    if (file.path != "README.md") continue;
    const std::size_t lines = split_lines(file.text).size();
    if (lines > kMostLinesOfReadme) {
      report(violations, file, lines, "at most " + std::to_string(kMostLinesOfReadme) + " lines");
    }
    return violations;
  }
  return {"README.md:1: it is missing"};
}

Violations find_new_names_at_top(const std::vector<std::string>& names) {
  static const std::set<std::string> kAgreed = {
      "CMakeLists.txt",
      "CMakePresets.json",
      "README.md",
      "CHANGELOG.md",
      "LICENSE",
      "script",
      ".ci",
      "proto",
      "recorder",
      "replay",
      "cli",
      "tests",
      ".clang-format",
      ".clang-tidy",
      ".gitignore",
  };
  Violations violations;
  for (const std::string& name : names) {
    if (!kAgreed.contains(name)) {
      violations.push_back(name + ":1: not one of the names at the top level");
    }
  }
  return violations;
}

}  // namespace muniment
