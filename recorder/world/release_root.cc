#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/text.h"
#include "recorder/world/child.h"
#include "recorder/world/host_source.h"

namespace muniment {
namespace {

constexpr std::chrono::seconds kLimit{10};
constexpr std::size_t kKeptBytes = 4096;

// PATH and HOME alone are the caller's: a variable such as GIT_DIR would make git answer for
// another repository.
std::vector<std::string> git_environment() {
  std::vector<std::string> out{"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C"};
  for (const char* name : {"PATH", "HOME"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (value != nullptr) out.push_back(std::string(name) + "=" + value);
  }
  return out;
}

Result<ChildResult> git(const std::string& path, const std::vector<std::string>& words) {
  std::vector<std::string> argv{"git", "--no-pager", "-c", "core.fsmonitor=false", "-C", path};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_child(argv, git_environment(), kLimit, kKeptBytes);
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string refusal(const Result<ChildResult>& asked) {
  if (!asked) return asked.error().message;
  const std::string line = first_line(asked->err);
  return "git: " + (line.empty() ? "exit status " + std::to_string(asked->exit_status) : line);
}

bool is_object_name(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

v1::ReleaseRoot observe_release_root(const std::string& path) {
  v1::ReleaseRoot seen;
  seen.set_path(path);
  const Result<ChildResult> head = git(path, {"rev-parse", "--verify", "HEAD"});
  const std::string commit = head ? first_line(head->out) : "";
  if (!head || head->exit_status != 0 || !is_object_name(commit)) {
    seen.set_unknown_because(refusal(head));
    return seen;
  }
  seen.set_commit(commit);
  const Result<ChildResult> status =
      git(path, {"status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none"});
  if (!status || status->exit_status != 0) {
    seen.set_unknown_because(refusal(status));
    return seen;
  }
  seen.set_clean(status->out.empty());
  return seen;
}

}  // namespace muniment
