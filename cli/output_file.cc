#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "recorder/log/private_file.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(ErrorCode::kInvalid, shown_path(path) + " " + why);
}

// Absent: nothing has this name.
Result<std::optional<std::string>> content_of(const std::string& path, std::size_t most) {
  const Fd file(open_to_read(AT_FDCWD, path.c_str(), 0));
  if (!file.open() && errno == ENOENT) return std::nullopt;
  struct stat facts{};
  if (!file.open() || fstat(file.get(), &facts) != 0) {
    return refuse(path, "cannot be read: " + errno_text(errno));
  }
  if (!S_ISREG(facts.st_mode)) return refuse(path, "is no regular file");
  if (static_cast<std::uint64_t>(facts.st_size) > most) {
    return refuse(path, "has " + std::to_string(facts.st_size) + " bytes; at most " +
                            std::to_string(most) + " are read");
  }
  std::string bytes(static_cast<std::size_t>(facts.st_size) + 1, '\0');
  const std::int64_t got = read_full(file.get(), bytes);
  if (got < 0) return refuse(path, "cannot be read: " + errno_text(errno));
  if (static_cast<std::size_t>(got) == bytes.size()) {
    return refuse(path, "grows while it is read; try it afterwards");
  }
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace

Status write_output(const std::string& path, std::string_view bytes, bool replace) {
  std::error_code failed;
  const std::string whole = std::filesystem::absolute(path, failed).string();
  if (failed || base_of(whole).empty()) return refuse(path, "is no name for a file");
  if (!replace) {
    const Result<std::optional<std::string>> there = content_of(whole, bytes.size());
    if (there && *there == bytes) return {};
    if (!there || there->has_value()) {
      return refuse(path,
                    "is there already and is left as it is; choose another name, or give "
                    "--replace");
    }
  }
  Status written =
      write_private_file(whole, bytes, Access{}, replace ? IfThere::kReplace : IfThere::kRefuse);
  if (!written && written.error().code == ErrorCode::kRefused) {
    return refuse(path, "appeared while it was being made, and is left as it is");
  }
  return written;
}

Result<std::string> read_input(const std::string& path, std::size_t most) {
  Result<std::optional<std::string>> bytes = content_of(path, most);
  if (!bytes) return pass(bytes);
  if (!bytes->has_value()) return refuse(path, "is not there");
  return std::move(**bytes);
}

}  // namespace muniment
