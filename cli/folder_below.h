// Files below one folder that somebody else may have filled: no link is followed, nothing but a
// regular file is read, and none beyond a size.
#ifndef MUNIMENT_CLI_FOLDER_BELOW_H_
#define MUNIMENT_CLI_FOLDER_BELOW_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/world/os.h"

namespace muniment {

// "tile/0" and "000" of "tile/0/000"; "" and "checkpoint" of "checkpoint".
std::string folder_part(std::string_view relative);
std::string name_part(std::string_view relative);

// Paths are relative to the folder, "tile/0/000", without `.` and `..`. Not thread-safe: the folder
// of the last path is kept open, since the next one is mostly in it too.
class FolderBelow {
 public:
  // The folder itself may be reached through links: whoever named it meant it.
  // kNotFound: there is none. kInvalid: something else has this name.
  static Result<FolderBelow> open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view relative) const;
  int fd() const { return root_.get(); }

  // A descriptor of the folder at `relative` ("": this one), valid until the next call; absent:
  // nothing is there. kCorrupt: a link, a file or the like stands in its place.
  Result<std::optional<int>> folder(std::string_view relative);

  // The content of a file; absent: nothing is there. kCorrupt: it is no regular file, or has more
  // than `most` bytes. kIo: it cannot be read.
  Result<std::optional<std::string>> read(std::string_view relative, std::uint64_t most);

  // The size of a regular file; absent: none is there.
  Result<std::optional<std::uint64_t>> size_of(std::string_view relative);

  // The names in this folder itself, in order.
  Result<std::set<std::string>> names();

  // Each path below the folder at `start` that is no folder, in any order; nothing where it is
  // missing. The folder `closed`, and one too deep for a published log, is visited like a file.
  Status list(std::string_view start, std::string_view closed,
              const std::function<void(const std::string& relative)>& visit);

 private:
  FolderBelow(std::string path, Fd root) : path_(std::move(path)), root_(std::move(root)) {}

  std::string path_;
  Fd root_;
  std::string last_;  // whose descriptor last_fd_ is; the root's is not kept here
  Fd last_fd_;
};

}  // namespace muniment

#endif  // MUNIMENT_CLI_FOLDER_BELOW_H_
