#include "replay/render_gate.h"

#include <algorithm>
#include <vector>

#include "recorder/core/text.h"
#include "replay/markdown_text.h"

namespace muniment {
namespace {

constexpr std::size_t kLongestName = 80;
constexpr std::size_t kLongestDetail = 600;

using Sequences = google::protobuf::RepeatedField<std::uint64_t>;

std::string proof(const Sequences& sequences) {
  constexpr int kMost = 8;
  std::string out;
  for (int i = 0; i < std::min(sequences.size(), kMost); ++i) {
    out += " #" + std::to_string(sequences[i]);
  }
  const int more = sequences.size() - kMost;
  return more > 0 ? out + " and " + std::to_string(more) + " more" : out;
}

std::string short_digest(const std::string& digest) {
  return inert(digest.substr(0, 8));
}

std::string name(const std::string& text) {
  return inert_short(text, kLongestName);
}

std::string verdict_word(v1::Verdict verdict) {
  const auto* found = v1::Verdict_descriptor()->FindValueByNumber(verdict);
  return found == nullptr ? "unknown" : enum_word(*found);
}

// "F3 for notes (backup)"
std::string subject(const std::string& gate, const std::string& module,
                    const std::string& guarded) {
  return name(gate) + " for " + name(module) + (guarded.empty() ? "" : " (" + name(guarded) + ")");
}

// Code points.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t points = width_of(text);
  return points < width ? text + std::string(width - points, ' ') : text;
}

std::string conditions(const v1::GateReport& gate, const std::string& indent) {
  std::size_t width = 0;
  for (const v1::Condition& row : gate.conditions()) {
    width = std::max(width, width_of(name(row.name())));
  }
  std::string out;
  for (const v1::Condition& row : gate.conditions()) {
    const bool ok = row.verdict() == v1::VERDICT_OK;
    out += indent + (ok ? "✓ " : "✗ ") + padded(verdict_word(row.verdict()), 9) +
           padded(name(row.name()), width + 2) + inert_short(row.detail(), kLongestDetail) +
           proof(row.decided_by()) + "\n";
    if (!ok && !row.next().empty()) {
      out += indent + "    " + inert_short(row.next(), kLongestDetail) + "\n";
    }
  }
  return out;
}

std::string candidate(const v1::GateReport& gate) {
  std::string out;
  if (!gate.candidate_run().empty()) out += ", run " + inert(gate.candidate_run());
  if (!gate.plan_digest().empty()) out += ", plan " + short_digest(gate.plan_digest());
  return out;
}

std::string statements(const google::protobuf::RepeatedPtrField<v1::Statement>& list,
                       const std::string& mark) {
  std::string out;
  for (const v1::Statement& row : list) {
    out += "    " + mark + inert_short(row.text(), kLongestDetail) + proof(row.sequences()) + "\n";
  }
  return out;
}

std::string text_of(const v1::Erasable& field, const Resolver& resolve) {
  if (field.commitment().empty()) return "-";
  const std::optional<std::string> text = resolve(field);
  return text ? inert_short(*text, kLongestDetail) : resolve.words_for_gone(field);
}

std::string numbered(std::uint64_t sequence) {
  return "#" + std::to_string(sequence);
}

std::string state_of(const v1::ApprovalView& row) {
  std::string out = inert(row.state());
  if (row.has_consumed_sequence()) {
    out += (row.state() == "consumed" ? "" : ", consumed") + std::string(" by run ") +
           inert(row.consumed_by()) + " " + numbered(row.consumed_sequence());
  }
  if (row.has_revoked_sequence()) {
    out += (row.state() == "revoked" ? " " : ", revoked later ") + numbered(row.revoked_sequence());
  }
  return out;
}

std::string approval(const v1::ApprovalView& row, const Resolver& resolve) {
  return "  approval " + numbered(row.sequence()) + " of " +
         subject(row.gate(), row.module(), row.guarded()) + ", plan " +
         short_digest(row.plan_digest()) + ": " + state_of(row) + "\n    by " +
         text_of(row.principal(), resolve) + " with key " + name(row.key_fingerprint()) +
         ", signature in " + numbered(row.submitted_sequence()) + "\n    from " +
         rfc3339(row.not_before()) + " until " + rfc3339(row.expires()) +
         "\n    reason: " + text_of(row.reason(), resolve) + "\n";
}

}  // namespace

std::string next_command(const v1::GateReport& gate) {
  if (gate.open()) {
    if (gate.candidate_run().empty()) return "";
    if (gate.guarded() == "exec") {
      return "muniment exec --module " + shell_word(gate.module()) + " --gate " +
             shell_word(gate.gate()) + " --plan " + shell_word(gate.candidate_run()) +
             " -- CMD  # the command that was rehearsed";
    }
    return "muniment backup --plan " + shell_word(gate.candidate_run());
  }
  for (const v1::Condition& row : gate.conditions()) {
    if (row.verdict() != v1::VERDICT_OK && !row.next().empty()) return row.next();
  }
  return "";
}

std::string render_gate(const v1::GateReport& gate) {
  std::string out = gate.open() ? "GATE OPEN: " : "GATE CLOSED: ";
  out += subject(gate.gate(), gate.module(), gate.guarded()) + candidate(gate) + "\n";
  out += conditions(gate, "  ");
  if (gate.open() && !next_command(gate).empty()) out += "next: " + next_command(gate) + "\n";
  if (gate.has_sequence()) out += "recorded as " + numbered(gate.sequence()) + "\n";
  return out;
}

std::string render_candidates(const v1::CandidateList& list) {
  if (list.candidates().empty()) return "no module is guarded by gate " + name(list.gate()) + "\n";
  std::string out;
  for (const v1::Candidate& row : list.candidates()) {
    out += std::to_string(row.rank()) + ". " + name(row.module()) + ": " +
           (row.open() ? "open" : "closed");
    out += row.run_id().empty()
               ? ", no successful rehearsal"
               : ", run " + inert(row.run_id()) + ", plan " + short_digest(row.plan_digest());
    out += "\n" + statements(row.evidence_for(), "✓ ") + statements(row.evidence_against(), "✗ ");
    if (!row.next().empty()) out += "    next: " + inert_short(row.next(), kLongestDetail) + "\n";
  }
  return out;
}

std::string render_gates(const v1::Evidence& e, const Resolver& resolve) {
  std::string out;
  if (const std::string& digest = e.run().plan_digest(); !digest.empty()) {
    out += "  plan " + short_digest(digest) + " (" + inert(digest) + ")\n";
  }
  for (const v1::GateReport& gate : e.gates()) {
    out += "  gate " + subject(gate.gate(), gate.module(), gate.guarded()) + ": " +
           (gate.open() ? "open" : "closed");
    if (gate.has_gate_time()) out += " at " + rfc3339(gate.gate_time());
    if (!gate.policy_digest().empty()) out += ", policy " + short_digest(gate.policy_digest());
    out += candidate(gate) + " " + numbered(gate.sequence()) + "\n" + conditions(gate, "    ");
  }
  for (const v1::ApprovalView& row : e.approvals()) out += approval(row, resolve);
  return out;
}

}  // namespace muniment
