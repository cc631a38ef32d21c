// Writes one artifact file: private from its first byte, hashed before and after compression,
// durable when finished.
#ifndef MUNIMENT_RECORDER_WORLD_ARTIFACT_WRITER_H_
#define MUNIMENT_RECORDER_WORLD_ARTIFACT_WRITER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "recorder/core/digest.h"
#include "recorder/core/result.h"
#include "recorder/world/block_channel.h"
#include "recorder/world/compression.h"
#include "recorder/world/folders.h"

namespace muniment {

// A file as fstat and the hashes saw it. "Content" is before compression.
struct StoredFile {
  std::uint64_t size_bytes = 0;
  Digest sha256{};
  std::uint64_t content_bytes = 0;
  Digest content_sha256{};
  std::uint32_t mode = 0;  // permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  dev_t device = 0;
  ino_t inode = 0;
};

// Makes FOLDER/NAME with O_EXCL and mode 0600, whatever the umask, without following a link. An
// existing file of that name is an error.
Result<Fd> create_private_file(const Folder& folder, const std::string& name);

// Mode, owner and identity of an open file; hashes and sizes other than size_bytes stay empty.
Result<StoredFile> stat_stored(int fd, const std::string& path);

// A stream into one file. Two threads of its own: one hashes the content and encodes it, one hashes
// what is stored and writes it; they end with finish() or the destructor. Used from one thread.
// A writer that is destroyed unfinished leaves the file as far as it came.
class ArtifactWriter {
 public:
  // The file exists, empty and 0600, when this returns. `folder` must outlive the writer.
  static Result<std::unique_ptr<ArtifactWriter>> create(const Folder& folder,
                                                        const std::string& name,
                                                        Compression compression);
  ~ArtifactWriter();
  ArtifactWriter(const ArtifactWriter&) = delete;
  ArtifactWriter& operator=(const ArtifactWriter&) = delete;

  // Room for the next bytes, at least one. Bytes that are put there and then handed to write() are
  // not copied. Empty when writing has failed: write() says why.
  std::span<char> space();

  // Adds content. Fails when an earlier part could not be stored: no space, I/O error.
  Status write(std::string_view content);

  // Writes what is left and fsyncs the file (not its folder). Called once.
  Result<StoredFile> finish();

 private:
  ArtifactWriter(Fd file, std::string path, Compression compression);
  void run_encoder(Compression compression);
  void run_writer();
  Status encode_all(Compression compression);
  Status write_all();
  Status store(std::string_view bytes);
  void stop();

  Fd file_;
  std::string path_;
  bool direct_ = false;  // O_DIRECT holds
  BlockChannel content_;
  BlockChannel stored_;
  Block* block_ = nullptr;  // being filled by the caller
  StoredFile result_;       // each field is written by one thread, read after both were joined
  std::thread encoder_;
  std::thread writer_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ARTIFACT_WRITER_H_
