// A run in the making: the recorder's stages, called one by one, over a host that is made up.
#ifndef MUNIMENT_TESTS_SUPPORT_RUN_SCENE_H_
#define MUNIMENT_TESTS_SUPPORT_RUN_SCENE_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/decide.h"
#include "recorder/core/plan.h"
#include "recorder/core/resolve.h"
#include "tests/support/run_writer.h"

namespace muniment {

inline constexpr const char* kSampleRoot = "/srv/backup";
inline constexpr const char* kSampleManifest = "[module.notes]\npassword = \"[redacted:name]\"\n";

inline Module module_at(const std::string& name, const std::string& path,
                        v1::BackupClass backup_class) {
  Module module;
  module.name = name;
  module.host_path = path;
  module.backup_class = backup_class;
  return module;
}

inline Manifest sample_manifest() {
  Manifest out;
  out.backup_root = kSampleRoot;
  out.modules = {
      module_at("notes", "/srv/notes/notes.db", v1::BACKUP_CLASS_UNSPECIFIED),
      module_at("uploads", "/srv/uploads", v1::BACKUP_CLASS_FILES),
      module_at("deploy", "/srv/deploy", v1::BACKUP_CLASS_FILES),
  };
  out.modules[1].exclude = {"cache/**"};
  Exclude rule;
  rule.id = "deployment-control";
  rule.kind = "module";
  rule.pattern = "deploy";
  rule.reason = "is rebuilt from git";
  out.excludes = {rule};
  Gate gate;
  gate.name = "F3";
  gate.guards = {"backup"};
  gate.needs["backup"] = {Need{"dry_run", std::chrono::hours(24), ""}};
  out.gates["F3"] = gate;
  return out;
}

inline v1::PathObserved database_seen() {
  v1::PathObserved seen;
  seen.set_role(v1::PATH_ROLE_SOURCE);
  seen.set_path("/srv/notes/notes.db");
  seen.set_kind(v1::PATH_KIND_REGULAR);
  seen.set_file_mode(0640);
  seen.set_size_bytes(8'388'608);
  seen.mutable_sqlite()->set_header_ok(true);
  seen.mutable_sqlite()->set_page_size(4096);
  seen.mutable_sqlite()->set_page_count(2048);
  seen.mutable_sqlite()->set_wal_mode(true);
  seen.mutable_sqlite()->set_wal_bytes(412'032);
  return seen;
}

inline v1::PathObserved folder_seen() {
  v1::PathObserved seen;
  seen.set_role(v1::PATH_ROLE_SOURCE);
  seen.set_path("/srv/uploads");
  seen.set_kind(v1::PATH_KIND_DIRECTORY);
  seen.set_file_mode(0755);
  seen.mutable_tree()->set_files(1204);
  seen.mutable_tree()->set_directories(37);
  seen.mutable_tree()->set_links(1);
  seen.mutable_tree()->set_specials(1);
  seen.mutable_tree()->add_listed("/srv/uploads/newest");
  seen.mutable_tree()->add_listed("/srv/uploads/control\n");
  seen.mutable_tree()->set_excluded(88);
  seen.mutable_tree()->set_bytes(734'003'200);
  seen.mutable_tree()->add_exclusion_hits(88);
  return seen;
}

inline v1::PathObserved root_seen() {
  v1::PathObserved seen;
  seen.set_role(v1::PATH_ROLE_BACKUP_ROOT);
  seen.set_path(kSampleRoot);
  seen.set_kind(v1::PATH_KIND_DIRECTORY);
  seen.set_file_mode(0700);
  seen.set_free_bytes(40'802'189'312);
  seen.set_writable(true);
  return seen;
}

inline v1::Event observed(const std::string& module, v1::PathObserved seen) {
  v1::Event event;
  event.set_module(module);
  *event.mutable_path_observed() = std::move(seen);
  return event;
}

inline v1::Context sample_context() {
  v1::Context context;
  context.set_story("The notes service moves to the new host.");
  context.set_why("The old disk reports errors.");
  context.add_constraints("The service keeps running.");
  context.add_out_of_scope("The mail service.");
  context.set_decision("May the move start?");
  context.add_sources("docs/move.md");
  return context;
}

// What happens stands in the calls; resolution, plan and the choice of steps are the product's own.
class Scene {
 public:
  Scene(LogScript& script, unsigned number, v1::Mode mode)
      : writer(script, sample_uuid(1000 + number, 2), mode, "operator:anna"),
        is_dry_run(mode == v1::MODE_DRY_RUN) {
    script.now_ns = 1'795'600'000'000'000'000 + number * 3'600'000'000'000;
  }

  void start(const std::string& purpose, std::vector<std::string> modules,
             const std::string& follows = "") {
    v1::Event event;
    v1::RunStarted& body = *event.mutable_run_started();
    body.set_purpose(purpose);
    for (const char* word : {"muniment", purpose.c_str()}) body.add_command_line(word);
    if (is_dry_run) body.add_command_line("--dry-run");
    body.set_manifest_path("/etc/muniment/muniment.toml");
    body.set_manifest_sha256(std::string(as_bytes(sha256(kSampleManifest))));
    body.set_program_version("0.1.0");
    body.set_program_sha256(std::string(as_bytes(sha256("the program"))));
    body.mutable_release_root()->set_path("/srv/platform");
    body.mutable_release_root()->set_commit("3f786850e387550fdab836ed7e6dc881de23001b");
    body.mutable_release_root()->set_clean(true);
    body.mutable_host_facts()->set_kernel("Linux 6.1.0-28-amd64");
    body.mutable_host_facts()->set_machine("x86_64");
    body.mutable_engine()->set_selector("none");
    if (held) *body.mutable_enforcement() = *held;
    const std::string context = sample_context().SerializeAsString();
    body.set_context_sha256(std::string(as_bytes(sha256(context))));
    body.set_backup_root(kSampleRoot);
    body.set_follows_run(follows);
    for (const std::string& name : modules) {
      body.add_modules(name);
      body.add_command_line(name);
      input.modules.push_back(manifest.find(name));
    }
    writer.add(event, {kSampleManifest, context});
  }

  // Observes and resolves; false when there is a problem.
  bool resolve_all() {
    for (const Module* module : input.modules) {
      const auto found = world.find(module->name);
      if (found == world.end()) continue;
      writer.add(observed(module->name, found->second));
      input.seen[module->name] = found->second;
    }
    Resolution resolution = resolve(input);
    for (v1::Event& event : resolution.events) writer.add(event);
    if (!resolution.problems.empty()) problem = resolution.problems.front();
    if (!problem.empty()) return false;
    plan = make_plan(manifest, resolution, writer.run_id());
    return true;
  }

  void seal() {
    for (const v1::Event& event : plan_events(plan)) writer.add(event, {plan.canonical});
  }

  void see_root() { writer.add(observed("", root_seen())); }

  void begin(const Directive& next) {
    v1::Event event;
    event.set_module(next.step.module());
    event.mutable_step_started()->set_index(next.index);
    event.mutable_step_started()->set_kind(next.step.kind());
    if (!next.planned) *event.mutable_step_started()->mutable_unplanned() = next.step;
    writer.add(event);
  }

  void settle(const Directive& next, v1::StepResult result, std::optional<std::uint64_t> bytes,
              const std::string& detail = "") {
    v1::Event event;
    event.set_module(next.step.module());
    v1::StepSettled& body = *event.mutable_step_settled();
    body.set_index(next.index);
    body.set_kind(next.step.kind());
    body.set_result(result);
    body.mutable_duration()->set_nanos(bytes ? 412'000'000 : 0);
    if (bytes) body.set_bytes(*bytes);
    body.set_detail(detail);
    writer.wait(bytes ? 412 : 0);
    writer.add(event);
  }

  std::optional<Directive> next(bool stopping = false) const {
    return next_step(writer.state(), plan, stopping);
  }

  void withhold_all() {
    while (const std::optional<Directive> step = next()) {
      begin(*step);
      settle(*step, v1::STEP_RESULT_WITHHELD, std::nullopt);
    }
  }

  // Carries out planned steps until the step `last` is done, or all of them.
  void apply_until(std::uint32_t last) {
    for (std::optional<Directive> step = next(); step && step->index <= last; step = next()) {
      begin(*step);
      apply(*step);
      if (step->index == last) return;
    }
  }

  void apply(const Directive& next) {
    const v1::Step& step = next.step;
    const bool database = step.module() != "uploads";
    const std::uint64_t bytes = database ? 2'411'724 : 698'351'616;
    const std::string path = step.final_folder() + "/" + step.artifact();
    const std::string digest(as_bytes(sha256(path)));
    v1::Event event;
    event.set_module(step.module());
    if (step.kind() == v1::STEP_KIND_CAPTURE) {
      v1::BackupWritten& body = *event.mutable_backup_written();
      body.set_path(path);
      body.set_size_bytes(bytes);
      body.set_sha256(digest);
      body.set_file_mode(0600);
      body.set_compression("zstd:3");
      body.set_fsynced(true);
      body.set_check(database ? "integrity_check ok, foreign_key_check ok" : "");
      body.set_content_bytes(database ? 8'388'608 : 735'000'000);
      if (!database) {
        body.add_changed("/srv/uploads/log");
        body.set_changed_count(2);
      }
    } else if (step.kind() == v1::STEP_KIND_VERIFY) {
      v1::ArtifactVerified& body = *event.mutable_artifact_verified();
      body.set_path(path);
      body.set_method(database ? "read again: sha256, zstd, content as checked"
                               : "read again: sha256, zstd, tar");
      body.set_verdict(v1::VERDICT_OK);
      body.set_size_bytes(bytes);
      body.set_sha256(digest);
    } else if (step.kind() == v1::STEP_KIND_COMMIT) {
      v1::ManifestWritten& body = *event.mutable_manifest_written();
      body.set_path(step.final_folder() + "/manifest.json");
      body.set_size_bytes(612);
      body.set_sha256(std::string(as_bytes(sha256(step.final_folder()))));
      body.set_file_mode(0600);
    } else {
      event.mutable_artifact_removed()->set_path(step.partial_folder());
      event.mutable_artifact_removed()->set_why("partial folder of a run that did not commit it");
    }
    if (!step.of_run().empty()) event.set_about_run(step.of_run());
    writer.add(event);
    settle(next, v1::STEP_RESULT_APPLIED, step.kind() == v1::STEP_KIND_COMMIT ? 612 : bytes);
  }

  std::string finish_run(bool stopped = false) {
    v1::Event event;
    *event.mutable_run_finished() = finish(writer.state(), problem, stopped);
    writer.add(event);
    return writer.run_id();
  }

  RunWriter writer;
  bool is_dry_run;
  Manifest manifest = sample_manifest();
  std::map<std::string, v1::PathObserved> world = {{"notes", database_seen()},
                                                   {"uploads", folder_seen()}};
  ResolveInput input{manifest, {}, false, {}, {kSampleRoot}};
  std::optional<v1::Enforcement> held;
  Plan plan;
  std::string problem;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_RUN_SCENE_H_
