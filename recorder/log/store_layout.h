// What a store looks like from outside: folders, names, modes.
#ifndef MUNIMENT_RECORDER_LOG_STORE_LAYOUT_H_
#define MUNIMENT_RECORDER_LOG_STORE_LAYOUT_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "recorder/core/result.h"

namespace muniment {

std::string db_folder(const std::string& store_folder);
std::string inbox_folder(const std::string& store_folder);
// The database while it is being created; the rename to db_folder() makes it a store.
std::string creating_folder(const std::string& store_folder);

enum class Layout {
  kNothing,   // no such path, or an empty folder
  kHalfMade,  // a creation that was interrupted
  kStore,     // a database is there, whatever its condition
  kForeign,   // something else
};

struct LayoutFound {
  Layout layout = Layout::kNothing;
  std::string foreign;  // what does not belong there
};

// What cannot be looked into counts as a store, so that opening it says why.
LayoutFound look_at(const std::string& store_folder);

// kNotFound, with what to do, when no store is there.
Status require_store(const std::string& store_folder);

// The modes of a store's folders and files; they follow from its reading group.
struct Access {
  std::optional<gid_t> group;
  mode_t folder_mode() const { return group ? 02750 : 0700; }
  mode_t file_mode() const { return group ? 0640 : 0600; }
};

// kInvalid when there is no such group. An empty name: no group.
Result<Access> access_for(const std::string& group_name);

// Of a store that exists, by its database's folder.
Access access_of(const std::string& store_folder);

// Makes the folder, unless it is there, and gives it exactly the mode and the group.
Status make_folder(const std::string& folder, const Access& access);

// Makes the names in a folder durable.
Status sync_folder(const std::string& folder);

// kIo with the system's reason, from errno.
std::unexpected<Error> system_error(const std::string& what);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_STORE_LAYOUT_H_
