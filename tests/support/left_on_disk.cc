#include "tests/support/left_on_disk.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

#include "recorder/core/digest.h"
#include "tests/support/run_program.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Struct;

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder, missing)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::string text_field(const Struct& object, const std::string& name) {
  const auto found = object.fields().find(name);
  return found == object.fields().end() ? "" : found->second.string_value();
}

std::uint64_t number_field(const Struct& object, const std::string& name) {
  const auto found = object.fields().find(name);
  return found == object.fields().end() ? 0
                                        : static_cast<std::uint64_t>(found->second.number_value());
}

// What `script` prints, or how it failed. $1 is the artifact, $2 a place for a copy.
std::string printed_by(const std::string& script, const std::string& path,
                       const std::string& copy) {
  const Ran ran = run_program({"sh", "-c", "set -e; " + script, "sh", path, copy}, {});
  if (ran.exit_code == 0) return ran.out;
  return "exit " + std::to_string(ran.exit_code) + ": " + ran.err;
}

class FinalFolder {
 public:
  FinalFolder(std::string path, std::string module, std::string run_id)
      : path_(std::move(path)), module_(std::move(module)), run_id_(std::move(run_id)) {}

  std::vector<std::string> judge(const std::string& rows, const std::string& scratch) {
    Struct manifest;
    const std::string text = bytes_of(path_ + "/manifest.json");
    if (!google::protobuf::util::JsonStringToMessage(text, &manifest).ok()) {
      complain("manifest.json", "does not parse: " + text);
      return complaints_;
    }
    if (text_field(manifest, "run_id") != run_id_) complain("manifest.json", "of another run");
    if (text_field(manifest, "module") != module_) complain("manifest.json", "of another module");
    std::set<std::string> expected{"manifest.json"};
    for (const auto& value : manifest.fields().at("artifacts").list_value().values()) {
      const Struct& artifact = value.struct_value();
      expected.insert(text_field(artifact, "file"));
      judge_artifact(artifact, rows, scratch);
    }
    if (expected.size() < 2) complain("manifest.json", "names no artifact");
    const std::vector<std::string> names = names_in(path_);
    if (std::set<std::string>(names.begin(), names.end()) != expected) {
      complain("", "holds other files than its manifest.json names");
    }
    return complaints_;
  }

 private:
  void complain(const std::string& name, const std::string& what) {
    complaints_.push_back(path_ + "/" + name + ": " + what);
  }

  void judge_artifact(const Struct& artifact, const std::string& rows, const std::string& scratch) {
    const std::string name = text_field(artifact, "file");
    const std::string bytes = bytes_of(path_ + "/" + name);
    if (bytes.size() != number_field(artifact, "size_bytes")) complain(name, "has another size");
    if (to_hex(sha256(bytes)) != text_field(artifact, "sha256")) complain(name, "has another hash");
    const std::string copy = scratch + "/" + run_id_ + ".copy";
    const std::string unpack =
        name.ends_with(".zst") ? "zstd -qdcf \"$1\" > \"$2\"; " : "cp \"$1\" \"$2\"; ";
    const bool is_database = name.find(".db") != std::string::npos;
    const std::string look = is_database ? "sqlite3 \"$2\" 'PRAGMA integrity_check; "
                                           "SELECT count(*), sum(id) FROM item'"
                                         : "tar -tf \"$2\" > \"$2.list\"; wc -l < \"$2.list\"";
    const std::string expected = is_database
                                     ? "ok\n" + rows + "\n"
                                     : std::to_string(number_field(artifact, "entries")) + "\n";
    const std::string found = printed_by(unpack + look, path_ + "/" + name, copy);
    if (found != expected) complain(name, "answers " + found + " (expected " + expected + ")");
    fs::remove(copy);
    fs::remove(copy + ".list");
  }

  std::string path_;
  std::string module_;
  std::string run_id_;
  std::vector<std::string> complaints_;
};

bool is_partial(std::string_view name) {
  return name.starts_with('.') && name.ends_with(".partial");
}

}  // namespace

std::vector<std::string> find_incomplete(const std::string& root, const std::string& rows,
                                         const std::string& scratch) {
  std::vector<std::string> complaints;
  for (const std::string& module : names_in(root)) {
    for (const std::string& name : names_in(root + "/" + module)) {
      if (is_partial(name)) continue;
      FinalFolder folder(root + "/" + module + "/" + name, module, name);
      for (std::string& complaint : folder.judge(rows, scratch)) {
        complaints.push_back(std::move(complaint));
      }
    }
  }
  return complaints;
}

std::vector<std::string> find_partial_folders(const std::string& root) {
  std::vector<std::string> found;
  for (const std::string& module : names_in(root)) {
    for (const std::string& name : names_in(root + "/" + module)) {
      if (is_partial(name)) found.push_back(root + "/" + module + "/" + name);
    }
  }
  return found;
}

std::vector<std::string> find_wrong_modes(const std::string& root) {
  std::vector<std::string> wrong;
  const auto judge = [&wrong](const std::string& path) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0) return;
    if (facts.st_mode == (S_IFDIR | 0700U) || facts.st_mode == (S_IFREG | 0600U)) return;
    std::ostringstream mode;
    mode << std::oct << facts.st_mode;
    wrong.push_back(path + ": " + mode.str());
  };
  judge(root);
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(root, missing)) judge(entry.path());
  return wrong;
}

std::string list_tree(const std::string& folder) {
  std::vector<std::string> lines;
  const auto add = [&lines](const std::string& path) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0) return;
    std::ostringstream line;
    line << path << ' ' << std::oct << facts.st_mode << std::dec << ' ' << facts.st_size << ' '
         << facts.st_mtim.tv_sec << '.' << facts.st_mtim.tv_nsec << ' ' << facts.st_ctim.tv_sec
         << '.' << facts.st_ctim.tv_nsec << '\n';
    lines.push_back(line.str());
  };
  add(folder);
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(folder, missing)) add(entry.path());
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line;
  return all;
}

}  // namespace muniment
