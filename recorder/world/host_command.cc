#include "recorder/world/host_command.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kBufferBytes = 65536;
constexpr const char* kUsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// An event holds less than 64 KiB, and what was run stands in two of them beside two tails.
constexpr std::size_t kMostCommandBytes = 32U << 10U;

std::string absolute(const std::string& word, const std::string& folder) {
  return word.starts_with('/') ? word : folder + "/" + word;
}

bool is_program(const std::string& path) {
  struct stat seen{};
  return ::stat(path.c_str(), &seen) == 0 && S_ISREG(seen.st_mode) &&
         ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

bool is_variable_name(std::string_view name) {
  static constexpr std::string_view kDigits = "0123456789";
  static constexpr std::string_view kWord =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && kDigits.find(name.front()) == name.npos &&
         name.find_first_not_of(kWord) == name.npos;
}

// What every command gets, so that a timer and a shell give it the same names. TZ as glibc has it
// where it is not set.
std::map<std::string, std::string> usual_environment(const Lookup& lookup) {
  std::map<std::string, std::string> out = {{"HOME", "/"},
                                            {"LANG", "C.UTF-8"},
                                            {"PATH", kUsualPath},
                                            {"TZ", ":/etc/localtime"},
                                            {"USER", ""}};
  struct passwd entry{};
  struct passwd* found = nullptr;
  std::vector<char> buffer(kBufferBytes);
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) {
    out["HOME"] = found->pw_dir;
    out["USER"] = found->pw_name;
  }
  for (auto& [name, value] : out) value = lookup(name.c_str()).value_or(value);
  return out;
}

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

Result<CommandFile> hold(std::uint32_t argument, const std::string& path,
                         const std::function<bool()>& stop) {
  CommandFile file;
  file.argument = argument;
  file.path = path;
  file.fd.reset(open_to_read(AT_FDCWD, path.c_str(), 0));
  if (!file.fd.open() || ::fstat(file.fd.get(), &file.seen) != 0) {
    return system_failure("read", path, errno);
  }
  Sha256 hash;
  std::vector<char> buffer(kBufferBytes);
  while (true) {
    const std::int64_t n = read_full(file.fd.get(), buffer);
    if (n < 0) return system_failure("read", path, errno);
    if (n == 0) break;
    hash.update({buffer.data(), static_cast<std::size_t>(n)});
    if (stop()) return fail(ErrorCode::kInterrupted, "a person asked to stop");
  }
  file.sha256 = hash.finish();
  return file;
}

std::string named(std::uint32_t argument, std::string_view path) {
  const std::string what =
      argument == 0 ? "the program " : "the file of argument " + std::to_string(argument) + ", ";
  return what + shown_path(path);
}

std::unexpected<Error> not_as_planned(const std::string& what) {
  return fail(ErrorCode::kRefused, what + "; nothing was started, rehearse again");
}

Status check_unchanged(const CommandFile& file) {
  struct stat open{};
  struct stat there{};
  const bool same = ::fstat(file.fd.get(), &open) == 0 && is_same_file(open, file.seen) &&
                    ::stat(file.path.c_str(), &there) == 0 && is_same_file(there, file.seen);
  if (same) return {};
  return not_as_planned(named(file.argument, file.path) + " was changed while it was checked");
}

}  // namespace

Result<std::string> find_program(const std::string& word, const std::string& path,
                                 const std::string& working_folder) {
  if (word.find('/') != std::string::npos) {
    std::string found = absolute(word, working_folder);
    if (is_program(found)) return found;
    return fail(ErrorCode::kInvalid,
                shown_path(found) + " is no file that this user can execute; correct the command");
  }
  std::string_view rest = path;
  while (!word.empty() && !rest.empty()) {
    const std::string folder(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    if (!folder.starts_with('/')) continue;
    if (is_program(folder + "/" + word)) return folder + "/" + word;
  }
  return fail(ErrorCode::kInvalid, "there is no program `" + inert_short(word, 80) +
                                       "` in PATH; correct the command or name it with its path");
}

Result<std::vector<std::string>> make_environment(const std::vector<std::string>& words,
                                                  const Lookup& lookup, Redactor& secrets) {
  std::map<std::string, std::string> asked;
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    const std::string name = word.substr(0, sign);
    const std::string shown = "--env " + inert_short(name, 80);
    if (!is_variable_name(name)) {
      return fail(ErrorCode::kInvalid, shown +
                                           " names no variable (expected NAME or NAME=VALUE, "
                                           "of letters, digits and _)");
    }
    std::optional<std::string> value;
    if (sign == std::string::npos) {
      value = lookup(name.c_str());
    } else {
      value = word.substr(sign + 1);
      secrets.add_secret("env:" + name, *value);
    }
    if (!value) {
      return fail(ErrorCode::kInvalid,
                  shown + " is not set here; set it or say " + name + "=VALUE");
    }
    if (!asked.emplace(name, *value).second) {
      return fail(ErrorCode::kInvalid, shown + " stands there twice; say it once");
    }
  }
  asked.merge(usual_environment(lookup));
  std::vector<std::string> out;
  for (const auto& [name, value] : asked) out.push_back(name + "=" + value);
  return out;
}

Result<std::vector<CommandFile>> hold_files(const CommandLine& line,
                                            const std::function<bool()>& stop) {
  std::vector<CommandFile> files;
  Result<CommandFile> program = hold(0, line.program, stop);
  if (!program && program.error().code == ErrorCode::kIo)
    program.error().code = ErrorCode::kInvalid;
  if (!program) return pass(program);
  files.push_back(std::move(*program));
  for (std::size_t i = 1; i < line.argv.size(); ++i) {
    if (line.argv[i].empty()) continue;
    const std::string path = absolute(line.argv[i], line.working_folder);
    struct stat seen{};
    if (::stat(path.c_str(), &seen) != 0 || !S_ISREG(seen.st_mode)) continue;
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) continue;
    Result<CommandFile> file = hold(static_cast<std::uint32_t>(i), path, stop);
    if (!file) return pass(file);
    files.push_back(std::move(*file));
  }
  return files;
}

Status check_held(const std::vector<CommandFile>& files, const v1::HostCommand& planned) {
  std::map<std::uint32_t, std::string> expected;
  for (const v1::BoundFile& file : planned.files()) expected[file.argument()] = file.sha256();
  for (const CommandFile& file : files) {
    const auto known = expected.find(file.argument);
    const std::string what = named(file.argument, file.path);
    if (known == expected.end()) return not_as_planned(what + " was no file when it was planned");
    if (known->second != as_bytes(file.sha256)) {
      return not_as_planned(what + " is not what was planned: expected SHA-256 " +
                            to_hex(known->second) + ", it has " + to_hex(file.sha256));
    }
    expected.erase(known);
    if (Status same = check_unchanged(file); !same) return same;
  }
  if (expected.empty()) return {};
  return not_as_planned("the file of argument " + std::to_string(expected.begin()->first) +
                        " can no longer be read");
}

Result<v1::HostCommand> observe_command(const CommandLine& line, const Redactor& redactor,
                                        const std::function<bool()>& stop) {
  struct stat folder{};
  if (::stat(line.working_folder.c_str(), &folder) != 0 || !S_ISDIR(folder.st_mode)) {
    return fail(ErrorCode::kInvalid,
                "the working folder " + shown_path(line.working_folder) + " is no folder");
  }
  const Result<std::vector<CommandFile>> files = hold_files(line, stop);
  if (!files) return std::unexpected(files.error());
  v1::HostCommand command;
  for (const std::string& word : redactor.redact_arguments(line.argv)) command.add_argv(word);
  command.set_working_folder(redactor.redact(line.working_folder));
  for (const std::string& variable : line.environment) {
    command.add_environment_names(variable.substr(0, variable.find('=')));
  }
  command.set_timeout_seconds(static_cast<std::uint32_t>(line.timeout.count()));
  for (const CommandFile& file : *files) {
    v1::BoundFile& bound = *command.add_files();
    bound.set_argument(file.argument);
    const std::string& word = command.argv(static_cast<int>(file.argument));
    const bool masked = file.argument > 0 && word != line.argv[file.argument];
    bound.set_path(masked ? word : redactor.redact(file.path));
    bound.set_sha256(std::string(as_bytes(file.sha256)));
  }
  if (command.ByteSizeLong() <= kMostCommandBytes) return command;
  return fail(ErrorCode::kInvalid, "the command is longer than can be recorded (" +
                                       std::to_string(kMostCommandBytes) +
                                       " bytes with its files); put it into a script");
}

}  // namespace muniment
