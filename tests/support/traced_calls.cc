#include "tests/support/traced_calls.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "tests/support/run_program.h"

namespace muniment {
namespace {

// Which of a call's paths it changes.
enum class Changes { kIfOpenedToWrite, kFirst, kLast, kBoth };

const std::map<std::string, Changes, std::less<>>& table() {
  static const std::map<std::string, Changes, std::less<>> calls = {
      {"open", Changes::kIfOpenedToWrite},
      {"openat", Changes::kIfOpenedToWrite},
      {"openat2", Changes::kIfOpenedToWrite},
      {"creat", Changes::kFirst},
      {"mkdir", Changes::kFirst},
      {"mkdirat", Changes::kFirst},
      {"rmdir", Changes::kFirst},
      {"unlink", Changes::kFirst},
      {"unlinkat", Changes::kFirst},
      {"rename", Changes::kBoth},
      {"renameat", Changes::kBoth},
      {"renameat2", Changes::kBoth},
      {"link", Changes::kBoth},  // the link count of the first is its metadata
      {"linkat", Changes::kBoth},
      {"symlink", Changes::kLast},
      {"symlinkat", Changes::kLast},
      {"mknod", Changes::kFirst},
      {"mknodat", Changes::kFirst},
      {"truncate", Changes::kFirst},
      {"ftruncate", Changes::kFirst},
      {"fallocate", Changes::kFirst},
      {"chmod", Changes::kFirst},
      {"fchmod", Changes::kFirst},
      {"fchmodat", Changes::kFirst},
      {"chown", Changes::kFirst},
      {"fchown", Changes::kFirst},
      {"lchown", Changes::kFirst},
      {"fchownat", Changes::kFirst},
      {"utime", Changes::kFirst},
      {"utimes", Changes::kFirst},
      {"futimesat", Changes::kFirst},
      {"utimensat", Changes::kFirst},
      {"setxattr", Changes::kFirst},
      {"lsetxattr", Changes::kFirst},
      {"fsetxattr", Changes::kFirst},
      {"removexattr", Changes::kFirst},
      {"lremovexattr", Changes::kFirst},
      {"fremovexattr", Changes::kFirst},
  };
  return calls;
}

constexpr const char* kBirths[] = {"clone", "clone3", "fork", "vfork"};

// Where the quoted text that begins at `at` ends; strace writes `"` inside as `\"`.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i;
    }
  }
  return text.size();
}

// The paths in a call's arguments: texts in quotes, those that are relative behind the descriptor
// that stands before them; a descriptor alone where there is no text.
std::vector<std::string> paths_in(std::string_view arguments) {
  std::vector<std::string> texts;
  std::string folder;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == '"') {
      const std::size_t end = end_of_quoted(arguments, i);
      const std::string text(arguments.substr(i + 1, end - i - 1));
      const std::string base = folder.empty() ? "?" : folder;
      texts.push_back(text.starts_with('/') ? text : base + "/" + text);
      i = end;
    } else if (arguments[i] == '<') {
      const std::size_t end = std::min(arguments.find('>', i), arguments.size());
      folder = arguments.substr(i + 1, end - i - 1);
      i = end;
    }
  }
  if (texts.empty() && !folder.empty()) texts.push_back(folder);
  return texts;
}

bool opens_to_write(std::string_view arguments) {
  for (const char* flag : {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"}) {
    if (arguments.find(flag) != std::string_view::npos) return true;
  }
  return false;
}

// "NAME(ARGUMENTS) = RESULT" in its three parts; the arguments end with the last ") =".
TracedCall split(std::string_view text) {
  TracedCall call;
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos) return call;
  call.name = text.substr(0, open);
  std::size_t close = text.rfind(") ");
  if (close == std::string_view::npos || close < open) close = text.size();
  call.arguments = text.substr(open + 1, close - open - 1);
  const std::size_t result = text.find('=', close);
  if (result != std::string_view::npos) call.result = text.substr(result);
  return call;
}

// One line of the trace, "PID TEXT". What "<unfinished ...>" leaves open waits in `pending` for its
// "<... NAME resumed>".
void read_line(std::string_view line, std::map<std::string, std::size_t>& pending,
               std::vector<std::string>& texts) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return;
  const std::string pid(line.substr(0, space));
  line.remove_prefix(std::min(line.find_first_not_of(' ', space), line.size()));
  if (line.starts_with("<... ")) {
    const auto open = pending.find(pid);
    const std::size_t rest = line.find(" resumed>");
    if (open == pending.end() || rest == std::string_view::npos) return;
    texts[open->second] += line.substr(rest + 9);
    pending.erase(open);
    return;
  }
  if (line.starts_with("+++") || line.starts_with("---")) return;
  const std::size_t cut = line.rfind(" <unfinished ...>");
  if (cut != std::string_view::npos) pending[pid] = texts.size();
  texts.emplace_back(line.substr(0, cut));
}

}  // namespace

std::vector<std::string> strace_command(const std::string& trace_file,
                                        const std::vector<std::string>& more) {
  std::string calls = "trace=execve,?landlock_create_ruleset,?landlock_restrict_self";
  for (const auto& [name, changes] : table()) calls += ",?" + name;
  for (const char* name : kBirths) calls += ",?" + std::string(name);
  std::vector<std::string> out{"strace", "-f", "-y", "-s", "8192", "-o", trace_file, "-e", calls};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::string no_tracing_because() {
  const Ran ran = run_program({"strace", "-f", "-o", "/dev/null", "true"});
  return ran.exit_code == 0 ? "" : "no process can be traced here: " + ran.err;
}

std::vector<TracedCall> parse_trace(std::string_view trace) {
  std::map<std::string, std::size_t> pending;
  std::vector<std::string> texts;
  while (!trace.empty()) {
    const std::size_t end = std::min(trace.find('\n'), trace.size() - 1);
    read_line(trace.substr(0, end), pending, texts);
    trace.remove_prefix(end + 1);
  }
  std::vector<TracedCall> calls;
  for (const std::string& text : texts) calls.push_back(split(text));
  return calls;
}

std::vector<TracedCall> read_trace(const std::string& trace_file) {
  std::ifstream file(trace_file, std::ios::binary);
  std::ostringstream trace;
  trace << file.rdbuf();
  return parse_trace(trace.view());
}

std::vector<std::string> changing_calls() {
  std::vector<std::string> names;
  for (const auto& [name, changes] : table()) names.push_back(name);
  return names;
}

std::vector<std::string> paths_changed_by(const TracedCall& call) {
  const auto row = table().find(call.name);
  if (row == table().end()) return {};
  std::vector<std::string> paths = paths_in(call.arguments);
  if (paths.empty()) return {"?/" + call.arguments};
  if (row->second == Changes::kIfOpenedToWrite) {
    if (!opens_to_write(call.arguments)) return {};
    return {paths.front()};
  }
  if (row->second == Changes::kFirst) return {paths.front()};
  if (row->second == Changes::kLast) return {paths.back()};
  paths.resize(std::min<std::size_t>(paths.size(), 2));
  return paths;
}

bool is_birth(const TracedCall& call) {
  return std::find(std::begin(kBirths), std::end(kBirths), call.name) != std::end(kBirths);
}

}  // namespace muniment
