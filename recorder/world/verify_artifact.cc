#include "recorder/world/verify_artifact.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "recorder/core/text.h"
#include "recorder/world/content_reader.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

std::string differs(const std::string& what, const std::string& found,
                    const std::string& expected) {
  return what + " is " + found + " (expected " + expected + " as captured)";
}

// "" when the file is the private file that the capture made.
Result<std::string> file_fault(int fd, const std::string& path, const StoredFile& expected) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return system_failure("stat", path, errno);
  if (!S_ISREG(facts.st_mode)) return std::string("it is not a regular file");
  if ((facts.st_mode & 07777U) != 0600U) return std::string("its mode is not 0600");
  if (facts.st_nlink != 1)
    return differs("its number of links", std::to_string(facts.st_nlink), "1");
  if (facts.st_dev != expected.device || facts.st_ino != expected.inode) {
    return std::string("it is another file than the one that was written");
  }
  return std::string();
}

struct FreeArchive {
  void operator()(archive* a) const { archive_free(a); }
};

// Counts the members of a tar; what the reader failed with is kept aside, since libarchive only
// knows that it failed.
class TarCheck {
 public:
  explicit TarCheck(ContentReader& reader) : reader_(reader), archive_(archive_read_new()) {
    if (!archive_) throw std::bad_alloc();
    archive_read_support_format_tar(archive_.get());
  }

  Result<std::uint64_t> count_members() {
    const auto read = [](archive*, void* self, const void** bytes) {
      return static_cast<TarCheck*>(self)->hand_over(bytes);
    };
    std::uint64_t members = 0;
    int code = archive_read_open(archive_.get(), this, nullptr, read, nullptr);
    while (code == ARCHIVE_OK || code == ARCHIVE_WARN) {
      archive_entry* entry = nullptr;
      code = archive_read_next_header(archive_.get(), &entry);
      if (code == ARCHIVE_OK || code == ARCHIVE_WARN) ++members;
    }
    if (failure_) return std::unexpected(std::move(*failure_));
    if (code == ARCHIVE_EOF) return members;
    const char* why = archive_error_string(archive_.get());
    return fail(ErrorCode::kCorrupt, "tar, after " + std::to_string(members) + " members: " +
                                         (why == nullptr ? "unknown" : inert_short(why, 256)));
  }

 private:
  la_ssize_t hand_over(const void** bytes) {
    const Result<std::string_view> piece = reader_.next();
    if (!piece) {
      failure_ = piece.error();
      return -1;
    }
    *bytes = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

  ContentReader& reader_;
  std::unique_ptr<archive, FreeArchive> archive_;
  std::optional<Error> failure_;
};

Status read_to_end(ContentReader& reader) {
  while (true) {
    const Result<std::string_view> piece = reader.next();
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) return {};
  }
}

// The first difference between what was read and what was captured, or "".
std::string content_fault(const ContentReader& reader, const StoredFile& expected) {
  if (reader.stored_bytes() != expected.size_bytes) {
    return differs("its size", std::to_string(reader.stored_bytes()),
                   std::to_string(expected.size_bytes));
  }
  if (reader.stored_sha256() != expected.sha256) {
    return differs("its SHA-256", to_hex(reader.stored_sha256()), to_hex(expected.sha256));
  }
  if (reader.content_bytes() != expected.content_bytes) {
    return differs("the size of its content", std::to_string(reader.content_bytes()),
                   std::to_string(expected.content_bytes));
  }
  if (reader.content_sha256() != expected.content_sha256) {
    return differs("the SHA-256 of its content", to_hex(reader.content_sha256()),
                   to_hex(expected.content_sha256));
  }
  return {};
}

std::string method_of(const Captured& artifact, bool zstd) {
  std::string method = "read again: sha256";
  if (zstd) method += ", zstd";
  if (artifact.backup_class == v1::BACKUP_CLASS_FILES) method += ", tar";
  if (artifact.backup_class == v1::BACKUP_CLASS_SQLITE) method += ", content as checked";
  return method;
}

// Reads all; "" when the content is right.
Result<std::string> read_content(ContentReader& reader, const Captured& artifact) {
  if (artifact.backup_class == v1::BACKUP_CLASS_FILES) {
    const Result<std::uint64_t> members = TarCheck(reader).count_members();
    if (!members) return std::unexpected(members.error());
    if (*members != artifact.capture.entries) {
      return differs("its number of members", std::to_string(*members),
                     std::to_string(artifact.capture.entries));
    }
  }
  if (Status read = read_to_end(reader); !read) return pass(read);
  return content_fault(reader, artifact.capture.file);
}

}  // namespace

Result<Verification> verify_artifact(const Folder& folder, const Captured& artifact,
                                     Progress& progress) {
  const std::string path = folder.path + "/" + artifact.name;
  const Compression compression = parse_compression(artifact.compression).value_or(Compression{});
  Verification out;
  out.method = method_of(artifact, !compression.none());
  const Fd file(open_to_read(folder.fd.get(), artifact.name.c_str(), O_NOFOLLOW));
  if (!file.open() && (errno == ENOENT || errno == ELOOP)) {
    out.detail = "it is not there any more";
    return out;
  }
  if (!file.open()) return system_failure("open", path, errno);
  Result<std::string> fault = file_fault(file.get(), path, artifact.capture.file);
  if (!fault) return pass(fault);
  if (fault->empty()) {
    // What the disk holds is asked for, not what memory remembers.
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    ContentReader reader(file.get(), path, compression, progress);
    fault = read_content(reader, artifact);
    out.size_bytes = reader.stored_bytes();
    out.sha256 = reader.stored_sha256();
  }
  if (!fault && fault.error().code != ErrorCode::kCorrupt) return pass(fault);
  out.detail = fault ? *fault : fault.error().message;
  out.ok = out.detail.empty();
  return out;
}

}  // namespace muniment
