// `backup --plan RUN` executes what RUN rehearsed, or nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/left_on_disk.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class BackupPlan : public testing::Test {
 protected:
  BackupPlan() {
    here_.populate();
    here_.init();
  }

  std::string run_id() const {
    return jq(here_, here_.run({"show", "latest", "--json"}).out, ".run_id");
  }
  std::string rehearse(Words words) const {
    words.insert(words.begin(), {"backup", "--dry-run"});
    const Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
    return run_id();
  }
  std::string rehearse_all() const { return rehearse({"--all"}); }

  // Refused because the world is another: recorded as that, nothing written.
  void expect_drift(const std::string& plan, const Words& parts) const {
    const std::string before = fs::exists(here_.root()) ? list_tree(here_.root()) : "";
    const Ran ran = here_.run({"backup", "--plan", plan});
    expect_ended(ran, 4, parts);
    EXPECT_EQ(fs::exists(here_.root()) ? list_tree(here_.root()) : "", before);
    const Ran show = here_.run({"show", "latest", "--json"});
    EXPECT_EQ(jq(here_, show.out, R"(.outcome + " " + .follows_run)"), "refused " + plan)
        << show.out;
    EXPECT_EQ(jq(here_, show.out, ".artifacts | length"), "0");
    const Ran events = here_.run({"events", "--run", "latest", "--type", "drift_detected"});
    EXPECT_TRUE(contains(events.out, "drift_detected")) << shown(ran);
  }
  // Refused as usage or as nothing by that name: not even recorded.
  void expect_refused(const Words& words, int exit_code, const Words& parts) const {
    const std::string before = here_.run({"events", "--jsonl", "--limit", "100000"}).out;
    const Ran ran = here_.run(words);
    expect_ended(ran, exit_code, parts);
    EXPECT_EQ(ran.out, "");
    EXPECT_FALSE(fs::exists(here_.root()));
    EXPECT_EQ(here_.run({"events", "--jsonl", "--limit", "100000"}).out, before);
  }

  Workspace here_;
};

TEST_F(BackupPlan, IsExecutedAsItWasRehearsed) {
  const std::string rehearsal = rehearse_all();
  const std::string digest =
      jq(here_, here_.run({"show", rehearsal, "--json"}).out, ".plan_digest");
  int taken = 0;
  for (const Words& words : {Words{"--plan", "latest:dry-run"},
                             {"--plan", rehearsal.substr(0, 13)},
                             {"photos", "notes", "--plan", rehearsal},
                             {"--plan", "latest:photos"},
                             {"--plan", "latest"}}) {
    Words all{"backup", "--json"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = here_.run(all);
    ASSERT_EQ(ran.exit_code, 0) << shown(ran);
    EXPECT_EQ(jq(here_, ran.out, ".follows_run"), rehearsal);
    EXPECT_EQ(jq(here_, ran.out, ".plan_digest"), digest);
    EXPECT_EQ(jq(here_, ran.out, "[.mode, .outcome, (.artifacts | length)] | join(\" \")"),
              "execution ok 2");
    ++taken;
  }
  for (const char* module : {"notes", "photos"}) {
    const fs::directory_iterator runs(here_.root() + "/" + module);
    EXPECT_EQ(std::distance(begin(runs), end(runs)), taken);
  }
  EXPECT_EQ(here_.run({"verify"}).exit_code, 0);
}

TEST_F(BackupPlan, OfOneModuleTakesThatOneAlone) {
  const std::string rehearsal = rehearse({"photos"});
  const Ran ran = here_.run({"backup", "--plan", rehearsal, "--json"});
  EXPECT_EQ(jq(here_, ran.out, "[.artifacts[].module] | join(\",\")"), "photos") << shown(ran);
  EXPECT_FALSE(fs::exists(here_.root() + "/notes"));
}

TEST_F(BackupPlan, IsNotExecutedOnceTheManifestSaysSomethingElse) {
  const std::string rehearsal = rehearse_all();
  const std::string exclude = "exclude = [\"" + here_.files() + "/deep\"]\n";
  const std::string more = "[[module]]\nname = \"more\"\nclass = \"files\"\nhost = { path = \"" +
                           here_.files() + "\" }\n";
  const std::string gate =
      "gate = \"F3\"\n[gate.F3]\nguards = [\"backup\"]\nsigners = \"/etc/signers\"\n";
  const std::string notes = here_.modules().substr(0, here_.modules().find("[[module]]", 5));
  const std::string as_files =
      "[[module]]\nname = \"notes\"\nclass = \"files\"\nhost = { path = \"" + here_.path("data") +
      "\" }\n" + here_.modules().substr(notes.size());
  const struct {
    const char* change;
    std::string modules;
  } kChanges[] = {
      {"an exclusion was added", here_.modules() + exclude}, {"a class was changed", as_files},
      {"a module was added", here_.modules() + more},        {"a module was removed", notes},
      {"a gate was added", here_.modules() + gate},
  };
  for (const auto& change : kChanges) {
    SCOPED_TRACE(change.change);
    here_.write_manifest(change.modules);
    expect_drift(rehearsal, {"drift"});
  }
  here_.write_manifest(here_.modules());
  const Ran ran = here_.run({"backup", "--plan", rehearsal});
  EXPECT_EQ(ran.exit_code, 0) << "back as it was: " << shown(ran);
}

// The plan says what is taken and how it is come by, not where it goes.
TEST_F(BackupPlan, LeavesTheDestinationToTheManifestOfTheDay) {
  const std::string rehearsal = rehearse_all();
  std::string text = here_.head() + here_.modules();
  text.replace(text.find(here_.root()), here_.root().size(), here_.path("elsewhere"));
  write_text(here_.manifest(), text);
  const Ran ran = here_.run({"backup", "--plan", rehearsal, "--json"});
  EXPECT_EQ(jq(here_, ran.out, ".follows_run"), rehearsal) << shown(ran);
  EXPECT_TRUE(fs::exists(here_.path("elsewhere/photos")));
  EXPECT_FALSE(fs::exists(here_.root()));
}

TEST_F(BackupPlan, OutlivesChangesOfTheDataItself) {
  const std::string rehearsal = rehearse_all();
  fs::remove(here_.database());
  make_database(here_.database(), {.wal = false, .rows = 300});
  write_text(here_.files() + "/later.txt", "written after the rehearsal\n");
  const Ran ran = here_.run({"backup", "--plan", rehearsal});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
}

TEST_F(BackupPlan, TakesNoModulesThatAreNotItsOwn) {
  rehearse({"photos"});
  expect_refused({"backup", "notes", "--plan", "latest:dry-run"}, 2, {"`notes`", "plan"});
  expect_refused({"backup", "photos", "notes", "--plan", "latest:dry-run"}, 2, {"`notes`"});
  expect_refused({"backup", "nix", "--plan", "latest:dry-run"}, 2, {"`nix`"});
  rehearse_all();
  expect_refused({"backup", "photos", "--plan", "latest:dry-run"}, 2, {"whole"});
  expect_refused({"backup", "photos", "photos", "--plan", "latest:dry-run"}, 2, {"whole"});
}

TEST_F(BackupPlan, GoesWithNeitherDryRunNorAll) {
  rehearse_all();
  expect_refused({"backup", "--plan", "latest", "--dry-run"}, 2, {"--dry-run"});
  expect_refused({"backup", "--plan", "latest", "--all"}, 2, {"--all"});
}

TEST_F(BackupPlan, IsASuccessfulDryRunAndNothingElse) {
  fs::rename(here_.files(), here_.path("away"));
  EXPECT_EQ(here_.run({"backup", "--all", "--dry-run"}).exit_code, 1);
  const std::string failed = run_id();
  fs::rename(here_.path("away"), here_.files());
  const Ran none = here_.run({"backup", "--plan", "latest:dry-run"});
  expect_ended(none, 7, {"latest:dry-run"});
  expect_refused({"backup", "--plan", failed}, 7, {failed, "dry run"});
  EXPECT_EQ(here_.run({"resolve", "--record"}).exit_code, 0);
  expect_refused({"backup", "--plan", run_id()}, 7, {run_id(), "dry run"});
  EXPECT_EQ(here_.run({"backup", "notes"}).exit_code, 0);
  const std::string execution = run_id();
  const std::string before = list_tree(here_.root());
  expect_ended(here_.run({"backup", "--plan", execution}), 7, {execution, "dry run"});
  EXPECT_EQ(list_tree(here_.root()), before);
  // "latest" means the newest that can be executed, not the newest run.
  const std::string rehearsal = rehearse_all();
  EXPECT_EQ(here_.run({"backup", "photos"}).exit_code, 0);
  const Ran ran = here_.run({"backup", "--plan", "latest:notes", "--json"});
  EXPECT_EQ(jq(here_, ran.out, ".follows_run"), rehearsal) << shown(ran);
}

}  // namespace
}  // namespace muniment
