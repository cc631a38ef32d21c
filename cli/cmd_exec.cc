#include <algorithm>
#include <filesystem>
#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/core/text.h"
#include "replay/evidence.h"
#include "replay/markdown_text.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

struct Options {
  std::string module;
  std::string gate;
  bool dry_run = false;
  std::string plan;
  std::string timeout = "10m";
  std::vector<std::string> variables;
  std::string folder;
  std::vector<std::string> command;  // for the usage alone: see command_words()
};

constexpr std::chrono::seconds kLongestTimeout{30 * 24 * 3600};
constexpr std::size_t kShownBytes = 2000;

std::unexpected<Error> wrong(const std::string& what) {
  return fail(ErrorCode::kInvalid, what);
}

// As the shell gave them. The parser of options would read a word such as `[a,b]` as a list.
std::vector<std::string> command_words(const Globals& globals) {
  const auto& words = globals.command_line;
  const auto mark = std::find(words.begin(), words.end(), "--");
  if (mark == words.end()) return {};
  return {std::next(mark), words.end()};
}

// What stands behind --env NAME= is a secret whatever it looks like, and however short it is.
Globals without_values(const Globals& globals) {
  Globals out = globals;
  bool is_variable = false;
  for (std::string& word : out.command_line) {
    if (word == "--") break;
    const std::size_t start = word.starts_with("--env=") ? 6 : is_variable ? 0 : word.size();
    is_variable = word == "--env";
    const std::size_t sign = word.find('=', start);
    if (sign == std::string::npos) continue;
    const std::string name = word.substr(start, sign - start);
    word = word.substr(0, sign + 1) + mask_of("env:" + name);
  }
  return out;
}

Result<std::string> working_folder(const std::string& asked) {
  std::error_code error;
  const std::filesystem::path folder = asked.empty() ? std::filesystem::current_path(error)
                                                     : std::filesystem::canonical(asked, error);
  if (!error) return folder.string();
  return wrong("the working folder " + inert_short(asked.empty() ? "." : asked, 200) + ": " +
               error.message() + "; name another with --workdir");
}

Result<CommandLine> read_command(const Options& options, const Globals& globals,
                                 Redactor& secrets) {
  CommandLine line;
  line.argv = command_words(globals);
  if (line.argv.empty()) {
    return wrong("no command; say `muniment exec --module M -- COMMAND ARGUMENT…`");
  }
  const auto timeout = parse_duration(options.timeout);
  if (!timeout || *timeout > kLongestTimeout) {
    return wrong("--timeout " + inert_short(options.timeout, 40) +
                 " is no time (expected 90s, 10m, 2h, at most 30d)");
  }
  line.timeout = *timeout;
  Result<std::string> folder = working_folder(options.folder);
  if (!folder) return pass(folder);
  line.working_folder = std::move(*folder);
  Result<std::vector<std::string>> variables =
      make_environment(options.variables, environment, secrets);
  if (!variables) return pass(variables);
  line.environment = std::move(*variables);
  // As the program itself will search: what --env says of PATH counts.
  std::string path;
  for (const std::string& variable : line.environment) {
    if (variable.starts_with("PATH=")) path = variable.substr(5);
  }
  Result<std::string> program = find_program(line.argv.front(), path, line.working_folder);
  if (!program) return pass(program);
  line.program = std::move(*program);
  return line;
}

// --gate states what the caller takes for granted; whether a gate guards the module is for the
// manifest and the log to say.
Status check_gate(const Options& options, const Manifest& manifest) {
  const Module* module = manifest.find(options.module);
  if (options.gate.empty() || module == nullptr) return {};
  const std::string named = "--gate " + inert_short(options.gate, 80);
  if (module->gate.empty()) {
    return wrong("module " + module->name + " has no gate; leave out " + named);
  }
  if (module->gate != options.gate) {
    return wrong(named + " is not the gate of module " + module->name + "; that is " +
                 module->gate);
  }
  const std::vector<std::string>& guards = manifest.gates.at(module->gate).guards;
  if (std::find(guards.begin(), guards.end(), "exec") != guards.end()) return {};
  return wrong("gate " + module->gate +
               " does not guard exec; add it to its guards, or leave out " + named);
}

std::string tail_of(const char* name, const std::string& tail) {
  if (tail.empty()) return "";
  std::string out = std::string(name) + "\n";
  std::string_view rest = tail;
  if (rest.size() > kShownBytes) rest.remove_prefix(rest.size() - kShownBytes);
  while (!rest.empty()) {
    const std::string_view text = rest.substr(0, rest.find('\n'));
    out += "  " + inert(text) + "\n";
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  }
  return out;
}

std::string words_of(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + shell_word(word);
  return out;
}

std::string closed_gate(const v1::RunState& run) {
  for (const v1::GateState& gate : run.gates()) {
    if (gate.open()) continue;
    return " Gate " + gate.gate() + " is closed for " + gate.module() + ": " +
           inert_short(gate.detail(), 400) + "\n" +
           (gate.next().empty() ? "" : "  " + inert(gate.next()) + "\n");
  }
  return "";
}

std::string text_of(const v1::RunState& run, const CommandLine& line, const Redactor& secrets) {
  const std::string words = words_of(secrets.redact_arguments(line.argv));
  std::string out = run.modules().empty() ? "" : render_resolution(run) + "\n";
  out += "Command\n  " + words + "\n  in " + inert(secrets.redact(line.working_folder)) + "\n\n";
  for (const v1::CommandState& command : run.commands()) {
    out += tail_of("Standard output, its end", command.stdout_tail());
    out += tail_of("Standard error, its end", command.error_tail());
    if (command.has_exit_status()) {
      out += "Exit status " + std::to_string(command.exit_status()) +
             (command.timed_out() ? ", timed out" : "") + "\n";
    }
  }
  out += verdict_line(run) + "\n";
  if (run.mode() != v1::MODE_DRY_RUN || run.outcome() != v1::RUN_OUTCOME_OK) return out;
  out += "Nothing was started.";
  const std::string closed = closed_gate(run);
  if (!closed.empty()) return out + closed;
  return out + " To run it: muniment exec --module " + run.requested(0) + " --plan " +
         run.run_id().substr(0, 13) + " -- " + words + "\n";
}

Result<int> execute(const Options& options, const Globals& given, Redactor& secrets) {
  if (options.dry_run && !options.plan.empty()) {
    return wrong("--plan executes what a dry run rehearsed; leave out --dry-run");
  }
  Result<LoadedManifest> loaded = load_manifest(given, secrets);
  if (!loaded) return pass(loaded);
  if (Status gate = check_gate(options, loaded->manifest); !gate) return pass(gate);
  Result<CommandLine> line = read_command(options, given, secrets);
  if (!line) return pass(line);
  const Globals globals = without_values(given);
  RunOptions run_options;
  run_options.purpose = "exec";
  run_options.mode = options.dry_run ? v1::MODE_DRY_RUN : v1::MODE_EXECUTION;
  run_options.selection.modules = {options.module};
  run_options.plan = options.plan;
  run_options.command = *line;
  Result<v1::RunState> run = record_run(globals, run_options, secrets);
  if (!run) return pass(run);
  return present_run(globals, secrets, *run, text_of(*run, *line, secrets));
}

}  // namespace

void declare_exec(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("exec", "Rehearse any command, or run and record it");
  command->add_option("--module", options->module, "The module that it is run for")
      ->type_name("MODULE")
      ->required();
  command->add_option("--gate", options->gate, "The gate that must guard it: the module's own")
      ->type_name("GATE");
  command->add_flag("--dry-run", options->dry_run, "Resolve, plan and record; start nothing");
  command
      ->add_option("--plan", options->plan,
                   "Run exactly what this dry run rehearsed, or nothing (exit 4)")
      ->type_name("RUN");
  command->add_option("--timeout", options->timeout, "When its process group is ended (10m)")
      ->type_name("TIME");
  command
      ->add_option("--env", options->variables,
                   "A variable that it gets beside HOME, LANG, PATH, TZ and USER; a value given "
                   "here is a secret")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false);
  command->add_option("--workdir", options->folder, "Where it is run (here)")->type_name("DIR");
  command->add_option("COMMAND", options->command, "What is run, behind --");
  command->footer(
      "Example:\n  muniment exec --module forgejo --dry-run -- ./smoke.sh --quick\n\n"
      "It runs in a process group of its own, without terminal and input; both outputs are hashed\n"
      "and kept, redacted. A script sees /dev/fd/N as its name.\n\n"
      "Exit: 0 done, 1 failed (recorded), 2 usage or manifest, 3 gate closed, 4 drift,\n"
      "      6 store busy, 8 engine unreachable, 130 interrupted");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return execute(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
