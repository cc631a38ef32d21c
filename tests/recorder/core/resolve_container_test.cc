// Containers: one match or a typed failure, one class or a typed failure.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "recorder/core/container_match.h"
#include "recorder/core/detect.h"
#include "recorder/core/plan.h"
#include "recorder/core/resolve.h"

namespace muniment {
namespace {

std::string id_of(char digit) {
  return std::string(64, digit);
}

v1::ContainerObserved container(char id, const std::string& service) {
  v1::ContainerObserved out;
  out.set_container_id(id_of(id));
  out.set_image_id("sha256:" + id_of('f'));
  out.set_name("shop-" + service + "-1");
  out.set_image("registry.example:5000/library/postgres:15");
  out.set_compose_project("shop");
  out.set_compose_service(service);
  out.set_state("running");
  out.set_inspected(true);
  return out;
}

// One module `m` that asks for shop/db, and what was seen for it.
struct Scene {
  Scene() {
    manifest.backup_root = "/var/backups";
    Module& module = manifest.modules.emplace_back();
    module.name = "m";
    module.container.compose_project = "shop";
    module.container.compose_service = "db";
    seen.containers.push_back(container('a', "db"));
  }
  Module& module() { return manifest.modules[0]; }
  v1::ContainerObserved& db() { return seen.containers[0]; }
  Resolution run() const {
    ResolveInput input{.manifest = manifest,
                       .modules = {&manifest.modules[0]},
                       .all = true,
                       .seen = {},
                       .protected_paths = {}};
    input.inside["m"] = seen;
    return resolve(input);
  }
  v1::PathObserved& add_path(const std::string& path, v1::PathKind kind) {
    module().paths.push_back(path);
    v1::PathObserved& out = seen.paths.emplace_back();
    out.set_path(path);
    out.set_kind(kind);
    out.set_container_id(db().container_id());
    return out;
  }

  Manifest manifest;
  ContainersSeen seen;
};

v1::ModuleResolved resolved(const Scene& scene) {
  const Resolution resolution = scene.run();
  EXPECT_TRUE(resolution.problems.empty())
      << (resolution.problems.empty() ? "" : resolution.problems[0]);
  return resolution.events.at(0).module_resolved();
}

v1::ModuleUnresolved unresolved(const Scene& scene) {
  const Resolution resolution = scene.run();
  EXPECT_EQ(resolution.problems.size(), 1U);
  EXPECT_TRUE(resolution.targets.empty());
  return resolution.events.at(0).module_unresolved();
}

TEST(ResolveContainer, NamesTheOneThatMatchesByItsWholeId) {
  const v1::ModuleResolved body = resolved(Scene());
  ASSERT_EQ(body.container_ids_size(), 1);
  EXPECT_EQ(body.container_ids(0), id_of('a'));
  EXPECT_EQ(body.backup_class(), v1::BACKUP_CLASS_POSTGRES);
  EXPECT_EQ(body.rung(), v1::RUNG_IMAGE);
}

TEST(ResolveContainer, NeverChoosesBetweenTwo) {
  Scene scene;
  scene.seen.containers.push_back(container('b', "db"));
  const v1::ModuleUnresolved body = unresolved(scene);
  EXPECT_EQ(body.reason(), v1::UNRESOLVED_REASON_AMBIGUOUS);
  EXPECT_NE(body.detail().find("bbbbbbbbbbbb"), std::string::npos);
}

TEST(ResolveContainer, KeepsNearMissesOfWhatIsNotThere) {
  Scene scene;
  scene.db() = container('c', "db2");
  scene.db().set_inspected(false);
  const v1::ModuleUnresolved body = unresolved(scene);
  EXPECT_EQ(body.reason(), v1::UNRESOLVED_REASON_MISSING);
  ASSERT_EQ(body.near_misses_size(), 1);
  EXPECT_NE(body.near_misses(0).why_not().find("another service"), std::string::npos);
}

struct Case {
  const char* what;
  std::function<void(Scene&)> change;
  v1::UnresolvedReason reason;
};

std::vector<Case> bad_states() {
  return {
      {"stopped", [](Scene& s) { s.db().set_state("exited"); }, v1::UNRESOLVED_REASON_STOPPED},
      {"paused", [](Scene& s) { s.db().set_state("paused"); }, v1::UNRESOLVED_REASON_PAUSED},
      {"restarting", [](Scene& s) { s.db().set_state("restarting"); },
       v1::UNRESOLVED_REASON_STOPPED},
      {"unhealthy", [](Scene& s) { s.db().set_health("unhealthy"); },
       v1::UNRESOLVED_REASON_UNHEALTHY},
      {"one-off",
       [](Scene& s) {
         s.db().set_compose_oneoff(true);
         s.db().set_inspected(false);
       },
       v1::UNRESOLVED_REASON_ONE_OFF},
      {"engine down", [](Scene& s) { s.seen.engine_error = "no engine"; },
       v1::UNRESOLVED_REASON_ENGINE},
      {"no sign of a class", [](Scene& s) { s.db().set_image("app:1"); },
       v1::UNRESOLVED_REASON_UNKNOWN_CLASS},
      {"rungs that disagree", [](Scene& s) { s.db().add_environment_names("REDIS_VERSION"); },
       v1::UNRESOLVED_REASON_AMBIGUOUS},
      {"another module's label",
       [](Scene& s) { (*s.db().mutable_muniment_labels())["module"] = "other"; },
       v1::UNRESOLVED_REASON_AMBIGUOUS},
      {"a label that is no class",
       [](Scene& s) { (*s.db().mutable_muniment_labels())["class"] = "postgress"; },
       v1::UNRESOLVED_REASON_UNKNOWN_CLASS},
  };
}

// Rungs, labels and paths that leave no class or nothing to capture.
std::vector<Case> bad_choices() {
  return {
      {"a class without rules",
       [](Scene& s) { s.module().backup_class = v1::BACKUP_CLASS_MARIADB; },
       v1::UNRESOLVED_REASON_UNSUPPORTED},
      {"files without a path", [](Scene& s) { s.module().backup_class = v1::BACKUP_CLASS_FILES; },
       v1::UNRESOLVED_REASON_MISSING},
      {"a volume it lacks",
       [](Scene& s) {
         s.module().backup_class = v1::BACKUP_CLASS_FILES;
         s.module().volumes = {"data"};
       },
       v1::UNRESOLVED_REASON_MISSING},
      {"a path that is missing",
       [](Scene& s) {
         s.module().backup_class = v1::BACKUP_CLASS_FILES;
         s.add_path("/data", v1::PATH_KIND_MISSING);
       },
       v1::UNRESOLVED_REASON_MISSING},
      {"a link",
       [](Scene& s) {
         s.module().backup_class = v1::BACKUP_CLASS_FILES;
         s.add_path("/data", v1::PATH_KIND_SYMLINK);
       },
       v1::UNRESOLVED_REASON_WRONG_KIND},
      {"paths that are excluded",
       [](Scene& s) {
         s.module().backup_class = v1::BACKUP_CLASS_FILES;
         s.module().exclude = {"/data/**"};
         s.add_path("/data", v1::PATH_KIND_DIRECTORY);
       },
       v1::UNRESOLVED_REASON_EMPTIED},
      {"a database that nobody can read",
       [](Scene& s) {
         s.module().backup_class = v1::BACKUP_CLASS_SQLITE;
         s.add_path("/data/app.db", v1::PATH_KIND_REGULAR);
       },
       v1::UNRESOLVED_REASON_UNSUPPORTED},
  };
}

TEST(ResolveContainer, HasAResultForEachStateThatIsNotFine) {
  std::vector<Case> cases = bad_states();
  for (Case& one : bad_choices()) cases.push_back(std::move(one));
  for (const Case& one : cases) {
    Scene scene;
    one.change(scene);
    const v1::ModuleUnresolved body = unresolved(scene);
    EXPECT_EQ(body.reason(), one.reason) << one.what << ": " << body.detail();
    EXPECT_FALSE(body.detail().empty()) << one.what;
  }
}

TEST(ResolveContainer, ReadsFilesOfAContainerThatDoesNotRun) {
  for (const char* state : {"running", "paused", "exited"}) {
    Scene scene;
    scene.module().backup_class = v1::BACKUP_CLASS_FILES;
    scene.db().set_state(state);
    scene.add_path("/data", v1::PATH_KIND_DIRECTORY);
    EXPECT_EQ(resolved(scene).backup_class(), v1::BACKUP_CLASS_FILES) << state;
  }
}

TEST(ResolveContainer, TakesTheManifestBeforeLabelsAndLabelsBeforeImages) {
  Scene scene;
  (*scene.db().mutable_muniment_labels())["class"] = "redis";
  v1::ModuleResolved body = resolved(scene);
  EXPECT_EQ(body.backup_class(), v1::BACKUP_CLASS_REDIS);
  EXPECT_EQ(body.rung(), v1::RUNG_LABEL);
  ASSERT_EQ(body.considered_size(), 1);
  scene.module().backup_class = v1::BACKUP_CLASS_POSTGRES;
  body = resolved(scene);
  EXPECT_EQ(body.backup_class(), v1::BACKUP_CLASS_POSTGRES);
  EXPECT_EQ(body.rung(), v1::RUNG_MANIFEST);
  EXPECT_EQ(body.considered_size(), 2);
}

TEST(ResolveContainer, IsExcludedByItsServiceOrALabelOfIt) {
  for (const auto& [kind, pattern] : std::vector<std::pair<std::string, std::string>>{
           {"service", "db"}, {"service", "shop/db"}, {"label", "tier=ops"}}) {
    Scene scene;
    scene.db().add_labels_asked("tier=ops");
    Exclude& rule = scene.manifest.excludes.emplace_back();
    rule.id = "X1";
    rule.kind = kind;
    rule.pattern = pattern;
    EXPECT_EQ(scene.run().events.at(0).module_excluded().rule(), "X1") << kind;
  }
}

TEST(Detect, KnowsRepositoriesByTheirLastPartWithoutRegistryTagAndDigest) {
  EXPECT_EQ(repository_base("postgres"), "postgres");
  EXPECT_EQ(repository_base("localhost:5000/lab/postgres"), "postgres");
  EXPECT_EQ(repository_base("docker.io/pgvector/pgvector:pg16@sha256:00"), "pgvector");
  EXPECT_EQ(repository_base(""), "");
}

// POSTGRES_PASSWORD and /data are with clients as well.
TEST(Detect, DoesNotTakeAClientForItsServer) {
  Scene scene;
  scene.db().set_image("app:1");
  scene.db().add_environment_names("POSTGRES_PASSWORD");
  scene.db().add_mounts()->set_destination("/data");
  EXPECT_EQ(unresolved(scene).reason(), v1::UNRESOLVED_REASON_UNKNOWN_CLASS);
}

// Whatever names the container or what is done in it is in the digest; its state is not.
TEST(PlanOfAContainer, ChangesWithEachThingThatItHangsOn) {
  const auto digest = [](const std::function<void(Scene&)>& change) {
    Scene scene;
    v1::Mount& mount = *scene.db().add_mounts();
    mount.set_kind("volume");
    mount.set_name("data");
    mount.set_destination("/var/lib/postgresql/data");
    change(scene);
    return make_plan(scene.manifest, scene.run(), "run").digest;
  };
  const std::string before = digest([](Scene&) {});
  const std::vector<std::pair<const char*, std::function<void(Scene&)>>> changes = {
      {"container", [](Scene& s) { s.db().set_container_id(id_of('b')); }},
      {"image", [](Scene& s) { s.db().set_image_id("sha256:" + id_of('e')); }},
      {"volume", [](Scene& s) { s.db().mutable_mounts(0)->set_name("other"); }},
      {"read-only", [](Scene& s) { s.db().mutable_mounts(0)->set_read_only(true); }},
      {"databases", [](Scene& s) { s.module().databases = {"shop"}; }},
      {"globals", [](Scene& s) { s.module().globals = false; }},
      {"user", [](Scene& s) { s.module().auth.user = {{AuthWord::Kind::kLiteral, "x"}}; }},
      {"password", [](Scene& s) { s.module().auth.password = {{AuthWord::Kind::kEnv, "X"}}; }},
  };
  for (const auto& [what, change] : changes) EXPECT_NE(digest(change), before) << what;
  EXPECT_EQ(digest([](Scene& s) { s.db().set_health("starting"); }), before);
  EXPECT_EQ(digest([](Scene& s) { s.db().add_environment_names("NEW"); }), before);
}

}  // namespace
}  // namespace muniment
