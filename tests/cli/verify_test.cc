// `muniment verify` by the real binary: what is verified, by whose word, and what it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/cli/expect.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class Verify : public testing::Test {
 protected:
  void SetUp() override {
    here_.populate();
    here_.init();
    done({"backup", "--all"});
    key_ = first_line(done({"key", "show"}).out);
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  Ran done(const std::vector<std::string>& words) const {
    Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, 0) << words.front() << shown(ran);
    return ran;
  }

  // Exit 5, with this verdict; the JSON.
  std::string judged(std::vector<std::string> words, const std::string& verdict) const {
    words.insert(words.begin(), "verify");
    const Ran text = here_.run(words);
    words.emplace_back("--json");
    const Ran json = here_.run(words);
    const int code = verdict == "intact" ? 0 : 5;
    EXPECT_EQ(text.exit_code, code) << shown(text);
    EXPECT_EQ(json.exit_code, code) << shown(json);
    EXPECT_TRUE(contains(text.out, verdict + ": ")) << shown(text);
    EXPECT_EQ(jq(here_, json.out, ".verdict"), verdict) << shown(json);
    EXPECT_EQ(jq(here_, json.out, ".findings | length") == "0",
              verdict == "intact" || verdict.starts_with("self-consistent"))
        << shown(json);
    return json.out;
  }

  std::string keep(const std::string& name, const std::vector<std::string>& words) const {
    write_text(here_.path(name), done(words).out);
    return here_.path(name);
  }

  std::vector<std::string> artifacts() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(here_.root())) {
      const bool is_one = entry.is_regular_file() && entry.path().filename() != "manifest.json";
      if (is_one) out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  Workspace here_;
  std::string key_;
};

TEST_F(Verify, SaysWhatWasVerifiedAndByWhoseKey) {
  const Ran ran = done({"verify"});
  EXPECT_TRUE(ran.out.starts_with("intact: store " + here_.store() + ", ")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "log testhost/muniment\n"));
  EXPECT_TRUE(contains(ran.out, ", signed by " + key_ + "\n"));
  const std::string json = judged({}, "intact");
  EXPECT_EQ(jq(here_, json, ".what"), "store");
  EXPECT_EQ(jq(here_, json, ".signers[0]"), key_);
  EXPECT_EQ(jq(here_, json, ".caveats | length"), "0") << json;
  done({"note", "latest", "one more"});
  const std::string noted = judged({}, "intact");
  EXPECT_TRUE(contains(jq(here_, noted, ".caveats[0]"), "behind the newest checkpoint")) << noted;
}

TEST_F(Verify, TakesKeyOriginAndSizeFromItsCallerAlone) {
  Workspace other;
  other.populate();
  other.init();
  const std::string foreign = first_line(other.run({"key", "show"}).out);
  judged({"--key", key_}, "intact");
  EXPECT_EQ(here_.run({"verify", "--key", foreign}).exit_code, 5);
  judged({"--origin", "else.example"}, "tampered");
  judged({"--min-size", "3"}, "intact");
  judged({"--min-size", "100000"}, "older than what is trusted");
  expect_ended(here_.run({"verify", "--key", "no key"}), 2, {"--key", "muniment key show"});
  expect_ended(here_.run({"verify", "--against", here_.path("absent")}), 2, {"absent"});
}

TEST_F(Verify, OfACheckpointAloneSaysThatEventsWereNotRead) {
  const std::string file = keep("note", {"checkpoint"});
  const std::string known = judged({file, "--key", key_}, "intact");
  EXPECT_EQ(jq(here_, known, ".what"), "checkpoint");
  EXPECT_TRUE(contains(known, "were not read"));
  judged({file}, "self-consistent, signer unknown");
  judged({file, "--key", key_, "--min-size", "100000"}, "older than what is trusted");
  judged({file, "--key", key_, "--origin", "else.example"}, "tampered");
  write_text(here_.path("text"), "hello\n");
  judged({here_.path("text"), "--key", key_}, "cannot read");
  expect_ended(here_.run({"verify", file, "--against", file}), 2, {"--against"});
  expect_ended(here_.run({"verify", file, "--leaf", file}), 2, {"--leaf"});
  expect_ended(here_.run({"verify", file, "--artifacts"}), 2, {"--artifacts"});
  expect_ended(here_.run({"verify", file, "--since", file}), 2, {"--since"});
}

TEST_F(Verify, OfAStoreByItsPathNamesTheOptionForIt) {
  expect_ended(here_.run({"verify", here_.store()}), 2, {"is a store", "-s"});
  expect_ended(here_.run({"verify", here_.path("absent")}), 2, {"absent"});
}

TEST_F(Verify, HoldsAPublishedLogAgainstAnOlderCheckpoint) {
  const std::string old = keep("old", {"checkpoint"});
  done({"backup", "--all"});
  done({"publish", here_.path("pub")});
  judged({here_.path("pub"), "--key", key_}, "intact");
  judged({here_.path("pub"), "--key", key_, "--against", old}, "intact");
  done({"note", "latest", "more"});
  const std::string newer = keep("newer", {"checkpoint"});
  judged({here_.path("pub"), "--key", key_, "--against", newer}, "older than what is trusted");
  judged({"--against", old}, "intact");
  judged({"--against", newer}, "intact");
  const std::string since = judged({"--since", old}, "intact");
  EXPECT_TRUE(contains(since, "was not read")) << since;
}

TEST_F(Verify, ReadsEveryBackupAgain) {
  done({"backup", "notes"});
  const std::vector<std::string> files = artifacts();
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(jq(here_, judged({"--artifacts"}, "intact"), ".artifacts"), "3");
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (const std::string& file : files) {
    const std::string whole = read_file(file);
    const auto restore = [&] {
      fs::remove_all(file);
      write_text(file, whole);
      fs::permissions(file, fs::perms(0600));
    };
    const auto expect_found = [&](const std::string& what) {
      const std::string json = judged({"--artifacts"}, "tampered");
      EXPECT_EQ(jq(here_, json, ".findings | length"), "1") << what << json;
      EXPECT_TRUE(contains(json, file)) << what;
      const std::string sequence = jq(here_, json, ".findings[0].sequence");
      const std::string event = done({"show", sequence, "--json"}).out;
      EXPECT_TRUE(contains(event, "backup_written")) << what << event;
      EXPECT_TRUE(contains(event, fs::path(file).parent_path().filename().string())) << event;
      restore();
    };
    std::string flipped = whole;
    flipped[generator.below(whole.size())] ^= 1;
    write_text(file, flipped);
    expect_found("flipped");
    fs::resize_file(file, whole.size() - 1);
    expect_found("cut");
    fs::permissions(file, fs::perms(0640));
    expect_found("mode");
    fs::remove(file);
    expect_found("gone");
    fs::rename(file, here_.path("moved"));
    fs::create_symlink(here_.path("moved"), file);
    expect_found("a link");
    fs::remove(file);
    ASSERT_EQ(run_program({"mkfifo", "-m", "600", file}).exit_code, 0);
    expect_found("a FIFO");
    fs::remove(file);
    fs::create_directory(file);
    expect_found("a folder");
    fs::create_hard_link(file, here_.path("second"));
    expect_found("two names");
    fs::remove(here_.path("second"));
  }
  judged({"--artifacts"}, "intact");
  fs::remove_all(here_.root());
  const std::string gone = judged({"--artifacts"}, "tampered");
  EXPECT_EQ(jq(here_, gone, ".findings | length"), "3") << gone;
}

// The rename is the commit, whatever became of the run.
TEST_F(Verify, ReadsABackupAgainWhoseStepWasNeverSettled) {
  const Ran killed =
      here_.run_under({"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2,fsync",
                       "-e", "inject=renameat2:retval=0:signal=KILL", "-e", "signal=none"},
                      {"backup", "photos"});
  EXPECT_NE(killed.exit_code, 0) << shown(killed);
  // The call itself was left out: it is made here, as if the kill had come right behind it.
  fs::path partial;
  for (const auto& entry : fs::directory_iterator(here_.root() + "/photos")) {
    if (entry.path().filename().string().ends_with(".partial")) partial = entry.path();
  }
  ASSERT_FALSE(partial.empty()) << shown(killed);
  EXPECT_EQ(jq(here_, judged({"--artifacts"}, "intact"), ".artifacts"), "2");
  const std::string name = partial.filename().string();
  const fs::path final_name = partial.parent_path() / name.substr(1, name.find(".partial") - 1);
  fs::rename(partial, final_name);
  const std::string json = judged({"--artifacts"}, "intact");
  EXPECT_EQ(jq(here_, json, ".artifacts"), "3") << json;
  EXPECT_TRUE(contains(json, "never settled")) << json;
  for (const auto& entry : fs::directory_iterator(final_name)) {
    if (entry.path().filename() != "manifest.json") fs::resize_file(entry.path(), 5);
  }
  judged({"--artifacts"}, "tampered");
}

TEST_F(Verify, NamesAGuardThatKnowsAnotherLogInThisPlace) {
  fs::remove_all(here_.store());
  here_.init();
  judged({}, "intact");  // init tells the guard
  Workspace other;
  other.populate();
  other.init();
  EXPECT_EQ(other.run({"backup", "--all"}).exit_code, 0);
  fs::remove_all(here_.store());
  ASSERT_EQ(run_program({"cp", "-a", other.store(), here_.store()}).exit_code, 0);
  const std::string json = judged({}, "tampered");
  EXPECT_TRUE(contains(json, "knows another log")) << json;
}

}  // namespace
}  // namespace muniment
