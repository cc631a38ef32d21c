#include "tests/support/tree_snapshot.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  check(file.good(), "a file of a snapshot can be read");
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

std::string time_of(const struct timespec& time) {
  return std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
}

std::string describe(const std::string& path) {
  struct stat facts{};
  check(::lstat(path.c_str(), &facts) == 0, "an entry of a snapshot is there");
  char mode[16];
  std::snprintf(mode, sizeof mode, "%06o", static_cast<unsigned>(facts.st_mode));
  std::string out = std::string(mode) + " uid " + std::to_string(facts.st_uid) + " gid " +
                    std::to_string(facts.st_gid) + " links " + std::to_string(facts.st_nlink) +
                    " size " + std::to_string(facts.st_size) + " mtime " + time_of(facts.st_mtim) +
                    " ctime " + time_of(facts.st_ctim);
  if (S_ISREG(facts.st_mode)) out += " sha256 " + to_hex(sha256(content_of(path)));
  if (S_ISLNK(facts.st_mode)) out += " -> " + fs::read_symlink(path).string();
  return out;
}

void walk(const std::string& path, const std::string& left_out, TreeSnapshot& out) {
  if (path == left_out) return;
  out[path] = describe(path);
  if (!fs::is_directory(fs::symlink_status(path))) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    walk(entry.path().string(), left_out, out);
  }
}

}  // namespace

TreeSnapshot take_snapshot(const std::string& folder, const std::string& left_out) {
  TreeSnapshot out;
  walk(folder, left_out, out);
  return out;
}

std::vector<std::string> changes_between(const TreeSnapshot& before, const TreeSnapshot& after) {
  std::vector<std::string> out;
  for (const auto& [path, facts] : before) {
    const auto now = after.find(path);
    if (now == after.end()) {
      out.push_back("went: " + path);
    } else if (now->second != facts) {
      out.push_back("changed: " + path + "\n  from " + facts + "\n  to   " + now->second);
    }
  }
  for (const auto& [path, facts] : after) {
    if (!before.contains(path)) out.push_back("came: " + path + " " + facts);
  }
  return out;
}

}  // namespace muniment
