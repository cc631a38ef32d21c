// All commands: one function each that declares its options and says what to run.
#ifndef MUNIMENT_CLI_COMMAND_TABLE_H_
#define MUNIMENT_CLI_COMMAND_TABLE_H_

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/settings.h"
#include "recorder/core/redact.h"
#include "recorder/core/result.h"

namespace muniment {

// What a command does once all options are known. The result is the exit code; an error is printed
// and becomes one.
using Action = std::function<Result<int>(const Globals& globals, Redactor& secrets)>;

// `chosen` is set when the command was named on the command line.
using Declare = void (*)(CLI::App& root, Action& chosen);

void declare_init(CLI::App& root, Action& chosen);
void declare_resolve(CLI::App& root, Action& chosen);
void declare_backup(CLI::App& root, Action& chosen);
void declare_exec(CLI::App& root, Action& chosen);
void declare_runs(CLI::App& root, Action& chosen);
void declare_show(CLI::App& root, Action& chosen);
void declare_events(CLI::App& root, Action& chosen);
void declare_report(CLI::App& root, Action& chosen);
void declare_gate(CLI::App& root, Action& chosen);
void declare_candidates(CLI::App& root, Action& chosen);
void declare_prompt(CLI::App& root, Action& chosen);
void declare_approve(CLI::App& root, Action& chosen);
void declare_revoke(CLI::App& root, Action& chosen);
void declare_note(CLI::App& root, Action& chosen);
void declare_erase(CLI::App& root, Action& chosen);
void declare_checkpoint(CLI::App& root, Action& chosen);
void declare_key(CLI::App& root, Action& chosen);
void declare_verify(CLI::App& root, Action& chosen);
void declare_bundle(CLI::App& root, Action& chosen);
void declare_prove(CLI::App& root, Action& chosen);
void declare_publish(CLI::App& root, Action& chosen);
void declare_reindex(CLI::App& root, Action& chosen);
void declare_doctor(CLI::App& root, Action& chosen);
void declare_completion(CLI::App& root, Action& chosen);

inline constexpr Declare kCommands[] = {
    declare_init,       declare_resolve, declare_backup, declare_exec,       declare_runs,
    declare_show,       declare_events,  declare_report, declare_gate,       declare_candidates,
    declare_prompt,     declare_approve, declare_revoke, declare_note,       declare_erase,
    declare_checkpoint, declare_key,     declare_verify, declare_bundle,     declare_prove,
    declare_publish,    declare_reindex, declare_doctor, declare_completion,
};

}  // namespace muniment

#endif  // MUNIMENT_CLI_COMMAND_TABLE_H_
