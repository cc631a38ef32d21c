#include "cli/present.h"

#include "cli/app.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/view.h"
#include "recorder/core/text.h"
#include "recorder/log/queries.h"

namespace muniment {

int present(const Globals& globals, const google::protobuf::Message& message,
            const Resolver& resolve, const std::string& text, int code) {
  const bool json = globals.json || globals.jsonl;
  const std::string out =
      json ? to_json(message, {.resolve = resolve, .pretty = !globals.jsonl}) + "\n" : text;
  if (print(out)) return code;
  return code == kExitDone ? static_cast<int>(kExitFailed) : code;
}

int present_run(const Globals& globals, Redactor& secrets, const v1::RunState& run,
                const std::string& text) {
  Resolver resolve = [](const v1::Erasable&) { return std::nullopt; };
  // A run that was not kept has no texts to look up.
  Result<OpenLog> log = open_log(globals, secrets);
  if (log) resolve = resolver_for(*log->reader);
  v1::RunState shown = run;
  if (log) {
    const Result<std::string> state = log_state_of(*log->reader, run.last_sequence());
    if (state) shown.set_log_state(*state);
  }
  const int code = present(globals, shown, resolve, text, exit_code_of(run));
  if (run.outcome() != v1::RUN_OUTCOME_OK) say_error(inert(run.reason()));
  return code;
}

}  // namespace muniment
