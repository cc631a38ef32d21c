#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "replay/evidence.h"
#include "replay/find_run.h"
#include "replay/render_text.h"

namespace muniment {

void declare_report(CLI::App& root, Action& chosen) {
  struct Options {
    std::string run = "latest";
    std::string format = "text";
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("report", "The evidence report of a run");
  command
      ->add_option("RUN", options->run,
                   "Id, prefix of six characters or more, latest, latest:MODULE")
      ->required();
  command->add_option("--format", options->format)->check(CLI::IsMember({"text", "json"}));
  command->footer(
      "Example:\n  muniment report latest --format text\n\n"
      "Same events, same bytes. Exit: 0 done, 2 usage, 5 damaged store, 7 no such RUN");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& given, Redactor& secrets) -> Result<int> {
      Result<OpenLog> log = open_log(given, secrets);
      if (!log) return pass(log);
      Result<v1::RunState> run = find_run(*log->reader, options->run);
      if (!run) return pass(run);
      Result<v1::Evidence> evidence = make_evidence(*log->reader, run->run_id());
      if (!evidence) return pass(evidence);
      const Resolver resolve = resolver_for(*log->reader);
      Globals globals = given;
      globals.json = given.json || options->format == "json";
      return present(globals, *evidence, resolve, render_evidence(*evidence, resolve), kExitDone);
    };
  });
}

}  // namespace muniment
