#include "recorder/world/artifact_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/world/block_encoder.h"

namespace muniment {
namespace {

constexpr mode_t kPrivate = 0600;
constexpr std::size_t kContentBlocks = 6;
constexpr std::size_t kStoredBlocks = 4;

// Beside the page cache: artifacts are read again from disk by the verification, and a backup
// should not push out what the services have cached. File systems without it refuse; then the cache
// it is.
bool set_direct(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return false;
  return ::fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

// A thread's body: an exception of the standard library (memory) ends as the channel's error.
void guarded(BlockChannel& upstream, BlockChannel& downstream,
             const std::function<Status()>& body) {
  Status done;
  try {
    done = body();
  } catch (const std::exception& e) {
    done = fail(ErrorCode::kIo, std::string("cannot write an artifact: ") + e.what() +
                                    "; free memory and run again");
  }
  if (done) return;
  upstream.fail_with(done.error());
  downstream.fail_with(done.error());
}

}  // namespace

Result<Fd> create_private_file(const Folder& folder, const std::string& name) {
  const std::string path = folder.path + "/" + name;
  Fd file(::openat(folder.fd.get(), name.c_str(),
                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kPrivate));
  if (!file.open()) return system_failure("create", path, errno);
  if (::fchmod(file.get(), kPrivate) != 0) return system_failure("set mode 0600 of", path, errno);
  return file;
}

Result<StoredFile> stat_stored(int fd, const std::string& path) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return system_failure("stat", path, errno);
  StoredFile out;
  out.size_bytes = static_cast<std::uint64_t>(facts.st_size);
  out.mode = facts.st_mode & 07777U;
  out.uid = facts.st_uid;
  out.gid = facts.st_gid;
  out.device = facts.st_dev;
  out.inode = facts.st_ino;
  return out;
}

Result<std::unique_ptr<ArtifactWriter>> ArtifactWriter::create(const Folder& folder,
                                                               const std::string& name,
                                                               Compression compression) {
  Result<Fd> file = create_private_file(folder, name);
  if (!file) return pass(file);
  return std::unique_ptr<ArtifactWriter>(
      new ArtifactWriter(std::move(*file), folder.path + "/" + name, compression));
}

ArtifactWriter::ArtifactWriter(Fd file, std::string path, Compression compression)
    : file_(std::move(file)),
      path_(std::move(path)),
      direct_(set_direct(file_.get(), true)),
      content_(kContentBlocks),
      stored_(kStoredBlocks) {
  writer_ = std::thread([this] { run_writer(); });
  try {
    encoder_ = std::thread([this, compression] { run_encoder(compression); });
  } catch (...) {
    stop();
    throw;
  }
}

ArtifactWriter::~ArtifactWriter() {
  stop();
}

void ArtifactWriter::stop() {
  const Error abandoned{ErrorCode::kInterrupted, "writing " + shown_path(path_) + " was given up"};
  content_.fail_with(abandoned);
  stored_.fail_with(abandoned);
  if (encoder_.joinable()) encoder_.join();
  if (writer_.joinable()) writer_.join();
}

std::span<char> ArtifactWriter::space() {
  if (block_ != nullptr && block_->size == Block::kCapacity) {
    content_.pass_full(std::exchange(block_, nullptr));
  }
  if (block_ == nullptr) block_ = content_.take_empty();
  if (block_ == nullptr) return {};
  return {block_->bytes.get() + block_->size, Block::kCapacity - block_->size};
}

Status ArtifactWriter::write(std::string_view content) {
  while (!content.empty()) {
    const std::span<char> room = space();
    if (room.empty()) return std::unexpected(*content_.error());
    const std::size_t n = std::min(content.size(), room.size());
    if (content.data() != room.data()) std::memcpy(room.data(), content.data(), n);
    block_->size += n;
    content.remove_prefix(n);
  }
  return {};
}

Result<StoredFile> ArtifactWriter::finish() {
  check(encoder_.joinable(), "an artifact is finished once");
  if (block_ != nullptr) content_.pass_full(std::exchange(block_, nullptr));
  content_.close();
  encoder_.join();
  writer_.join();
  if (auto error = content_.error()) return std::unexpected(std::move(*error));
  if (auto error = stored_.error()) return std::unexpected(std::move(*error));
  if (const Status synced = sync_fd(file_.get(), path_); !synced) {
    return std::unexpected(synced.error());
  }
  Result<StoredFile> facts = stat_stored(file_.get(), path_);
  if (!facts) return facts;
  if (facts->size_bytes != result_.size_bytes) {
    return fail(ErrorCode::kIo, shown_path(path_) + " has " + std::to_string(facts->size_bytes) +
                                    " bytes (expected " + std::to_string(result_.size_bytes) +
                                    "); somebody else writes there, find out who");
  }
  facts->sha256 = result_.sha256;
  facts->content_bytes = result_.content_bytes;
  facts->content_sha256 = result_.content_sha256;
  return facts;
}

void ArtifactWriter::run_encoder(Compression compression) {
  guarded(content_, stored_, [&] { return encode_all(compression); });
}

void ArtifactWriter::run_writer() {
  guarded(stored_, content_, [&] { return write_all(); });
}

Status ArtifactWriter::encode_all(Compression compression) {
  BlockEncoder encoder(compression, stored_);
  Sha256 hash;
  while (Block* block = content_.take_full()) {
    const std::string_view bytes(block->bytes.get(), block->size);
    hash.update(bytes);
    result_.content_bytes += bytes.size();
    if (Status written = encoder.write(bytes); !written) return written;
    content_.give_back(block);
  }
  if (auto error = content_.error()) return std::unexpected(std::move(*error));
  result_.content_sha256 = hash.finish();
  return encoder.finish();
}

Status ArtifactWriter::write_all() {
  Sha256 hash;
  while (Block* block = stored_.take_full()) {
    const std::string_view bytes(block->bytes.get(), block->size);
    hash.update(bytes);
    if (Status written = store(bytes); !written) return written;
    result_.size_bytes += bytes.size();
    stored_.give_back(block);
  }
  if (auto error = stored_.error()) return std::unexpected(std::move(*error));
  result_.sha256 = hash.finish();
  return {};
}

Status ArtifactWriter::store(std::string_view bytes) {
  // Only the last block is not full, and only full ones have the size that direct I/O asks for.
  if (direct_ && bytes.size() != Block::kCapacity) direct_ = !set_direct(file_.get(), false);
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EINVAL && direct_) {
      direct_ = false;
      if (set_direct(file_.get(), false)) continue;
    }
    if (n < 0) return system_failure("write", path_, errno);
    if (n == 0) return system_failure("write", path_, EIO);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace muniment
