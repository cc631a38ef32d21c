#include <algorithm>
#include <memory>

#include "cli/ask_gate.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/core/text.h"
#include "replay/find_run.h"
#include "replay/render_gate.h"

namespace muniment {
namespace {

struct Options {
  std::string gate;
  std::string module;
  std::string guarded = "backup";
  std::string run;  // empty: the newest successful rehearsal
  bool record = false;
};

Status check_module(const GateBooks& books, const Options& options) {
  const std::vector<std::string> guarded = guarded_modules(books, options.gate);
  if (std::find(guarded.begin(), guarded.end(), options.module) != guarded.end()) return {};
  std::string names;
  for (const std::string& name : guarded) names += (names.empty() ? "" : ", ") + inert(name);
  return fail(ErrorCode::kInvalid, "module `" + inert_short(options.module, 80) +
                                       "` is none of gate " + inert(options.gate) +
                                       ", which guards " + (names.empty() ? "no module" : names));
}

// The run that is to be executed; empty: there is none.
Result<std::string> find_candidate(const LogReader& log, const Options& options) {
  if (!options.run.empty()) {
    Result<v1::RunState> run = find_rehearsal(log, options.run, options.guarded);
    if (!run) return pass(run);
    return run->run_id();
  }
  Result<std::optional<v1::RunState>> newest =
      newest_rehearsal(log, options.module, options.guarded);
  if (!newest) return pass(newest);
  return newest->has_value() ? (*newest)->run_id() : std::string();
}

v1::Event event_of(const v1::GateReport& report) {
  v1::Event event;
  event.set_module(report.module());
  event.set_about_run(report.candidate_run());
  v1::GateEvaluated& body = *event.mutable_gate_evaluated();
  body.set_gate(report.gate());
  body.set_guarded(report.guarded());
  body.set_open(report.open());
  *body.mutable_conditions() = report.conditions();
  body.set_candidate_run(report.candidate_run());
  body.set_plan_digest(report.plan_digest());
  body.set_policy_digest(report.policy_digest());
  if (report.has_gate_time()) *body.mutable_gate_time() = report.gate_time();
  return event;
}

Result<v1::GateReport> judge(const GateBooks& books, const LogReader& log, const Options& options,
                             const Globals& globals) {
  Result<std::string> candidate = find_candidate(log, options);
  if (!candidate) return pass(candidate);
  return judge_now(books, log, {options.gate, options.module, options.guarded, *candidate},
                   globals);
}

Result<int> gate(const Options& options, const Globals& globals, Redactor& secrets) {
  Result<GateBooks> books = open_gate_books(globals, secrets);
  if (!books) return pass(books);
  if (Status status = check_gate_name(*books, options.gate); !status) return pass(status);
  if (Status status = check_module(*books, options); !status) return pass(status);
  Result<v1::GateReport> report = judge(*books, *books->reader, options, globals);
  if (!report) return pass(report);
  if (options.record) {
    const Result<std::uint64_t> sequence = record_outside(
        *books, globals, secrets, [&](const LogReader& log, auto&) -> Result<v1::Event> {
          report = judge(*books, log, options, globals);
          if (!report) return pass(report);
          return event_of(*report);
        });
    if (!sequence) return std::unexpected(sequence.error());
    report->set_sequence(*sequence);
  }
  return present(globals, *report, {}, render_gate(*report),
                 report->open() ? kExitDone : kExitClosed);
}

}  // namespace

void declare_gate(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      root.add_subcommand("gate", "The verdict of a gate on a module, with each condition");
  command->add_option("GATE", options->gate, "F3")->required();
  command->add_option("--module", options->module, "The candidate")->required();
  command->add_option("--guarded", options->guarded, "For which command; default: backup")
      ->check(CLI::IsMember({"backup", "exec", "restore"}));
  command
      ->add_option("--run", options->run,
                   "The rehearsal that is to be executed; default: the module's newest")
      ->type_name("RUN");
  command->add_flag("--record", options->record, "Keep the verdict in the log");
  command->footer(
      "Example:\n  muniment gate F3 --module notes\n"
      "  muniment gate F3 --module notes --json | jq .open\n\n"
      "Nothing is done and no approval is consumed: an execution asks again, directly before it\n"
      "touches anything. What only then can be known, such as drift, is not part of this answer.\n"
      "Exit: 0 open, 2 usage, 3 closed, 5 damaged store, 6 store busy (--record),\n"
      "      7 no such RUN, 8 no ssh-keygen");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return gate(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
