#include "tests/support/sample_gates.h"

#include <vector>

#include "tests/support/run_scene.h"

namespace muniment {
namespace {

constexpr const char* kPolicy = "the policy";

v1::Condition& add_condition(v1::GateEvaluated& body, const std::string& name, v1::Verdict verdict,
                             const std::string& detail,
                             const std::vector<std::uint64_t>& decided_by) {
  v1::Condition& row = *body.add_conditions();
  row.set_name(name);
  row.set_verdict(verdict);
  row.set_detail(detail);
  row.mutable_decided_by()->Add(decided_by.begin(), decided_by.end());
  return row;
}

}  // namespace

v1::Event closed_gate(const std::string& module, const std::string& name, const std::string& detail,
                      const std::string& next) {
  v1::Event event;
  event.set_module(module);
  v1::GateEvaluated& body = *event.mutable_gate_evaluated();
  body.set_gate("F3");
  body.set_guarded("backup");
  add_condition(body, "clock", v1::VERDICT_OK, "not behind the log", {});
  add_condition(body, name, v1::VERDICT_MISSING, detail, {}).set_next(next);
  return event;
}

namespace {

// A module that gate F3 guards.
void add_ledger(Scene& scene) {
  scene.manifest.modules.push_back(
      module_at("ledger", "/srv/ledger/ledger.db", v1::BACKUP_CLASS_UNSPECIFIED));
  scene.manifest.modules.back().gate = "F3";
  scene.world["ledger"] = database_seen();
  scene.world["ledger"].set_path("/srv/ledger/ledger.db");
}

struct SampleCandidate {
  std::string run_id;
  std::string digest;
  std::uint64_t end = 0;     // sequence of its last event
  std::uint64_t policy = 0;  // of the policy that is in force
};

std::uint64_t record_policy(LogScript& script) {
  const std::string signers = "ben ssh-ed25519 AAAA\n";
  v1::Event event;
  v1::GatePolicyRecorded& body = *event.mutable_gate_policy_recorded();
  body.set_gate("F3");
  body.add_guards("backup");
  body.add_modules("ledger");
  body.set_approvals(1);
  body.set_policy_sha256(std::string(as_bytes(sha256(kPolicy))));
  body.set_signers_sha256(std::string(as_bytes(sha256(signers))));
  RunWriter writer(script, "", v1::MODE_OBSERVATION, "operator:anna");
  return writer.add(event, {kPolicy, signers});
}

SampleCandidate write_candidate(LogScript& script, const v1::Enforcement& held) {
  Scene scene(script, 12, v1::MODE_DRY_RUN);
  add_ledger(scene);
  scene.held = held;
  scene.start("backup", {"ledger"});
  SampleCandidate out;
  out.policy = record_policy(script);
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  v1::Event event =
      closed_gate("ledger", "approval", "0 of 1 approvals for run " + scene.writer.run_id(),
                  "muniment approve " + scene.writer.run_id() + " --gate F3 --module ledger");
  event.mutable_gate_evaluated()->set_candidate_run(scene.writer.run_id());
  event.mutable_gate_evaluated()->set_plan_digest(scene.plan.digest);
  scene.writer.add(event);
  scene.withhold_all();
  out.run_id = scene.finish_run();
  out.digest = scene.plan.digest;
  out.end = scene.writer.state().last_sequence();
  return out;
}

// Submitted and accepted; the sequence of the acceptance.
std::uint64_t approve(LogScript& script, const SampleCandidate& candidate, unsigned number) {
  RunWriter writer(script, sample_uuid(2000 + number, 2), v1::MODE_OBSERVATION, "operator:ben");
  const std::string statement = "statement " + std::to_string(number);
  v1::Event submitted;
  submitted.set_about_run(candidate.run_id);
  submitted.set_module("ledger");
  submitted.mutable_approval_submitted()->set_statement_sha256(
      std::string(as_bytes(sha256(statement))));
  submitted.mutable_approval_submitted()->set_signature("-----BEGIN SSH SIGNATURE-----\n");
  *submitted.mutable_approval_submitted()->mutable_reason() = erasable(kSampleReason);
  const std::uint64_t sequence = writer.add(submitted, {statement, erasable_blob(kSampleReason)});
  RunWriter judge(script, "", v1::MODE_OBSERVATION, "operator:ben");
  v1::Event event;
  event.set_about_run(candidate.run_id);
  event.set_module("ledger");
  v1::ApprovalAccepted& body = *event.mutable_approval_accepted();
  body.set_gate("F3");
  body.set_guarded("backup");
  body.set_plan_digest(candidate.digest);
  body.set_key_fingerprint("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
  *body.mutable_principal() = erasable(kSamplePrincipal);
  body.mutable_not_before()->set_seconds(script.now_ns / 1'000'000'000);
  body.mutable_expires()->set_seconds(script.now_ns / 1'000'000'000 + 86'400);
  body.set_nonce(std::string(31, '0') + std::to_string(number % 10));
  body.set_submitted_sequence(sequence);
  *body.mutable_reason() = erasable(kSampleReason);
  body.set_policy_digest(to_hex(sha256(kPolicy)));
  return judge.add(event, {erasable_blob(kSamplePrincipal), erasable_blob(kSampleReason)});
}

void request(LogScript& script, const SampleCandidate& candidate) {
  RunWriter writer(script, sample_uuid(2020, 2), v1::MODE_OBSERVATION, "agent:codex");
  v1::Event event;
  event.set_about_run(candidate.run_id);
  event.set_module("ledger");
  event.mutable_approval_requested()->set_gate("F3");
  event.mutable_approval_requested()->set_plan_digest(candidate.digest);
  event.mutable_approval_requested()->set_guarded("backup");
  *event.mutable_approval_requested()->mutable_reason() = erasable(kSampleReason);
  writer.add(event, {erasable_blob(kSampleReason)});
}

void revoke(LogScript& script, const SampleCandidate& candidate, std::uint64_t accepted) {
  RunWriter writer(script, sample_uuid(2021, 2), v1::MODE_OBSERVATION, "operator:ben");
  v1::Event event;
  event.set_about_run(candidate.run_id);
  event.set_module("ledger");
  event.mutable_approval_revoked()->set_accepted_sequence(accepted);
  *event.mutable_approval_revoked()->mutable_reason() = erasable("Too early.");
  writer.add(event, {erasable_blob("Too early.")});
}

v1::GateEvaluated& about(v1::Event& event, const SampleCandidate& candidate, std::int64_t now_ns) {
  v1::GateEvaluated& body = *event.mutable_gate_evaluated();
  body.set_candidate_run(candidate.run_id);
  body.set_plan_digest(candidate.digest);
  body.set_policy_digest(to_hex(sha256(kPolicy)));
  body.mutable_gate_time()->set_seconds(now_ns / 1'000'000'000);
  return body;
}

std::string write_closed(LogScript& script, const SampleCandidate& candidate,
                         std::uint64_t revoked) {
  Scene scene(script, 13, v1::MODE_EXECUTION);
  add_ledger(scene);
  scene.start("backup", {"ledger"}, candidate.run_id);
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  const std::string why = "0 of 1 approvals for run " + candidate.run_id + "; #" +
                          std::to_string(revoked) + ": it was revoked";
  v1::Event event =
      closed_gate("ledger", "approval", why,
                  "muniment approve " + candidate.run_id + " --gate F3 --module ledger");
  v1::Condition& row = *about(event, candidate, script.now_ns).mutable_conditions(1);
  row.set_verdict(v1::VERDICT_FAILED);
  row.add_decided_by(revoked);
  scene.writer.add(event);
  scene.problem = "gate F3 is closed for ledger: " + why;
  return scene.finish_run();
}

std::string write_opened(LogScript& script, const SampleCandidate& candidate,
                         std::uint64_t accepted) {
  Scene scene(script, 14, v1::MODE_EXECUTION);
  add_ledger(scene);
  scene.start("backup", {"ledger"}, candidate.run_id);
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  v1::Event event;
  event.set_module("ledger");
  v1::GateEvaluated& body = about(event, candidate, script.now_ns);
  body.set_gate("F3");
  body.set_guarded("backup");
  body.set_open(true);
  const v1::Verdict ok = v1::VERDICT_OK;
  add_condition(body, "policy", ok, "policy of the manifest", {candidate.policy});
  add_condition(body, "clock", ok, "not behind the log", {});
  add_condition(body, "candidate", ok, "run " + candidate.run_id, {candidate.end});
  add_condition(body, "approval", ok, "1 of 1", {accepted});
  add_condition(body, "dry_run", ok, "rehearsal within 24h", {candidate.end});
  scene.writer.add(event);
  v1::Event consumed;
  consumed.set_module("ledger");
  consumed.mutable_approval_consumed()->set_gate("F3");
  consumed.mutable_approval_consumed()->add_accepted_sequences(accepted);
  scene.writer.add(consumed);
  scene.apply_until(3);
  return scene.finish_run();
}

std::string write_commanded(LogScript& script) {
  Scene scene(script, 15, v1::MODE_EXECUTION);
  scene.start("exec", {"notes"});
  v1::Event proposed;
  proposed.set_module("notes");
  v1::PlanStepProposed& body = *proposed.mutable_plan_step_proposed();
  body.set_index(1);
  body.set_fidelity(v1::FIDELITY_EXACT);
  body.mutable_step()->set_module("notes");
  body.mutable_step()->set_kind(v1::STEP_KIND_COMMAND);
  v1::HostCommand& command = *body.mutable_step()->mutable_command();
  for (const char* word : {"/srv/notes/smoke", "--token", "[redacted:name]", "two words"}) {
    command.add_argv(word);
  }
  command.set_working_folder("/srv/notes");
  scene.writer.add(proposed);
  const std::string canonical = "the plan of a command\n";
  v1::Event sealed;
  sealed.mutable_plan_sealed()->set_digest(to_hex(sha256(canonical)));
  sealed.mutable_plan_sealed()->set_step_count(1);
  sealed.mutable_plan_sealed()->set_canonical_sha256(std::string(as_bytes(sha256(canonical))));
  scene.writer.add(sealed, {canonical});
  const Directive step{.index = 1, .step = body.step(), .planned = true};
  scene.begin(step);
  v1::Event executed;
  executed.set_module("notes");
  v1::CommandExecuted& ran = *executed.mutable_command_executed();
  *ran.mutable_argv() = command.argv();
  ran.set_working_folder("/srv/notes");
  ran.set_exit_status(0);
  ran.mutable_duration()->set_nanos(412'000'000);
  ran.set_stdout_tail("12 checks, 0 failed\n");
  ran.set_stdout_bytes(20);
  ran.set_stdout_sha256(std::string(as_bytes(sha256("12 checks, 0 failed\n"))));
  ran.set_stderr_sha256(std::string(as_bytes(sha256(""))));
  ran.set_transcript_sha256(ran.stdout_sha256());
  scene.writer.add(executed, {"12 checks, 0 failed\n"});
  scene.settle(step, v1::STEP_RESULT_APPLIED, std::nullopt);
  return scene.finish_run();
}

}  // namespace

SampleGates write_sample_gates(LogScript& script, const v1::Enforcement& held) {
  const SampleCandidate candidate = write_candidate(script, held);
  SampleGates out;
  out.candidate = candidate.run_id;
  request(script, candidate);
  const std::uint64_t in_vain = approve(script, candidate, 31);
  revoke(script, candidate, in_vain);
  out.closed = write_closed(script, candidate, in_vain);
  out.opened = write_opened(script, candidate, approve(script, candidate, 32));
  out.commanded = write_commanded(script);
  return out;
}

}  // namespace muniment
