#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/core/text.h"

namespace muniment {

void declare_reindex(CLI::App& root, Action& chosen) {
  CLI::App* command =
      root.add_subcommand("reindex", "Rebuild everything that is derived from the events");
  command->footer(
      "Example:\n  muniment reindex && muniment verify\n\n"
      "Exit: 0 done, 2 no store, 5 the events are not those the log recorded, 6 store busy");
  command->callback([&chosen] {
    chosen = [](const Globals& globals, Redactor& secrets) -> Result<int> {
      Result<std::string> folder = store_path(globals, secrets);
      if (!folder) return pass(folder);
      Result<std::uint64_t> events =
          rebuild_store(*folder, lock_request(globals, secrets),
                        [](std::uint64_t done) { say_detail(std::to_string(done) + " events"); });
      if (!events && events.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kInvalid, events.error().message);
      }
      if (!events) return pass(events);
      v1::ReindexReport report;
      report.set_events(*events);
      return present(
          globals, report, {},
          "rebuilt from " + std::to_string(*events) + " events: " + inert(*folder) + "\n",
          kExitDone);
    };
  });
}

}  // namespace muniment
