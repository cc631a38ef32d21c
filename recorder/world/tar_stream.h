// The tar that a capture of class files writes.
#ifndef MUNIMENT_RECORDER_WORLD_TAR_STREAM_H_
#define MUNIMENT_RECORDER_WORLD_TAR_STREAM_H_

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "recorder/core/result.h"
#include "recorder/world/artifact_writer.h"

struct archive;
struct archive_entry;

namespace muniment {

// Members in the pax format: names byte by byte without the leading slash, numeric owner and its
// name, mode, mtime in nanoseconds; for files and folders extended attributes and ACLs. Access and
// change times are left out: reading alters them. Names of one inode become hard links to the
// first. Not thread-safe; `out` must outlive it.
class TarStream {
 public:
  explicit TarStream(ArtifactWriter& out);
  ~TarStream();
  TarStream(const TarStream&) = delete;
  TarStream& operator=(const TarStream&) = delete;

  // Starts a member that has the facts of `facts`. `fd` is open on it where it is a regular file or
  // a folder, else -1; `link_target` is a symbolic link's. After the header of a regular file that
  // is not a hard link (see is_repeat), st_size bytes may follow by add_content().
  Status add(const std::string& path, const struct stat& facts, int fd,
             const std::string& link_target);

  // Starts a member as another archive has it, under the name `path` (absolute); `link` is the
  // absolute path of a hard link's first name, else empty. Content may follow for a regular file.
  Status add_entry(archive_entry* from, const std::string& path, const std::string& link);

  // Whether this inode is in the archive already, so that add() will write a link and no content.
  bool is_repeat(const struct stat& facts) const;

  // Content of the current member. What goes beyond its size is an error; what is missing is
  // filled with zeros when the next member starts.
  Status add_content(std::string_view bytes);

  // Writes the end of the archive; the writer is the caller's to finish.
  Status finish();

  std::uint64_t entries() const { return entries_; }
  // tar has no form for a socket.
  static bool can_hold(mode_t mode) { return !S_ISSOCK(mode); }

 private:
  struct Free {
    void operator()(archive* a) const;
    void operator()(archive_entry* e) const;
  };
  Status write_header(const std::string& path);
  Status read_facts(const struct stat& facts, int fd);
  Status failure(const std::string& path);

  ArtifactWriter& out_;
  Status written_;  // what the writer said last
  std::unique_ptr<archive, Free> archive_;
  std::unique_ptr<archive, Free> disk_;  // looks up names of owners, reads ACLs and attributes
  std::unique_ptr<archive_entry, Free> entry_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;  // of files with several
  std::uint64_t entries_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_TAR_STREAM_H_
