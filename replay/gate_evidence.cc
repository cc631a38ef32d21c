#include "replay/gate_evidence.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "recorder/core/text.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/queries.h"
#include "replay/markdown_text.h"

namespace muniment {
namespace {

constexpr std::size_t kLongestWord = 400;
constexpr int kMostWords = 32;

v1::ApprovalView view_of_acceptance(const StoredEvent& stored) {
  const v1::ApprovalAccepted& body = stored.event.approval_accepted();
  v1::ApprovalView view;
  view.set_sequence(stored.sequence);
  view.set_gate(body.gate());
  view.set_module(stored.event.module());
  view.set_guarded(body.guarded());
  view.set_plan_digest(body.plan_digest());
  view.set_key_fingerprint(body.key_fingerprint());
  if (body.has_principal()) *view.mutable_principal() = body.principal();
  if (body.has_not_before()) *view.mutable_not_before() = body.not_before();
  if (body.has_expires()) *view.mutable_expires() = body.expires();
  if (body.has_reason()) *view.mutable_reason() = body.reason();
  view.set_state("accepted");
  view.set_submitted_sequence(body.submitted_sequence());
  view.set_about_run(stored.event.about_run());
  return view;
}

using Approvals = std::map<std::uint64_t, v1::ApprovalView>;  // by the sequence of the acceptance

Status read_accepted(const LogReader& log, const std::string& run_id, Approvals& out) {
  if (run_id.empty()) return {};
  return read_indexed(
      log, IndexTag::kByRun, run_id, 0, Direction::kForward, [&](const StoredEvent& stored) {
        if (stored.event.has_approval_accepted() && stored.event.about_run() == run_id) {
          out.emplace(stored.sequence, view_of_acceptance(stored));
        }
        return true;
      });
}

void consume(Approvals& approvals, const StoredEvent& stored) {
  for (const std::uint64_t accepted : stored.event.approval_consumed().accepted_sequences()) {
    const auto found = approvals.find(accepted);
    if (found == approvals.end() || found->second.has_consumed_sequence()) continue;
    found->second.set_state("consumed");
    found->second.set_consumed_sequence(stored.sequence);
    found->second.set_consumed_by(stored.event.run_id());
  }
}

void revoke(Approvals& approvals, const StoredEvent& stored) {
  const auto found = approvals.find(stored.event.approval_revoked().accepted_sequence());
  if (found == approvals.end() || found->second.has_revoked_sequence()) return;
  found->second.set_revoked_sequence(stored.sequence);
  if (found->second.has_consumed_sequence() &&
      found->second.consumed_sequence() > stored.sequence) {
    return;
  }
  found->second.set_state("revoked");
}

Status read_what_became(const LogReader& log, Approvals& approvals) {
  const std::uint64_t first = approvals.begin()->first;
  const auto each = [&](std::uint32_t body, void (*take)(Approvals&, const StoredEvent&)) {
    return read_indexed(log, IndexTag::kByType, type_value(body), first, Direction::kForward,
                        [&](const StoredEvent& stored) {
                          take(approvals, stored);
                          return true;
                        });
  };
  Status read = each(v1::Event::kApprovalConsumed, consume);
  return read ? each(v1::Event::kApprovalRevoked, revoke) : read;
}

bool rehearses(const v1::RunState& run, const v1::ApprovalView& approval) {
  return run.mode() == v1::MODE_DRY_RUN && run.outcome() == v1::RUN_OUTCOME_OK &&
         run.purpose() == approval.guarded() &&
         std::ranges::any_of(run.steps(), [&](const v1::StepState& step) {
           return step.planned() && step.module() == approval.module();
         });
}

// Runs are asked from the newest down to the one that the approval is about.
Status supersede(const LogReader& log, v1::ApprovalView& approval) {
  std::optional<Error> failure;
  bool superseded = false;
  Status listed = list_runs(log, std::numeric_limits<std::uint64_t>::max(),
                            [&](std::string_view run_id, std::uint64_t) {
                              if (run_id == approval.about_run()) return false;
                              Result<v1::RunState> run = run_state(log, run_id);
                              if (!run) failure = run.error();
                              superseded = run && rehearses(*run, approval);
                              return run && !superseded;
                            });
  if (failure) return std::unexpected(*failure);
  if (superseded) approval.set_state("superseded");
  return listed;
}

std::string words_of(const v1::CommandState& command) {
  std::string out;
  for (int i = 0; i < std::min(command.argv_size(), kMostWords); ++i) {
    const std::string& word = command.argv(i);
    out += (i == 0 ? "" : " ") +
           (word.size() > kLongestWord ? inert_short(word, kLongestWord) : shell_word(word));
  }
  return command.argv_size() > kMostWords ? out + " …" : out;
}

std::string ending_of(const v1::CommandState& command) {
  if (command.timed_out()) return "killed, because its time was over";
  if (!command.has_exit_status()) return "no exit status";
  return "exit status " + std::to_string(command.exit_status());
}

}  // namespace

v1::GateReport gate_report(const v1::GateEvaluated& verdict, const std::string& module) {
  v1::GateReport report;
  report.set_gate(verdict.gate());
  report.set_module(module);
  report.set_guarded(verdict.guarded());
  report.set_open(verdict.open());
  report.set_candidate_run(verdict.candidate_run());
  report.set_plan_digest(verdict.plan_digest());
  report.set_policy_digest(verdict.policy_digest());
  if (verdict.has_gate_time()) *report.mutable_gate_time() = verdict.gate_time();
  *report.mutable_conditions() = verdict.conditions();
  return report;
}

void keep_newest(google::protobuf::RepeatedPtrField<v1::GateReport>& gates, v1::GateReport verdict,
                 std::uint64_t sequence) {
  verdict.set_sequence(sequence);
  for (v1::GateReport& earlier : gates) {
    if (earlier.gate() != verdict.gate() || earlier.module() != verdict.module() ||
        earlier.guarded() != verdict.guarded()) {
      continue;
    }
    earlier = std::move(verdict);
    return;
  }
  *gates.Add() = std::move(verdict);
}

Status add_approvals(const LogReader& log, v1::Evidence& evidence) {
  Approvals approvals;
  for (const std::string& run_id : {evidence.run().run_id(), evidence.run().follows_run()}) {
    if (Status read = read_accepted(log, run_id, approvals); !read) return read;
  }
  if (approvals.empty()) return {};
  if (Status read = read_what_became(log, approvals); !read) return read;
  for (auto& [sequence, approval] : approvals) {
    if (approval.state() == "accepted") {
      if (Status read = supersede(log, approval); !read) return read;
    }
    *evidence.add_approvals() = std::move(approval);
  }
  return {};
}

void add_commands(v1::Evidence& evidence) {
  for (const v1::CommandState& command : evidence.run().commands()) {
    v1::Statement& statement = *evidence.add_done();
    statement.set_text("For " + inert(command.module()) + " was run on host " +
                       inert(evidence.run().host()) + ": " + words_of(command) + "; " +
                       ending_of(command) + ".");
    statement.add_sequences(command.sequence());
  }
}

}  // namespace muniment
