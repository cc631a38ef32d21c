// Where settings come from, what goes to which stream, and that help helps.
#include <grp.h>
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
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const Words kCommands{"init",    "resolve", "backup",     "runs",  "show",
                      "events",  "report",  "note",       "erase", "verify",
                      "reindex", "doctor",  "completion", "gate",  "candidates",
                      "prompt",  "approve", "revoke",     "exec"};

class Settings : public testing::Test {
 protected:
  Settings() { here_.populate(); }

  Ran run(const Words& words, const RunWith& with) const { return run_muniment(words, with); }
  std::string actor_of_latest(const RunWith& with) const {
    return jq(here_, run({"show", "latest", "--json"}, with).out, ".actor");
  }
  // A manifest for `store`, at `path`.
  void write_manifest(const std::string& path, const std::string& store) const {
    write_text(path, "schema = 1\n[store]\npath = \"" + store + "\"\n[backup]\nroot = \"" +
                         here_.root() + "\"\n" + here_.modules());
    fs::permissions(path, fs::perms(0600));
  }
  // The store that a command names when there is none.
  std::string store_named(const Words& words, const RunWith& with) const {
    const Ran ran = run(words, with);
    EXPECT_EQ(ran.exit_code, 2) << shown(ran);
    const std::string label = "there is no store at ";
    const std::size_t begin = ran.err.find(label) + label.size();
    return ran.err.substr(begin, ran.err.find(';') - begin);
  }

  Workspace here_;
};

TEST_F(Settings, TheStoreIsThatOfTheFlagElseTheEnvironmentElseTheManifestElseTheStateFolder) {
  RunWith with = here_.surroundings();
  with.environment["MUNIMENT_STORE"] = here_.path("of-environment");
  EXPECT_EQ(store_named({"runs", "-s", here_.path("of-flag")}, with), here_.path("of-flag"));
  EXPECT_EQ(store_named({"--store", "of-flag", "runs"}, with), here_.path("cwd/of-flag"));
  EXPECT_EQ(store_named({"runs"}, with), here_.path("of-environment"));
  with.environment["MUNIMENT_STORE"] = "";
  EXPECT_EQ(store_named({"runs"}, with), here_.store());
  write_text(here_.manifest(), "schema = 1\n[backup]\nroot = \"" + here_.root() + "\"\n");
  EXPECT_EQ(store_named({"runs"}, with), here_.path("home/state/muniment"));
  with.environment.erase("XDG_STATE_HOME");
  if (::geteuid() != 0) {
    EXPECT_EQ(store_named({"runs"}, with), here_.path("home/.local/state/muniment"));
  }
}

TEST_F(Settings, TheManifestIsThatOfTheFlagElseTheEnvironmentElseOfTheFolder) {
  write_manifest(here_.path("cwd/muniment.toml"), here_.path("of-folder"));
  write_manifest(here_.path("environment.toml"), here_.path("of-environment"));
  write_manifest(here_.path("flag.toml"), here_.path("of-flag"));
  RunWith with = here_.surroundings();
  with.environment["MUNIMENT_MANIFEST"] = here_.path("environment.toml");
  EXPECT_EQ(store_named({"runs", "-m", here_.path("flag.toml")}, with), here_.path("of-flag"));
  EXPECT_EQ(store_named({"-m", "../flag.toml", "runs"}, with), here_.path("of-flag"));
  EXPECT_EQ(store_named({"runs"}, with), here_.path("of-environment"));
  with.environment.erase("MUNIMENT_MANIFEST");
  EXPECT_EQ(store_named({"runs"}, with), here_.path("of-folder"));
}

TEST_F(Settings, TheActorIsThatOfTheFlagElseTheEnvironmentElseTheUser) {
  here_.init();
  RunWith with = here_.surroundings();
  with.environment["MUNIMENT_ACTOR"] = "timer:nightly";
  for (const Words& words : {Words{"--actor", "agent:claude", "backup", "photos", "--dry-run"},
                             {"backup", "photos", "--dry-run", "--actor=agent:claude"}}) {
    EXPECT_EQ(run(words, with).exit_code, 0);
    EXPECT_EQ(actor_of_latest(with), "agent:claude");
  }
  EXPECT_EQ(run({"backup", "photos", "--dry-run"}, with).exit_code, 0);
  EXPECT_EQ(actor_of_latest(with), "timer:nightly");
  with.environment.erase("MUNIMENT_ACTOR");
  EXPECT_EQ(run({"backup", "photos", "--dry-run"}, with).exit_code, 0);
  EXPECT_EQ(actor_of_latest(with), "operator:tester");
  for (const char* actor : {"nobody", "king:arthur", "operator:", ":x"}) {
    const Ran ran = run({"backup", "photos", "--dry-run", "--actor", actor}, with);
    expect_ended(ran, 2, {actor});
  }
}

TEST_F(Settings, GlobalOptionsMeanTheSameBeforeAndAfterTheCommand) {
  here_.init();
  EXPECT_EQ(here_.run({"backup", "--all", "--dry-run"}).exit_code, 0);
  const Ran after = here_.run({"show", "latest", "--json", "-s", here_.store()});
  const Ran before = here_.run({"--json", "-s", here_.store(), "show", "latest"});
  EXPECT_EQ(after.exit_code, 0) << shown(after);
  EXPECT_EQ(before.out, after.out);
  EXPECT_TRUE(parse_json(before.out));
}

TEST_F(Settings, EveryCommandHasHelpWithAnExampleAndItsExitCodes) {
  const Ran all = here_.run({"--help"});
  EXPECT_EQ(all.exit_code, 0);
  for (const std::string& command : kCommands) {
    EXPECT_TRUE(contains(all.out, "\n  " + command + " ")) << command;
    for (const char* help : {"--help", "-h"}) {
      const Ran ran = here_.run({command, help});
      EXPECT_EQ(ran.exit_code, 0);
      EXPECT_EQ(ran.err, "");
      EXPECT_TRUE(contains(ran.out, "Example:\n  muniment " + command)) << command;
      EXPECT_TRUE(contains(ran.out, "Exit: 0 ")) << command;
      EXPECT_TRUE(ran.out.ends_with('\n'));
    }
  }
  for (const char* part : {"130", "--manifest", "--store", "--actor", "--json", "--lock-wait"}) {
    EXPECT_TRUE(contains(all.out, part));
  }
}

TEST_F(Settings, VersionIsOneLine) {
  const Ran ran = here_.run({"--version"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_TRUE(ran.out.starts_with("muniment ") && ran.out.ends_with('\n')) << ran.out;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1);
}

TEST_F(Settings, UnknownWordsAreUsageWithTheNearestOne) {
  here_.init();
  const struct {
    Words words;
    Words said;
  } kWrong[] = {
      {{}, {"muniment --help"}},
      {{"bakcup", "--all"}, {"no command `bakcup`", "did you mean `backup`?"}},
      {{"zzzzzzzzzz"}, {"no command `zzzzzzzzzz`", "muniment --help"}},
      {{"backup", "--al"}, {"no option `--al`", "`--all`", "muniment backup --help"}},
      {{"--stroe", "x", "runs"}, {"no option `--stroe`", "`--store`"}},
      {{"runs", "--lmit=3"}, {"no option `--lmit`", "`--limit`"}},
      {{"runs", "--limit"}, {"--limit"}},
      {{"runs", "surplus"}, {"surplus"}},
      {{"show"}, {"muniment show --help"}},
      {{"runs", "--color", "pink"}, {"pink"}},
      {{"runs", "--log-format", "xml"}, {"xml"}},
      {{"runs", "--lock-wait", "-1"}, {"--lock-wait"}},
      {{"report", "latest", "--format", "pdf"}, {"pdf"}},
  };
  for (const auto& wrong : kWrong) {
    const Ran ran = here_.run(wrong.words);
    expect_ended(ran, 2, wrong.said);
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("muniment: ")) << ran.err;
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  }
}

TEST_F(Settings, AnswersAreOnStandardOutputAndDiagnosticsAreNot) {
  here_.init();
  const Ran normal = here_.run({"backup", "--all", "--json"});
  EXPECT_TRUE(parse_json(normal.out)) << normal.out;
  EXPECT_TRUE(contains(normal.err, "step_settled"));
  EXPECT_FALSE(contains(normal.err, "step_started"));
  const Ran quiet = here_.run({"-q", "backup", "--all", "--json"});
  EXPECT_EQ(quiet.err, "");
  EXPECT_TRUE(parse_json(quiet.out)) << quiet.out;
  EXPECT_TRUE(contains(here_.run({"-v", "backup", "photos"}).err, "step_started"));
  fs::remove(here_.database());
  const Ran failed = here_.run({"-q", "backup", "--all", "--json"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_TRUE(contains(failed.err, here_.database())) << "errors are said even so";
  EXPECT_TRUE(parse_json(failed.out)) << failed.out;
}

TEST_F(Settings, DiagnosticsInJsonAreJsonWordForWord) {
  here_.init();
  fs::remove(here_.database());
  const Ran json = here_.run({"--log-format", "json", "-v", "backup", "--all"});
  const Ran text = here_.run({"-v", "backup", "--all"});
  EXPECT_EQ(json.exit_code, 1);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < json.err.size(); ++lines) {
    const std::size_t end = json.err.find('\n', at);
    ASSERT_NE(end, json.err.npos);
    EXPECT_TRUE(parse_json(json.err.substr(at, end - at))) << json.err.substr(at, end - at);
    at = end + 1;
  }
  EXPECT_EQ(lines, static_cast<std::size_t>(std::count(text.err.begin(), text.err.end(), '\n')));
  EXPECT_EQ(jq(here_, json.err, "[keys_unsorted[]] | join(\" \")").substr(0, 16),
            "at level message");
  EXPECT_EQ(
      jq(here_, json.err, "select(.level == \"error\") | .message"),
      "notes: there is nothing at " + here_.database() + "; correct host.path or restore the file");
}

TEST_F(Settings, AnAnswerThatCannotBeWrittenIsAFailure) {
  here_.init();
  EXPECT_EQ(here_.run({"backup", "--all", "--dry-run"}).exit_code, 0);
  const std::string binary = MUNIMENT_BINARY;
  for (const std::string& words :
       {std::string("runs"), std::string("show latest"), std::string("show 3 --json"),
        std::string("events"), std::string("events --jsonl"), std::string("report latest"),
        std::string("verify"), std::string("note latest x"), std::string("resolve"),
        std::string("--help"), std::string("--version"), std::string("backup --help")}) {
    const std::string command = "'" + binary + "' " + words;
    const Ran full = run_program({"sh", "-c", command + " > /dev/full"}, here_.surroundings());
    EXPECT_EQ(full.exit_code, 1) << words << ": " << shown(full);
    const Ran closed = run_program({"sh", "-c", command + " >&-"}, here_.surroundings());
    EXPECT_EQ(closed.exit_code, 1) << words << ": " << shown(closed);
    // The reader is gone before a word is written.
    const Ran pipe =
        run_program({"bash", "-c", "set -o pipefail; (sleep 0.1; exec " + command + ") | true"},
                    here_.surroundings());
    EXPECT_NE(pipe.exit_code, 0) << words << ": " << shown(pipe);
  }
}

// The number of a closed stream is free for the next file, and the first one is of the store.
TEST_F(Settings, AStreamThatTheCallerClosedIsNeverAFileOfTheStore) {
  here_.init();
  const std::string command = std::string("'") + MUNIMENT_BINARY + "' -v backup photos ";
  for (const char* closed : {"2>&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
    const Ran ran = run_program({"sh", "-c", command + closed}, here_.surroundings());
    EXPECT_EQ(ran.exit_code, std::string(closed) == "2>&-" ? 0 : 1) << closed << shown(ran);
    EXPECT_FALSE(contains(read_file(here_.store() + "/lock"), "step_started")) << closed;
    EXPECT_EQ(here_.run({"verify"}).exit_code, 0) << closed;
    EXPECT_EQ(jq(here_, here_.run({"show", "latest", "--json"}).out, ".outcome"), "ok");
  }
}

TEST_F(Settings, InitMakesWhatIsMissingAndTouchesNothingElse) {
  fs::remove(here_.manifest());
  const Ran first = here_.run({"init", "-s", here_.store()});
  EXPECT_EQ(first.exit_code, 0) << shown(first);
  EXPECT_EQ(first.out, "created   store " + here_.store() + "\ncreated   key " + here_.store() +
                           "/key\ncreated   manifest " + here_.manifest() + "\n");
  EXPECT_TRUE(contains(read_file(here_.manifest()), "path = \"" + here_.store() + "\""));
  const std::string before = list_tree(here_.path(""));
  const std::string manifest = read_file(here_.manifest());
  const Ran second = here_.run({"init"});
  EXPECT_EQ(second.exit_code, 0) << shown(second);
  EXPECT_EQ(second.out, "untouched store " + here_.store() + "\nuntouched key " + here_.store() +
                            "/key\nuntouched manifest " + here_.manifest() + "\n");
  EXPECT_EQ(list_tree(here_.path("")), before);
  EXPECT_EQ(read_file(here_.manifest()), manifest);
  // What it makes holds, as it is.
  EXPECT_EQ(here_.run({"resolve"}).exit_code, here_.run({"backup", "--all"}).exit_code);
  EXPECT_EQ(here_.run({"verify"}).exit_code, 0);
  fs::remove_all(here_.store());
  const Ran third = here_.run({"init", "--json"});
  EXPECT_EQ(jq(here_, third.out, "[.steps[] | .what, .created] | join(\" \")"),
            "store true key true manifest false");
}

TEST_F(Settings, InitLetsAGroupReadTheStoreAndNothingElse) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can give a folder to a group that is not its own";
  if (::getgrnam("games") == nullptr) GTEST_SKIP() << "no group games here";
  const gid_t group = ::getgrnam("games")->gr_gid;
  expect_ended(here_.run({"init", "--group", "no-such-group"}), 2, {"no-such-group"});
  EXPECT_FALSE(fs::exists(here_.store()));
  EXPECT_EQ(here_.run({"init", "--group", "games"}).exit_code, 0);
  EXPECT_EQ(here_.run({"backup", "--all"}).exit_code, 0);
  EXPECT_EQ(here_.run({"reindex"}).exit_code, 0);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(here_.store())) {
    struct stat facts{};
    ASSERT_EQ(::lstat(entry.path().c_str(), &facts), 0);
    const std::string name = entry.path().filename();
    if (name == "inbox" || name == "key") {
      EXPECT_EQ(facts.st_mode & 0777U, entry.is_directory() ? 0700U : 0600U) << entry.path();
      continue;
    }
    EXPECT_EQ(facts.st_mode & 07777U, entry.is_directory() ? 02750U : 0640U) << entry.path();
    EXPECT_EQ(facts.st_gid, group) << entry.path();
  }
}

}  // namespace
}  // namespace muniment
