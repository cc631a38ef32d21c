#include <vector>

#include "replay/markdown_sections.h"
#include "replay/markdown_text.h"

namespace muniment::markdown {
namespace {

std::string short_digest(const std::string& digest) {
  return code_span(digest.substr(0, 8));
}

// "`F3` for `notes` (`backup`)"
std::string subject(const std::string& gate, const std::string& module,
                    const std::string& guarded) {
  return code_span(gate) + " for " + code_span(module) +
         (guarded.empty() ? "" : " (" + code_span(guarded) + ")");
}

std::string with_proof(const std::string& text, const Sequences& sequences) {
  return text + (sequences.empty() ? "" : " ") + proof(sequences) + "\n";
}

std::string condition(const v1::Condition& row) {
  const bool ok = row.verdict() == v1::VERDICT_OK;
  const std::string verdict = ok ? word(row.verdict()) : "**" + word(row.verdict()) + "**";
  const std::string detail = row.detail().empty() ? "" : ": " + sentence(row.detail());
  std::string out =
      with_proof("  - " + verdict + " " + code_span(row.name()) + detail, row.decided_by());
  if (!ok && !row.next().empty()) out += "    - next: " + code_span(row.next(), 600) + "\n";
  return out;
}

std::string verdict(const v1::GateReport& gate) {
  std::string out = "- gate " + subject(gate.gate(), gate.module(), gate.guarded()) + ": " +
                    (gate.open() ? "open" : "**closed**");
  if (gate.has_gate_time()) out += " at " + code_span(rfc3339(gate.gate_time()));
  if (!gate.policy_digest().empty()) out += ", policy " + short_digest(gate.policy_digest());
  if (!gate.candidate_run().empty()) out += ", run " + code_span(gate.candidate_run());
  if (!gate.plan_digest().empty()) out += ", plan " + short_digest(gate.plan_digest());
  out += " " + event_name(gate.sequence()) + "\n";
  for (const v1::Condition& row : gate.conditions()) out += condition(row);
  return out;
}

std::string state_of(const v1::ApprovalView& row) {
  std::string out = sentence(row.state());
  if (row.has_consumed_sequence()) {
    out += std::string(row.state() == "consumed" ? "" : ", consumed") + " by run " +
           code_span(row.consumed_by()) + " " + event_name(row.consumed_sequence());
  }
  if (row.has_revoked_sequence()) {
    out +=
        (row.state() == "revoked" ? " " : ", revoked later ") + event_name(row.revoked_sequence());
  }
  return out;
}

std::string approval(const v1::ApprovalView& row, const Resolver& resolve) {
  return "- approval " + event_name(row.sequence()) + " of " +
         subject(row.gate(), row.module(), row.guarded()) + ", plan " +
         short_digest(row.plan_digest()) + ": " + state_of(row) + "\n  - by " +
         erasable(row.principal(), resolve) + " with key " + code_span(row.key_fingerprint()) +
         ", signature in " + event_name(row.submitted_sequence()) + "\n  - from " +
         code_span(rfc3339(row.not_before())) + " until " + code_span(rfc3339(row.expires())) +
         "\n  - reason: " + erasable(row.reason(), resolve) + "\n";
}

}  // namespace

std::string gates(const v1::Evidence& e, const Resolver& resolve) {
  std::string out;
  const std::string& digest = e.run().plan_digest();
  if (!digest.empty()) {
    out += "- plan " + short_digest(digest) + " (" + code_span(digest) + ")\n";
  }
  for (const v1::GateReport& gate : e.gates()) out += verdict(gate);
  for (const v1::ApprovalView& row : e.approvals()) out += approval(row, resolve);
  return out;
}

}  // namespace muniment::markdown
