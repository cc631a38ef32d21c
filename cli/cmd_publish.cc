#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "cli/publish.h"
#include "cli/stop.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "replay/prove.h"

namespace muniment {
namespace {

struct Options {
  std::string folder;
  bool compare = false;
};

std::string text_of(const v1::PublishReport& report) {
  return "published " + counted(report.size(), "event") + " in " + inert(report.folder()) + ": " +
         std::to_string(report.written()) + " files written, " + std::to_string(report.kept()) +
         " kept, " + std::to_string(report.removed()) + " removed\nlog " + inert(report.origin()) +
         "\nroot " + to_hex(report.root_hash()) + "\n";
}

Result<int> run_publish(const Options& options, const Globals& globals, Redactor& secrets) {
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  // Before the folder is made: there may be nothing to put into it.
  if (Result<SignedHead> ours = read_signed_head(*log->reader); !ours) return pass(ours);
  const auto wait = lock_request(globals, secrets).wait;
  Result<PublishFolder> folder = PublishFolder::open(options.folder, wait);
  if (!folder) return pass(folder);
  if (Status status = log->reader->refresh(); !status) return pass(status);
  Result<v1::PublishReport> report = publish(
      *log->reader, *folder, {.compare_all = options.compare, .stop_requested = stop_requested});
  if (!report) return pass(report);
  if (report->behind() > 0) {
    say_warning(counted(report->behind(), "event") +
                " behind the newest checkpoint: not published; sign one with `muniment "
                "checkpoint`, then publish again");
  }
  return present(globals, *report, {}, text_of(*report), kExitDone);
}

}  // namespace

void declare_publish(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand(
      "publish", "Export the log, up to its newest signed checkpoint, as files for a web server");
  command
      ->add_option("DIR", options->folder,
                   "Made if it is missing; else one that this log was published in before")
      ->required();
  command->add_flag("--compare", options->compare,
                    "Compare every file with the store, and mend those that differ");
  command->footer(
      "The layout is that of C2SP tlog-tiles: `checkpoint` and `tile/…`. Only what is new is\n"
      "written, the checkpoint last; a publisher that was killed is resumed by the next one.\n"
      "Folders are made 0755 and files 0644 whatever the umask, so that a web server can read\n"
      "them; the entries are the events as recorded, without the texts behind commitments.\n\n"
      "Example:\n  muniment checkpoint && muniment publish /srv/www/log\n\n"
      "Exit: 0 published, 1 a file cannot be written, 2 usage, or DIR holds something else,\n"
      "      5 DIR holds another log, another history or a newer one, 6 another publisher,\n"
      "      7 no checkpoint is signed yet");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return run_publish(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
