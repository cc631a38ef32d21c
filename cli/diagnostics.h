// Standard error: what the operator should know while a command works. Through spdlog.
#ifndef MUNIMENT_CLI_DIAGNOSTICS_H_
#define MUNIMENT_CLI_DIAGNOSTICS_H_

#include <string>

#include "recorder/core/redact.h"

namespace muniment {

struct DiagnosticsOptions {
  int verbosity = 0;  // -1: errors alone; 0: what is done; 1: every event
  bool json = false;
};

// Call once, before anything is said.
void start_diagnostics(const DiagnosticsOptions& options);

// From here on, whatever is said is redacted first.
void redact_diagnostics(const Redactor* redactor);

// "muniment: …". `text` is one line that is inert already, or several where they are ours.
void say_error(const std::string& text);
void say_warning(const std::string& text);
void say(const std::string& text);
void say_detail(const std::string& text);
// Without the program's name: lines in the form FILE:LINE:COL that editors read.
void say_located_error(const std::string& text);

}  // namespace muniment

#endif  // MUNIMENT_CLI_DIAGNOSTICS_H_
