// `approve`: who may, what is signed, what is recorded, what is refused. With real keys.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/gate_scene.h"
#include "tests/support/test_database.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;

// Nothing came of it, and the log says nothing of it.
void expect_nothing(const GateScene& scene, const Words& words, int exit_code, const Words& parts) {
  const std::string before = scene.count();
  const Ran ran = scene.here.run(words);
  expect_ended(ran, exit_code, parts);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(scene.count(), before);
}

TEST(Approve, WithAKeyInAFileOpensTheGateOnce) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  EXPECT_EQ(scene.execute(run).exit_code, 3);
  const Ran ran = scene.approve(run, scene.anna, {"--reason", "tonight", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(
      jq(scene.here, ran.out,
         "[.state, .gate, .module, .guarded, .run_id, .key_fingerprint, .principal, "
         "(.counted | tostring), (.needed | tostring)] | join(\" \")"),
      "accepted F3 notes backup " + run + " " + scene.anna.fingerprint + " anna@example.org 1 1");
  EXPECT_EQ(scene.newest("approval_accepted", ".sequence"), jq(scene.here, ran.out, ".sequence"));
  EXPECT_EQ(scene.newest("approval_accepted",
                         "[.event.module, .event.about_run, .event.approval_accepted.reason, "
                         ".event.approval_accepted.key_fingerprint] | join(\" \")"),
            "notes " + run + " tonight " + scene.anna.fingerprint);
  // The guard folder knows of it: the checkpoint covers all.
  EXPECT_EQ(scene.newest("approval_accepted", ".log_state"), "checkpointed");
  EXPECT_EQ(scene.execute(run).exit_code, 0);
  EXPECT_EQ(scene.execute(run).exit_code, 3);
  EXPECT_EQ(scene.here.run({"verify"}).exit_code, 0);
}

TEST(Approve, ShowsWhatIsApproved) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const Ran ran = scene.approve(run, scene.anna, {"--reason", "the \x1b[31mred\x1b[m evening"});
  ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  const std::string digest =
      jq(scene.here, scene.here.run({"show", run, "--json"}).out, ".plan_digest");
  for (const std::string& part :
       {std::string("one `backup` under gate F3"), run, digest, scene.here.database(),
        std::string("operator:tester"), std::string("reason     the \\x1B[31mred"),
        std::string("holds      "), std::string("Nothing else blocks the gate now.")}) {
    EXPECT_TRUE(contains(ran.err, part));
  }
  EXPECT_EQ(ran.err.find('\x1b'), std::string::npos);
  EXPECT_TRUE(contains(ran.out, " accepted: gate F3 for notes (backup, plan "));
  EXPECT_TRUE(contains(ran.out, "1 of 1 approvals\n"));
}

TEST(Approve, TakesTheSignersKeyThatTheAgentHolds) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const SshAgent agent(scene.here.path("tmp/agent"));
  const std::map<std::string, std::string> with{{"SSH_AUTH_SOCK", agent.socket()}};
  const Words words = GateScene::approve_words(run, {"--confirm", scene.confirmation(run)});
  expect_ended(scene.run_with(with, words), 2, {"ssh-agent holds no key", "--key FILE"});
  agent.add(scene.carla);
  expect_ended(scene.run_with(with, words), 2, {"ssh-agent holds no key"});
  agent.add(scene.anna);
  const Ran ran = scene.run_with(with, words);
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_TRUE(contains(ran.out, scene.anna.fingerprint));
  agent.add(scene.ben);
  expect_ended(scene.run_with(with, words), 2, {"holds 2 keys", scene.ben.fingerprint});
  // A public key names the one that is meant; its private half is with the agent alone.
  std::filesystem::remove(scene.ben.file);
  Words named = words;
  named.insert(named.end(), {"--key", scene.ben.file + ".pub"});
  EXPECT_TRUE(contains(scene.run_with(with, named).out, scene.ben.fingerprint));
  EXPECT_EQ(scene.count("approval_accepted"), "2");
}

TEST(Approve, AsksOnTheTerminalForGateAndDigestAndThenForThePassphrase) {
  const GateScene scene;
  const SshKey key = make_ssh_key(scene.here.path("home/anna2"),
                                  {.options = {"-t", "ed25519"}, .passphrase = "open sesame"});
  scene.write_signers(signer_line("anna", key));
  const std::string run = scene.rehearse();
  const Words argv = muniment_argv(GateScene::approve_words(run, {"--key", key.file}));

  OnTerminal wrong(argv, scene.here.surroundings());
  ASSERT_TRUE(wrong.shows("to approve: ")) << wrong.seen();
  wrong.type("F3@00000000\n");
  EXPECT_EQ(wrong.wait(), 2) << wrong.seen();
  EXPECT_EQ(scene.count("approval_submitted"), "0");

  OnTerminal stopped(argv, scene.here.surroundings());
  ASSERT_TRUE(stopped.shows("to approve: ")) << stopped.seen();
  stopped.type("\x03");
  EXPECT_EQ(stopped.wait(), 130) << stopped.seen();

  OnTerminal later(argv, scene.here.surroundings());
  ASSERT_TRUE(later.shows("to approve: ")) << later.seen();
  later.type(scene.confirmation(run) + "\n");
  ASSERT_TRUE(later.shows("assphrase")) << later.seen();
  later.type("\x03");
  EXPECT_EQ(later.wait(), 130) << later.seen();
  EXPECT_EQ(scene.count("approval_submitted"), "0");

  OnTerminal right(argv, scene.here.surroundings());
  ASSERT_TRUE(right.shows("To be approved: ")) << right.seen();
  ASSERT_TRUE(right.shows("Type " + scene.confirmation(run) + " to approve: ")) << right.seen();
  right.type(scene.confirmation(run) + "\n");
  ASSERT_TRUE(right.shows("assphrase")) << right.seen();
  right.type("open sesame\n");
  EXPECT_EQ(right.wait(), 0) << right.seen();
  EXPECT_TRUE(contains(right.seen(), " accepted: gate F3 for notes"));
  EXPECT_EQ(scene.count("approval_accepted"), "1");
}

TEST(Approve, WithoutATerminalWantsTheExactWords) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string right = scene.confirmation(run);
  for (const std::string& wrong :
       {std::string(), std::string("F3"), right.substr(3), "f3" + right.substr(2), right + " ",
        right.substr(0, 10), std::string("F3@00000000")}) {
    Words words = GateScene::approve_words(run, {"--key", scene.anna.file});
    if (!wrong.empty()) words.insert(words.end(), {"--confirm", wrong});
    expect_nothing(scene, words, 2, {"--confirm `" + right + "`"});
  }
}

TEST(Approve, IsForPeople) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  for (const char* actor : {"agent:codex", "ci", "timer"}) {
    expect_nothing(scene,
                   GateScene::approve_words(run, {"--key", scene.anna.file, "--confirm",
                                                  scene.confirmation(run), "--actor", actor}),
                   3, {"--request"});
  }
  const Ran ran = scene.here.run(
      GateScene::approve_words(run, {"--request", "--reason", "the token is PGPASSWORD=hunter22",
                                     "--actor", "agent:codex", "--json"}));
  ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(jq(scene.here, ran.out, "[.state, .sequence] | map(tostring) | join(\" \")"),
            "requested " + scene.newest("approval_requested", ".sequence"));
  EXPECT_EQ(scene.newest("approval_requested",
                         "[.event.actor.kind, .event.about_run, .event.approval_requested.guarded, "
                         ".event.approval_requested.reason] | join(\" \")"),
            "agent " + run + " backup the token is PGPASSWORD=[redacted:assignment]");
  EXPECT_EQ(scene.execute(run).exit_code, 3);
}

TEST(Approve, AStatementTravelsToAKeyElsewhere) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string file = scene.here.path("cwd/notes.approval");
  const Words words = GateScene::approve_words(
      run, {"--export", file, "--confirm", scene.confirmation(run), "--reason", "tonight"});
  const Ran wrote = scene.here.run(words);
  ASSERT_EQ(wrote.exit_code, 0) << shown(wrote);
  EXPECT_TRUE(contains(wrote.out, "ssh-keygen -Y sign -n muniment-approval -f KEY " + file + "\n"));
  struct stat facts{};
  ASSERT_EQ(::stat(file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
  EXPECT_EQ(scene.count("approval_submitted"), "0");
  expect_nothing(scene, words, 2, {"notes.approval"});

  const Words import = GateScene::approve_words(run, {"--import", file});
  expect_nothing(scene, import, 2, {"sign first"});
  sign_by_hand(scene.carla, file);
  expect_nothing(scene, import, 3, {scene.carla.fingerprint});
  sign_by_hand(scene.anna, file, "file");
  expect_nothing(scene, import, 3, {"does not hold"});
  sign_by_hand(scene.anna, file);
  const Ran taken = scene.here.run(import);
  ASSERT_EQ(taken.exit_code, 0) << shown(taken);
  EXPECT_TRUE(contains(taken.out, " by anna@example.org (" + scene.anna.fingerprint + ")"));
  EXPECT_EQ(scene.newest("approval_accepted", ".event.approval_accepted.reason"), "tonight");
  // The same statement is no second approval.
  expect_nothing(scene, import, 3, {"nonce"});
  EXPECT_EQ(scene.execute(run).exit_code, 0);
  expect_nothing(scene, import, 3, {"would not count"});
}

TEST(Approve, WhatIsImportedIsNotBelieved) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string file = scene.here.path("cwd/notes.approval");
  ASSERT_EQ(scene.here
                .run(GateScene::approve_words(run, {"--export", file, "--confirm",
                                                    scene.confirmation(run), "--reason", "why"}))
                .exit_code,
            0);
  const std::string text = read_file(file);
  const auto import_changed = [&](const std::string& from, const std::string& to, int exit_code,
                                  const std::string& part) {
    std::string changed = text;
    const std::size_t at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    changed.replace(at, from.size(), to);
    write_text(file, changed);
    sign_by_hand(scene.anna, file);
    expect_nothing(scene, GateScene::approve_words(run, {"--import", file}), exit_code, {part});
  };
  import_changed("gate F3", "gate F4", 3, "gate F4");
  import_changed("module notes", "module photos", 3, "module photos");
  import_changed("guarded backup", "guarded exec", 3, "for exec");
  import_changed(run, "0199a000-0000-7000-8000-000000000000", 3, "rehearsal");
  import_changed("\ngate F3", "\ngate F3 ", 2, "no statement");
  // The reason is what was signed, or nothing is taken.
  write_text(file, text);
  sign_by_hand(scene.anna, file);
  const std::string reason = read_file(file + ".reason");
  write_text(file + ".reason", reason + "!");
  expect_nothing(scene, GateScene::approve_words(run, {"--import", file}), 2, {"not the reason"});
  std::filesystem::remove(file + ".reason");
  expect_nothing(scene, GateScene::approve_words(run, {"--import", file}), 2, {".reason"});
  write_text(file + ".reason", reason);
  EXPECT_EQ(scene.here.run(GateScene::approve_words(run, {"--import", file})).exit_code, 0);
}

TEST(Approve, WhatHasExpiredOnItsWayIsRefused) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string file = scene.here.path("cwd/notes.approval");
  ASSERT_EQ(scene.here
                .run(GateScene::approve_words(run, {"--export", file, "--confirm",
                                                    scene.confirmation(run), "--expires", "1s"}))
                .exit_code,
            0);
  sign_by_hand(scene.anna, file);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  expect_nothing(scene, GateScene::approve_words(run, {"--import", file}), 3, {"expired"});
}

TEST(Approve, TimesAreHeldAgainstThePolicy) {
  const GateScene scene(
      {.approvals = 1, .more = "expires = \"2h\"\n", .guards_photos = false, .tables = {}});
  const std::string run = scene.rehearse();
  const auto words = [&](Words more) {
    more.insert(more.end(), {"--key", scene.anna.file, "--confirm", scene.confirmation(run)});
    return GateScene::approve_words(run, more);
  };
  expect_nothing(scene, words({"--expires", "3h"}), 2, {"at most 2h"});
  expect_nothing(scene, words({"--expires", "soon"}), 2, {"soon", "at most 2h"});
  expect_nothing(scene, words({"--not-before", "1h"}), 2, {"is a duration"});
  expect_nothing(scene, words({"--not-before", "2020-01-01T00:00:00Z"}), 2, {"expired already"});
  expect_nothing(scene, words({"--not-before", "2999-01-01T00:00:00Z"}), 2, {"too far ahead"});
  const Ran ran = scene.here.run(words({"--expires", "1h", "--json"}));
  ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(scene.newest("approval_accepted", ".event.approval_accepted.expires"),
            jq(scene.here, ran.out, ".expires"));
}

TEST(Approve, TwoAreTwoKeysNotTwoSignatures) {
  const GateScene scene({.approvals = 2, .more = {}, .guards_photos = false, .tables = {}});
  const std::string run = scene.rehearse();
  EXPECT_TRUE(contains(scene.approve(run, scene.anna).out, "1 of 2 approvals"));
  EXPECT_TRUE(contains(scene.approve(run, scene.anna).out, "1 of 2 approvals"));
  EXPECT_EQ(scene.execute(run).exit_code, 3);
  EXPECT_TRUE(contains(scene.approve(run, scene.ben).out, "2 of 2 approvals"));
  EXPECT_EQ(scene.execute(run).exit_code, 0);
  EXPECT_EQ(scene.execute(run).exit_code, 3);
}

TEST(Approve, AKeyThatIsNoSignerIsRefusedAndNotRecorded) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  expect_nothing(scene,
                 GateScene::approve_words(
                     run, {"--key", scene.carla.file, "--confirm", scene.confirmation(run)}),
                 3, {scene.carla.fingerprint, "would not count"});
}

TEST(Approve, OneCandidateAtATime) {
  const GateScene scene({.approvals = 1, .more = {}, .guards_photos = true, .tables = {}});
  const std::string run = scene.rehearse({"notes", "photos"});
  const Words sign{"--key", scene.anna.file, "--confirm", scene.confirmation(run)};
  expect_nothing(scene, GateScene::approve_words(run, sign), 2, {"guards 2 modules", "notes"});
  const std::string other = scene.rehearse({"photos"});
  expect_nothing(scene, GateScene::approve_words(other, sign), 2, {"is not in the plan"});
  const std::string first = scene.rehearse({"notes"});
  const std::string second = scene.rehearse({"notes"});
  expect_nothing(scene, GateScene::approve_words(first, sign), 3, {"superseded", second});
  EXPECT_EQ(scene.approve(second, scene.anna).exit_code, 0);
}

TEST(Approve, WhatMakesNoSenseIsUsage) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const Words key{"--key", scene.anna.file};
  expect_nothing(scene, {"approve", run, "--module", "notes"}, 2, {"--gate"});
  expect_nothing(scene, {"approve", run, "--gate", "F3"}, 2, {"--module is missing"});
  expect_nothing(scene, {"approve", "--gate", "F3", "--module", "notes"}, 2, {"RUN"});
  expect_nothing(scene, {"approve", run, "--gate", "F9", "--module", "notes"}, 2, {"no gate `F9`"});
  expect_nothing(scene, {"approve", run, "--gate", "F3", "--module", "photos"}, 2,
                 {"does not guard module `photos`"});
  expect_nothing(scene, {"approve", run, "--gate", "F3", "--module", "other"}, 2, {"no module"});
  expect_nothing(scene, {"approve", "0199ffffffff", "--gate", "F3", "--module", "notes"}, 7, {});
  expect_nothing(scene, GateScene::approve_words(run, {"--guarded", "exec"}), 2, {"exec"});
  expect_nothing(scene, GateScene::approve_words(run, {"--request", "--export", "x"}), 2,
                 {"choose one"});
  expect_nothing(scene, {"approve", run, "--policy", "--gate", "F3"}, 2, {"--policy"});
  expect_nothing(scene,
                 GateScene::approve_words(
                     run, {"--key", scene.here.path("none"), "--confirm", scene.confirmation(run)}),
                 2, {scene.here.path("none")});
}

TEST(Approve, AChangeOfThePolicyIsForTheSignersOnRecord) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  expect_nothing(scene, {"approve", "--policy", "--gate", "F3"}, 2, {"no change"});
  // carla writes herself into the signers: what she signs counts for nothing.
  scene.write_signers(signer_line("carla", scene.carla));
  expect_nothing(scene,
                 GateScene::approve_words(
                     run, {"--key", scene.carla.file, "--confirm", scene.confirmation(run)}),
                 3, {"muniment approve --policy --gate F3"});
  const Ran told =
      scene.here.run({"approve", "--policy", "--gate", "F3", "--key", scene.anna.file});
  expect_ended(told, 2, {"another policy of gate F3", scene.carla.fingerprint, "--confirm `F3@"});
  const std::size_t at = told.err.find("--confirm `") + 11;
  const std::string words = told.err.substr(at, 11);
  expect_nothing(
      scene, {"approve", "--policy", "--gate", "F3", "--key", scene.carla.file, "--confirm", words},
      3, {scene.carla.fingerprint});
  const Ran ran = scene.here.run({"approve", "--policy", "--gate", "F3", "--key", scene.anna.file,
                                  "--confirm", words, "--json"});
  ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(jq(scene.here, ran.out, "[.state, .guarded, .counted] | map(tostring) | join(\" \")"),
            "accepted policy 1");
  const std::string again = scene.rehearse();
  EXPECT_EQ(scene.approve(again, scene.anna).exit_code, 3);
  EXPECT_EQ(scene.approve(again, scene.carla).exit_code, 0);
  EXPECT_EQ(scene.execute(again).exit_code, 0);
}

TEST(Approve, AStoreThatIsBusyTakesItFromItsInbox) {
  const GateScene scene(
      {.approvals = 1,
       .more = {},
       .guards_photos = false,
       .tables = "[[module]]\nname = \"ledger\"\nhost = { path = \"/nowhere\" }\nclass = "
                 "\"sqlite\"\n"});
  const std::string ledger = scene.here.path("data/ledger.db");
  std::string manifest = read_file(scene.here.manifest());
  manifest.replace(manifest.find("/nowhere"), 8, ledger);
  write_text(scene.here.manifest(), manifest);
  make_database(ledger, {.wal = false, .rows = 10});
  const std::string run = scene.rehearse();
  const std::string confirmation = scene.confirmation(run);
  const TestDatabase lock(ledger);
  lock.run("BEGIN EXCLUSIVE");
  RunningProgram holder(muniment_argv({"-v", "backup", "ledger"}), scene.here.surroundings());
  ASSERT_TRUE(comes_true([&] { return contains(holder.err(), "step_started"); })) << holder.err();
  const Ran ran = scene.here.run(GateScene::approve_words(
      run, {"--key", scene.anna.file, "--confirm", confirmation, "--json"}));
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(jq(scene.here, ran.out, ".state"), "submitted");
  EXPECT_TRUE(contains(ran.err, "inbox"));
  EXPECT_EQ(scene.newest("approval_submitted", ".sequence"), jq(scene.here, ran.out, ".sequence"));
  lock.run("ROLLBACK");
  EXPECT_EQ(holder.wait().exit_code, 0);
  EXPECT_EQ(scene.execute(run).exit_code, 0);
  EXPECT_EQ(scene.count("approval_accepted"), "1");
}

}  // namespace
}  // namespace muniment
