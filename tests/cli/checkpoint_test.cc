// Signing by the real binary: init makes the key, an execution signs, a restored store refuses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/cli/expect.h"
#include "tests/support/left_on_disk.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class SignedLog : public testing::Test {
 protected:
  void SetUp() override {
    here_.populate();
    here_.init();
  }

  Ran done(const std::vector<std::string>& words) const {
    Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, 0) << words.front() << shown(ran);
    return ran;
  }

  std::string vkey() const {
    const std::string line = done({"key", "show"}).out;
    return line.substr(0, line.find('\n'));
  }

  // The store under another name, with all modes.
  void copy(const std::string& from, const std::string& to) const {
    fs::remove_all(to);
    ASSERT_EQ(run_program({"cp", "-a", from, to}).exit_code, 0);
  }

  Workspace here_;
};

mode_t mode_of(const std::string& path) {
  struct stat facts{};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

TEST_F(SignedLog, HasAKeyThatItsOwnerAloneCanRead) {
  EXPECT_EQ(mode_of(here_.store() + "/key"), 0600U);
  const Ran again = done({"init"});
  EXPECT_TRUE(contains(again.out, "untouched key " + here_.store() + "/key"));
  EXPECT_TRUE(vkey().starts_with("testhost/muniment+")) << vkey();
}

TEST_F(SignedLog, IsSignedWhenAnExecutionEndsAndNotByADryRun) {
  done({"backup", "--all", "--dry-run"});
  EXPECT_EQ(done({"verify", "--json"}).exit_code, 0);
  EXPECT_EQ(jq(here_, done({"verify", "--json"}).out, ".checkpoint_size"), "null");
  const Ran ran = done({"backup", "--all"});
  EXPECT_TRUE(contains(ran.err, "checkpoint: ")) << shown(ran);
  const std::string json = done({"verify", "--json"}).out;
  EXPECT_EQ(jq(here_, json, ".verdict"), "intact");
  EXPECT_EQ(jq(here_, json, ".checkpoint_size"), jq(here_, json, ".events"));
  EXPECT_EQ(jq(here_, json, ".signers[0]"), vkey());
}

TEST_F(SignedLog, GivesACheckpointThatOpensslVerifies) {
  done({"backup", "--all"});
  const std::string note = done({"checkpoint"}).out;
  const std::size_t blank = note.find("\n\n");
  ASSERT_NE(blank, note.npos) << note;
  write_text(here_.path("text"), note.substr(0, blank + 1));
  write_text(here_.path("key.pem"), done({"key", "show", "--pem"}).out);
  const std::string line = note.substr(note.rfind(' ') + 1);
  write_text(here_.path("line"), line);
  const Ran split = run_program(
      {"sh", "-c",
       "base64 -d '" + here_.path("line") + "' | tail -c 64 > '" + here_.path("sig") + "'"});
  ASSERT_EQ(split.exit_code, 0) << split.err;
  const std::vector<std::string> check = {"openssl",
                                          "pkeyutl",
                                          "-verify",
                                          "-pubin",
                                          "-rawin",
                                          "-inkey",
                                          here_.path("key.pem"),
                                          "-in",
                                          here_.path("text"),
                                          "-sigfile",
                                          here_.path("sig")};
  EXPECT_EQ(run_program(check).exit_code, 0) << run_program(check).out;
  write_text(here_.path("text"), note.substr(0, blank) + " \n");
  EXPECT_NE(run_program(check).exit_code, 0);
}

TEST_F(SignedLog, SaysThatNothingIsNewWhenNothingIs) {
  done({"backup", "--all"});
  const std::string first = done({"checkpoint", "--json"}).out;
  EXPECT_EQ(jq(here_, first, ".is_new"), "false");
  done({"note", "latest", "one more"});
  const std::string second = done({"checkpoint", "--json"}).out;
  EXPECT_EQ(jq(here_, second, ".is_new"), "true");
  EXPECT_NE(jq(here_, first, ".size"), jq(here_, second, ".size"));
}

TEST_F(SignedLog, RestoredFromAnOlderCopyIsNotSignedUntilSomebodyAnswersForIt) {
  done({"backup", "--all"});
  copy(here_.store(), here_.path("older"));
  done({"backup", "--all"});
  copy(here_.path("older"), here_.store());
  const Ran verified = here_.run({"verify"});
  EXPECT_EQ(verified.exit_code, 5) << shown(verified);
  EXPECT_TRUE(contains(verified.out, "older than what is trusted")) << shown(verified);
  expect_ended(here_.run({"checkpoint"}), 5, {"older copy", "--accept-fork"});
  // A backup is still taken: nobody is served by none.
  const Ran backup = done({"backup", "notes"});
  EXPECT_TRUE(contains(backup.err, "not checkpointed")) << shown(backup);
  expect_ended(here_.run({"checkpoint", "--accept-fork", ""}), 2, {"reason"});
  done({"checkpoint", "--accept-fork", "disk replaced, restored from the backup of Monday"});
  const std::string events = done({"events", "--jsonl", "--type", "fork_accepted"}).out;
  EXPECT_TRUE(contains(events, "disk replaced")) << events;
  EXPECT_EQ(here_.run({"verify"}).exit_code, 0) << shown(here_.run({"verify"}));
  done({"backup", "notes"});
  expect_ended(here_.run({"checkpoint", "--accept-fork", "again"}), 2, {"no fork"});
}

TEST_F(SignedLog, WithAnotherKeyInItsPlaceIsNotBelieved) {
  done({"backup", "--all"});
  Workspace other;
  other.populate();
  other.init();
  fs::copy_file(other.store() + "/key", here_.store() + "/key",
                fs::copy_options::overwrite_existing);
  const Ran verified = here_.run({"verify"});
  EXPECT_EQ(verified.exit_code, 5) << shown(verified);
  expect_ended(here_.run({"checkpoint"}), 5, {});
}

TEST_F(SignedLog, ChangesItsKeyInTheOpen) {
  done({"backup", "--all"});
  const std::string old_key = vkey();
  const std::string old_note = done({"checkpoint"}).out;
  write_text(here_.path("old-note"), old_note);
  const Ran rotated = done({"key", "rotate"});
  EXPECT_TRUE(contains(rotated.out, old_key)) << shown(rotated);
  const std::string new_key = vkey();
  EXPECT_NE(new_key, old_key);
  const std::string both = done({"checkpoint"}).out;
  write_text(here_.path("both"), both);
  for (const std::string& key : {old_key, new_key}) {
    done({"verify", here_.path("both"), "--key", key});
  }
  done({"verify", here_.path("old-note"), "--key", old_key});
  done({"verify"});
  done({"backup", "--all"});
  done({"verify"});
  done({"verify", "--against", here_.path("old-note")});
}

TEST_F(SignedLog, OfAStoreWithoutAKeyIsNotSignedAndSaysWhatToDo) {
  fs::remove(here_.store() + "/key");
  fs::remove(here_.store() + "/vkey");
  const Ran backup = done({"backup", "--all"});
  EXPECT_TRUE(contains(backup.err, "muniment init")) << shown(backup);
  expect_ended(here_.run({"checkpoint"}), 7, {"muniment init"});
  const Ran verified = here_.run({"verify"});
  EXPECT_EQ(verified.exit_code, 5) << shown(verified);
  done({"init"});
  done({"checkpoint"});
  done({"verify"});
}

TEST_F(SignedLog, DoesNotKeepItsGuardInTheStore) {
  expect_ended(here_.run({"--guard", here_.store() + "/guard", "backup", "--all"}), 2, {"guard"});
}

}  // namespace
}  // namespace muniment
