#include "recorder/gatekeeper.h"

#include <algorithm>
#include <limits>

#include "recorder/approvals.h"
#include "recorder/core/check.h"
#include "recorder/core/gate_policy.h"
#include "recorder/log/queries.h"

namespace muniment {
namespace {

const v1::GuardedTarget* find_target(const RecordedPolicy& policy, const std::string& module) {
  for (const v1::GuardedTarget& target : policy.targets) {
    if (target.module() == module) return &target;
  }
  return nullptr;
}

bool knows_all(const RecordedPolicy& policy, const v1::GuardedTarget& seen) {
  const v1::GuardedTarget* known = find_target(policy, seen.module());
  if (known == nullptr) return false;
  return std::all_of(
      seen.identities().begin(), seen.identities().end(), [&](const std::string& identity) {
        return std::find(known->identities().begin(), known->identities().end(), identity) !=
               known->identities().end();
      });
}

// Whether the log's policy guards what a target stands for, under whatever name.
bool holds_for(const RecordedPolicy& policy, const v1::GuardedTarget& seen) {
  const std::vector<std::string>& modules = policy.policy.modules;
  if (std::binary_search(modules.begin(), modules.end(), seen.module())) return true;
  return std::any_of(policy.targets.begin(), policy.targets.end(),
                     [&](const v1::GuardedTarget& known) { return is_same_target(known, seen); });
}

// Whether the log does not know yet that a stated policy guards a target, and takes it from whoever
// rehearses: what another gate guards is not taken from it, and under a policy that nobody approved
// nothing is added to what the one on record guards.
bool adds_to_books(const StatedPolicy& stated, const v1::GuardedTarget& seen,
                   const std::map<std::string, RecordedPolicy>& policies) {
  if (!stated.fault.empty()) return false;
  const auto held = policies.find(stated.policy.gate);
  if (held != policies.end()) {
    return held->second.digest == policy_digest(stated.policy) && !knows_all(held->second, seen);
  }
  return std::none_of(policies.begin(), policies.end(),
                      [&](const auto& other) { return holds_for(other.second, seen); });
}

}  // namespace

Gatekeeper::Gatekeeper(LogWriter& log, const LogReader& reader, Stamper& stamper,
                       const GateDoor& door, std::string guarded)
    : log_(log), reader_(reader), stamper_(stamper), door_(door), guarded_(std::move(guarded)) {}

Status Gatekeeper::record_policy(const StatedPolicy& stated, const v1::GuardedTarget& target) {
  PolicyRecord record = record_of(stated.policy, stated.signers, {target});
  v1::Event event;
  *event.mutable_gate_policy_recorded() = std::move(record.body);
  event.set_module(target.module());
  std::vector<Entry> entries;
  for (const v1::Event& fact : stamper_.stamp_facts(std::move(event))) {
    entries.push_back(make_entry(fact));
  }
  entries.back().blobs = std::move(record.blobs);
  Result<Appended> appended = log_.append(std::move(entries), std::nullopt);
  if (!appended) return pass(appended);
  return {};
}

Status Gatekeeper::open_books(const std::vector<Target>& targets, std::int64_t now_ns) {
  if (Status status = door_.take_inbox(); !status) return status;
  Result<std::map<std::string, RecordedPolicy>> policies = read_policies(reader_);
  if (!policies) return pass(policies);
  for (const Target& target : targets) {
    const v1::GuardedTarget seen = identities_of(target);
    std::set<std::string> gates;
    for (const auto& [name, policy] : *policies) {
      if (guards(policy.policy, guarded_) && holds_for(policy, seen)) gates.insert(name);
    }
    const auto stated = door_.rules.stated.find(target.gate);
    // A gate that nobody can say anything about is closed, not absent.
    const bool is_unknown = stated == door_.rules.stated.end();
    if (!target.gate.empty() && (is_unknown || guards(stated->second.policy, guarded_))) {
      gates.insert(target.gate);
    }
    if (!is_unknown && adds_to_books(stated->second, seen, *policies)) {
      Status recorded = record_policy(stated->second, seen);
      if (!recorded) return recorded;
      policies = read_policies(reader_);
      if (!policies) return pass(policies);
    }
    gates_[target.module].assign(gates.begin(), gates.end());
  }
  Result<std::vector<Settled>> settled =
      settle_submissions(log_, reader_, door_.rules, stamper_, now_ns);
  if (!settled) return pass(settled);
  return {};
}

const std::vector<std::string>& Gatekeeper::gates_of(const std::string& module) const {
  const auto found = gates_.find(module);
  check(found != gates_.end(), "a module is seen before its gates are asked");
  return found->second;
}

Result<Gatekeeper::Answer> Gatekeeper::ask(const std::string& gate, const std::string& module,
                                           const Ask& ask) const {
  std::set<std::string> selves;
  if (Status added = add_persons(reader_, ask.actor, selves); !added) return pass(added);
  Result<GateQuestion> question = ask_log(reader_, door_.rules,
                                          {.gate = gate,
                                           .module = module,
                                           .guarded = guarded_,
                                           .candidate_run = ask.candidate_run,
                                           .plan_digest = ask.plan_digest,
                                           .clean_release = ask.clean_release,
                                           .selves = std::move(selves),
                                           .now_ns = ask.now_ns});
  if (!question) return pass(question);
  return Answer{.judgement = judge_gate(*question), .head = question->head};
}

void Gatekeeper::consumed(const std::string& module, const std::vector<std::uint64_t>& accepted) {
  consumed_[module].insert(accepted.begin(), accepted.end());
}

Result<std::optional<std::uint64_t>> Gatekeeper::find_revocation(const std::string& module) {
  const auto held = consumed_.find(module);
  if (held == consumed_.end()) return std::optional<std::uint64_t>();
  if (Status status = door_.take_inbox(); !status) return pass(status);
  std::optional<std::uint64_t> found;
  Status read = read_indexed(
      reader_, IndexTag::kByType, type_value(v1::Event::kApprovalRevoked),
      std::numeric_limits<std::uint64_t>::max(), Direction::kBackward,
      [&](const StoredEvent& stored) {
        if (held->second.contains(stored.event.approval_revoked().accepted_sequence())) {
          found = stored.sequence;
        }
        return !found;
      });
  if (!read) return pass(read);
  return found;
}

}  // namespace muniment
