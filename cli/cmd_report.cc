#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "replay/evidence.h"
#include "replay/find_run.h"
#include "replay/render_markdown.h"
#include "replay/render_text.h"

namespace muniment {

namespace {

struct Options {
  std::string run = "latest";
  std::string format;  // empty: not given
  std::string layout;  // empty: the report
};

// What is to be written: "text", "json" or "markdown". kInvalid where the options contradict.
Result<std::string> format_of(const Globals& globals, const Options& options) {
  const bool json = globals.json || globals.jsonl;
  const std::string otherwise = json ? "json" : options.layout.empty() ? "text" : "markdown";
  const std::string& format = options.format.empty() ? otherwise : options.format;
  if (!options.layout.empty() && (json || format != "markdown")) {
    return fail(ErrorCode::kInvalid, "--template " + options.layout +
                                         " is Markdown; give it --format markdown, or no format");
  }
  if (json && format == "markdown") {
    return fail(ErrorCode::kInvalid,
                "--format markdown and --json ask for two documents; give one of them");
  }
  return json ? "json" : format;
}

std::string render(const std::string& format, const Options& options, const v1::Evidence& evidence,
                   const Resolver& resolve) {
  if (format != "markdown") return render_evidence(evidence, resolve);
  return options.layout.empty() ? render_markdown(evidence, resolve)
                                : render_context_pack(evidence, resolve);
}

// By the first checkpoint that covers the run: later ones change nothing of its report.
Result<std::optional<SignedTree>> signed_tree_of(const LogReader& log, const v1::RunState& run) {
  Result<std::optional<StoredCheckpoint>> over = checkpoint_over(log, run.last_sequence());
  if (!over) return pass(over);
  if (!over->has_value()) return std::nullopt;
  Result<Digest> root = root_at(log, (*over)->size);
  if (!root) return pass(root);
  return SignedTree{(*over)->size, *root, (*over)->note, "muniment verify"};
}

Result<int> report(const Globals& given, Redactor& secrets, const Options& options) {
  Result<std::string> format = format_of(given, options);
  if (!format) return pass(format);
  Result<OpenLog> log = open_log(given, secrets);
  if (!log) return pass(log);
  Result<v1::RunState> run = find_run(*log->reader, options.run);
  if (!run) return pass(run);
  Result<std::optional<SignedTree>> tree = signed_tree_of(*log->reader, *run);
  if (!tree) return pass(tree);
  Result<v1::Evidence> evidence = make_evidence(*log->reader, run->run_id(), *tree);
  if (!evidence) return pass(evidence);
  const Resolver resolve = resolver_for(*log->reader);
  Globals globals = given;
  globals.json = *format == "json";
  return present(globals, *evidence, resolve, render(*format, options, *evidence, resolve),
                 kExitDone);
}

}  // namespace

void declare_report(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("report", "The evidence report of a run");
  command
      ->add_option("RUN", options->run,
                   "Id, prefix of six characters or more, latest, latest:MODULE")
      ->required();
  command->add_option("--format", options->format, "Default: text; with --template: markdown")
      ->check(CLI::IsMember({"text", "json", "markdown"}));
  command
      ->add_option("--template", options->layout,
                   "The order of a pull request's context pack; Markdown")
      ->check(CLI::IsMember({"context-pack"}));
  command->footer(
      "Example:\n  muniment report latest --format text\n"
      "  muniment report latest --format markdown >report.md\n"
      "  muniment report latest --template context-pack\n\n"
      "Same events, same bytes. Exit: 0 done, 2 usage, 5 damaged store, 7 no such RUN");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& given, Redactor& secrets) {
      return report(given, secrets, *options);
    };
  });
}

}  // namespace muniment
