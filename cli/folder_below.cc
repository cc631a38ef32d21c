#include "cli/folder_below.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace muniment {
namespace {

// tile/entries and six groups of three digits, with what may come behind.
constexpr int kDeepest = 12;

std::unexpected<Error> not_ours(const std::string& path, const char* what) {
  return fail(ErrorCode::kCorrupt, shown_path(path) + " is " + what);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Takes the descriptor. `here` is the folder's relative path, with a slash behind it unless empty.
Status list_folder(Fd fd, const std::string& root, const std::string& here, std::string_view closed,
                   int depth, const std::function<void(const std::string&)>& visit) {
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd.get()));
  if (!folder) return system_failure("list", root + "/" + here, errno);
  const int number = fd.release();
  errno = 0;
  while (const dirent* const entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = here + name;
    Fd below;
    if (path != closed && depth < kDeepest && entry->d_type != DT_REG) {
      below.reset(open_to_read(number, name.c_str(), O_DIRECTORY | O_NOFOLLOW));
      const bool is_other = errno == ENOTDIR || errno == ELOOP || errno == ENOENT;
      if (!below.open() && !is_other) return system_failure("open", root + "/" + path, errno);
    }
    if (!below.open()) {
      visit(path);
    } else if (Status status =
                   list_folder(std::move(below), root, path + "/", closed, depth + 1, visit);
               !status) {
      return status;
    }
    errno = 0;
  }
  if (errno != 0) return system_failure("list", root + "/" + here, errno);
  return {};
}

}  // namespace

std::string folder_part(std::string_view relative) {
  const std::size_t slash = relative.rfind('/');
  return std::string(relative.substr(0, slash == std::string_view::npos ? 0 : slash));
}

std::string name_part(std::string_view relative) {
  const std::size_t slash = relative.rfind('/');
  return std::string(relative.substr(slash == std::string_view::npos ? 0 : slash + 1));
}

Result<FolderBelow> FolderBelow::open(const std::string& path) {
  Fd fd(open_to_read(AT_FDCWD, path.c_str(), O_DIRECTORY));
  if (fd.open()) return FolderBelow(path, std::move(fd));
  if (errno == ENOENT) return fail(ErrorCode::kNotFound, "there is no folder " + shown_path(path));
  if (errno == ENOTDIR) return fail(ErrorCode::kInvalid, shown_path(path) + " is no folder");
  return system_failure("open", path, errno);
}

std::string FolderBelow::path_of(std::string_view relative) const {
  return path_ + "/" + std::string(relative);
}

Result<std::optional<int>> FolderBelow::folder(std::string_view relative) {
  if (relative.empty()) return root_.get();
  if (last_fd_.open() && last_ == relative) return last_fd_.get();
  Fd at;
  for (std::size_t begin = 0; begin <= relative.size();) {
    const std::size_t end = std::min(relative.find('/', begin), relative.size());
    const std::string name(relative.substr(begin, end - begin));
    const int parent = at.open() ? at.get() : root_.get();
    Fd next(open_to_read(parent, name.c_str(), O_DIRECTORY | O_NOFOLLOW));
    if (!next.open()) {
      const std::string path = path_of(relative.substr(0, end));
      if (errno == ENOENT) return std::nullopt;
      if (errno == ENOTDIR || errno == ELOOP)
        return not_ours(path, "a link or a file; only a folder of its own is right there");
      return system_failure("open", path, errno);
    }
    at = std::move(next);
    begin = end + 1;
  }
  last_ = relative;
  last_fd_ = std::move(at);
  return last_fd_.get();
}

Result<std::optional<std::string>> FolderBelow::read(std::string_view relative,
                                                     std::uint64_t most) {
  Result<std::optional<int>> parent = folder(folder_part(relative));
  if (!parent) return pass(parent);
  if (!parent->has_value()) return std::nullopt;
  const std::string path = path_of(relative);
  const Fd fd(open_to_read(**parent, name_part(relative).c_str(), O_NOFOLLOW));
  if (!fd.open()) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP) return not_ours(path, "a link; only a file of its own is right there");
    if (errno == ENXIO) return not_ours(path, "no regular file");
    return system_failure("open", path, errno);
  }
  struct stat facts{};
  if (::fstat(fd.get(), &facts) != 0) return system_failure("stat", path, errno);
  if (!S_ISREG(facts.st_mode)) return not_ours(path, "no regular file");
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const auto too_large = [&](std::uint64_t found) {
    return fail(ErrorCode::kCorrupt, shown_path(path) + " has " + std::to_string(found) +
                                         " bytes or more; expected at most " +
                                         std::to_string(most));
  };
  if (size > most) return too_large(size);
  // One more than it has, so that a file that grows meanwhile is seen to.
  std::string bytes(size + 1, '\0');
  const std::int64_t n = read_full(fd.get(), bytes);
  if (n < 0) return system_failure("read", path, errno);
  if (static_cast<std::uint64_t>(n) > size) return too_large(size + 1);
  bytes.resize(static_cast<std::size_t>(n));
  return bytes;
}

Result<std::optional<std::uint64_t>> FolderBelow::size_of(std::string_view relative) {
  Result<std::optional<int>> parent = folder(folder_part(relative));
  if (!parent) return pass(parent);
  if (!parent->has_value()) return std::nullopt;
  struct stat facts{};
  if (::fstatat(**parent, name_part(relative).c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return system_failure("stat", path_of(relative), errno);
  }
  if (!S_ISREG(facts.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(facts.st_size);
}

Result<std::set<std::string>> FolderBelow::names() {
  Fd fd(open_to_read(root_.get(), ".", O_DIRECTORY));
  if (!fd.open()) return system_failure("open", path_, errno);
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd.get()));
  if (!folder) return system_failure("list", path_, errno);
  fd.release();
  std::set<std::string> out;
  errno = 0;
  while (const dirent* const entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") out.insert(name);
  }
  if (errno != 0) return system_failure("list", path_, errno);
  return out;
}

Status FolderBelow::list(std::string_view start, std::string_view closed,
                         const std::function<void(const std::string& relative)>& visit) {
  Result<std::optional<int>> at = folder(start);
  if (!at) return pass(at);
  if (!at->has_value()) return {};
  // Another descriptor: the kept one must not be closed, nor its place in the folder moved.
  Fd fd(open_to_read(**at, ".", O_DIRECTORY));
  if (!fd.open()) return system_failure("open", path_of(start), errno);
  const std::string here = start.empty() ? "" : std::string(start) + "/";
  return list_folder(std::move(fd), path_, here, closed, 0, visit);
}

}  // namespace muniment
