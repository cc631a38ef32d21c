#include "tests/support/sample_runs.h"

#include "recorder/core/decide.h"
#include "recorder/core/plan.h"
#include "tests/support/run_scene.h"
#include "tests/support/sample_gates.h"

namespace muniment {
namespace {

v1::Enforcement by_landlock() {
  v1::Enforcement held;
  held.set_mechanism("landlock");
  held.set_abi(2);
  held.set_enforced(true);
  held.set_forbids("create, write, rename, remove outside the store (truncation is not covered)");
  return held;
}

v1::Enforcement by_nothing() {
  v1::Enforcement held;
  held.set_mechanism("landlock");
  held.set_not_because("this kernel has no Landlock (before 5.13, or not built in)");
  return held;
}

std::string write_resolved(LogScript& script) {
  Scene scene(script, 1, v1::MODE_OBSERVATION);
  scene.start("resolve", {"notes", "uploads", "deploy"});
  scene.resolve_all();
  return scene.finish_run();
}

std::string write_rehearsed(LogScript& script) {
  Scene scene(script, 2, v1::MODE_DRY_RUN);
  scene.held = by_landlock();
  scene.start("backup", {"notes", "uploads", "deploy"});
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  scene.withhold_all();
  return scene.finish_run();
}

void add_later_facts(LogScript& script, const std::string& run_id) {
  RunWriter later(script, sample_uuid(2000, 2), v1::MODE_OBSERVATION, "agent:codex");
  later.wait(60'000);
  v1::Event note;
  note.set_about_run(run_id);
  *note.mutable_note_added()->mutable_text() = erasable("The canary was green for an hour.");
  later.add(note, {erasable_blob("The canary was green for an hour.")});
  const std::pair<const char*, v1::Verdict> checks[] = {{"canary", v1::VERDICT_OK},
                                                        {"ci", v1::VERDICT_MISSING}};
  for (const auto& [name, verdict] : checks) {
    v1::Event event;
    event.set_about_run(run_id);
    event.mutable_check_recorded()->set_name(name);
    event.mutable_check_recorded()->set_verdict(verdict);
    event.mutable_check_recorded()->set_url("https://ci.example/" + std::string(name));
    later.add(event);
  }
}

std::string write_executed(LogScript& script, const std::string& follows) {
  Scene scene(script, 3, v1::MODE_EXECUTION);
  scene.start("backup", {"notes", "uploads", "deploy"}, follows);
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  scene.apply_until(6);
  const std::string run_id = scene.finish_run();
  add_later_facts(script, run_id);
  return run_id;
}

std::string write_failed(LogScript& script) {
  Scene scene(script, 4, v1::MODE_EXECUTION);
  scene.start("backup", {"notes", "uploads"});
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  scene.apply_until(3);
  const std::optional<Directive> capture = scene.next();
  scene.begin(*capture);
  scene.settle(*capture, v1::STEP_RESULT_FAILED, std::nullopt,
               "write /srv/backup/uploads/.partial/uploads.tar.zst: No space left on device");
  const std::optional<Directive> discard = scene.next();
  scene.begin(*discard);
  scene.apply(*discard);
  return scene.finish_run();
}

std::string write_unresolved(LogScript& script) {
  Scene scene(script, 5, v1::MODE_EXECUTION);
  scene.world["notes"] = v1::PathObserved();
  scene.world["notes"].set_role(v1::PATH_ROLE_SOURCE);
  scene.world["notes"].set_path("/srv/notes/notes.db");
  scene.world["notes"].set_kind(v1::PATH_KIND_MISSING);
  scene.start("backup", {"notes"});
  scene.resolve_all();
  return scene.finish_run();
}

std::string write_drifted(LogScript& script, const std::string& follows) {
  Scene scene(script, 6, v1::MODE_EXECUTION);
  scene.start("backup", {"notes", "uploads", "deploy"}, follows);
  scene.resolve_all();
  const std::string before = scene.plan.canonical;
  scene.plan.canonical.insert(scene.plan.canonical.find("step "), "  exclude tmp/**\n");
  scene.plan.digest = to_hex(sha256(scene.plan.canonical));
  scene.seal();
  v1::Event event;
  v1::DriftDetected& body = *event.mutable_drift_detected();
  body.set_against_run(follows);
  for (v1::Difference& difference : compare_plans(before, scene.plan.canonical)) {
    *body.add_differences() = std::move(difference);
  }
  scene.writer.add(event);
  scene.problem = "the world is not what run " + follows +
                  " rehearsed: 1 differences, first: " + body.differences(0).after() +
                  "; rehearse again";
  return scene.finish_run();
}

std::string write_gated(LogScript& script) {
  Scene scene(script, 7, v1::MODE_EXECUTION);
  scene.manifest.modules[0].gate = "F3";
  scene.start("backup", {"notes"});
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  v1::Event event = closed_gate(
      "notes", "candidate", "no rehearsal was named: what runs under a gate is a rehearsed plan",
      "muniment backup notes --dry-run");
  scene.problem = "gate F3 is closed for notes: " + event.gate_evaluated().conditions(1).detail();
  scene.writer.add(event);
  return scene.finish_run();
}

std::string write_interrupted(LogScript& script) {
  Scene scene(script, 8, v1::MODE_EXECUTION);
  scene.start("backup", {"notes", "uploads"});
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  const std::optional<Directive> capture = scene.next();
  scene.begin(*capture);
  scene.settle(*capture, v1::STEP_RESULT_FAILED, std::nullopt, "a person asked to stop");
  const std::optional<Directive> discard = scene.next(true);
  scene.begin(*discard);
  scene.apply(*discard);
  return scene.finish_run(true);
}

v1::RunState write_abandoned(LogScript& script) {
  Scene scene(script, 9, v1::MODE_EXECUTION);
  scene.start("backup", {"notes", "uploads"});
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  scene.apply_until(3);
  scene.begin(*scene.next());
  return scene.writer.state();
}

v1::PathObserved left_by(const v1::RunState& run) {
  v1::PathObserved seen;
  seen.set_role(v1::PATH_ROLE_LEFT_BEHIND);
  seen.set_path(partial_folder(kSampleRoot, "uploads", run.run_id()));
  seen.set_kind(v1::PATH_KIND_DIRECTORY);
  seen.set_file_mode(0700);
  return seen;
}

std::string write_unheld(LogScript& script, const v1::RunState& dead) {
  Scene scene(script, 10, v1::MODE_DRY_RUN);
  scene.held = by_nothing();
  scene.start("backup", {"notes"});
  v1::Event event;
  event.set_about_run(dead.run_id());
  event.mutable_run_abandoned()->set_event_count(dead.event_count());
  event.mutable_run_abandoned()->add_left_behind(left_by(dead).path());
  scene.writer.add(event);
  scene.writer.add(observed("", left_by(dead)));
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  scene.withhold_all();
  return scene.finish_run();
}

std::string write_running(LogScript& script, const v1::RunState& dead) {
  Scene scene(script, 11, v1::MODE_EXECUTION);
  scene.start("backup", {"notes"});
  scene.writer.add(observed("", left_by(dead)));
  const Directive discard{.index = 1,
                          .step = discard_steps({left_by(dead)}, {dead.run_id()}).front(),
                          .planned = false};
  scene.begin(discard);
  scene.apply(discard);
  scene.resolve_all();
  scene.seal();
  scene.see_root();
  scene.begin(*scene.next());
  return scene.writer.run_id();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> SampleRuns::by_name() const {
  return {{"resolved", resolved}, {"rehearsed", rehearsed},     {"executed", executed},
          {"failed", failed},     {"unresolved", unresolved},   {"drifted", drifted},
          {"gated", gated},       {"interrupted", interrupted}, {"abandoned", abandoned},
          {"unheld", unheld},     {"running", running},         {"candidate", candidate},
          {"closed", closed},     {"opened", opened},           {"commanded", commanded}};
}

SampleRuns write_sample_runs(LogWriter& log) {
  LogScript script{log};
  SampleRuns out;
  out.resolved = write_resolved(script);
  out.rehearsed = write_rehearsed(script);
  out.executed = write_executed(script, out.rehearsed);
  out.failed = write_failed(script);
  out.unresolved = write_unresolved(script);
  out.drifted = write_drifted(script, out.rehearsed);
  out.gated = write_gated(script);
  out.interrupted = write_interrupted(script);
  const v1::RunState dead = write_abandoned(script);
  out.abandoned = dead.run_id();
  out.unheld = write_unheld(script, dead);
  out.running = write_running(script, dead);
  const SampleGates gates = write_sample_gates(script, by_landlock());
  out.candidate = gates.candidate;
  out.closed = gates.closed;
  out.opened = gates.opened;
  out.commanded = gates.commanded;
  return out;
}

}  // namespace muniment
