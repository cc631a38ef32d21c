// What the real binary hands to strangers, judged by itself and by other programs.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

class Handed : public testing::Test {
 protected:
  void SetUp() override {
    here_.populate();
    here_.init();
    done({"backup", "--all"});
    const std::string line = done({"key", "show"}).out;
    key_ = line.substr(0, line.find('\n'));
  }

  Ran done(const Words& words) const {
    Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, 0) << words.front() << shown(ran);
    return ran;
  }

  std::string file(const std::string& name) const { return here_.path("cwd/" + name); }
  Ran judge(const std::string& name, const Words& more = {}) const {
    Words words = {"verify", name, "--key", key_};
    words.insert(words.end(), more.begin(), more.end());
    return here_.run(words);
  }

  Workspace here_;
  std::string key_;
};

TEST_F(Handed, ABundleIsPrivateAndHolds) {
  const Ran made = done({"bundle", "latest", "-o", "run.bundle"});
  EXPECT_TRUE(contains(made.out, "checked: intact")) << shown(made);
  EXPECT_TRUE(contains(made.out, "--key " + key_)) << shown(made);
  struct stat facts{};
  ASSERT_EQ(::stat(file("run.bundle").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  EXPECT_EQ(judge("run.bundle").exit_code, 0);
  const std::string json = judge("run.bundle", {"--json"}).out;
  EXPECT_EQ(jq(here_, json, "[.what, .verdict, .origin, .signers[0]] | @csv"),
            "\"bundle\",\"intact\",\"testhost/muniment\",\"" + key_ + "\"");
  const Ran unknown = here_.run({"verify", "run.bundle"});
  expect_ended(unknown, 5, {});
  EXPECT_TRUE(contains(unknown.out, "self-consistent, signer unknown")) << shown(unknown);
  // It needs no store.
  fs::remove_all(here_.store());
  EXPECT_EQ(judge("run.bundle").exit_code, 0);
}

// Without the program: tar, jq, sha256sum.
TEST_F(Handed, ABundleIsReadWithOrdinaryTools) {
  done({"bundle", "latest", "-o", "run.bundle"});
  const std::string folder = here_.path("unpacked");
  fs::create_directory(folder);
  const Ran unpacked = run_program({"tar", "-xf", file("run.bundle"), "-C", folder});
  ASSERT_EQ(unpacked.exit_code, 0) << shown(unpacked);
  EXPECT_EQ(unpacked.err, "");
  const std::string statement =
      jq(here_, read_file(folder + "/statement.intoto.json"), ".payload | @base64d");
  EXPECT_EQ(jq(here_, statement, ".predicateType"), "urn:muniment:run:v1");
  const std::string artifacts =
      jq(here_, statement,
         ".subject[] | select(.name | contains(\"/\")) | .digest.sha256 + \"  \" + .name");
  write_text(here_.path("sums"), artifacts + "\n");
  const Ran sums = run_program(
      {"sh", "-c", "cd '" + here_.root() + "' && sha256sum -c '" + here_.path("sums") + "'"});
  EXPECT_EQ(sums.exit_code, 0) << "the statement names the artifacts by path and hash\n"
                               << shown(sums) << artifacts;
  EXPECT_EQ(jq(here_, statement, "[.subject[] | select(.name | contains(\"/\"))] | length"), "2");
  const std::string index = read_file(folder + "/bundle.json");
  const std::string run = jq(here_, index, ".run_id");
  EXPECT_EQ(run, jq(here_, done({"show", "latest", "--json"}).out, ".run_id"));
  for (const auto& entry : fs::directory_iterator(folder + "/blobs")) {
    const Ran sum = run_program({"sha256sum", entry.path()});
    EXPECT_TRUE(sum.out.starts_with(entry.path().filename().string())) << sum.out;
  }
  EXPECT_TRUE(contains(read_file(folder + "/report.md"), "**EXECUTED: 2 modules"));
}

TEST_F(Handed, ABundleIsNotWrittenOverAnotherFile) {
  done({"bundle", "latest", "-o", "run.bundle"});
  const std::string first = read_file(file("run.bundle"));
  done({"bundle", "latest", "-o", "run.bundle"});
  EXPECT_EQ(read_file(file("run.bundle")), first) << "the same bytes: nothing to do";
  done({"backup", "notes"});
  expect_ended(here_.run({"bundle", "latest", "-o", "run.bundle"}), 2,
               {"run.bundle", "is there already", "--replace"});
  EXPECT_EQ(read_file(file("run.bundle")), first);
  done({"bundle", "latest", "-o", "run.bundle", "--replace"});
  EXPECT_NE(read_file(file("run.bundle")), first);
  fs::create_symlink("run.bundle", file("link"));
  EXPECT_EQ(here_.run({"bundle", "latest:photos", "-o", "link"}).exit_code, 2);
  fs::create_directory(file("folder"));
  for (const Words& words : {Words{"bundle", "latest", "-o", "folder"},
                             {"bundle", "latest", "-o", "folder/"},
                             {"bundle", "latest", "-o", "absent/run.bundle"},
                             {"bundle", "latest"},
                             {"bundle", "-o", "x"}}) {
    const int code = here_.run(words).exit_code;
    EXPECT_TRUE(code == 1 || code == 2) << words.back() << code;
  }
  EXPECT_EQ(here_.run({"bundle", "019999", "-o", "x"}).exit_code, 7);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(here_.path("cwd"))) {
    names.insert(entry.path().filename());
  }
  EXPECT_EQ(names, (std::set<std::string>{"folder", "link", "run.bundle"})) << "nothing half done";
}

TEST_F(Handed, ANoteNeedsANewCheckpoint) {
  done({"note", "latest", "seen by hand"});
  expect_ended(here_.run({"bundle", "latest", "-o", "b"}), 2, {"muniment checkpoint"});
  done({"checkpoint"});
  done({"bundle", "latest", "-o", "b"});
  EXPECT_TRUE(contains(read_file(file("b")), "seen by hand"));
  EXPECT_EQ(judge("b").exit_code, 0);
}

TEST_F(Handed, ABundleHoldsWithoutATextThatWasErased) {
  done({"note", "latest", "seen by Berta"});
  done({"checkpoint"});
  done({"bundle", "latest", "-o", "before"});
  const std::string last = jq(here_, done({"show", "latest", "--json"}).out, ".last_sequence");
  done({"erase", last, "--field", "text", "--reason", "she asked for it"});
  expect_ended(here_.run({"bundle", "latest", "-o", "after"}), 2, {"muniment checkpoint"});
  done({"checkpoint"});
  done({"bundle", "latest", "-o", "after"});
  EXPECT_TRUE(contains(read_file(file("before")), "seen by Berta"));
  const std::string after = read_file(file("after"));
  EXPECT_EQ(after.find("seen by Berta"), std::string::npos);
  EXPECT_TRUE(contains(after, "erased by"));
  EXPECT_EQ(judge("before").exit_code, 0);
  EXPECT_EQ(judge("after").exit_code, 0);
}

TEST_F(Handed, ABundleOfAnyRunHoldsAfterARotation) {
  done({"backup", "--all", "--dry-run"});
  done({"key", "rotate"});
  const std::string line = done({"key", "show"}).out;
  const std::string after = line.substr(0, line.find('\n'));
  ASSERT_NE(after, key_);
  done({"note", "latest:dry-run", "later"});
  done({"checkpoint"});
  done({"bundle", "latest:photos", "-o", "executed"});
  done({"bundle", "latest:dry-run", "-o", "rehearsed"});
  for (const char* name : {"executed", "rehearsed"}) {
    EXPECT_EQ(here_.run({"verify", name, "--key", after}).exit_code, 0) << name;
    EXPECT_EQ(judge(name).exit_code, 5) << name << ": signed by a key the old one did not announce";
  }
}

TEST_F(Handed, FlippedBytesOfABundleAreFound) {
  done({"bundle", "latest", "-o", "run.bundle"});
  const std::string whole = read_file(file("run.bundle"));
  Generator random;
  SCOPED_TRACE(random.seed_line());
  for (int i = 0; i < 40; ++i) {
    std::string changed = whole;
    const std::size_t at = random.below(changed.size());
    changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1U << random.below(8)));
    write_text(file("changed"), changed);
    EXPECT_EQ(judge("changed").exit_code, 5) << "byte " << at;
  }
  write_text(file("changed"), whole.substr(0, random.between(512, whole.size() - 1)));
  EXPECT_EQ(judge("changed").exit_code, 5);
}

TEST_F(Handed, AProofHoldsForItsEventAlone) {
  const Ran shown_proof = done({"prove", "3"});
  done({"prove", "3", "-o", "3.tlog-proof"});
  EXPECT_EQ(read_file(file("3.tlog-proof")), shown_proof.out);
  EXPECT_TRUE(shown_proof.out.starts_with("c2sp.org/tlog-proof@v1\nextra "));
  EXPECT_EQ(judge("3.tlog-proof").exit_code, 0);
  EXPECT_EQ(jq(here_, done({"prove", "#3", "--json"}).out, ".sequence"), "3");
  std::string other = done({"prove", "4"}).out;
  const std::size_t begin = shown_proof.out.find("index");
  write_text(file("forged"), other.substr(0, other.find("index")) + shown_proof.out.substr(begin));
  EXPECT_EQ(judge("forged").exit_code, 5);
  expect_ended(here_.run({"prove", "3", "-o", "forged"}), 2, {"is there already"});
  expect_ended(here_.run({"prove", "100000"}), 7, {"no event 100000"});
  done({"note", "latest", "x"});
  const std::string last = jq(here_, done({"show", "latest", "--json"}).out, ".last_sequence");
  expect_ended(here_.run({"prove", last}), 2, {"muniment checkpoint"});
  EXPECT_EQ(here_.run({"prove"}).exit_code, 2);
  EXPECT_EQ(here_.run({"prove", "x"}).exit_code, 2);
  EXPECT_EQ(here_.run({"prove", "3", "--from", "3.tlog-proof"}).exit_code, 2);
}

TEST_F(Handed, AProofOfExtensionHoldsForItsCheckpointAlone) {
  write_text(file("old"), done({"checkpoint"}).out);
  done({"backup", "notes"});
  done({"prove", "--from", "old", "-o", "since"});
  EXPECT_EQ(judge("since", {"--against", "old"}).exit_code, 0);
  write_text(file("newer"), done({"checkpoint"}).out);
  EXPECT_EQ(judge("since", {"--against", "newer"}).exit_code, 5);
  EXPECT_EQ(here_.run({"prove", "--from", "absent"}).exit_code, 2);
  EXPECT_EQ(here_.run({"prove", "--from", "since"}).exit_code, 2) << "that is no checkpoint";

  Workspace other;
  other.populate();
  other.init();
  EXPECT_EQ(other.run({"backup", "--all"}).exit_code, 0);
  write_text(file("theirs"), other.run({"checkpoint"}).out);
  expect_ended(here_.run({"prove", "--from", "theirs"}), 5, {"contradicts this log"});
}

}  // namespace
}  // namespace muniment
