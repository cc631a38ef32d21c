// Signatures of real keys, made and judged by the real ssh-keygen.
#include "recorder/world/ssh_keygen.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "recorder/world/landlock.h"
#include "tests/support/ssh_keys.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;

const std::string kText = "muniment-approval\nguarded backup\ngate F3\n";

class SshKeygen : public testing::Test {
 protected:
  SshKey key(const std::string& name, const SshKind& kind = {}) const {
    return make_ssh_key(dir_ / name, kind);
  }
  static std::string sign(const SshKey& key, const Words& environment = {}) {
    const Result<std::string> armour = sign_with_ssh(key.file, kText, environment);
    EXPECT_TRUE(armour) << armour.error().message;
    return armour.value_or("");
  }
  static SignatureCheck judge(const std::string& armour, const std::string& signers,
                              const std::string& text = kText) {
    const Result<SignatureCheck> out = check_ssh_signature(text, armour, signers);
    EXPECT_TRUE(out) << out.error().message;
    return out.value_or(SignatureCheck());
  }
  static void expect_good(const SignatureCheck& check, const SshKey& key,
                          const std::string& principal) {
    EXPECT_TRUE(check.good) << check.why;
    EXPECT_EQ(check.fingerprint, key.fingerprint);
    EXPECT_EQ(check.principal, principal);
    EXPECT_FALSE(check.security_key);
    EXPECT_EQ(check.why, "");
  }
  static void expect_bad(const SignatureCheck& check, const std::string& part) {
    EXPECT_FALSE(check.good);
    EXPECT_NE(check.why.find(part), std::string::npos) << check.why;
    EXPECT_EQ(check.why.find("/proc/"), std::string::npos) << check.why;
  }

  TempDir dir_;
};

TEST_F(SshKeygen, TakesItsOwnSignaturesOfEveryKindOfKey) {
  for (const Words& options :
       {Words{"-t", "ed25519"}, Words{"-t", "rsa", "-b", "3072"}, Words{"-t", "ecdsa", "-b", "256"},
        Words{"-t", "ecdsa", "-b", "521"}}) {
    const SshKey made =
        key("key-" + options[1] + options.back(), {.options = options, .passphrase = {}});
    expect_good(judge(sign(made), signer_line("anna", made)), made, "anna");
  }
}

TEST_F(SshKeygen, AndAnyoneCanTakeTheSameFilesByHand) {
  const SshKey made = key("anna");
  write_text(dir_ / "signers", signer_line("anna", made));
  write_text(dir_ / "text", kText);
  write_text(dir_ / "text.sig", sign(made));
  const std::string verify =
      "ssh-keygen -Y verify -n muniment-approval -I anna -f \"$0/signers\" "
      "-s \"$0/text.sig\" < \"$0/text\"";
  const Ran ran = run_program({"sh", "-c", verify, dir_.path});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "Good \"muniment-approval\" signature for anna with ED25519 key " +
                         made.fingerprint + "\n");
}

TEST_F(SshKeygen, ASignatureMadeByHandIsTaken) {
  const SshKey made = key("anna");
  write_text(dir_ / "text", kText);
  expect_good(judge(sign_by_hand(made, dir_ / "text"), signer_line("anna", made)), made, "anna");
}

TEST_F(SshKeygen, ASignatureOfAnotherNamespaceIsNone) {
  const SshKey made = key("anna");
  write_text(dir_ / "text", kText);
  const std::string armour = sign_by_hand(made, dir_ / "text", "git");
  expect_bad(judge(armour, signer_line("anna", made)), "the signature does not hold");
}

TEST_F(SshKeygen, WhatWasChangedOrCutDoesNotHold) {
  const SshKey made = key("anna");
  const std::string armour = sign(made);
  const std::string signers = signer_line("anna", made);
  expect_good(judge(armour, signers), made, "anna");
  expect_bad(judge(armour, signers, kText + " "), "the signature does not hold");
  expect_bad(judge(armour, signers, ""), "the signature does not hold");
  for (const std::size_t keep :
       {std::size_t{0}, std::size_t{1}, armour.size() / 3, armour.size() / 2, armour.size() - 12}) {
    expect_bad(judge(armour.substr(0, keep), signers), "the signature does not hold");
  }
  const std::size_t body = armour.find('\n') + 1;
  for (std::size_t at = body; at < armour.size() - 40; at += 29) {
    std::string flipped = armour;
    flipped[at] = flipped[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(judge(flipped, signers).good) << "byte " << at;
  }
}

TEST_F(SshKeygen, ALineCountsOnlyForItsKeyItsTimeAndItsNamespaces) {
  const SshKey anna = key("anna");
  const SshKey ben = key("ben");
  const std::string armour = sign(anna);
  expect_bad(judge(armour, signer_line("ben", ben)), "key " + anna.fingerprint + " is no signer");
  expect_bad(judge(armour, signer_line("anna", anna, "valid-before=\"20200101\"")), "has expired");
  expect_bad(judge(armour, signer_line("anna", anna, "valid-after=\"29990101\"")), "not yet valid");
  expect_bad(judge(armour, signer_line("anna", anna, "namespaces=\"other\"")), "not permitted");
  expect_good(judge(armour, signer_line("anna", anna, "namespaces=\"muniment-approval,git\"") +
                                signer_line("ben", ben)),
              anna, "anna");
}

TEST_F(SshKeygen, OneKeyUnderSeveralNamesIsOneKey) {
  const SshKey made = key("anna");
  const std::string armour = sign(made);
  const SignatureCheck first =
      judge(armour, "# operators\n\n" + signer_line("anna,anna@example.org", made));
  expect_good(first, made, "anna");
  expect_good(judge(armour, signer_line("ben", made) + signer_line("anna", made)), made, "ben");
  // A name can look like the end of the sentence that says who signed.
  const std::string odd = "a\twith";
  const std::string fake = "SHA256:" + std::string(43, 'A');
  expect_good(judge(armour, signer_line("\"x with ED25519 key " + fake + "\"", made)), made,
              "x with ED25519 key " + fake);
}

TEST_F(SshKeygen, APassphraseIsAskedForAndNeverGivenOn) {
  const SshKey made = key("anna", {.options = {"-t", "ed25519"}, .passphrase = "open sesame"});
  const std::string signers = signer_line("anna", made);
  expect_good(judge(sign(made, answer_with(dir_ / "right", "open sesame")), signers), made, "anna");
  const Result<std::string> wrong =
      sign_with_ssh(made.file, kText, answer_with(dir_ / "wrong", "open barley"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(wrong.error().message.find("barley"), std::string::npos);
  EXPECT_NE(wrong.error().message.find("incorrect passphrase"), std::string::npos)
      << wrong.error().message;
}

TEST_F(SshKeygen, AWaitForAPassphraseEndsWhenAskedTo) {
  const SshKey made = key("anna", {.options = {"-t", "ed25519"}, .passphrase = "open sesame"});
  Words slow = answer_with(dir_ / "slow", "open sesame");
  write_text(dir_ / "slow", "#!/bin/sh\nexec sleep 60\n");
  std::atomic<bool> stop = false;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop = true;
  });
  const auto begin = std::chrono::steady_clock::now();
  const Result<std::string> ended =
      sign_with_ssh(made.file, kText, slow, [&] { return stop.load(); });
  later.join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kInterrupted) << ended.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(SshKeygen, AnAgentSignsForAKeyWhoseFileIsElsewhere) {
  const SshKey anna = key("anna");
  const SshKey ben = key("ben", {.options = {"-t", "ecdsa"}, .passphrase = {}});
  const SshAgent agent(dir_ / "agent");
  const Words environment{"SSH_AUTH_SOCK=" + agent.socket()};
  EXPECT_EQ(list_agent_keys(environment).value_or(Words{"?"}), Words{});
  agent.add(anna);
  agent.add(ben);
  const Words held = list_agent_keys(environment).value_or(Words{});
  ASSERT_EQ(held.size(), 2U);
  EXPECT_TRUE(held[0].starts_with(anna.line)) << held[0];
  std::filesystem::remove(anna.file);
  std::filesystem::remove(ben.file);

  expect_good(judge(sign({.file = anna.file + ".pub", .line = {}, .fingerprint = {}}, environment),
                    signer_line("anna", anna)),
              anna, "anna");
  const Result<std::string> by_line = sign_with_agent(held[1], kText, environment);
  ASSERT_TRUE(by_line) << by_line.error().message;
  expect_good(judge(*by_line, signer_line("ben", ben)), ben, "ben");
  const Result<std::string> alone = sign_with_agent(held[1], kText, {});
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::kInvalid);
}

TEST_F(SshKeygen, NoAgentHoldsNoKey) {
  EXPECT_EQ(list_agent_keys({}).value_or(Words{"?"}), Words{});
  EXPECT_EQ(list_agent_keys({"SSH_AUTH_SOCK=" + (dir_ / "none")}).value_or(Words{"?"}), Words{});
}

TEST_F(SshKeygen, AKeyThatIsNoneIsNamed) {
  write_text(dir_ / "text", "no key\n");
  for (const std::string& file : {dir_ / "missing", dir_ / "text"}) {
    const Result<std::string> out = sign_with_ssh(file, kText, {});
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, ErrorCode::kInvalid);
    EXPECT_NE(out.error().message.find(file), std::string::npos) << out.error().message;
  }
}

// A rehearsal judges approvals too, and may write nothing by then.
TEST_F(SshKeygen, JudgesWhereNothingMayBeWritten) {
  const SshKey made = key("anna");
  const std::string armour = sign(made);
  const std::string signers = signer_line("anna", made);
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    const bool held = forbid_writes_outside({}).enforced();
    const Result<SignatureCheck> check = check_ssh_signature(kText, armour, signers);
    ::_exit(!check || !check->good ? 1 : held ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "this kernel does not enforce it";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace muniment
