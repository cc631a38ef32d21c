#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "replay/render_text.h"

namespace muniment {

void declare_resolve(CLI::App& root, Action& chosen) {
  struct Options {
    std::vector<std::string> modules;
    bool record = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      root.add_subcommand("resolve", "Show what each module is: where its data lies, which class");
  command->add_option("MODULE", options->modules, "Modules of the manifest; none: all of them");
  command->add_flag("--record", options->record, "Keep it as a run in the log");
  command->footer(
      "Example:\n  muniment resolve notes\n\n"
      "Exit: 0 resolved, 1 a module cannot be resolved, 2 usage or manifest,\n"
      "      8 the container engine cannot be reached");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) -> Result<int> {
      RunOptions run_options;
      run_options.purpose = "resolve";
      run_options.mode = v1::MODE_OBSERVATION;
      run_options.selection = {.modules = options->modules, .all = options->modules.empty()};
      run_options.resolve_only = true;
      run_options.keep = options->record;
      Result<v1::RunState> run = record_run(globals, run_options, secrets);
      if (!run) return pass(run);
      return present_run(globals, secrets, *run, render_resolution(*run));
    };
  });
}

}  // namespace muniment
