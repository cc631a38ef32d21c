#include "recorder/world/engine/engine_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <new>
#include <thread>

#include "recorder/core/text.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr std::size_t kEndBytes = 1024;
constexpr int kPipeBytes = 1 << 20;

struct FreeArchive {
  void operator()(archive* a) const { archive_free(a); }
};

// The engine pushes, libarchive pulls: a pipe between them, and a thread that fills it.
class Download {
 public:
  Download(EngineControl& engine, const std::string& container_id, const std::string& path,
           Progress& progress)
      : engine_(engine), container_id_(container_id), path_(path), progress_(progress) {}
  ~Download() { stop(); }
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  Status start() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("make", "a pipe", errno);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
    ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
    thread_ = std::thread([this] { fill(); });
    return {};
  }

  int fd() const { return read_.get(); }

  // Why the answer broke off, or that it lacks its end. Stops it where it still runs.
  Status end() {
    stop();
    return result_;
  }

  // Takes what libarchive left unread: padding behind the end of the archive.
  void drain() const {
    std::array<char, 65536> rest{};
    while (::read(read_.get(), rest.data(), rest.size()) > 0) {
    }
  }

  bool has_end() const {
    return end_.size() == kEndBytes &&
           std::all_of(end_.begin(), end_.end(), [](char c) { return c == 0; });
  }

 private:
  void stop() {
    given_up_ = true;
    read_.reset();
    if (thread_.joinable()) thread_.join();
  }

  void fill() {
    try {
      const auto stop = [this] { return given_up_ || progress_.stop_requested(); };
      result_ = engine_.copy_out(
          container_id_, path_, [this](std::string_view piece) { return pass_on(piece); }, stop);
    } catch (const std::exception& error) {
      result_ = fail(ErrorCode::kIo, std::string("the archive broke off: ") + error.what());
    }
    write_.reset();
  }

  Status pass_on(std::string_view piece) {
    end_.append(piece.size() > kEndBytes ? piece.substr(piece.size() - kEndBytes) : piece);
    if (end_.size() > kEndBytes) end_.erase(0, end_.size() - kEndBytes);
    while (!piece.empty()) {
      const ssize_t n = ::write(write_.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(ErrorCode::kIo, "the archive is not read any more");
      piece.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  EngineControl& engine_;
  const std::string& container_id_;
  const std::string& path_;
  Progress& progress_;
  Fd read_;
  Fd write_;
  std::string end_;  // the last bytes; read behind the thread's end
  Status result_;
  std::atomic<bool> given_up_ = false;
  std::thread thread_;
};

bool climbs(std::string_view name) {
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('/'), name.size());
    if (name.substr(0, end) == "..") return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return false;
}

// Names of one archive as absolute paths.
class Names {
 public:
  explicit Names(const std::string& path) : path_(path), base_(base_of(path)) {}

  // Absent: it leads out of the path.
  std::optional<std::string> absolute(std::string_view name) {
    while (name.starts_with("./")) name.remove_prefix(2);
    while (name.starts_with('/')) name.remove_prefix(1);
    while (name.ends_with('/')) name.remove_suffix(1);
    if (name == ".") name = {};
    if (climbs(name)) return std::nullopt;
    const bool with_base = name == base_ || name.starts_with(base_ + "/");
    // The first member is the path itself, under whichever name the engine calls it.
    if (!decided_) has_base_ = with_base;
    decided_ = true;
    if (has_base_ && !with_base) return std::nullopt;
    if (has_base_) name.remove_prefix(std::min(base_.size() + 1, name.size()));
    if (name.empty()) return path_;
    return (path_ == "/" ? "" : path_) + "/" + std::string(name);
  }

 private:
  const std::string& path_;
  std::string base_;
  bool decided_ = false;
  bool has_base_ = false;
};

std::string shown(archive* reader) {
  const char* why = archive_error_string(reader);
  return why == nullptr ? "unknown cause" : inert_short(why, 256);
}

Status visit_content(archive* reader, const ArchiveVisitor& visitor, Progress& progress) {
  if (!visitor.content) return {};
  std::array<char, 65536> buffer{};
  while (true) {
    if (progress.stop_requested()) {
      return fail(ErrorCode::kInterrupted, "capture stopped on request; run it again");
    }
    const la_ssize_t n = archive_read_data(reader, buffer.data(), buffer.size());
    if (n < 0) return fail(ErrorCode::kCorrupt, shown(reader));
    if (n == 0) return {};
    if (Status taken = visitor.content({buffer.data(), static_cast<std::size_t>(n)}); !taken) {
      return taken;
    }
  }
}

Status visit_all(archive* reader, const std::string& path, const ArchiveVisitor& visitor,
                 Progress& progress) {
  Names names(path);
  while (true) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(reader, &entry);
    if (code == ARCHIVE_EOF) return {};
    if (code < ARCHIVE_WARN) return fail(ErrorCode::kCorrupt, shown(reader));
    const char* name = archive_entry_pathname(entry);
    const char* link = archive_entry_hardlink(entry);
    const auto absolute = names.absolute(name == nullptr ? "" : name);
    const auto first = link == nullptr ? std::optional<std::string>("") : names.absolute(link);
    if (!absolute || !first) {
      return fail(ErrorCode::kCorrupt, "it holds a name outside of the path: " +
                                           inert_short(name == nullptr ? "" : name, 200));
    }
    ArchiveMember member{*absolute, *first, entry, 0};
    const bool regular = archive_entry_filetype(entry) == AE_IFREG && link == nullptr;
    if (regular) member.size_bytes = static_cast<std::uint64_t>(archive_entry_size(entry));
    if (Status taken = visitor.member(member); !taken) return taken;
    if (!regular) continue;
    if (Status taken = visit_content(reader, visitor, progress); !taken) return taken;
  }
}

}  // namespace

Status read_engine_archive(EngineControl& engine, const std::string& container_id,
                           const std::string& path, const ArchiveVisitor& visitor,
                           Progress& progress) {
  Download download(engine, container_id, path, progress);
  if (Status started = download.start(); !started) return started;
  const std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
  if (!reader) throw std::bad_alloc();
  archive_read_support_format_tar(reader.get());
  Status visited;
  if (archive_read_open_fd(reader.get(), download.fd(), 1U << 18U) != ARCHIVE_OK) {
    visited = fail(ErrorCode::kCorrupt, shown(reader.get()));
  } else {
    visited = visit_all(reader.get(), path, visitor, progress);
  }
  if (visited) download.drain();
  const Status downloaded = download.end();
  if (progress.stop_requested()) {
    return fail(ErrorCode::kInterrupted, "capture stopped on request; run it again");
  }
  const bool by_archive = !visited && visited.error().code == ErrorCode::kCorrupt;
  // The engine's own word comes first: an archive that broke off with it says little.
  if (!downloaded && (visited || by_archive)) return downloaded;
  if (by_archive) {
    return fail(ErrorCode::kCorrupt, "the engine's archive of " + inert_short(path, 200) +
                                         " does not hold: " + visited.error().message +
                                         "; a file may have shrunk while it was read: quiesce the "
                                         "service, or run again");
  }
  if (!visited) return visited;
  if (!download.has_end()) {
    return fail(ErrorCode::kCorrupt,
                "the engine's archive of " + inert_short(path, 200) + " has no end; run again");
  }
  return {};
}

}  // namespace muniment
