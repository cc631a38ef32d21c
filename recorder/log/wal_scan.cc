#include "recorder/log/wal_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "recorder/log/wal_walk.h"

namespace muniment {
namespace {

std::string system_reason() {
  return std::system_category().message(errno);
}

// The logs of a database by number.
Result<std::map<std::uint64_t, std::string>> list_logs(const std::string& folder) {
  DIR* const stream = ::opendir(folder.c_str());
  if (stream == nullptr) {
    const ErrorCode code =
        errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
    return fail(code, "cannot list the database " + folder + ": " + system_reason() +
                          "; check the store's path");
  }
  std::map<std::uint64_t, std::string> logs;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    std::uint64_t number = 0;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data(), end, number);
    if (parsed.ec == std::errc{} && std::string_view(parsed.ptr, end) == ".log") {
      logs.emplace(number, name);
    }
  }
  ::closedir(stream);
  return logs;
}

// As much of a file as can be read; `failed` is the error that ended it, or 0.
struct FileText {
  std::string bytes;
  int failed = 0;
};

FileText read_all(int file) {
  FileText text;
  std::string buffer(1U << 20U, '\0');
  for (;;) {
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) text.failed = errno;
    if (got <= 0) return text;
    text.bytes.append(buffer, 0, static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<WalScan> scan_wals(const std::string& db_folder, std::uint32_t event_family) {
  const Result<std::map<std::uint64_t, std::string>> logs = list_logs(db_folder);
  if (!logs) return std::unexpected(logs.error());
  WalWalk walk(event_family);
  for (const auto& [number, name] : *logs) {
    const std::string path = db_folder + "/" + name;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) {
      walk.skip();
      continue;
    }
    if (file < 0) {
      return fail(ErrorCode::kIo, "cannot open the log " + path + ": " + system_reason() +
                                      "; read it as the store's owner or a member of its group");
    }
    const FileText text = read_all(file);
    ::close(file);
    walk.walk(path, number, text.bytes);
    if (text.failed != 0) {
      walk.cannot_read(text.bytes.size(), std::system_category().message(text.failed));
    }
  }
  return walk.finish();
}

Result<std::vector<FileFinding>> scan_wal_files(const std::string& db_folder) {
  Result<WalScan> scan = scan_wals(db_folder);
  if (!scan) return pass(scan);
  return std::move(scan->damage);
}

}  // namespace muniment
