// What is wrong with the words, the manifest, the data or the store is said, with the thing named,
// by the exit code of its kind, and nothing is written.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/left_on_disk.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// A workspace in which a command may fail and must leave store, root and data as they are.
class Scene {
 public:
  Scene() {
    here_.populate();
    here_.init();
  }

  const Workspace& here() const { return here_; }

  // Fails with `exit_code`, says `parts`, writes nothing: not even an event.
  void refuses(const Words& words, int exit_code, const Words& parts) const {
    const std::string before = world();
    const Ran ran = here_.run(words);
    expect_ended(ran, exit_code, parts);
    EXPECT_EQ(ran.out, "") << shown(ran);
    EXPECT_EQ(world(), before) << shown(ran);
  }

  // Fails with `exit_code`, says `parts`, records the run, writes no backup.
  void fails(const Words& words, int exit_code, const Words& parts) const {
    const std::string data = list_tree(here_.path("data"));
    const std::string runs_before = count_runs();
    const Ran ran = here_.run(words);
    expect_ended(ran, exit_code, parts);
    EXPECT_EQ(list_tree(here_.path("data")), data);
    EXPECT_FALSE(fs::exists(here_.root())) << list_tree(here_.root());
    EXPECT_NE(count_runs(), runs_before) << "not recorded: " << shown(ran);
  }

 private:
  // All files outside the store, and all events: opening a store for writing moves its files.
  std::string world() const {
    const std::string files = list_tree(here_.path(""));
    std::string out = here_.run({"-s", here_.store(), "events", "--jsonl"}).out;
    for (std::size_t at = 0; at < files.size();) {
      const std::size_t end = std::min(files.find('\n', at), files.size() - 1) + 1;
      const std::string line = files.substr(at, end - at);
      if (!line.starts_with(here_.store())) out += line;
      at = end;
    }
    return out;
  }
  std::string count_runs() const {
    const Ran runs = here_.run({"runs", "--json", "--limit", "1000"});
    return jq(here_, runs.out, ".runs | length");
  }

  Workspace here_;
};

TEST(BadManifest, IsNamedWithFileLineAndColumnByEveryCommandThatReadsIt) {
  const Scene scene;
  const struct {
    const char* tables;
    int line;
    const char* place;
    const char* said;
  } kBroken[] = {
      {"colour = 1\n", 0, ":1: ", "colour"},
      {"[[module]]\nname = \"notes\"\nclas = \"sqlite\"\n", 2, ":1: ", "`class`"},
      {"[[module]]\nname = \"a\"\nclass = \"sqlite\"\nhost = { path = \"rel\" }\n", 3,
       ":17: ", "absolute"},
      {"[[module]]\nname = \n", 1, ":", "expected"},
      {"[[module]]\nname = \"a\"\nclass = \"none\"\n", 0, ":1: ", "reason"},
      {"[[module]]\nname = \"a\"\nclass = \"postgress\"\n", 2, ":9: ", "`postgres`"},
  };
  // The lines before the tables.
  int head_lines = 0;
  for (const char c : scene.here().head()) head_lines += c == '\n' ? 1 : 0;
  for (const auto& broken : kBroken) {
    SCOPED_TRACE(broken.tables);
    scene.here().write_manifest(broken.tables);
    const std::string place =
        scene.here().manifest() + ":" + std::to_string(head_lines + 1 + broken.line) + broken.place;
    scene.refuses({"backup", "--all"}, 2, {place, broken.said});
    scene.refuses({"backup", "--all", "--dry-run"}, 2, {place, broken.said});
    scene.refuses({"resolve"}, 2, {place, broken.said});
    scene.refuses({"runs"}, 2, {place});
    scene.refuses({"init"}, 2, {place});
  }
}

TEST(BadManifest, ThatOthersMayWriteIsRefused) {
  const Scene scene;
  for (const mode_t mode : {0660U, 0620U, 0602U, 0666U}) {
    ASSERT_EQ(::chmod(scene.here().manifest().c_str(), mode), 0);
    scene.refuses({"backup", "--all"}, 2, {scene.here().manifest(), "chmod go-w"});
    scene.refuses({"runs"}, 2, {scene.here().manifest(), "chmod go-w"});
  }
  // That others may read it is their operator's choice.
  ASSERT_EQ(::chmod(scene.here().manifest().c_str(), 0644), 0);
  EXPECT_EQ(scene.here().run({"runs"}).exit_code, 0);
}

TEST(BadManifest, OfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const Scene scene;
  ASSERT_EQ(::chown(scene.here().manifest().c_str(), 12345, 0), 0);
  scene.refuses({"backup", "--all"}, 2, {scene.here().manifest(), "12345", "chown"});
}

TEST(BadManifest, ThatIsMissingOrNoFileIsNamed) {
  const Scene scene;
  const std::string missing = scene.here().path("no-such.toml");
  scene.refuses({"-m", missing, "backup", "--all"}, 2, {missing, "No such file"});
  scene.refuses({"-m", scene.here().files(), "runs"}, 2, {scene.here().files(), "not a regular"});
}

TEST(Module, ThatTheManifestDoesNotHaveIsUsageWithTheNearestName) {
  const Scene scene;
  scene.refuses({"backup", "ntoes"}, 2, {"`ntoes`", "did you mean `notes`?"});
  scene.refuses({"backup", "notes", "photo", "--dry-run"}, 2, {"`photo`", "`photos`"});
  scene.refuses({"resolve", "zzzzzzzz"}, 2, {"`zzzzzzzz`"});
  scene.refuses({"backup"}, 2, {"--all"});
}

TEST(Store, ThatIsMissingIsUsageAndNamesInit) {
  const Workspace workspace;
  workspace.populate();
  const std::string before = list_tree(workspace.path(""));
  for (const Words& words : {Words{"backup", "--all"},
                             {"backup", "--all", "--dry-run"},
                             {"resolve", "--record"},
                             {"runs"},
                             {"show", "latest"},
                             {"show", "3"},
                             {"events"},
                             {"events", "--follow"},
                             {"report", "latest"},
                             {"note", "latest", "x"},
                             {"verify"},
                             {"reindex"}}) {
    const Ran ran = workspace.run(words);
    expect_ended(ran, 2, {workspace.store(), "muniment init"});
    EXPECT_EQ(ran.out, "") << words[0];
  }
  EXPECT_EQ(list_tree(workspace.path("")), before);
}

TEST(Data, ThatIsMissingFailsTheRunAndNamesThePath) {
  const Scene scene;
  fs::rename(scene.here().database(), scene.here().path("data/moved.db"));
  for (const Words& words : {Words{"backup", "--all"}, {"backup", "notes", "--dry-run"}}) {
    scene.fails(words, 1, {"notes", scene.here().database()});
  }
  const Ran resolved = scene.here().run({"resolve"});
  expect_ended(resolved, 1, {scene.here().database()});
  EXPECT_TRUE(contains(resolved.out, "unresolved"));
}

TEST(Data, OfAnotherKindThanTheClassNeedsFailsTheRun) {
  const Scene scene;
  fs::rename(scene.here().database(), scene.here().path("data/moved.db"));
  fs::create_directory(scene.here().database());
  scene.fails({"backup", "notes"}, 1, {"notes", scene.here().database(), "folder"});
  fs::remove(scene.here().database());
  write_text(scene.here().database(), "this is no database, whatever its name says\n");
  scene.fails({"backup", "notes"}, 1, {"notes", scene.here().database()});
}

TEST(Data, ThatContainsTheBackupRootOrTheStoreIsRefused) {
  const Scene scene;
  scene.here().write_manifest("[[module]]\nname = \"all\"\nclass = \"files\"\nhost = { path = \"" +
                              scene.here().path("").substr(0, scene.here().path("").size() - 1) +
                              "\" }\n");
  scene.fails({"backup", "all"}, 1, {"all", scene.here().store()});
}

TEST(Container, IsRefusedInWordsThatSaySo) {
  const Scene scene;
  const std::string container =
      "[[module]]\nname = \"db\"\ncontainer = { compose = \"plat/db\" }\nclass = \"postgres\"\n";
  scene.here().write_manifest(scene.here().modules() + container);
  // An engine that is not there, whatever else runs on this machine.
  std::string manifest = read_file(scene.here().manifest());
  const std::string name = "name = \"testhost\"\n";
  const std::string engine = "engine = \"unix://" + scene.here().path("none.sock") + "\"\n";
  manifest.replace(manifest.find(name), name.size(), name + engine);
  write_text(scene.here().manifest(), manifest);
  scene.fails({"backup", "db"}, 8, {"db: ", "none.sock"});
  scene.fails({"backup", "--all"}, 8, {"db: ", "none.sock"});
  scene.fails({"backup", "--all", "--dry-run"}, 8, {"db: ", "none.sock"});
  scene.here().write_manifest(scene.here().modules() +
                              "[[module]]\nname = \"forge\"\ncontainer = { name = \"forge\" }\n"
                              "class = \"composite\"\n[[module.member]]\nid = \"config\"\n"
                              "class = \"files\"\npaths = [\"/data/app.ini\"]\n");
  scene.fails({"backup", "forge"}, 1, {"forge: ", "composite"});
  // The others can be taken by name.
  EXPECT_EQ(scene.here().run({"backup", "notes", "photos"}).exit_code, 0);
}

TEST(Gate, ClosesTheExecutionAndNothingIsWritten) {
  const Scene scene;
  const std::string gate = "gate = \"F3\"\n[gate.F3]\nguards = [\"backup\"]\nsigners = \"" +
                           scene.here().path("signers") + "\"\n";
  scene.here().write_manifest(scene.here().modules() + gate);
  scene.fails({"backup", "--all"}, 3, {"gate F3", "photos"});
  scene.fails({"backup", "photos"}, 3, {"gate F3", "photos"});
  const Ran rehearsed = scene.here().run({"backup", "--all", "--dry-run"});
  EXPECT_EQ(rehearsed.exit_code, 0) << shown(rehearsed);
  EXPECT_TRUE(contains(rehearsed.out, "Gate F3 guards photos"));
  scene.fails({"backup", "--plan", "latest:dry-run"}, 3, {"gate F3", "photos"});
  EXPECT_EQ(scene.here().run({"backup", "notes"}).exit_code, 0);
}

TEST(Name, OfNothingExits7) {
  const Scene scene;
  scene.refuses({"show", "latest"}, 7, {"`latest`"});
  EXPECT_EQ(scene.here().run({"backup", "--all", "--dry-run"}).exit_code, 0);
  for (const char* run : {"0199aaaa-0000", "latest:nix", "latest:photo", "nonsense"}) {
    SCOPED_TRACE(run);
    scene.refuses({"show", run}, 7, {run});
    scene.refuses({"report", run}, 7, {run});
    scene.refuses({"note", run, "text"}, 7, {run});
    scene.refuses({"events", "--run", run}, 7, {run});
    scene.refuses({"runs", "--before", run}, 7, {run});
    scene.refuses({"backup", "--plan", run}, 7, {run});
  }
  scene.refuses({"show", "999999"}, 7, {"999999"});
  scene.refuses({"show", "18446744073709551615"}, 7, {"18446744073709551615"});
}

TEST(Name, OfARunThatIsTooShortIsUsage) {
  const Scene scene;
  EXPECT_EQ(scene.here().run({"backup", "--all", "--dry-run"}).exit_code, 0);
  const std::string id =
      jq(scene.here(), scene.here().run({"show", "latest", "--json"}).out, ".run_id");
  for (const std::string& run : {id.substr(0, 5), std::string("0")}) {
    scene.refuses({"report", run}, 2, {"`" + run + "`", "6 characters"});
    scene.refuses({"note", run, "text"}, 2, {"`" + run + "`", "6 characters"});
  }
}

TEST(StorePath, OfSomethingElseIsUsageAndStaysAsItIs) {
  const Scene scene;
  const std::string folder = scene.here().path("foreign");
  fs::create_directory(folder);
  write_text(folder + "/letter.txt", "not yours\n");
  const std::string file = folder + "/letter.txt";
  for (const std::string& path : {file, folder}) {
    for (const Words& words : {Words{"runs"},
                               {"verify"},
                               {"reindex"},
                               {"init"},
                               {"backup", "--all"},
                               {"note", "latest", "x"}}) {
      SCOPED_TRACE(path + " " + words[0]);
      Words all{"-s", path};
      all.insert(all.end(), words.begin(), words.end());
      scene.refuses(all, 2, {path});
    }
  }
}

}  // namespace
}  // namespace muniment
