#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/parse.h"
#include "cli/stop.h"

namespace muniment {
namespace {

int report(const Error& error) {
  if (error.code == ErrorCode::kInvalid && is_located(error.message)) {
    say_located_error(error.message);
  } else {
    say_error(error.message);
  }
  return exit_code_of(error.code);
}

// A standard stream that the caller closed would be the number of the next file that is opened, and
// an answer be written into the store. Nothing can be written to one that is opened for reading.
void hold_standard_streams() {
  for (int fd = open("/dev/null", O_RDONLY); fd >= 0; fd = open("/dev/null", O_RDONLY)) {
    if (fd <= STDERR_FILENO) continue;
    close(fd);
    return;
  }
}

int run(int argc, char** argv) {
  hold_standard_streams();
  umask(077);
  catch_signals();
  Globals globals;
  globals.command_line.assign(argv, argv + argc);
  Action action;
  if (const std::optional<int> done = parse(argc, argv, globals, action)) return *done;
  start_diagnostics({.verbosity = globals.quiet     ? -1
                                  : globals.verbose ? 1
                                                    : 0,
                     .json = globals.log_format == "json"});
  Redactor secrets;
  secrets.add_environment(whole_environment());
  redact_diagnostics(&secrets);
  const Result<int> code = action(globals, secrets);
  redact_diagnostics(nullptr);
  return code ? *code : report({code.error().code, secrets.redact(code.error().message)});
}

}  // namespace
}  // namespace muniment

int main(int argc, char** argv) {
  try {
    return muniment::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "muniment: %s\n", error.what());
    return muniment::kExitFailed;
  }
}
