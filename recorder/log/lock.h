// The store's lock: one writer, or any number of readers that are opening.
#ifndef MUNIMENT_RECORDER_LOG_LOCK_H_
#define MUNIMENT_RECORDER_LOG_LOCK_H_

#include <optional>
#include <string>

#include "recorder/core/result.h"
#include "recorder/log/store.h"

namespace muniment {

// A hold on STORE/lock, by flock(2): the kernel releases it when its holder dies, however it dies.
// The text in the file says who holds it exclusively; it is read only when the kernel says that
// somebody does, and believed only while the process that it names lives. Move-only; released at
// destruction. Two locks conflict also within one process.
class StoreLock {
 public:
  // Takes the lock for a writer, and makes STORE/lock if it is missing (0600; 0640 where the store
  // has a reading group). Tries again until `request.wait` is over; up to a second longer while
  // only readers hold it, since they hold it for an opening at most.
  // Errors: kNotFound (no such store), kBusy (names the holder's pid, command and start), kIo.
  static Result<StoreLock> exclusive(const std::string& store_folder, const LockRequest& request);

  // Takes the lock for a reader, at once or not at all: nothing while a writer holds it. Needs no
  // write permission.
  // Errors: kNotFound (no store, or one without a lock file), kIo.
  static Result<std::optional<StoreLock>> try_shared(const std::string& store_folder);

  StoreLock(StoreLock&& other) noexcept;
  StoreLock& operator=(StoreLock&& other) noexcept;
  ~StoreLock();

 private:
  explicit StoreLock(int file) : file_(file) {}

  int file_;  // -1: moved from
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_LOCK_H_
