#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/paths.h"
#include "recorder/world/capture.h"
#include "recorder/world/os.h"
#include "recorder/world/tar_stream.h"

namespace muniment {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool is_same_content(const struct stat& before, const struct stat& after) {
  return before.st_size == after.st_size && same_time(before.st_mtim, after.st_mtim) &&
         same_time(before.st_ctim, after.st_ctim);
}

std::unexpected<Error> interrupted() {
  return fail(ErrorCode::kInterrupted, "capture stopped on request; run it again");
}

class FilesCapture : public TreeVisitor {
 public:
  FilesCapture(ArtifactWriter& out, Capture& capture, Progress& progress)
      : out_(out), capture_(capture), progress_(progress), tar_(out) {}

  Status entry(const WalkEntry& entry) override;
  Status excluded(const std::string& path, const std::vector<std::size_t>& patterns) override;
  Status unreadable(const std::string& path, int error) override;
  Status vanished(const std::string& path) override;

  // Ends the archive, or says what could not be read.
  Status finish();

 private:
  Status add_file(const WalkEntry& entry);
  Status add_link(const WalkEntry& entry);
  Result<std::uint64_t> copy(int fd, const std::string& path, std::uint64_t size);

  ArtifactWriter& out_;
  Capture& capture_;
  Progress& progress_;
  TarStream tar_;
  std::optional<Error> first_unreadable_;
  std::uint64_t unreadable_ = 0;
};

Status FilesCapture::entry(const WalkEntry& entry) {
  if (progress_.stop_requested()) return interrupted();
  if (!TarStream::can_hold(entry.facts.st_mode)) {
    capture_.not_archived.add(entry.path);
    return {};
  }
  if (S_ISREG(entry.facts.st_mode)) return add_file(entry);
  if (unreadable_ != 0) return {};
  if (S_ISLNK(entry.facts.st_mode)) return add_link(entry);
  return tar_.add(entry.path, entry.facts, entry.opened, {});
}

Status FilesCapture::add_link(const WalkEntry& entry) {
  std::string target(PATH_MAX, '\0');
  const ssize_t n = ::readlinkat(entry.folder, entry.name, target.data(), target.size());
  if (n < 0 && (errno == ENOENT || errno == EINVAL)) return vanished(entry.path);
  if (n < 0) return unreadable(entry.path, errno);
  target.resize(static_cast<std::size_t>(n));
  return tar_.add(entry.path, entry.facts, -1, target);
}

// Once something was unreadable the capture has failed; the rest is only opened, to be counted.
Status FilesCapture::add_file(const WalkEntry& entry) {
  const Fd file(open_to_read(entry.folder, entry.name, O_NOFOLLOW));
  if (!file.open()) {
    const int error = errno;
    if (error == ENOENT || error == ELOOP || error == ENXIO) return vanished(entry.path);
    return unreadable(entry.path, error);
  }
  if (unreadable_ != 0) return {};
  struct stat before{};
  if (::fstat(file.get(), &before) != 0) return unreadable(entry.path, errno);
  if (!S_ISREG(before.st_mode)) return vanished(entry.path);
  const bool repeat = tar_.is_repeat(before);
  if (Status added = tar_.add(entry.path, before, file.get(), {}); !added) return added;
  if (repeat) return {};
  const auto size = static_cast<std::uint64_t>(before.st_size);
  const Result<std::uint64_t> copied = copy(file.get(), entry.path, size);
  if (!copied) return std::unexpected(copied.error());
  struct stat after{};
  if (::fstat(file.get(), &after) != 0) return unreadable(entry.path, errno);
  if (*copied != size || !is_same_content(before, after)) capture_.changed.add(entry.path);
  return {};
}

Result<std::uint64_t> FilesCapture::copy(int fd, const std::string& path, std::uint64_t size) {
  std::uint64_t done = 0;
  while (done < size) {
    if (progress_.stop_requested()) return interrupted();
    std::span<char> room = out_.space();
    // An empty room means that the writer has failed, and add_content() says why.
    char none = 0;
    if (room.empty()) room = {&none, 1};
    const std::uint64_t want = std::min<std::uint64_t>({room.size(), size - done, kReadBytes});
    const std::int64_t n = read_full(fd, room.first(want));
    if (n < 0) {
      if (Status told = unreadable(path, errno); !told) return pass(told);
      return done;
    }
    if (n == 0) break;
    const auto got = static_cast<std::size_t>(n);
    if (Status added = tar_.add_content({room.data(), got}); !added) return pass(added);
    done += got;
    progress_.advance(got);
  }
  return done;
}

// Not an exclusion of the manifest's but the backup root itself: the evidence says that it was met.
Status FilesCapture::excluded(const std::string& path, const std::vector<std::size_t>& patterns) {
  if (patterns.empty()) capture_.not_archived.add(path);
  return {};
}

Status FilesCapture::unreadable(const std::string& path, int error) {
  if (++unreadable_ == 1) first_unreadable_ = system_error("read", path, error);
  return {};
}

Status FilesCapture::vanished(const std::string& path) {
  capture_.vanished.add(path);
  return {};
}

Status FilesCapture::finish() {
  if (first_unreadable_) {
    Error error = *first_unreadable_;
    error.message += " (" + std::to_string(unreadable_) + " unreadable in all), or exclude it";
    return std::unexpected(std::move(error));
  }
  capture_.entries = tar_.entries();
  return tar_.finish();
}

// A link as the root of a capture would make an archive of one entry that looks like a success.
Status check_root(const std::string& path) {
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) return system_failure("read", path, errno);
  if (S_ISDIR(facts.st_mode) || S_ISREG(facts.st_mode)) return {};
  return fail(ErrorCode::kIo,
              shown_path(path) + (S_ISLNK(facts.st_mode) ? " is a symbolic link; name its target"
                                                         : " is neither a file nor a folder; name "
                                                           "one that is"));
}

}  // namespace

Result<Capture> capture_files(const v1::FilesCapture& source, const CaptureTarget& target,
                              Progress& progress) {
  // Nothing is archived twice.
  const std::vector<std::string> roots = outermost({source.paths().begin(), source.paths().end()});
  for (const std::string& root : roots) {
    if (Status usable = check_root(root); !usable) return pass(usable);
  }
  auto writer = ArtifactWriter::create(target.folder, target.name, target.compression);
  if (!writer) return pass(writer);
  Capture capture;
  {
    FilesCapture files(**writer, capture, progress);
    const WalkRules rules{{source.exclude().begin(), source.exclude().end()}, target.backup_root};
    for (const std::string& root : roots) {
      if (Status walked = walk_tree(root, rules, files); !walked) return pass(walked);
    }
    if (Status ended = files.finish(); !ended) return pass(ended);
  }
  Result<StoredFile> stored = (*writer)->finish();
  if (!stored) return pass(stored);
  capture.file = *stored;
  return capture;
}

}  // namespace muniment
