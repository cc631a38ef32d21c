#include <algorithm>
#include <set>
#include <sstream>

#include "cli/approve_draft.h"
#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/signers.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/queries.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

constexpr std::size_t kShown = 400;

std::string row(std::string_view name, std::string_view value) {
  constexpr std::size_t kWidth = 11;
  std::string out = "  " + std::string(name);
  out.append(kWidth - std::min(kWidth - 1, name.size()), ' ');
  return out.append(value) + "\n";
}

// To the second; a signed time has all nine digits.
std::string moment(std::int64_t nanoseconds) {
  return rfc3339(timestamp_of(nanoseconds)).substr(0, 19) + "Z";
}

std::string digest_words(const std::string& digest) {
  return digest.substr(0, 8) + " (" + digest + ")";
}

std::string who(const v1::RunState& run, const LogReader& log) {
  const std::optional<std::string> text = resolver_for(log)(run.actor());
  return text ? inert_short(*text, kShown) : "somebody whose name was erased";
}

std::string rehearsal_rows(const ApproveSubject& subject, const LogReader& log) {
  const v1::RunState& run = subject.rehearsal;
  return row("candidate", inert(subject.module)) +
         row("run", run.run_id() + ", rehearsed " + rfc3339(run.finished_at()).substr(0, 19) +
                        "Z by " + who(run, log) + " on " + inert_short(run.host(), kShown)) +
         row("plan", digest_words(subject.plan_digest));
}

// An argument as a shell would take it.
std::string argument(std::string_view text) {
  const bool plain = !text.empty() && text.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_./:=@%+,") == std::string_view::npos;
  return plain ? std::string(text) : "'" + inert(text) + "'";
}

std::string command_rows(const v1::HostCommand& command) {
  std::string line;
  for (const std::string& word : command.argv()) line += (line.empty() ? "" : " ") + argument(word);
  std::string names;
  for (const std::string& name : command.environment_names()) {
    names += (names.empty() ? "" : " ") + inert(name);
  }
  std::string out = row("command", line) + row("folder", inert(command.working_folder()));
  if (!names.empty()) out += row("variables", names);
  for (const v1::BoundFile& file : command.files()) {
    out += row("file", to_hex(file.sha256()) + "  " + inert(file.path()));
  }
  return out;
}

std::string container_rows(const v1::ContainerTarget& container) {
  if (container.container_id().empty()) return "";
  return row("container", inert_short(container.name(), kShown) + " " +
                              inert_short(container.container_id(), kShown)) +
         row("image", inert_short(container.image_id(), kShown));
}

// What only the proposed steps say: which container and image, which command.
Result<std::string> step_rows(const ApproveSubject& subject, const LogReader& log) {
  std::string out;
  std::set<std::string> seen;
  for (const v1::StepState& state : subject.rehearsal.steps()) {
    if (!state.planned() || state.module() != subject.module) continue;
    Result<StoredEvent> stored = read_event(log, state.proposed_sequence());
    if (!stored) return pass(stored);
    const v1::Step& step = stored->event.plan_step_proposed().step();
    std::string rows = container_rows(step.container());
    if (step.has_command()) rows += command_rows(step.command());
    if (!rows.empty() && seen.insert(rows).second) out += rows;
  }
  return out;
}

std::string what_blocks(const ApproveSubject& subject) {
  std::string out;
  const GateJudgement judgement = judge_gate(subject.question);
  for (const v1::Condition& condition : judgement.verdict.conditions()) {
    if (condition.verdict() == v1::VERDICT_OK || condition.name() == "approval") continue;
    out += "  " + condition.name() + ": " + condition.detail() + "\n";
    if (!condition.next().empty()) out += "    next: " + condition.next() + "\n";
  }
  return out.empty() ? "Nothing else blocks the gate now.\n"
                     : "What still blocks the gate:\n" + out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// Lines that only one of two texts has.
std::string lines_beyond(const std::string& text, const std::string& other, std::string_view mark) {
  const std::vector<std::string> others = lines_of(other);
  std::string out;
  for (const std::string& line : lines_of(text)) {
    if (std::find(others.begin(), others.end(), line) != others.end()) continue;
    out += "  " + std::string(mark) + " " + inert_short(line, kShown) + "\n";
  }
  return out;
}

std::string key_lines(const std::string& signers) {
  const Result<std::vector<Signer>> keys = parse_signers(signers);
  std::string out;
  for (const Signer& signer : keys ? *keys : std::vector<Signer>{}) {
    out += "signer " + signer.fingerprint + " " + signer.principals.front() + "\n";
  }
  return out;
}

std::string change_rows(const ApproveSubject& subject) {
  const std::string before =
      format_policy(subject.policy.policy) + key_lines(subject.policy.signers);
  const std::string after = format_policy(subject.next->policy) + key_lines(subject.next->signers);
  return row("from", digest_words(subject.policy.digest)) +
         row("to", digest_words(subject.plan_digest)) + lines_beyond(before, after, "-") +
         lines_beyond(after, before, "+");
}

std::string common_rows(const ApproveSubject& subject, const ApprovalStatement& statement,
                        const std::string& reason) {
  const GatePolicy& policy = subject.policy.policy;
  std::string out =
      row("policy", digest_words(subject.policy.digest) + ", " + std::to_string(policy.approvals) +
                        (policy.approvals == 1 ? " key" : " distinct keys"));
  out += row("holds", moment(statement.not_before_ns) + " until " + moment(statement.expires_ns));
  if (!reason.empty()) out += row("reason", inert_short(reason, kShown));
  return out;
}

}  // namespace

Result<std::string> page_of(const ApproveSubject& subject, const ApprovalStatement& statement,
                            const std::string& reason, const LogReader& log) {
  const std::string gate = "gate " + inert(subject.gate);
  if (subject.is_change()) {
    return "To be approved: another policy of " + gate + "\n" + change_rows(subject) +
           common_rows(subject, statement, reason);
  }
  Result<std::string> steps = step_rows(subject, log);
  if (!steps) return steps;
  return "To be approved: one `" + inert(subject.guarded) + "` under " + gate + "\n" +
         rehearsal_rows(subject, log) + *steps + common_rows(subject, statement, reason) +
         render_resolution(subject.rehearsal) + render_plan(subject.rehearsal) +
         what_blocks(subject);
}

}  // namespace muniment
