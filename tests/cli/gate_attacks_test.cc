// Ways round a gate, each tried with the real binary and refused: nothing is written, the approval
// of another is not spent.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "recorder/clock.h"
#include "recorder/core/approval.h"
#include "recorder/core/digest.h"
#include "recorder/log/queries.h"
#include "recorder/log/store.h"
#include "recorder/stamper.h"
#include "tests/cli/expect.h"
#include "tests/support/ssh_keys.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;

// Module `notes` under gate F3, anna signs for it; `photos` is nobody's. It was rehearsed.
class Attack : public testing::Test {
 protected:
  Attack()
      : anna_(make_ssh_key(here_.path("tmp/anna"))), eve_(make_ssh_key(here_.path("tmp/eve"))) {
    here_.populate();
    write_private(here_.path("signers"), signer_line("anna", anna_));
    here_.write_manifest(gated());
    here_.init();
    expect({"backup", "notes", "--dry-run"}, 0);
    run_id_ = ask({"show", "latest", "--json"}, ".run_id");
  }

  static void write_private(const std::string& file, const std::string& text) {
    write_text(file, text);
    std::filesystem::permissions(file, std::filesystem::perms(0600));
  }
  std::string notes(const std::string& gate = "gate = \"F3\"\n", const std::string& name = "notes",
                    const std::string& path = "") const {
    return "[[module]]\nname = \"" + name + "\"\nhost = { path = \"" +
           (path.empty() ? here_.database() : path) + "\" }\nclass = \"sqlite\"\n" + gate + "\n";
  }
  std::string photos() const {
    return "[[module]]\nname = \"photos\"\nhost = { path = \"" + here_.files() +
           "\" }\nclass = \"files\"\n\n";
  }
  std::string gate(const std::string& signers = "", const std::string& more = "") const {
    return "[gate.F3]\nguards = [\"backup\", \"exec\"]\nsigners = \"" +
           (signers.empty() ? here_.path("signers") : signers) +
           "\"\nneeds = [{ dry_run = \"24h\" }, { no_drift = true }]\n" + more;
  }
  std::string gated() const { return notes() + photos() + gate(); }

  Ran run(const Words& words) const { return here_.run(words); }
  Ran expect(const Words& words, int exit_code) const {
    const Ran ran = run(words);
    EXPECT_EQ(ran.exit_code, exit_code) << words[0] << ": " << shown(ran);
    return ran;
  }
  std::string ask(const Words& words, const std::string& filter) const {
    return jq(here_, run(words).out, filter);
  }
  Words approval_of(const std::string& run_id, const SshKey& key) const {
    const std::string digest = ask({"show", run_id, "--json"}, ".plan_digest[0:8]");
    return {"approve", run_id,  "--gate", "F3",        "--module",
            "notes",   "--key", key.file, "--confirm", "F3@" + digest};
  }
  Words approval(const SshKey& key) const { return approval_of(run_id_, key); }
  void approve() const { expect(approval(anna_), 0); }

  void expect_untouched() const {
    EXPECT_FALSE(std::filesystem::exists(here_.root() + "/notes")) << "something was written";
  }
  // The execution is refused, touches nothing, and the candidate can be taken in the right way
  // afterwards.
  void expect_refused(const Words& words, int exit_code, const std::string& why) const {
    const Ran ran = expect(words, exit_code);
    EXPECT_TRUE(contains(ran.err, why)) << shown(ran);
    expect_untouched();
  }
  void expect_still_good() const {
    here_.write_manifest(gated());
    expect({"backup", "--plan", run_id_}, 0);
    EXPECT_TRUE(std::filesystem::exists(here_.root() + "/notes"));
  }
  void copy_store(const std::string& from, const std::string& to) const {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    ASSERT_EQ(run_program({"chmod", "-R", "go=", to}).exit_code, 0);
  }

  Workspace here_;
  SshKey anna_;
  SshKey eve_;
  std::string run_id_;  // of the rehearsal
};

TEST_F(Attack, WithoutAnApprovalIsRefusedAndWithOneGoesThroughOnce) {
  expect_refused({"backup", "--plan", run_id_}, 3, "gate F3 is closed for notes");
  expect_refused({"backup", "notes"}, 3, "gate F3 is closed for notes");
  expect_refused({"backup", "--all"}, 3, "gate F3 is closed for notes");
  EXPECT_FALSE(std::filesystem::exists(here_.root() + "/photos"));
  approve();
  expect({"backup", "--plan", run_id_}, 0);
  const Ran again = expect({"backup", "--plan", run_id_}, 3);
  EXPECT_TRUE(contains(again.err, "consumed"));
}

TEST_F(Attack, WithAManifestOfItsOwnIsRefused) {
  approve();
  const std::string own = here_.path("own.toml");
  for (const std::string& tables :
       {notes("") + photos(), notes("") + photos() + gate(),
        notes() + photos() + gate("", "approvals = 1\nexpires = \"1h\"\n")}) {
    write_private(own, here_.head() + tables);
    expect_refused({"-m", own, "backup", "notes"}, 3, "closed for notes");
    expect_refused({"-m", own, "backup", "--plan", run_id_},
                   tables.find("gate = \"F3\"\n\n") != tables.npos ? 3 : 4, "");
  }
  expect_still_good();
}

TEST_F(Attack, WithSignersOfItsOwnIsRefused) {
  write_private(here_.path("own"), signer_line("anna", eve_));
  here_.write_manifest(notes() + photos() + gate(here_.path("own")));
  expect(approval(eve_), 3);
  expect_refused({"backup", "--plan", run_id_}, 3, "a change wants the approval");
  write_private(here_.path("signers"), signer_line("anna", eve_));
  here_.write_manifest(gated());
  expect(approval(eve_), 3);
  expect_refused({"backup", "--plan", run_id_}, 3, "a change wants the approval");
}

TEST_F(Attack, WithSignersThatAnybodyCouldBeIsRefused) {
  const std::string own = here_.path("own");
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"* " + eve_.line + "\n", "*"},
           {"anna cert-authority " + eve_.line + "\n", "cert-authority"},
           {"", "key"}}) {
    write_private(own, text);
    here_.write_manifest(notes() + photos() + gate(own));
    expect_refused({"backup", "--plan", run_id_}, 3, why);
  }
  write_private(own, signer_line("anna", anna_));
  std::filesystem::permissions(own, std::filesystem::perms(0620));
  here_.write_manifest(notes() + photos() + gate(own));
  expect_refused({"backup", "--plan", run_id_}, 3, "signers of gate F3");
}

TEST_F(Attack, UnderAnotherNameIsRefused) {
  approve();
  here_.write_manifest(notes("", "ledger") + photos());
  expect_refused({"backup", "ledger"}, 3, "closed for ledger");
  here_.write_manifest(notes() + notes("", "second") + photos() + gate());
  expect_refused({"backup", "second"}, 3, "closed for second");
  EXPECT_FALSE(std::filesystem::exists(here_.root() + "/second"));
  expect_still_good();
}

TEST_F(Attack, ByAnotherPathToTheSameDataIsRefused) {
  const std::string link = here_.path("data/link.db");
  const std::string hard = here_.path("data/hard.db");
  std::filesystem::create_hard_link(here_.database(), hard);
  std::filesystem::create_directory_symlink(here_.path("data"), here_.path("alias"));
  for (const std::string& path :
       {hard, here_.path("alias/notes.db"), "/proc/self/root" + here_.database()}) {
    here_.write_manifest(notes("", "other", path) + photos());
    expect_refused({"backup", "other"}, 3, "closed for other");
    EXPECT_FALSE(std::filesystem::exists(here_.root() + "/other")) << path;
  }
  here_.write_manifest("[[module]]\nname = \"all\"\nhost = { path = \"" + here_.path("data") +
                       "\" }\nclass = \"files\"\n");
  expect_refused({"backup", "all"}, 3, "closed for all");
}

TEST_F(Attack, WithAManifestInAForeignFolderIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can lay a file of another user";
  const std::string foreign = here_.path("cwd/muniment.toml");
  write_private(foreign, here_.head() + notes("") + photos());
  ASSERT_EQ(::chown(foreign.c_str(), 12345, 12345), 0);
  RunWith with = here_.surroundings();
  with.environment.erase("MUNIMENT_MANIFEST");
  const Ran ran = run_muniment({"backup", "notes"}, with);
  expect_ended(ran, 2, {"muniment.toml is refused", "12345"});
  expect_untouched();
}

TEST_F(Attack, OnAStoreFromBeforeTheConsumptionIsRefused) {
  approve();
  const std::string copy = here_.path("copy");
  copy_store(here_.store(), copy);
  expect({"backup", "--plan", run_id_}, 0);
  std::filesystem::remove_all(here_.root());
  copy_store(copy, here_.store());
  expect_refused({"backup", "--plan", run_id_}, 5, "older");
}

TEST_F(Attack, OnAStoreFromBeforeTheRevocationIsRefused) {
  approve();
  const std::string copy = here_.path("copy");
  copy_store(here_.store(), copy);
  const std::string sequence =
      ask({"events", "--type", "approval_accepted", "--json"}, ".events[0].sequence");
  expect({"revoke", sequence, "--reason", "not tonight"}, 0);
  expect_refused({"backup", "--plan", run_id_}, 3, "revoked");
  copy_store(copy, here_.store());
  expect_refused({"backup", "--plan", run_id_}, 5, "older");
}

TEST_F(Attack, WithAnotherGuardFolderIsRefused) {
  approve();
  const std::string copy = here_.path("copy");
  copy_store(here_.store(), copy);
  expect({"backup", "--plan", run_id_}, 0);
  std::filesystem::remove_all(here_.root());
  copy_store(copy, here_.store());
  const std::string other = here_.path("other-guard");
  expect_refused({"--guard", other, "backup", "--plan", run_id_}, 5, "does not know");
  // A checkpoint makes it known there; the policy still names the folder that knows better.
  run({"--guard", other, "checkpoint"});
  expect_refused({"--guard", other, "backup", "--plan", run_id_}, 3, "policy");
}

// Whoever forks the log in the open gets no approval back by it.
TEST_F(Attack, OnAnOlderStoreWhoseForkWasAcceptedIsRefused) {
  approve();
  const std::string copy = here_.path("copy");
  copy_store(here_.store(), copy);
  expect({"backup", "--plan", run_id_}, 0);
  std::filesystem::remove_all(here_.root());
  copy_store(copy, here_.store());
  expect({"--actor", "agent:codex", "checkpoint", "--accept-fork", "routine"}, 3);
  expect({"checkpoint", "--accept-fork", "the disk was replaced"}, 0);
  expect_refused({"backup", "--plan", run_id_}, 3, "before the fork");
}

TEST_F(Attack, WithASecondApprovalOfTheSamePlanIsOneExecution) {
  approve();
  approve();
  expect({"backup", "--plan", run_id_}, 0);
  const Ran again = expect({"backup", "--plan", run_id_}, 3);
  EXPECT_TRUE(contains(again.err, "consumed")) << shown(again);
}

// A rehearsal by a manifest of another's making neither takes what a gate guards nor locks it.
TEST_F(Attack, ByRehearsingUnderAnotherGateChangesNothing) {
  const std::string own = here_.path("own.toml");
  std::string tables = gated();
  for (std::size_t at = 0; (at = tables.find("F3", at)) != tables.npos; ++at) tables[at + 1] = '9';
  write_private(own, here_.head() + tables);
  run({"-m", own, "backup", "notes", "--dry-run"});
  expect_refused({"-m", own, "backup", "--plan", "latest:notes"}, 3, "closed for notes");
  expect({"backup", "notes", "--dry-run"}, 0);
  run_id_ = ask({"show", "latest", "--json"}, ".run_id");
  approve();
  expect_still_good();
}

TEST_F(Attack, ByAnAgentOrAMachineIsRefused) {
  for (const char* actor : {"agent:codex", "ci", "timer"}) {
    Words words = {"--actor", actor};
    for (const std::string& word : approval(anna_)) words.push_back(word);
    expect(words, 3);
  }
  EXPECT_EQ(ask({"events", "--type", "approval_accepted", "--json"}, ".events | length"), "0");
  expect_refused({"backup", "--plan", run_id_}, 3, "0 of 1 approvals");
}

TEST_F(Attack, WithAnSshKeygenOfItsOwnIsRefused) {
  const std::string bin = here_.path("bin");
  std::filesystem::create_directory(bin);
  write_text(bin + "/ssh-keygen",
             "#!/bin/sh\necho 'Good \"muniment-approval\" signature for anna with ED25519 key " +
                 anna_.fingerprint + "'\n");
  std::filesystem::permissions(bin + "/ssh-keygen", std::filesystem::perms(0755));
  RunWith with = here_.surroundings();
  with.environment["PATH"] = bin + ":/usr/bin:/bin";
  const Ran ran = run_muniment(approval(eve_), with);
  EXPECT_EQ(ran.exit_code, 3) << shown(ran);
  expect_refused({"backup", "--plan", run_id_}, 3, "closed for notes");
}

// What somebody appends who can write the store and has no key: the events say that all is well.
TEST_F(Attack, WithAnEditedStatementInTheStoreIsRefused) {
  approve();
  const Ran revoked = run(
      {"revoke", ask({"events", "--type", "approval_accepted", "--json"}, ".events[0].sequence"),
       "--reason", "so that only the forged one is left"});
  ASSERT_EQ(revoked.exit_code, 0) << shown(revoked);
  {
    Result<std::unique_ptr<Store>> store = open_store(here_.store(), {});
    ASSERT_TRUE(store) << store.error().message;
    std::optional<v1::Event> submitted;
    std::optional<v1::Event> accepted;
    ASSERT_TRUE(read_events(**store, 0, [&](const StoredEvent& stored) {
      if (stored.event.has_approval_submitted()) submitted = stored.event;
      if (stored.event.has_approval_accepted()) accepted = stored.event;
      return true;
    }));
    ASSERT_TRUE(submitted && accepted);
    const auto text = read_blob(**store, submitted->approval_submitted().statement_sha256());
    ASSERT_TRUE(text && text->has_value());
    Result<ApprovalStatement> statement = parse_approval(**text);
    ASSERT_TRUE(statement);
    statement->nonce = std::string(32, 'e');
    const std::string edited = format_approval(*statement);
    const std::uint64_t size = (*store)->state()->size();
    const std::unique_ptr<Clock> clock = make_host_clock();
    submitted->set_event_id(make_uuid7(clock->now().wall_ns));
    submitted->mutable_approval_submitted()->set_statement_sha256(
        std::string(as_bytes(sha256(edited))));
    accepted->set_event_id(make_uuid7(clock->now().wall_ns));
    accepted->mutable_approval_accepted()->set_submitted_sequence(size);
    accepted->mutable_approval_accepted()->set_nonce(statement->nonce);
    ASSERT_TRUE(
        (*store)->append({make_entry(*submitted, {edited}), make_entry(*accepted)}, std::nullopt));
  }
  expect_refused({"backup", "--plan", run_id_}, 3, "signature does not hold");
}

class CommandAttack : public Attack {
 protected:
  CommandAttack() : script_(here_.path("data/smoke.sh")), marker_(here_.path("tmp/ran")) {
    write_text(script_, "#!/bin/sh\ntouch '" + marker_ + "'\n");
    std::filesystem::permissions(script_, std::filesystem::perms(0700));
    expect(exec({"--dry-run"}), 0);
  }
  Words exec(const Words& options) const {
    Words words = {"exec", "--module", "notes", "--gate", "F3"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", script_});
    return words;
  }
  std::string rehearsal() const {
    return ask({"runs", "--mode", "dry-run", "--json"},
               "[.runs[] | select(.purpose == \"exec\")][0].run_id");
  }
  void approve_command() const { expect(approval_of(rehearsal(), anna_), 0); }
  bool ran() const { return std::filesystem::exists(marker_); }

  std::string script_;
  std::string marker_;
};

TEST_F(CommandAttack, WithoutAnApprovalIsRefusedAndWithOneRunsOnce) {
  expect(exec({}), 3);
  expect(exec({"--plan", rehearsal()}), 3);
  EXPECT_FALSE(ran());
  approve_command();
  expect(exec({"--plan", rehearsal()}), 0);
  EXPECT_TRUE(ran());
  std::filesystem::remove(marker_);
  expect(exec({"--plan", rehearsal()}), 3);
  EXPECT_FALSE(ran());
}

TEST_F(CommandAttack, WithAScriptEditedAfterTheApprovalIsRefused) {
  approve_command();
  write_text(script_, "#!/bin/sh\ntouch '" + marker_ + "'; true\n");
  const Ran drifted = expect(exec({"--plan", rehearsal()}), 4);
  EXPECT_TRUE(contains(drifted.err, "rehearse again")) << shown(drifted);
  EXPECT_FALSE(ran());
}

// What a mask hides nobody could have approved.
TEST_F(CommandAttack, WithWordsUnderAMaskIsRefused) {
  const Ran masked = expect({"exec", "--module", "notes", "--gate", "F3", "--dry-run", "--",
                             "/bin/sh", "-c", "PASSWORD=x; touch '" + marker_ + "'"},
                            2);
  EXPECT_TRUE(contains(masked.err, "masked")) << shown(masked);
}

TEST_F(CommandAttack, WithTheApprovalOfTheOtherKindIsRefused) {
  approve();  // of the backup
  expect(exec({"--plan", rehearsal()}), 3);
  expect({"backup", "--plan", rehearsal()}, 2);
  EXPECT_FALSE(ran());
  expect_untouched();
}

}  // namespace
}  // namespace muniment
