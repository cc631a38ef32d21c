#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "cli/progress_view.h"
#include "cli/verify.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/log/queries.h"
#include "recorder/world/folders.h"
#include "recorder/world/os.h"
#include "recorder/world/place.h"

namespace muniment {
namespace {

constexpr std::size_t kMostAtOnce = 1U << 20U;

// ROOT/MODULE/RUN_ID/NAME taken apart.
struct Location {
  Place place;
  std::string name;
};

// Absent: no artifact of this run can lie there.
std::optional<Location> locate(const v1::RunState& run, const std::string& path) {
  if (!is_plain_absolute(path) || path == "/") return std::nullopt;
  Location out;
  out.name = base_of(path);
  const std::string folder = parent_of(path);
  const std::string module_folder = parent_of(folder);
  out.place = {.root = parent_of(module_folder),
               .module = base_of(module_folder),
               .run_id = base_of(folder)};
  if (folder == "/" || module_folder == "/" || out.place.run_id != run.run_id()) {
    return std::nullopt;
  }
  return out;
}

class Artifacts {
 public:
  Artifacts(const LogReader& log, const Globals& globals, v1::VerifyReport& report)
      : log_(log), report_(report), progress_(globals), buffer_(kMostAtOnce) {}

  Status run() {
    Status checked;
    const Status listed = list_runs(
        log_, std::numeric_limits<std::uint64_t>::max(), [&](std::string_view run_id, auto) {
          Result<v1::RunState> run = run_state(log_, run_id);
          checked = run ? check_run(*run) : Status(std::unexpected(run.error()));
          return checked.has_value();
        });
    if (!checked) return checked;
    if (!listed) return listed;
    report_.set_artifacts(read_);
    if (unsettled_ > 0) {
      add_caveat(report_, std::to_string(unsettled_) +
                              " artifacts lie in folders that were committed and whose step was "
                              "never settled; they were checked too");
    }
    return {};
  }

 private:
  Status check_run(const v1::RunState& run) {
    for (const v1::ArtifactState& artifact : run.artifacts()) {
      if (artifact.status() == "removed") continue;
      Status checked = check_artifact(run, artifact);
      if (!checked) return checked;
    }
    return {};
  }

  void find(const v1::ArtifactState& artifact, std::string what, std::string expected = {},
            std::string found = {}, std::string_view verdict = kTampered) {
    add_finding(report_, verdict, "artifact " + inert(artifact.path()) + " " + std::move(what),
                std::move(expected), std::move(found), artifact.sequence());
  }

  Status check_artifact(const v1::RunState& run, const v1::ArtifactState& artifact) {
    const bool is_committed = artifact.status() == "committed";
    const std::optional<Location> at = locate(run, artifact.path());
    if (!at) {
      find(artifact, "does not lie where artifacts of run " + inert(run.run_id()) + " do",
           "ROOT/MODULE/RUN/NAME", inert(artifact.path()));
      return {};
    }
    Result<Fd> file = open(*at);
    if (!file && file.error().code == ErrorCode::kNotFound) {
      // The rename is the commit: without it there is nothing that was promised.
      if (is_committed) find(artifact, "is missing", to_hex(artifact.sha256()), "nothing");
      return {};
    }
    if (!file && file.error().code == ErrorCode::kCorrupt) {
      find(artifact, "is a symbolic link, or no file",
           "a regular file in " + inert(at->place.final_folder()), "something else");
      return {};
    }
    if (!file) {
      find(artifact, "cannot be opened: " + file.error().message, {}, {}, kCannotRead);
      return {};
    }
    if (!is_committed) ++unsettled_;
    ++read_;
    return compare(artifact, *file);
  }

  // No link is followed below the backup root's parents. kNotFound: nothing lies there. kCorrupt:
  // something does that no commit leaves.
  static Result<Fd> open(const Location& at) {
    Result<Folder> module_folder = open_module_folder(at.place);
    if (!module_folder) return pass(module_folder);
    const std::string path = at.place.final_folder();
    const Fd folder(::openat(module_folder->fd.get(), at.place.run_id.c_str(),
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.open()) return failure(path, errno);
    Fd file(open_to_read(folder.get(), at.name.c_str(), O_NOFOLLOW));
    if (!file.open()) return failure(path + "/" + at.name, errno);
    return file;
  }

  static std::unexpected<Error> failure(const std::string& path, int error) {
    Error out = system_error("open", path, error);
    if (error == ENOENT) out.code = ErrorCode::kNotFound;
    if (error == ELOOP || error == ENOTDIR) out.code = ErrorCode::kCorrupt;
    return std::unexpected(std::move(out));
  }

  Status compare(const v1::ArtifactState& artifact, const Fd& file) {
    struct stat facts{};
    if (::fstat(file.get(), &facts) != 0) {
      find(artifact, "cannot be read: " + errno_text(errno), {}, {}, kCannotRead);
      return {};
    }
    if (!S_ISREG(facts.st_mode)) {
      find(artifact, "is no regular file", "a regular file", "something else");
      return {};
    }
    if ((facts.st_mode & 07777U) != 0600U) {
      find(artifact, "can be read or written by others", "mode 0600",
           "mode " + octal(facts.st_mode & 07777U));
    }
    if (facts.st_nlink != 1) {
      find(artifact, "has another name", "1 link", std::to_string(facts.st_nlink) + " links");
    }
    if (static_cast<std::uint64_t>(facts.st_size) != artifact.size_bytes()) {
      find(artifact, "has another size", std::to_string(artifact.size_bytes()) + " bytes",
           std::to_string(facts.st_size) + " bytes");
      return {};
    }
    return compare_content(artifact, file);
  }

  Status compare_content(const v1::ArtifactState& artifact, const Fd& file) {
    // What the disk holds is asked for, not what memory remembers.
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    Sha256 hash;
    while (true) {
      if (progress_.stop_requested()) return fail(ErrorCode::kInterrupted, "stopped, as asked");
      const std::int64_t got = read_full(file.get(), buffer_);
      if (got < 0) {
        find(artifact, "cannot be read: " + errno_text(errno), {}, {}, kCannotRead);
        return {};
      }
      hash.update({buffer_.data(), static_cast<std::size_t>(got)});
      progress_.advance(static_cast<std::uint64_t>(got));
      if (static_cast<std::size_t>(got) < buffer_.size()) break;
    }
    const Digest digest = hash.finish();
    if (as_bytes(digest) != artifact.sha256()) {
      find(artifact, "has another content", "SHA-256 " + to_hex(artifact.sha256()),
           "SHA-256 " + to_hex(digest));
    }
    return {};
  }

  static std::string octal(unsigned mode) {
    std::string out = "0";
    for (int shift = 6; shift >= 0; shift -= 3) {
      out += static_cast<char>('0' + ((mode >> static_cast<unsigned>(shift)) & 7U));
    }
    return out;
  }

  const LogReader& log_;
  v1::VerifyReport& report_;
  ProgressView progress_;
  std::vector<char> buffer_;
  std::uint64_t read_ = 0;
  std::uint64_t unsettled_ = 0;
};

}  // namespace

Status verify_artifacts(const LogReader& log, const Globals& globals, v1::VerifyReport& report) {
  return Artifacts(log, globals, report).run();
}

}  // namespace muniment
