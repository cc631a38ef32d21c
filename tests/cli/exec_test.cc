// `exec`: any command as evidence, rehearsed like a backup.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recorder/log/store.h"
#include "tests/cli/expect.h"
#include "tests/support/files_holding.h"
#include "tests/support/log_rows.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Exec : public testing::Test {
 protected:
  Exec() {
    here_.populate();
    here_.init();
  }

  void script(const std::string& name, const std::string& text) const {
    write_text(here_.path("cwd/" + name), "#!/bin/sh\n" + text);
    fs::permissions(here_.path("cwd/" + name), fs::perms(0700));
  }
  Ran exec(const Words& options, const Words& command) const {
    Words words{"exec", "--module", "photos"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return here_.run(words);
  }
  std::string of_latest(const std::string& filter) const {
    return jq(here_, here_.run({"show", "latest", "--json"}).out, filter);
  }
  std::string all_events() const {
    return here_.run({"events", "--jsonl", "--limit", "100000"}).out;
  }
  bool marked() const { return fs::exists(here_.path("cwd/marker")); }
  // Not even recorded, and nothing was started.
  void expect_refused(const Ran& ran, int exit_code, const Words& parts,
                      const std::string& events_before) const {
    expect_ended(ran, exit_code, parts);
    EXPECT_EQ(ran.out, "");
    EXPECT_FALSE(marked());
    EXPECT_EQ(all_events(), events_before);
  }

  Workspace here_;
};

TEST_F(Exec, RunsAndRecordsACommand) {
  const Ran ran = exec({}, {"sh", "-c", "echo to out; echo to err >&2; touch marker"});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_TRUE(marked());
  for (const char* part : {"to out", "to err", "EXECUTED", "xit status 0"}) {
    EXPECT_TRUE(contains(ran.out, part));
  }
  EXPECT_EQ(of_latest(R"([.purpose, .mode, .outcome, (.artifacts | length)] | join(" "))"),
            "exec execution ok 0");
  EXPECT_EQ(
      of_latest(".commands[0] | [.module, .exit_status, .stdout_tail, .error_tail, "
                "(.argv | join(\",\"))] | @json"),
      R"(["photos",0,"to out\n","to err\n","sh,-c,echo to out; echo to err >&2; touch marker"])");
  EXPECT_FALSE(fs::exists(here_.root()));
  EXPECT_EQ(here_.run({"verify"}).exit_code, 0);
}

TEST_F(Exec, IsShownAndReported) {
  ASSERT_EQ(exec({}, {"sh", "-c", "echo seen-in-output"}).exit_code, 0);
  EXPECT_TRUE(contains(here_.run({"show", "latest"}).out, "seen-in-output"));
  const Ran report = here_.run({"report", "latest", "--format", "markdown"});
  EXPECT_EQ(report.exit_code, 0) << shown(report);
  EXPECT_TRUE(contains(report.out, "seen-in-output"));
}

TEST_F(Exec, AnswersWithTheRunAsJson) {
  const Ran ran = exec({"--json"}, {"sh", "-c", "exit 0"});
  EXPECT_EQ(jq(here_, ran.out, R"([.purpose, .outcome, .commands[0].exit_status] | join(" "))"),
            "exec ok 0")
      << shown(ran);
}

TEST_F(Exec, FailsWithTheCommand) {
  const Ran ran = exec({}, {"sh", "-c", "echo because >&2; exit 9"});
  expect_ended(ran, 1, {"exit status 9"});
  EXPECT_EQ(of_latest(R"(.outcome + " " + .steps[0].status)"), "failed failed");
  const Ran slow = exec({"--timeout", "1s"}, {"sleep", "60"});
  expect_ended(slow, 1, {"1s"});
  EXPECT_EQ(of_latest(".commands[0].timed_out"), "true");
}

TEST_F(Exec, DryRunStartsNothingAndRecordsTheSamePlan) {
  script("smoke.sh", "touch marker\n");
  const Ran dry = exec({"--dry-run"}, {"./smoke.sh"});
  EXPECT_EQ(dry.exit_code, 0) << shown(dry);
  EXPECT_FALSE(marked());
  for (const char* part : {"DRY RUN OK", "Nothing was started", "--plan", "./smoke.sh"}) {
    EXPECT_TRUE(contains(dry.out, part));
  }
  const std::string rehearsal = of_latest(".run_id");
  const std::string digest = of_latest(".plan_digest");
  const Ran ran = exec({"--plan", rehearsal}, {"./smoke.sh"});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_TRUE(marked());
  EXPECT_EQ(of_latest(R"(.follows_run + " " + .plan_digest)"), rehearsal + " " + digest);
}

TEST_F(Exec, IsNotRunOnceItIsAnotherThanWasRehearsed) {
  script("smoke.sh", "true\n");
  write_text(here_.path("cwd/data.txt"), "one\n");
  const Words command{"./smoke.sh", "data.txt"};
  ASSERT_EQ(exec({"--dry-run"}, command).exit_code, 0);
  const std::string plan = of_latest(".run_id");
  const auto expect_drift = [&](const Words& options, const Words& words) {
    Words all{"--plan", plan};
    all.insert(all.end(), options.begin(), options.end());
    expect_ended(exec(all, words), 4, {"rehearse"});
    EXPECT_EQ(of_latest(R"(.outcome + " " + (.drift | tostring) + " " + .steps[0].status)"),
              "refused true proposed");
    EXPECT_FALSE(marked());
  };
  expect_drift({}, {"./smoke.sh", "data.txt", "more"});
  expect_drift({}, {"sh", "-c", "touch marker"});
  expect_drift({"--timeout", "9m"}, command);
  expect_drift({"--env", "MORE=1"}, command);
  expect_drift({"--workdir", here_.path("tmp")}, {here_.path("cwd/smoke.sh")});
  write_text(here_.path("cwd/data.txt"), "two\n");
  expect_drift({}, command);
  write_text(here_.path("cwd/data.txt"), "one\n");
  script("smoke.sh", "touch marker\n");
  expect_drift({}, command);
  script("smoke.sh", "true\n");
  EXPECT_EQ(exec({"--plan", plan}, command).exit_code, 0) << "back as it was";
}

// Two words under one mask look alike; a plan tells them apart all the same.
TEST_F(Exec, IsBoundToWhatAMaskHides) {
  const std::string harmless = "TOKEN=1234567; true";
  const std::string harmful = "TOKEN=1234567; touch marker";
  ASSERT_EQ(exec({"--dry-run"}, {"sh", "-c", harmless}).exit_code, 0);
  const std::string plan = of_latest(".run_id");
  expect_ended(exec({"--plan", plan}, {"sh", "-c", harmful}), 4, {"rehearse"});
  EXPECT_FALSE(marked());
  EXPECT_EQ(exec({"--plan", plan}, {"sh", "-c", harmless}).exit_code, 0);
}

TEST_F(Exec, AndABackupAreNotRehearsedByEachOther) {
  ASSERT_EQ(exec({"--dry-run"}, {"touch", "marker"}).exit_code, 0);
  const std::string command = of_latest(".run_id");
  ASSERT_EQ(here_.run({"backup", "--dry-run", "photos"}).exit_code, 0);
  const std::string backup = of_latest(".run_id");
  const std::string before = all_events();
  expect_refused(exec({"--plan", backup}, {"touch", "marker"}), 2, {backup, "backup"}, before);
  expect_refused(here_.run({"backup", "--plan", command}), 2, {command, "exec"}, before);
  EXPECT_FALSE(fs::exists(here_.root()));
}

TEST_F(Exec, RefusesWhatCannotBeMeantBeforeAnythingIsRecorded) {
  const std::string before = all_events();
  const Words touch{"touch", "marker"};
  expect_refused(exec({}, {"no-such-program-anywhere"}), 2, {"no-such-program-anywhere", "PATH"},
                 before);
  expect_refused(exec({}, {"./nowhere"}), 2, {"nowhere"}, before);
  expect_refused(exec({}, {}), 2, {"command"}, before);
  expect_refused(exec({"--timeout", "soon"}, touch), 2, {"soon"}, before);
  expect_refused(exec({"--env", "NOT SET"}, touch), 2, {"--env"}, before);
  expect_refused(exec({"--env", "NOT_SET"}, touch), 2, {"NOT_SET"}, before);
  expect_refused(exec({"--workdir", "/no/such/folder"}, touch), 2, {"/no/such/folder"}, before);
  expect_refused(exec({"--gate", "F3"}, touch), 2, {"no gate"}, before);
  expect_refused(exec({"--dry-run", "--plan", "latest"}, touch), 2, {"--dry-run"}, before);
  expect_refused(here_.run({"exec", "--module", "photo", "--", "touch", "marker"}), 2, {"photos"},
                 before);
  expect_refused(here_.run({"exec", "--", "touch", "marker"}), 2, {"--module"}, before);
}

TEST_F(Exec, NamesTheGateThatIsTheModules) {
  write_text(here_.path("signers"), "");
  const std::string gates =
      "gate = \"F3\"\n[gate.F3]\nguards = [\"exec\"]\nsigners = \"" + here_.path("signers") +
      "\"\n[gate.F2]\nguards = [\"backup\"]\nsigners = \"" + here_.path("signers") + "\"\n";
  here_.write_manifest(here_.modules() + gates);
  const std::string before = all_events();
  expect_refused(exec({"--gate", "F2"}, {"touch", "marker"}), 2, {"F2", "F3"}, before);
  // Closed, whether it is named or not.
  EXPECT_EQ(exec({"--gate", "F3"}, {"touch", "marker"}).exit_code, 3);
  EXPECT_EQ(exec({}, {"touch", "marker"}).exit_code, 3);
  EXPECT_FALSE(marked());
}

TEST_F(Exec, NeedsNoPlaceForBackups) {
  std::string text = here_.head() + here_.modules();
  const std::string table = "[backup]\nroot = \"" + here_.root() + "\"\n";
  text.erase(text.find(table), table.size());
  write_text(here_.manifest(), text);
  const Ran ran = exec({}, {"touch", "marker"});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_TRUE(marked());
}

TEST_F(Exec, HandsItsWordsOnAsTheyAre) {
  const Words odd{"[a,b]", "--json", "-q", "--", "", "a b", "$HOME", "\xff\n", "exec", "--env"};
  Words command{"sh", "-c", "for w; do printf '<%s>' \"$w\"; done > words", "sh"};
  command.insert(command.end(), odd.begin(), odd.end());
  const Ran ran = exec({}, command);
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  std::string expected;
  for (const std::string& word : odd) expected += "<" + word + ">";
  EXPECT_EQ(read_file(here_.path("cwd/words")), expected);
}

TEST_F(Exec, GetsTheVariablesThatWereNamed) {
  const Ran ran =
      exec({"--env", "GIVEN=yes", "--env", "XDG_STATE_HOME"},
           {"sh", "-c", "echo [$GIVEN] [$XDG_STATE_HOME] [$MUNIMENT_MANIFEST] [$USER]"});
  EXPECT_EQ(of_latest(".commands[0].stdout_tail"),
            "[yes] [" + here_.path("home/state") + "] [] [tester]")
      << shown(ran);
}

// A command that says its process id, and waits.
class RunningExec : public Exec {
 protected:
  // Once it has said it.
  pid_t command() const {
    for (int i = 0; i < 1000; ++i) {
      std::string said;
      std::ifstream file(here_.path("cwd/pid"));
      if (std::getline(file, said) && !file.eof()) return std::stoi(said);
      ::usleep(10'000);
    }
    ADD_FAILURE() << "it was not started: " << shown({.out = exec_.out(), .err = exec_.err()});
    return 0;
  }
  // Within two seconds; one that nobody has waited for yet is gone.
  static bool is_gone(pid_t pid) {
    for (int i = 0; i < 200; ++i) {
      std::string stat;
      std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
      if (!std::getline(file, stat) || stat.find(") Z") != stat.npos) return true;
      ::usleep(10'000);
    }
    return false;
  }

  RunningProgram exec_{
      muniment_argv({"exec", "--module", "photos", "--", "sh", "-c", "echo $$ > pid; sleep 60"}),
      here_.surroundings()};
};

TEST_F(RunningExec, EndsItsCommandWhenAPersonStopsIt) {
  const pid_t pid = command();
  ASSERT_GT(pid, 0);
  exec_.send(SIGINT);
  const Ran ran = exec_.wait();
  EXPECT_EQ(ran.exit_code, 130) << shown(ran);
  EXPECT_TRUE(is_gone(pid));
  EXPECT_EQ(of_latest(R"(.outcome + " " + .steps[0].status)"), "interrupted failed");
  EXPECT_EQ(of_latest(".commands | length"), "1");
}

TEST_F(RunningExec, EndsItsCommandWhenItIsKilledItself) {
  const pid_t pid = command();
  ASSERT_GT(pid, 0);
  exec_.send(SIGKILL);
  exec_.wait();
  EXPECT_TRUE(is_gone(pid));
}

TEST_F(Exec, LetsNoSecretIntoTheStore) {
  const std::string in_words = "kHw7qLxN2mVtR9pZcD4s";
  const std::string in_text = "bTn5yGf8wJrXe3uQvM6a";
  const std::string in_value = "pSd9hKc2zLgWo7iBxU4e";
  const std::string brief = "Zq7#x";
  for (const Words& options : {Words{"--dry-run"}, Words{}}) {
    Words all = options;
    for (const char* word : {"--env"}) all.emplace_back(word);
    all.push_back("DB_WORD=" + in_value);
    all.push_back("--env=PIN=" + brief);
    const Ran ran = exec(all, {"sh", "-c",
                               "echo $DB_WORD; echo x$DB_WORD >&2; echo --token " + in_text +
                                   "; printf %s $DB_WORD | base64",
                               "--password", in_words});
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
    for (const std::string& secret : {in_words, in_text, in_value, brief}) {
      EXPECT_FALSE(contains(ran.out, secret)) << shown(ran);
      EXPECT_FALSE(contains(ran.err, secret)) << shown(ran);
    }
  }
  const auto reader = open_reader(here_.store());
  ASSERT_TRUE(reader) << reader.error().message;
  const std::vector<LogRow> rows = rows_of(**reader);
  EXPECT_GT(rows.size(), 40U);
  for (const std::string& secret : {in_words, in_text, in_value, brief}) {
    EXPECT_EQ(files_holding(here_.store(), secret), Words{}) << secret;
    for (const LogRow& row : rows) {
      EXPECT_EQ(row.value.find(secret), row.value.npos) << table_name(row.table);
    }
  }
  EXPECT_TRUE(contains(of_latest(".commands[0].stdout_tail"), "[redacted:env:DB_WORD]"));
}

}  // namespace
}  // namespace muniment
