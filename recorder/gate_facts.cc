#include "recorder/gate_facts.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "recorder/core/digest.h"
#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/queries.h"
#include "recorder/visit_type.h"

namespace muniment {
namespace {

Result<std::string> blob_of(const LogReader& log, const std::string& sha256, std::uint64_t of) {
  Result<std::optional<std::string>> blob = read_blob(log, sha256);
  if (!blob) return pass(blob);
  if (blob->has_value()) return std::move(**blob);
  return fail(ErrorCode::kCorrupt, "the blob " + to_hex(sha256) + " of event #" +
                                       std::to_string(of) +
                                       " is not in the store; run `muniment verify`");
}

void add_target(std::vector<v1::GuardedTarget>& targets, const v1::GuardedTarget& added) {
  for (v1::GuardedTarget& target : targets) {
    if (target.module() != added.module()) continue;
    for (const std::string& identity : added.identities()) {
      const auto& known = target.identities();
      if (std::find(known.begin(), known.end(), identity) == known.end()) {
        target.add_identities(identity);
      }
    }
    return;
  }
  targets.push_back(added);
}

Status fold_policy(const LogReader& log, const StoredEvent& stored,
                   std::map<std::string, RecordedPolicy>& out) {
  const v1::GatePolicyRecorded& body = stored.event.gate_policy_recorded();
  RecordedPolicy& record = out[body.gate()];
  if (body.approved_by_size() > 0) record.targets.clear();
  for (const v1::GuardedTarget& target : body.targets()) add_target(record.targets, target);
  record.sequence = stored.sequence;
  const std::string digest = to_hex(body.policy_sha256());
  if (record.digest == digest) return {};
  // Without the approval of those who signed before, another policy is none.
  if (!record.digest.empty() && body.approved_by_size() == 0) {
    return fail(ErrorCode::kCorrupt,
                "event #" + std::to_string(stored.sequence) + " records another policy of gate " +
                    inert_short(body.gate(), 80) + " that nobody approved; run `muniment verify`");
  }
  Result<std::string> text = blob_of(log, body.policy_sha256(), stored.sequence);
  if (!text) return pass(text);
  Result<GatePolicy> policy = parse_policy(*text);
  if (!policy) return pass(policy);
  if (!policy->signers_sha256.empty()) {
    Result<std::string> signers = blob_of(log, body.signers_sha256(), stored.sequence);
    if (!signers) return pass(signers);
    if (to_hex(sha256(*signers)) != policy->signers_sha256) {
      return fail(ErrorCode::kCorrupt, "event #" + std::to_string(stored.sequence) +
                                           " has other signers than its policy; run `muniment "
                                           "verify`");
    }
    record.signers = std::move(*signers);
  }
  record.policy = std::move(*policy);
  record.digest = digest;
  return {};
}

// Whether a run is a candidate: the purpose is the guarded command's word.
bool rehearses(const v1::RunState& run, std::string_view module, std::string_view guarded) {
  if (run.mode() != v1::MODE_DRY_RUN || run.outcome() != v1::RUN_OUTCOME_OK) return false;
  return run.purpose() == guarded &&
         std::any_of(run.steps().begin(), run.steps().end(), [&](const v1::StepState& step) {
           return step.planned() && step.module() == module;
         });
}

std::size_t count_gated(const v1::RunState& run, const std::vector<std::string>& modules) {
  std::set<std::string> gated;
  for (const v1::StepState& step : run.steps()) {
    if (step.planned() && std::binary_search(modules.begin(), modules.end(), step.module())) {
      gated.insert(step.module());
    }
  }
  return gated.size();
}

// What the events of a rehearsal say, those that are about it later among them.
Status read_rehearsal(const LogReader& log, GateQuestion& out) {
  GateCandidate& candidate = *out.candidate;
  Status failure;
  Status read =
      read_indexed(log, IndexTag::kByRun, candidate.run_id, 0, Direction::kForward,
                   [&](const StoredEvent& stored) {
                     const v1::Event& event = stored.event;
                     if (event.has_run_started()) {
                       const v1::ReleaseRoot& release = event.run_started().release_root();
                       if (release.has_clean()) candidate.clean_release = release.clean();
                       failure = add_persons(log, event.actor(), out.selves);
                     } else if (event.has_run_finished() && event.run_id() == candidate.run_id) {
                       candidate.sequence = stored.sequence;
                       candidate.finished_ns = nanoseconds_of(event.recorded_at());
                     } else if (event.has_check_recorded()) {
                       out.checks[event.check_recorded().name()] = {
                           stored.sequence, nanoseconds_of(event.recorded_at()),
                           event.check_recorded().verdict()};
                     }
                     return failure.has_value();
                   });
  if (!failure) return failure;
  if (!read) return read;
  return visit_type(log, v1::Event::kDriftDetected, [&](const StoredEvent& stored) {
    if (stored.event.drift_detected().against_run() == candidate.run_id) {
      candidate.drift = stored.sequence;
    }
    return Status();
  });
}

Status set_candidate(const LogReader& log, const GateAsk& ask, GateQuestion& out) {
  Result<v1::RunState> run = run_state(log, ask.candidate_run);
  if (!run) return pass(run);
  if (!rehearses(*run, ask.module, ask.guarded)) return {};
  GateCandidate& candidate = out.candidate.emplace();
  candidate.run_id = run->run_id();
  candidate.plan_digest = run->plan_digest();
  candidate.gated_modules = out.policy ? count_gated(*run, out.policy->modules) : 1;
  Result<std::optional<v1::RunState>> newest = newest_rehearsal(log, ask.module, ask.guarded);
  if (!newest) return pass(newest);
  if (newest->has_value() && (*newest)->run_id() != candidate.run_id) {
    candidate.superseded_by = (*newest)->run_id();
    candidate.superseded_sequence = (*newest)->first_sequence();
  }
  return read_rehearsal(log, out);
}

// The newest event of a type that is about the module and that `wanted` takes.
Result<std::optional<GateProof>> newest_proof(
    const LogReader& log, v1::Event::BodyCase type, const std::string& module,
    const std::function<Result<bool>(const v1::Event&)>& wanted) {
  std::optional<GateProof> out;
  Status failure;
  Status read = read_indexed(
      log, IndexTag::kByType, type_value(static_cast<std::uint32_t>(type)),
      std::numeric_limits<std::uint64_t>::max(), Direction::kBackward,
      [&](const StoredEvent& stored) {
        if (stored.event.module() != module) return true;
        Result<bool> takes = wanted(stored.event);
        if (!takes) failure = pass(takes);
        if (!takes || !*takes) return takes.has_value();
        out = GateProof{stored.sequence, nanoseconds_of(stored.event.recorded_at()),
                        stored.event.has_restore_tested() ? stored.event.restore_tested().verdict()
                                                          : v1::VERDICT_OK};
        return false;
      });
  if (!failure) return pass(failure);
  if (!read) return pass(read);
  return out;
}

// Whether all that a run wrote of a module lies under its final name and was read again.
bool is_verified_backup(const v1::RunState& run, const std::string& module) {
  bool any = false;
  for (const v1::ArtifactState& artifact : run.artifacts()) {
    if (artifact.module() != module) continue;
    any = true;
    if (artifact.status() != "committed" || artifact.verified() != v1::VERDICT_OK) return false;
  }
  return any;
}

// Looked for where the policy asks: a long log has many of them.
Status set_proofs(const LogReader& log, GateQuestion& out) {
  const auto needs = [&](std::string_view name) {
    const auto list = out.policy->needs.find(out.guarded);
    return list != out.policy->needs.end() &&
           std::any_of(list->second.begin(), list->second.end(),
                       [&](const Need& need) { return need.name == name; });
  };
  if (!out.policy) return {};
  if (needs("verified_backup")) {
    Result<std::optional<GateProof>> proof = newest_proof(
        log, v1::Event::kArtifactVerified, out.module, [&](const v1::Event& event) -> Result<bool> {
          Result<v1::RunState> run = run_state(log, event.run_id());
          if (!run) return pass(run);
          return is_verified_backup(*run, out.module);
        });
    if (!proof) return pass(proof);
    out.verified_backup = *proof;
  }
  if (needs("restore_test")) {
    Result<std::optional<GateProof>> proof =
        newest_proof(log, v1::Event::kRestoreTested, out.module,
                     [](const v1::Event&) -> Result<bool> { return true; });
    if (!proof) return pass(proof);
    out.restore_test = *proof;
  }
  return {};
}

}  // namespace

Status visit_type(const LogReader& log, v1::Event::BodyCase type,
                  const std::function<Status(const StoredEvent&)>& visit) {
  Status failure;
  Status read = read_indexed(log, IndexTag::kByType, type_value(static_cast<std::uint32_t>(type)),
                             0, Direction::kForward, [&](const StoredEvent& stored) {
                               failure = visit(stored);
                               return failure.has_value();
                             });
  return failure ? read : failure;
}

std::string person_of(std::string_view name) {
  const std::size_t colon = name.find(':');
  return std::string(colon == std::string_view::npos ? name : name.substr(colon + 1));
}

Status add_persons(const LogReader& log, const v1::Actor& actor, std::set<std::string>& names) {
  for (const v1::Erasable* field : {&actor.claimed(), &actor.user_name()}) {
    if (field->commitment().empty()) continue;
    Result<std::optional<std::string>> text = read_erasable(log, *field);
    if (!text) return pass(text);
    if (text->has_value()) names.insert(person_of(**text));
  }
  return {};
}

Result<std::map<std::string, RecordedPolicy>> read_policies(const LogReader& log) {
  std::map<std::string, RecordedPolicy> out;
  Status status = visit_type(log, v1::Event::kGatePolicyRecorded, [&](const StoredEvent& stored) {
    return fold_policy(log, stored, out);
  });
  if (!status) return pass(status);
  return out;
}

Result<std::optional<std::uint64_t>> newest_fork(const LogReader& log) {
  std::optional<std::uint64_t> found;
  Status read = visit_type(log, v1::Event::kForkAccepted, [&](const StoredEvent& stored) {
    found = stored.sequence;
    return Status();
  });
  if (!read) return pass(read);
  return found;
}

Result<std::optional<v1::RunState>> newest_rehearsal(const LogReader& log, std::string_view module,
                                                     std::string_view guarded) {
  std::optional<v1::RunState> found;
  Status failure;
  Status listed = list_runs(log, std::numeric_limits<std::uint64_t>::max(),
                            [&](std::string_view run_id, std::uint64_t /*sequence*/) {
                              Result<v1::RunState> run = run_state(log, run_id);
                              if (!run) {
                                failure = pass(run);
                                return false;
                              }
                              if (!rehearses(*run, module, guarded)) return true;
                              found = std::move(*run);
                              return false;
                            });
  if (!failure) return pass(failure);
  if (!listed) return pass(listed);
  return found;
}

Result<GateQuestion> ask_log(const LogReader& log, const GateRules& rules, const GateAsk& ask) {
  GateQuestion out;
  out.gate = ask.gate;
  out.module = ask.module;
  out.guarded = ask.guarded;
  out.plan_digest = ask.plan_digest;
  out.clean_release = ask.clean_release;
  out.selves = ask.selves;
  out.now_ns = ask.now_ns;
  out.origin = rules.origin;
  out.log_keys = rules.log_keys;
  if (const auto stated = rules.stated.find(ask.gate); stated != rules.stated.end()) {
    out.stated_fault = stated->second.fault;
    const bool bound = std::binary_search(stated->second.policy.modules.begin(),
                                          stated->second.policy.modules.end(), ask.module);
    if (bound && out.stated_fault.empty()) out.stated_digest = policy_digest(stated->second.policy);
  }
  const Result<v1::StoreState> state = log.state();
  if (!state) return std::unexpected(state.error());
  out.head = state->size();
  if (out.head > 0) {
    Result<StoredEvent> last = read_event(log, out.head - 1);
    if (!last) return pass(last);
    out.head_ns = nanoseconds_of(last->event.recorded_at());
  }
  Result<std::optional<std::uint64_t>> forked = newest_fork(log);
  if (!forked) return pass(forked);
  out.forked = *forked;
  Result<std::map<std::string, RecordedPolicy>> policies = read_policies(log);
  if (!policies) return pass(policies);
  const auto held = policies->find(ask.gate);
  if (held != policies->end()) {
    out.policy = held->second.policy;
    out.policy_sequence = held->second.sequence;
    Result<std::vector<GateApproval>> approvals = read_approvals(log, rules, held->second);
    if (!approvals) return pass(approvals);
    out.approvals = std::move(*approvals);
  }
  if (!ask.candidate_run.empty()) {
    if (Status status = set_candidate(log, ask, out); !status) return pass(status);
  }
  if (Status status = set_proofs(log, out); !status) return pass(status);
  return out;
}

}  // namespace muniment
