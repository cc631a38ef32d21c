// Who holds a lock: what the holder wrote about itself, and what the kernel says.
#ifndef MUNIMENT_RECORDER_LOG_LOCK_HOLDER_H_
#define MUNIMENT_RECORDER_LOG_LOCK_HOLDER_H_

#include <string>
#include <string_view>

namespace muniment {

// The text by which this process names itself in the lock file:
//
//   pid 4711
//   start_ticks 98765      field 22 of /proc/PID/stat: clock ticks since the machine started
//   command muniment backup --all
//
// Ticks and not a time of day: with the pid they name one process for as long as the machine runs,
// so that a text which outlived its writer is recognised. `command` is cut to 4,000 bytes.
std::string describe_this_process(std::string_view command);

// "pid 4711 (muniment backup --all) since 2026-01-02T03:04:05Z", from the text in the lock file
// `file` if its writer lives; else "pid 4711" from the kernel's table of locks; else "a process
// that cannot be seen from here" (another pid namespace). Foreign text comes out inert.
std::string name_writer(int file);

// "pid 12", "pid 12 and 1 other", or "a process that cannot be seen from here".
std::string name_readers(int file);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_LOCK_HOLDER_H_
