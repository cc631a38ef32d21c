#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "cli/view.h"
#include "recorder/core/text.h"
#include "replay/find_run.h"
#include "replay/query.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

struct Options {
  RunFilter filter;
  std::string since;
  std::string until;
};

Status fill_times(Options& options) {
  const std::int64_t now = make_host_clock()->now().wall_ns;
  for (auto [text, field] : {std::pair{&options.since, &options.filter.since_ns},
                             std::pair{&options.until, &options.filter.until_ns}}) {
    if (text->empty()) continue;
    Result<std::int64_t> time = parse_time(*text, now);
    if (!time) return pass(time);
    *field = *time;
  }
  return {};
}

Result<int> show_runs(Options options, const Globals& globals, Redactor& secrets) {
  if (Status status = fill_times(options); !status) return pass(status);
  // Who only reads acts as nobody: here --actor says whose runs are meant.
  options.filter.actor = globals.actor;
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  if (!options.filter.before.empty()) {
    Result<v1::RunState> before = find_run(*log->reader, options.filter.before);
    if (!before) return pass(before);
    options.filter.before = before->run_id();
  }
  Result<v1::RunList> list = muniment::list(*log->reader, options.filter);
  if (!list) return pass(list);
  const Resolver resolve = resolver_for(*log->reader);
  if (!globals.jsonl) {
    return present(globals, *list, resolve, render_runs(*list, resolve), kExitDone);
  }
  std::string out;
  for (const v1::RunState& run : list->runs()) {
    out += to_json(run, {.resolve = resolve, .pretty = false}) + "\n";
  }
  return print(out) ? kExitDone : kExitFailed;
}

}  // namespace

void declare_runs(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("runs", "Prior runs, newest first");
  RunFilter& filter = options->filter;
  command->add_option("--module", filter.module, "Runs that concern this module");
  command->add_option("--mode", filter.mode)
      ->check(CLI::IsMember({"dry-run", "execution", "observation"}));
  command->add_option("--outcome", filter.outcome)
      ->check(CLI::IsMember({"ok", "failed", "refused", "interrupted", "abandoned", "running"}));
  command->add_option("--gate", filter.gate, "Runs in which this gate was evaluated");
  command->add_option("--since", options->since, "Started at or after: RFC 3339, or 24h ago as 24h")
      ->type_name("TIME");
  command->add_option("--until", options->until, "Started before")->type_name("TIME");
  command->add_option("--limit", filter.limit, "At most so many")->check(CLI::Range(1U, 1000000U));
  command->add_option("--before", filter.before, "Only runs that started before this one")
      ->type_name("RUN");
  command->footer(
      "Example:\n  muniment runs --module notes --outcome ok --since 7d\n"
      "  muniment runs --actor operator:anna      whose runs, as claimed\n\n"
      "Exit: 0 done (also when there are none), 2 usage, 5 damaged store, 7 no such RUN");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return show_runs(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
