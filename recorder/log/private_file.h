// Small files beside the database, written whole or not at all.
#ifndef MUNIMENT_RECORDER_LOG_PRIVATE_FILE_H_
#define MUNIMENT_RECORDER_LOG_PRIVATE_FILE_H_

#include <optional>
#include <string>
#include <string_view>

#include "recorder/core/result.h"
#include "recorder/log/store_layout.h"

namespace muniment {

// What a second file of the same name means.
enum class IfThere { kReplace, kRefuse };

// Writes under a temporary name in the same folder (".NAME.tmp"; one that a crash has left is
// overwritten), with the file's final mode from its first byte, fsyncs, renames, fsyncs the folder.
// Errors: kRefused (IfThere::kRefuse, and it is there), kIo; then the old file is untouched.
Status write_private_file(const std::string& path, std::string_view bytes, const Access& access,
                          IfThere if_there);

// Who must not be able to write, or even to read, a file that is believed.
enum class Privacy {
  kSecret,   // mode 0600 or less, owned by the effective user or root
  kTrusted,  // not writable by group or others
};

// Its bytes; absent when there is no such file. kRefused says why it is not taken: no regular file,
// a link, another owner or mode, more than `limit` bytes. kIo when it cannot be read.
Result<std::optional<std::string>> read_private_file(const std::string& path, Privacy privacy,
                                                     std::size_t limit);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_PRIVATE_FILE_H_
