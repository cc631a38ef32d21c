#include <memory>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "replay/evidence.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

struct Options {
  std::vector<std::string> modules;
  bool all = false;
  bool dry_run = false;
  bool require_landlock = false;
  std::string plan;
};

std::string text_of(const v1::RunState& run, bool dry_run) {
  std::string out;
  if (!run.modules().empty()) out += render_resolution(run) + "\n";
  if (!run.steps().empty()) out += render_plan(run) + "\n";
  if (!run.artifacts().empty()) out += "Artifacts\n" + render_artifacts(run) + "\n";
  out += verdict_line(run) + "\n";
  if (!dry_run || run.outcome() != v1::RUN_OUTCOME_OK) return out;
  out += "Nothing was written outside the store.";
  for (const v1::GateState& gate : run.gates()) {
    if (gate.open()) continue;
    return out + " Gate " + gate.gate() + " guards " + gate.module() +
           "; what is missing to take this plan:\n  muniment gate " + gate.gate() + " --module " +
           gate.module() + "\n";
  }
  return out + " To take it: muniment backup --plan " + run.run_id().substr(0, 13) + "\n";
}

Result<int> back_up(const Options& options, const Globals& globals, Redactor& secrets) {
  if (options.dry_run && !options.plan.empty()) {
    return fail(ErrorCode::kInvalid,
                "--plan executes what a dry run rehearsed; leave out --dry-run");
  }
  if (options.require_landlock && !options.dry_run) {
    return fail(ErrorCode::kInvalid,
                "--require-landlock goes with --dry-run: an execution must write; leave it out");
  }
  if (options.all && (!options.modules.empty() || !options.plan.empty())) {
    return fail(ErrorCode::kInvalid, "--all goes with neither modules nor --plan; choose one");
  }
  RunOptions run_options;
  run_options.purpose = "backup";
  run_options.mode = options.dry_run ? v1::MODE_DRY_RUN : v1::MODE_EXECUTION;
  run_options.selection = {.modules = options.modules, .all = options.all};
  run_options.require_landlock = options.require_landlock;
  run_options.plan = options.plan;
  Result<v1::RunState> run = record_run(globals, run_options, secrets);
  if (!run) return pass(run);
  return present_run(globals, secrets, *run, text_of(*run, options.dry_run));
}

}  // namespace

void declare_backup(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = root.add_subcommand("backup", "Rehearse a backup, or take it");
  command->add_option("MODULE", options->modules, "Modules of the manifest");
  command->add_flag("--all", options->all, "Every module of the manifest");
  command->add_flag("--dry-run", options->dry_run,
                    "Resolve, plan and record; write no backup, create no folder");
  command
      ->add_option("--plan", options->plan,
                   "Execute exactly the plan that this dry run rehearsed, or nothing (exit 4)")
      ->type_name("RUN");
  command->add_flag("--require-landlock", options->require_landlock,
                    "Fail when the kernel cannot hold the dry run to its word");
  command->footer(
      "Example:\n  muniment backup --dry-run --all && muniment backup --plan latest:dry-run\n\n"
      "Exit: 0 done, 1 failed (recorded), 2 usage or manifest, 3 gate closed, 4 drift,\n"
      "      6 store busy, 8 engine unreachable, 130 interrupted");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return back_up(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
