#include <algorithm>
#include <memory>
#include <tuple>

#include "cli/ask_gate.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/core/text.h"
#include "recorder/stamper.h"
#include "replay/render_gate.h"

namespace muniment {
namespace {

struct Options {
  std::string gate;
  std::string guarded = "backup";
  bool record = false;
};

// A module with its verdict, before it has a rank.
struct Judged {
  v1::GateReport report;
  std::size_t open_questions = 0;  // conditions that are not ok
  std::uint64_t rehearsed = 0;     // 1 + sequence of the rehearsal's start; 0: none
};

Result<Judged> judge_module(const GateBooks& books, const LogReader& log, const Options& options,
                            const std::string& module, const Globals& globals) {
  Result<std::optional<v1::RunState>> newest = newest_rehearsal(log, module, options.guarded);
  if (!newest) return pass(newest);
  Judged out;
  GateSubject subject{options.gate, module, options.guarded, ""};
  if (newest->has_value()) {
    subject.run_id = (*newest)->run_id();
    out.rehearsed = (*newest)->first_sequence() + 1;
  }
  Result<v1::GateReport> report = judge_now(books, log, subject, globals);
  if (!report) return pass(report);
  out.report = std::move(*report);
  for (const v1::Condition& row : out.report.conditions()) {
    if (row.verdict() != v1::VERDICT_OK) ++out.open_questions;
  }
  return out;
}

// Same facts, same order.
bool is_ahead(const Judged& a, const Judged& b) {
  const auto key = [](const Judged& it) {
    return std::tuple(!it.report.open(), it.open_questions, ~it.rehearsed, it.report.module());
  };
  return key(a) < key(b);
}

void add_evidence(v1::Candidate& candidate, const v1::Condition& row) {
  v1::Statement& statement = row.verdict() == v1::VERDICT_OK ? *candidate.add_evidence_for()
                                                             : *candidate.add_evidence_against();
  const bool missing = row.verdict() == v1::VERDICT_MISSING;
  statement.set_text(inert_short(row.name(), 80) + (missing ? " is missing: " : ": ") +
                     inert_short(row.detail(), 600));
  *statement.mutable_sequences() = row.decided_by();
}

v1::Candidate candidate_of(const Judged& judged, std::uint32_t rank) {
  v1::Candidate out;
  out.set_rank(rank);
  out.set_module(judged.report.module());
  out.set_run_id(judged.report.candidate_run());
  out.set_plan_digest(judged.report.plan_digest());
  out.set_open(judged.report.open());
  for (const v1::Condition& row : judged.report.conditions()) add_evidence(out, row);
  out.set_next(next_command(judged.report));
  return out;
}

Result<v1::CandidateList> rank(const GateBooks& books, const LogReader& log, const Options& options,
                               const Globals& globals) {
  std::vector<Judged> judged;
  for (const std::string& module : guarded_modules(books, options.gate)) {
    Result<Judged> one = judge_module(books, log, options, module, globals);
    if (!one) return pass(one);
    judged.push_back(std::move(*one));
  }
  std::sort(judged.begin(), judged.end(), is_ahead);
  v1::CandidateList out;
  out.set_gate(options.gate);
  out.set_guarded(options.guarded);
  for (const Judged& one : judged) {
    if (!out.has_gate_time() && one.report.has_gate_time()) {
      *out.mutable_gate_time() = one.report.gate_time();
    }
    *out.add_candidates() =
        candidate_of(one, static_cast<std::uint32_t>(out.candidates_size() + 1));
  }
  return out;
}

Result<v1::Event> recommend(const v1::CandidateList& list, const Options& options,
                            const Redactor& secrets, std::vector<std::string>& blobs) {
  if (list.candidates().empty() || list.candidates(0).run_id().empty()) {
    return fail(ErrorCode::kNotFound,
                "no module of gate " + inert(options.gate) +
                    " has a successful rehearsal; run `muniment backup MODULE --dry-run` first");
  }
  const v1::Candidate& first = list.candidates(0);
  std::string reason =
      first.open()
          ? "the gate is open"
          : "closest to open: " +
                counted(static_cast<std::uint64_t>(first.evidence_against_size()), "condition") +
                " not met";
  for (const v1::Statement& row : first.evidence_against()) reason += "; " + row.text();
  v1::Event event;
  event.set_module(first.module());
  event.set_about_run(first.run_id());
  event.mutable_candidate_recommended()->set_gate(options.gate);
  Hidden hidden = hide(secrets.redact(reason));
  *event.mutable_candidate_recommended()->mutable_reason() = hidden.field;
  blobs.push_back(std::move(hidden.blob));
  return event;
}

Result<int> candidates(const Options& options, const Globals& globals, Redactor& secrets) {
  Result<GateBooks> books = open_gate_books(globals, secrets);
  if (!books) return pass(books);
  if (Status status = check_gate_name(*books, options.gate); !status) return pass(status);
  Result<v1::CandidateList> list = rank(*books, *books->reader, options, globals);
  if (!list) return pass(list);
  std::string recorded;
  if (options.record) {
    const Result<std::uint64_t> sequence = record_outside(
        *books, globals, secrets,
        [&](const LogReader& log, std::vector<std::string>& blobs) -> Result<v1::Event> {
          list = rank(*books, log, options, globals);
          if (!list) return pass(list);
          return recommend(*list, options, secrets, blobs);
        });
    if (!sequence) return std::unexpected(sequence.error());
    recorded = "#" + std::to_string(*sequence) + " recommends " +
               inert(list->candidates(0).module()) + "\n";
  }
  return present(globals, *list, {}, render_candidates(*list) + recorded,
                 list->candidates().empty() ? kExitNotFound : kExitDone);
}

}  // namespace

void declare_candidates(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      root.add_subcommand("candidates", "Modules that a gate guards, the readiest first");
  command->add_option("--gate", options->gate, "F3")->required();
  command->add_option("--guarded", options->guarded, "For which command; default: backup")
      ->check(CLI::IsMember({"backup", "exec", "restore"}));
  command->add_flag("--record", options->record, "Record the first as the recommended one");
  command->footer(
      "Example:\n  muniment candidates --gate F3\n"
      "  muniment candidates --gate F3 --record --actor agent:codex\n\n"
      "Order: open gates, then fewer conditions that are not met, then the newer rehearsal, then\n"
      "the name. A recommendation is no approval.\n"
      "Exit: 0 done, 2 usage, 5 damaged store, 6 store busy (--record),\n"
      "      7 no module is guarded, or none was rehearsed (--record), 8 no ssh-keygen");
  command->callback([options, &chosen] {
    chosen = [options](const Globals& globals, Redactor& secrets) {
      return candidates(*options, globals, secrets);
    };
  });
}

}  // namespace muniment
