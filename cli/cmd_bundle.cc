#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/output_file.h"
#include "cli/present.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/log/log_key.h"
#include "replay/bundle.h"
#include "replay/find_run.h"
#include "replay/verify_bundle.h"

namespace muniment {
namespace {

struct Options {
  std::string run;
  std::string file;
  bool replace = false;
};

// What does not hold must not leave the house. A run that nothing was signed about is as it is: its
// bundle says so to whoever checks it.
Status check(const v1::VerifyReport& report) {
  if (report.verdict() == kIntact) return {};
  const std::string what = report.findings().empty() ? "" : inert(report.findings(0).what());
  if (report.verdict() == kUnsigned) {
    say_warning("whoever verifies the bundle will hear: " + report.verdict() + " (" + what + ")");
    return {};
  }
  return fail(ErrorCode::kCorrupt, "the bundle would not hold: " + report.verdict() + " (" + what +
                                       "); run `muniment verify`");
}

std::string text_of(const v1::BundleReport& report) {
  return "bundled run " + report.run_id() + " in " + inert(report.file()) + ": " +
         std::to_string(report.events()) + " events, " + std::to_string(report.blobs()) +
         " texts, " + std::to_string(report.size_bytes()) + " bytes, sha256 " +
         to_hex(report.sha256()) + "\nchecked: " + report.verdict() + ", under the checkpoint of " +
         std::to_string(report.checkpoint_size()) + " events\nmuniment verify FILE --key " +
         report.vkey() + "\n";
}

Result<int> bundle(const Options& options, const Globals& globals, Redactor& secrets) {
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  Result<v1::RunState> run = find_run(*log->reader, options.run);
  if (!run) return pass(run);
  Result<v1::StoreState> state = log->reader->state();
  if (!state) return pass(state);
  Result<NoteKey> key = read_verifier_key(log->folder, state->origin());
  if (!key) return pass(key);
  Result<std::string> made =
      make_bundle(*log->reader, run->run_id(), {.key = *key, .version = MUNIMENT_VERSION});
  if (!made) return pass(made);
  Trust trust;
  trust.keys = {*key};
  const v1::VerifyReport judged = verify_bundle(*made, trust);
  if (Status holds = check(judged); !holds) return pass(holds);
  if (Status status = write_output(options.file, *made, options.replace); !status) {
    return pass(status);
  }
  v1::BundleReport report;
  report.set_file(valid_utf8(options.file));
  report.set_run_id(run->run_id());
  report.set_events(judged.events());
  report.set_blobs(judged.blobs());
  report.set_size_bytes(made->size());
  report.set_sha256(std::string(as_bytes(sha256(*made))));
  report.set_checkpoint_size(judged.checkpoint_size());
  report.set_vkey(vkey_of(*key));
  report.set_verdict(judged.verdict());
  return present(globals, report, {}, text_of(report), kExitDone);
}

}  // namespace

void declare_bundle(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand(
      "bundle", "One file that shows a stranger, offline, what became of a run");
  command
      ->add_option("RUN", options->run,
                   "Id, prefix of six characters or more, latest, latest:MODULE")
      ->required();
  command->add_option("-o,--output", options->file, "The file; made with mode 0600")
      ->required()
      ->type_name("FILE");
  command->add_flag("--replace", options->replace, "Overwrite FILE if it is there");
  command->footer(
      "The file has the run's events as stored, their proofs, the newest signed checkpoint, the\n"
      "texts behind commitments that were not erased, the signed statement and the report. It is\n"
      "a tar archive; what is in it is told by `tar -tf FILE`, whether it is true by `muniment\n"
      "verify FILE --key VKEY`. Same events, checkpoint and program: same bytes.\n\n"
      "Example:\n  muniment bundle latest -o run.bundle\n\n"
      "Exit: 0 made and checked, 1 the file cannot be written, 2 usage, FILE is there already, or\n"
      "      the newest checkpoint does not cover the run, 5 damaged store, 7 no such RUN, no key\n"
      "      or no checkpoint");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return bundle(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
