// The folder that a log is published in, as its only publisher sees it.
//
// Whatever moment a publisher dies at, and whatever moment a reader comes at: each file is there
// whole or not at all, and all files that the checkpoint needs are there before it is. A file is
// written in .muniment-publishing/, made durable, and moved to its place; several at a time, since
// a disk makes many files durable in hardly more time than one.
#ifndef MUNIMENT_CLI_PUBLISH_FOLDER_H_
#define MUNIMENT_CLI_PUBLISH_FOLDER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/folder_below.h"
#include "recorder/core/result.h"

namespace muniment {

// Folders are 0755 and files 0644 whatever the umask: a web server reads them. The lock is flock(2)
// on the folder itself, which leaves nothing behind and dies with its holder. Not thread-safe.
class PublishFolder {
 public:
  // Makes the folder if it is missing (not its parents), and waits for another publisher.
  // kInvalid: something that no publisher left is in it, and no checkpoint. kBusy: another
  // publisher is at work. kNotFound: the folder that it is to lie in is missing.
  static Result<PublishFolder> open(const std::string& path, std::chrono::milliseconds wait);

  // What lies there, by the rules of FolderBelow.
  FolderBelow& files() { return files_; }

  // Puts a file in its place, instead of what was there, and makes the folders above it. It is
  // there and durable after sync().
  Status put(const std::string& relative, std::string_view bytes);

  // Makes sync() see to a file that is in its place already: whoever put it there may have died
  // before its folder was durable.
  void keep(const std::string& relative);

  // Removes a file; one that is gone already is no error.
  Status remove(const std::string& relative);

  // Removes a folder if nothing is in it.
  Status remove_if_empty(const std::string& relative);

  // Moves every file to its place and makes that, and every removal so far, durable.
  Status sync();

  // To be called when all is in its place: removes .muniment-publishing/.
  Status finish();

 private:
  explicit PublishFolder(FolderBelow files) : files_(std::move(files)) {}

  Status lock(std::chrono::milliseconds wait);
  Status refuse_foreign();
  Result<int> folder_for(const std::string& relative);
  Result<std::optional<int>> make_folder(const std::string& relative, int parent);
  Status open_ready();
  Status write_ready(const std::string& name, std::string_view bytes);
  Status move_ready();
  void drop_ready();

  // Its name in .muniment-publishing/ is its place in the list.
  struct Ready {
    std::string relative;
    Fd fd;
  };

  FolderBelow files_;
  Fd ready_folder_;
  std::vector<Ready> ready_;
  std::set<std::string> touched_;  // folders that are to be made durable
};

}  // namespace muniment

#endif  // MUNIMENT_CLI_PUBLISH_FOLDER_H_
