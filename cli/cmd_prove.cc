#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/output_file.h"
#include "cli/present.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/note.h"
#include "replay/prove.h"

namespace muniment {
namespace {

struct Options {
  std::string sequence;
  std::string from;  // a checkpoint's file
  std::string file;
  bool replace = false;
};

std::uint64_t size_in(const std::string& checkpoint) {
  const Result<Checkpoint> read = checkpoint_in(checkpoint);
  return read ? read->size : 0;
}

Result<v1::ProofReport> prove_event(const std::string& word, const LogReader& log) {
  const std::string_view digits =
      std::string_view(word).substr(word.starts_with('#') ? 1 : 0);  // as `show` takes it
  Result<std::uint64_t> sequence = parse_decimal(digits, "the sequence of an event");
  if (!sequence) return pass(sequence);
  Result<InclusionFile> file = make_inclusion_file(log, *sequence);
  if (!file) return pass(file);
  v1::ProofReport report;
  report.set_sequence(*sequence);
  report.set_checkpoint_size(size_in(file->checkpoint));
  report.set_proof(format_inclusion(*file));
  return report;
}

Result<v1::ProofReport> prove_extension(const std::string& path, const LogReader& log) {
  Result<std::string> note = read_input(path, kMostNoteBytes);
  if (!note) return pass(note);
  Result<ConsistencyFile> file = make_consistency_file(log, *note);
  if (!file) return pass(file);
  v1::ProofReport report;
  report.set_old_size(file->old_size);
  report.set_checkpoint_size(size_in(file->checkpoint));
  report.set_proof(format_consistency(*file));
  return report;
}

std::string text_of(const v1::ProofReport& report) {
  if (report.file().empty()) return report.proof();
  const std::string what =
      report.has_sequence()
          ? "event " + std::to_string(report.sequence()) + " is in the log of "
          : "the log of " + std::to_string(report.old_size()) + " events is extended by that of ";
  return inert(report.file()) + ": " + what + std::to_string(report.checkpoint_size()) +
         " events\n";
}

Result<int> prove(const Options& options, const Globals& globals, Redactor& secrets) {
  if (options.sequence.empty() == options.from.empty()) {
    return fail(ErrorCode::kInvalid,
                "give either the sequence of an event, or --from and the file of an older "
                "checkpoint");
  }
  if (options.replace && options.file.empty()) {
    return fail(ErrorCode::kInvalid, "--replace is about the file that -o names; give that too");
  }
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  Result<v1::ProofReport> report = options.from.empty()
                                       ? prove_event(options.sequence, *log->reader)
                                       : prove_extension(options.from, *log->reader);
  if (!report) return pass(report);
  if (!options.file.empty()) {
    if (Status status = write_output(options.file, report->proof(), options.replace); !status) {
      return pass(status);
    }
    report->set_file(valid_utf8(options.file));
  }
  return present(globals, *report, {}, text_of(*report), kExitDone);
}

}  // namespace

void declare_prove(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand(
      "prove", "A proof that an event is in the log, or that the log extends an older one");
  command->add_option("SEQ", options->sequence, "The event's sequence (412)");
  command
      ->add_option("--from", options->from, "The signed checkpoint that somebody has from before")
      ->type_name("CHECKPOINT");
  command
      ->add_option("-o,--output", options->file,
                   "The file, made with mode 0600; else standard output")
      ->type_name("FILE");
  command->add_flag("--replace", options->replace, "Overwrite FILE if it is there");
  command->footer(
      "The proof ends in the newest signed checkpoint. That of an event is a C2SP tlog-proof with\n"
      "the event's stored bytes as `extra`; the other one is what C2SP tlog-witness sends.\n\n"
      "Example:\n  muniment prove 412 -o 412.tlog-proof\n"
      "  muniment prove --from checkpoint.txt -o since.proof\n\n"
      "Exit: 0 proven, 1 the file cannot be written, 2 usage, FILE is there already, or no\n"
      "      checkpoint covers the event yet, 5 CHECKPOINT is not of this log, or a damaged "
      "store,\n"
      "      7 no such event, or nothing is signed yet");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return prove(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
