// STORE/inbox as files: what may lie there, and how it gets there whole.
#ifndef MUNIMENT_RECORDER_LOG_INBOX_FOLDER_H_
#define MUNIMENT_RECORDER_LOG_INBOX_FOLDER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

inline constexpr std::size_t kMaxInboxItemBytes = 1U << 20U;

// A folder that is held open, so that no name in between can be exchanged for a link. Names are
// event ids. Move-only; thread-compatible.
class InboxFolder {
 public:
  // Opens STORE/inbox, or makes it (0700) in a store that has lost it.
  // Errors: kNotFound (no store), kIo.
  static Result<InboxFolder> make(const std::string& store_folder);
  // Opens STORE/inbox if it is there. kIo when it is no folder or may not be opened.
  static Result<std::optional<InboxFolder>> find(const std::string& store_folder);

  InboxFolder(InboxFolder&& other) noexcept;
  InboxFolder& operator=(InboxFolder&& other) noexcept;
  ~InboxFolder();

  // Leaves an item under its name: written under a temporary one, fsynced, renamed, the folder
  // fsynced. The same bytes under the same name a second time are not an error.
  // Errors: kInvalid (more than kMaxInboxItemBytes), kRefused (other bytes under this name), kIo.
  Status leave(const std::string& name, const std::string& bytes);

  // Names in order. Temporary files are left out: somebody is writing them, or died over it.
  Result<std::vector<std::string>> list() const;

  // An item's bytes; absent when it has vanished. kRefused with the reason for anything that is not
  // a regular file of mode 0600, owned by the effective user, named by an event id, of at most
  // kMaxInboxItemBytes. Follows no link and waits for no FIFO.
  Result<std::optional<std::string>> read(const std::string& name) const;

  // Removes an item; one that has vanished is not an error.
  Status remove(const std::string& name);

 private:
  InboxFolder(int folder, std::string path) : folder_(folder), path_(std::move(path)) {}

  Status write_temporary(const std::string& name, std::string_view bytes) const;
  Status settle(const std::string& temporary, const std::string& name,
                const std::string& bytes) const;

  int folder_;  // -1: moved from
  std::string path_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_INBOX_FOLDER_H_
