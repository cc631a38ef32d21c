#include "recorder/world/tree_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "recorder/core/glob.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

// The names of a folder, sorted. Packed: a folder may hold millions.
class Names {
 public:
  // 0, or the errno of a listing that failed.
  int read(int folder);
  const char* next() { return at_ < starts_.size() ? text_.data() + starts_[at_++] : nullptr; }

 private:
  std::string text_;
  std::vector<std::uint64_t> starts_;
  std::size_t at_ = 0;
};

struct CloseDir {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

int Names::read(int folder) {
  Fd again(open_to_read(folder, ".", O_DIRECTORY));
  if (!again.open()) return errno;
  const std::unique_ptr<DIR, CloseDir> stream(::fdopendir(again.get()));
  if (!stream) return errno;
  (void)again.release();
  errno = 0;
  // readdir is safe here: the stream is this function's own.
  while (const dirent* found = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name(found->d_name);
    if (name == "." || name == "..") continue;
    starts_.push_back(text_.size());
    text_.append(name).push_back('\0');
  }
  if (errno != 0) return errno;
  std::sort(starts_.begin(), starts_.end(), [this](std::uint64_t a, std::uint64_t b) {
    return std::string_view(text_.data() + a) < std::string_view(text_.data() + b);
  });
  return 0;
}

struct Level {
  Fd fd;  // closed while the walk is kOpenFolders below
  FolderIdentity identity;
  Names names;
  std::size_t path_size;  // of the folder's own path
};

class Walk {
 public:
  Walk(const WalkRules& rules, TreeVisitor& visitor) : rules_(rules), visitor_(visitor) {}
  Status run(const std::string& root);

 private:
  Status visit(int folder, const char* name);
  Status visit_folder(int folder, const char* name);
  Status leave();
  Result<bool> pruned();
  bool is_skipped(const struct stat& facts) const;

  const WalkRules& rules_;
  TreeVisitor& visitor_;
  std::string path_;
  std::vector<Level> levels_;
};

Status Walk::run(const std::string& root) {
  path_ = root;
  if (Status visited = visit(AT_FDCWD, path_.c_str()); !visited) return visited;
  while (!levels_.empty()) {
    Level& level = levels_.back();
    const char* name = level.names.next();
    if (name == nullptr) {
      if (Status left = leave(); !left) return left;
      continue;
    }
    path_.resize(level.path_size);
    if (path_ != "/") path_.push_back('/');
    path_.append(name);
    if (Status visited = visit(level.fd.get(), name); !visited) return visited;
  }
  return {};
}

Result<bool> Walk::pruned() {
  std::vector<std::size_t> hits;
  for (std::size_t i = 0; i < rules_.exclude.size(); ++i) {
    if (glob_match(rules_.exclude[i], path_)) hits.push_back(i);
  }
  if (hits.empty()) return false;
  if (Status told = visitor_.excluded(path_, hits); !told) return pass(told);
  return true;
}

bool Walk::is_skipped(const struct stat& facts) const {
  return rules_.skip && rules_.skip->device == facts.st_dev && rules_.skip->inode == facts.st_ino;
}

Status Walk::visit(int folder, const char* name) {
  const Result<bool> is_pruned = pruned();
  if (!is_pruned) return std::unexpected(is_pruned.error());
  if (*is_pruned) return {};
  struct stat facts{};
  if (::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    const int error = errno;
    if (error == ENOENT && !levels_.empty()) return visitor_.vanished(path_);
    return visitor_.unreadable(path_, error);
  }
  if (S_ISDIR(facts.st_mode)) return visit_folder(folder, name);
  return visitor_.entry(WalkEntry{path_, folder, name, facts, -1});
}

Status Walk::visit_folder(int folder, const char* name) {
  Fd fd(open_to_read(folder, name, O_DIRECTORY | O_NOFOLLOW));
  if (!fd.open()) {
    const int error = errno;
    const bool gone = error == ENOENT || error == ENOTDIR || error == ELOOP;
    if (gone && !levels_.empty()) return visitor_.vanished(path_);
    return visitor_.unreadable(path_, error);
  }
  struct stat facts{};
  if (::fstat(fd.get(), &facts) != 0) return visitor_.unreadable(path_, errno);
  if (is_skipped(facts)) return visitor_.excluded(path_, {});
  if (Status told = visitor_.entry(WalkEntry{path_, folder, name, facts, fd.get()}); !told) {
    return told;
  }
  Level level{std::move(fd), {facts.st_dev, facts.st_ino}, Names{}, path_.size()};
  if (const int error = level.names.read(level.fd.get()); error != 0) {
    return visitor_.unreadable(path_, error);
  }
  levels_.push_back(std::move(level));
  if (levels_.size() > kOpenFolders) levels_[levels_.size() - 1 - kOpenFolders].fd.reset();
  return {};
}

// An ancestor whose descriptor was given up is found again through "..": it must still be the same
// folder, else the rest of the walk would be of another tree.
Status Walk::leave() {
  const Level left = std::move(levels_.back());
  levels_.pop_back();
  if (levels_.empty() || levels_.back().fd.open()) return {};
  path_.resize(levels_.back().path_size);
  Level& parent = levels_.back();
  parent.fd.reset(::openat(left.fd.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.fd.open()) return system_failure("go back to folder", path_, errno);
  struct stat facts{};
  if (::fstat(parent.fd.get(), &facts) != 0) return system_failure("stat", path_, errno);
  if (facts.st_dev == parent.identity.device && facts.st_ino == parent.identity.inode) return {};
  return fail(ErrorCode::kIo, "folder " + shown_path(path_) +
                                  " was moved while it was read; quiesce the module and run again");
}

}  // namespace

Status walk_tree(const std::string& root, const WalkRules& rules, TreeVisitor& visitor) {
  return Walk(rules, visitor).run(root);
}

}  // namespace muniment
