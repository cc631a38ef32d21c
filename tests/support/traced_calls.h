// What a program asked of the kernel, as strace saw it, and which of it would change files.
#ifndef MUNIMENT_TESTS_SUPPORT_TRACED_CALLS_H_
#define MUNIMENT_TESTS_SUPPORT_TRACED_CALLS_H_

#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// One system call, in the order in which the calls began.
struct TracedCall {
  std::string name;
  std::string arguments;  // as strace prints them, descriptors with their paths
  std::string result;     // "= 3", "= -1 EACCES (Permission denied)"; empty: it never returned
};

// The command that runs a program under strace with all its threads and children, and writes what
// read_trace() reads. `more` are further options ("-e", "inject=…").
std::vector<std::string> strace_command(const std::string& trace_file,
                                        const std::vector<std::string>& more = {});

// "" where a process may be traced here, else why not.
std::string no_tracing_because();

// The calls in a trace; those that another thread interrupted are put together again.
std::vector<TracedCall> parse_trace(std::string_view trace);
std::vector<TracedCall> read_trace(const std::string& trace_file);

// The names of all calls that paths_changed_by() knows.
std::vector<std::string> changing_calls();

// The paths that a call would change: content, name, mode, owner, times or attributes. Empty for a
// call that changes no file. A relative path whose folder the trace does not say begins with "?/".
std::vector<std::string> paths_changed_by(const TracedCall& call);

// Whether the call makes a thread or a process.
bool is_birth(const TracedCall& call);

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_TRACED_CALLS_H_
