#include <sys/stat.h>

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

int run(int argc, char** argv) {
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
