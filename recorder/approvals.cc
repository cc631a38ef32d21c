#include "recorder/approvals.h"

#include <algorithm>
#include <set>

#include "recorder/core/digest.h"
#include "recorder/core/signers.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/queries.h"

namespace muniment {
namespace {

bool is_pending(const GateApproval& approval, std::uint64_t head) {
  return approval.accepted >= head;
}

// The policy that a change would put in force, as its submission brought it along.
struct NewPolicy {
  GatePolicy policy;
  std::string signers;
};

Result<std::optional<NewPolicy>> read_new_policy(const LogReader& log,
                                                 const v1::ApprovalSubmitted& body,
                                                 const std::string& digest, std::string& fault) {
  Result<std::optional<std::string>> text = read_blob(log, body.policy_sha256());
  if (!text) return pass(text);
  Result<std::optional<std::string>> signers = read_blob(log, body.signers_sha256());
  if (!signers) return pass(signers);
  if (!text->has_value() || !signers->has_value() || to_hex(sha256(**text)) != digest) {
    fault = "the policy that it names did not come with it";
    return std::optional<NewPolicy>();
  }
  Result<GatePolicy> policy = parse_policy(**text);
  const Result<std::vector<Signer>> keys = parse_signers(**signers);
  if (!policy || !keys || policy->signers_sha256 != to_hex(sha256(**signers))) {
    fault = "the policy that it names cannot be read, or its signers cannot";
    return std::optional<NewPolicy>();
  }
  return NewPolicy{std::move(*policy), std::move(**signers)};
}

class Settlement {
 public:
  Settlement(LogWriter& log, const LogReader& reader, const GateRules& rules, Stamper& stamper,
             std::int64_t now_ns)
      : log_(log), reader_(reader), rules_(rules), stamper_(stamper), now_ns_(now_ns) {}

  Result<std::vector<Settled>> run() {
    Result<std::map<std::string, RecordedPolicy>> policies = read_policies(reader_);
    if (!policies) return pass(policies);
    Result<std::optional<std::uint64_t>> forked = newest_fork(reader_);
    if (!forked) return pass(forked);
    forked_ = *forked;
    for (const auto& [gate, policy] : *policies) {
      if (Status status = settle_gate(policy); !status) return pass(status);
    }
    return std::move(settled_);
  }

 private:
  Status settle_gate(const RecordedPolicy& policy) {
    Result<v1::StoreState> state = reader_.state();
    if (!state) return pass(state);
    Result<std::vector<GateApproval>> approvals = read_approvals(reader_, rules_, policy);
    if (!approvals) return pass(approvals);
    bool changes = false;
    for (const GateApproval& approval : *approvals) {
      if (!is_pending(approval, state->size()) || !done_.insert(approval.submitted).second) {
        continue;
      }
      Result<std::string> fault = judge(approval, policy);
      if (!fault) return pass(fault);
      Status status = fault->empty() ? accept(approval) : reject(approval, policy, *fault);
      if (!status) return status;
      changes = changes || (fault->empty() && approval.statement.guarded == kPolicyWord);
    }
    return changes ? change_policy(policy) : Status();
  }

  // Why it cannot be accepted; empty: it can.
  Result<std::string> judge(const GateApproval& approval, const RecordedPolicy& policy) {
    const ApprovalStatement& said = approval.statement;
    Result<StoredEvent> submitted = read_event(reader_, approval.submitted);
    if (!submitted) return pass(submitted);
    if (said.guarded == kPolicyWord || !approval.fault.empty()) {
      return judge_change(approval, policy, *submitted);
    }
    const GateAsk ask{.gate = said.gate,
                      .module = said.module,
                      .guarded = said.guarded,
                      .candidate_run = said.run_id,
                      .plan_digest = {},
                      .clean_release = {},
                      .selves = {},
                      .now_ns = now_ns_};
    Result<GateQuestion> question = ask_log(reader_, rules_, ask);
    if (!question && question.error().code != ErrorCode::kNotFound) return pass(question);
    if (!question || !question->candidate) {
      return "run " + said.run_id + " is no successful rehearsal of " +
             inert_short(said.module, 80) + " for " + said.guarded;
    }
    if (question->candidate->gated_modules != 1) {
      return std::string("its rehearsal has more than one module that the gate guards");
    }
    return fault_of(approval, *question, std::max(now_ns_, question->candidate->finished_ns))
        .value_or("");
  }

  Result<std::string> judge_change(const GateApproval& approval, const RecordedPolicy& policy,
                                   const StoredEvent& submitted) {
    GateQuestion question = change_question(policy, approval.statement.plan_digest);
    Result<std::vector<GateApproval>> all = read_approvals(reader_, rules_, policy);
    if (!all) return pass(all);
    question.approvals = std::move(*all);
    std::string fault = fault_of_change(approval, policy.policy, question, now_ns_).value_or("");
    if (!fault.empty()) return fault;
    Result<std::optional<NewPolicy>> next = read_new_policy(
        reader_, submitted.event.approval_submitted(), approval.statement.plan_digest, fault);
    if (!next) return pass(next);
    if (next->has_value() && (*next)->policy.gate != policy.policy.gate) {
      fault = "the policy that it names is of another gate";
    }
    return fault;
  }

  GateQuestion change_question(const RecordedPolicy& policy, const std::string& digest) const {
    GateQuestion question;
    question.gate = policy.policy.gate;
    question.plan_digest = digest;
    question.origin = rules_.origin;
    question.log_keys = rules_.log_keys;
    question.forked = forked_;
    return question;
  }

  Status accept(const GateApproval& approval) {
    Result<StoredEvent> submitted = read_event(reader_, approval.submitted);
    if (!submitted) return pass(submitted);
    const ApprovalStatement& said = approval.statement;
    Hidden principal = hide(approval.signature.principal);
    v1::Event event = verdict_on(*submitted);
    if (said.guarded != kPolicyWord) {
      event.set_about_run(said.run_id);
      event.set_module(said.module);
    }
    v1::ApprovalAccepted& body = *event.mutable_approval_accepted();
    body.set_gate(said.gate);
    body.set_plan_digest(said.plan_digest);
    body.set_key_fingerprint(approval.signature.fingerprint);
    *body.mutable_principal() = principal.field;
    *body.mutable_not_before() = timestamp_of(said.not_before_ns);
    *body.mutable_expires() = timestamp_of(said.expires_ns);
    body.set_nonce(said.nonce);
    body.set_submitted_sequence(approval.submitted);
    body.set_guarded(said.guarded);
    body.set_policy_digest(said.policy_digest);
    if (submitted->event.approval_submitted().has_reason()) {
      *body.mutable_reason() = submitted->event.approval_submitted().reason();
    }
    return append({std::move(event)}, {std::move(principal.blob)});
  }

  Status reject(const GateApproval& approval, const RecordedPolicy& policy,
                const std::string& why) {
    Result<StoredEvent> submitted = read_event(reader_, approval.submitted);
    if (!submitted) return pass(submitted);
    v1::Event event = verdict_on(*submitted);
    v1::ApprovalRejected& body = *event.mutable_approval_rejected();
    body.set_gate(policy.policy.gate);
    body.set_submitted_sequence(approval.submitted);
    body.set_why(why);
    return append({std::move(event)}, {});
  }

  static v1::Event verdict_on(const StoredEvent& submitted) {
    v1::Event event;
    event.set_caused_by(submitted.event.event_id());
    event.set_about_run(submitted.event.about_run());
    event.set_module(submitted.event.module());
    return event;
  }

  // Each new policy that has the approvals it wants now takes its place.
  Status change_policy(const RecordedPolicy& policy) {
    Result<std::vector<GateApproval>> approvals = read_approvals(reader_, rules_, policy);
    if (!approvals) return pass(approvals);
    std::map<std::string, std::map<std::string, const GateApproval*>> by_digest;
    for (const GateApproval& approval : *approvals) {
      GateQuestion question = change_question(policy, approval.statement.plan_digest);
      question.approvals = *approvals;
      if (fault_of_change(approval, policy.policy, question, now_ns_)) continue;
      by_digest[approval.statement.plan_digest].emplace(approval.signature.fingerprint, &approval);
    }
    for (const auto& [digest, keys] : by_digest) {
      if (keys.size() >= policy.policy.approvals) return put_in_force(policy, digest, keys);
    }
    return {};
  }

  Status put_in_force(const RecordedPolicy& old, const std::string& digest,
                      const std::map<std::string, const GateApproval*>& keys) {
    Result<StoredEvent> submitted = read_event(reader_, keys.begin()->second->submitted);
    if (!submitted) return pass(submitted);
    std::string fault;
    Result<std::optional<NewPolicy>> next =
        read_new_policy(reader_, submitted->event.approval_submitted(), digest, fault);
    if (!next) return pass(next);
    if (!next->has_value()) return fail(ErrorCode::kCorrupt, fault);
    std::vector<v1::GuardedTarget> targets;
    const std::vector<std::string>& kept = (*next)->policy.modules;
    for (const v1::GuardedTarget& target : old.targets) {
      if (std::binary_search(kept.begin(), kept.end(), target.module())) targets.push_back(target);
    }
    PolicyRecord record = record_of((*next)->policy, (*next)->signers, targets);
    std::vector<v1::Event> events(2);
    v1::ApprovalConsumed& consumed = *events[0].mutable_approval_consumed();
    consumed.set_gate(old.policy.gate);
    for (const auto& [key, approval] : keys) {
      consumed.add_accepted_sequences(approval->accepted);
      record.body.add_approved_by(approval->accepted);
    }
    *events[1].mutable_gate_policy_recorded() = std::move(record.body);
    return append(std::move(events), std::move(record.blobs));
  }

  Status append(std::vector<v1::Event> bodies, std::vector<std::string> blobs) {
    std::vector<Entry> entries;
    std::vector<v1::Event> events;
    for (v1::Event& body : bodies) {
      for (v1::Event& event : stamper_.stamp_facts(std::move(body))) {
        entries.push_back(make_entry(event));
        events.push_back(std::move(event));
      }
    }
    entries.back().blobs = std::move(blobs);
    Result<Appended> appended = log_.append(std::move(entries), std::nullopt);
    if (!appended) return pass(appended);
    for (std::size_t i = 0; i < events.size(); ++i) {
      settled_.push_back({std::move(events[i]), appended->sequences[i]});
    }
    return {};
  }

  LogWriter& log_;
  const LogReader& reader_;
  const GateRules& rules_;
  Stamper& stamper_;
  std::int64_t now_ns_;
  std::optional<std::uint64_t> forked_;
  std::set<std::uint64_t> done_;
  std::vector<Settled> settled_;
};

}  // namespace

Result<std::vector<Settled>> settle_submissions(LogWriter& log, const LogReader& reader,
                                                const GateRules& rules, Stamper& stamper,
                                                std::int64_t now_ns) {
  return Settlement(log, reader, rules, stamper, now_ns).run();
}

}  // namespace muniment
