// What a command in a container is wrapped in, and what ends it there.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_SCRIPT_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_SCRIPT_H_

#include <string_view>

namespace muniment {

// The first line that the script writes to standard error begins so, and ends with the pid.
inline constexpr std::string_view kPidWord = "muniment-pid ";

// `sh -c kExecScript muniment SECONDS ARGV…`. The engine ends no command and tells no pid of the
// container's own: `timeout` does the one, and the shell the other; exec keeps the pid. Whether
// `timeout` is there and knows -k is tried, not assumed: busybox before 1.34 has no -k, and there
// SECONDS is the only limit.
inline constexpr const char* kExecScript =
    "echo \"muniment-pid $$\" >&2\n"
    "n=$1; shift\n"
    "if timeout -k 5 9 true </dev/null >/dev/null 2>&1; then exec timeout -k 5 \"$n\" \"$@\"; fi\n"
    "if timeout 9 true </dev/null >/dev/null 2>&1; then exec timeout \"$n\" \"$@\"; fi\n"
    "exec \"$@\"\n";

// `sh -c SCRIPT muniment PID`. `timeout` hands TERM on to its command; KILL it cannot, so that goes
// to the whole process group, whose number is the pid where there is one.
inline constexpr const char* kTermScript = "kill -TERM \"$1\"";
inline constexpr const char* kKillScript = "kill -KILL \"-$1\"; kill -KILL \"$1\"";

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_EXEC_SCRIPT_H_
