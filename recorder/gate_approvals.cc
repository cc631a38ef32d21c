// Approvals as the log has them: submissions, and what became of each.
#include <map>
#include <set>
#include <tuple>

#include "recorder/core/timestamp.h"
#include "recorder/gate_facts.h"
#include "recorder/log/queries.h"
#include "recorder/visit_type.h"

namespace muniment {
namespace {

// What became of the submissions: by sequence of the acceptance.
struct Fates {
  std::map<std::uint64_t, std::uint64_t> accepted;  // by submission
  std::set<std::uint64_t> rejected;                 // submissions
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> consumed;
  std::map<std::uint64_t, std::uint64_t> revoked;
};

Result<Fates> read_fates(const LogReader& log) {
  Fates out;
  Status status = visit_type(log, v1::Event::kApprovalAccepted, [&](const StoredEvent& stored) {
    out.accepted.emplace(stored.event.approval_accepted().submitted_sequence(), stored.sequence);
    return Status();
  });
  if (!status) return pass(status);
  status = visit_type(log, v1::Event::kApprovalRejected, [&](const StoredEvent& stored) {
    out.rejected.insert(stored.event.approval_rejected().submitted_sequence());
    return Status();
  });
  if (!status) return pass(status);
  status = visit_type(log, v1::Event::kApprovalConsumed, [&](const StoredEvent& stored) {
    for (const std::uint64_t sequence : stored.event.approval_consumed().accepted_sequences()) {
      out.consumed.emplace(sequence, std::pair(stored.sequence, stored.event.run_id()));
    }
    return Status();
  });
  if (!status) return pass(status);
  status = visit_type(log, v1::Event::kApprovalRevoked, [&](const StoredEvent& stored) {
    out.revoked.emplace(stored.event.approval_revoked().accepted_sequence(), stored.sequence);
    return Status();
  });
  if (!status) return pass(status);
  return out;
}

Status read_statement_of(const LogReader& log, const GateRules& rules, const RecordedPolicy& policy,
                         const StoredEvent& stored, GateApproval& out) {
  const v1::ApprovalSubmitted& body = stored.event.approval_submitted();
  Result<std::optional<std::string>> text = read_blob(log, body.statement_sha256());
  if (!text) return pass(text);
  if (!text->has_value()) {
    out.fault = "its statement is not in the store";
    return {};
  }
  Result<ApprovalStatement> statement = parse_approval(**text);
  if (!statement) {
    out.fault = "its statement cannot be read: " + statement.error().message;
    return {};
  }
  out.statement = std::move(*statement);
  if (out.statement.gate != policy.policy.gate || out.consumed || out.revoked) return {};
  if (policy.signers.empty()) {
    out.signature.why = "the gate has no signers";
    return {};
  }
  Result<SignatureCheck> checked = rules.check_signature(**text, body.signature(), policy.signers);
  if (!checked) return pass(checked);
  out.signature = std::move(*checked);
  return {};
}

}  // namespace

Result<std::vector<GateApproval>> read_approvals(const LogReader& log, const GateRules& rules,
                                                 const RecordedPolicy& policy) {
  Result<Fates> fates = read_fates(log);
  if (!fates) return pass(fates);
  const Result<v1::StoreState> state = log.state();
  if (!state) return std::unexpected(state.error());
  std::vector<GateApproval> out;
  Status status = visit_type(log, v1::Event::kApprovalSubmitted, [&](const StoredEvent& stored) {
    if (fates->rejected.contains(stored.sequence)) return Status();
    GateApproval approval;
    approval.submitted = stored.sequence;
    approval.actor_kind = stored.event.actor().kind();
    approval.recorded_ns = nanoseconds_of(stored.event.recorded_at());
    const auto accepted = fates->accepted.find(stored.sequence);
    approval.accepted = accepted == fates->accepted.end() ? state->size() : accepted->second;
    if (const auto it = fates->consumed.find(approval.accepted); it != fates->consumed.end()) {
      std::tie(approval.consumed, approval.consumed_by) = it->second;
    }
    if (const auto it = fates->revoked.find(approval.accepted); it != fates->revoked.end()) {
      approval.revoked = it->second;
    }
    Status read = read_statement_of(log, rules, policy, stored, approval);
    const bool other = approval.fault.empty() && approval.statement.gate != policy.policy.gate;
    if (read && !other) out.push_back(std::move(approval));
    return read;
  });
  if (!status) return pass(status);
  return out;
}

}  // namespace muniment
