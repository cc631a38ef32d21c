// Ctrl-C: once to stop cleanly, twice to die.
#ifndef MUNIMENT_CLI_STOP_H_
#define MUNIMENT_CLI_STOP_H_

namespace muniment {

// SIGINT, SIGTERM and SIGHUP ask to stop; the second one has its ordinary effect. SIGPIPE and
// SIGXFSZ become errors of the call that caused them. Call once, before any thread is started.
void catch_signals();

bool stop_requested();

}  // namespace muniment

#endif  // MUNIMENT_CLI_STOP_H_
