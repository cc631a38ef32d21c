// A gate over a real container: what was approved is that container and that image, once.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/cli/expect.h"
#include "tests/lab/lab_fixture.h"
#include "tests/support/ssh_keys.h"

namespace muniment {
namespace {

class LabGateTest : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    anna_ = make_ssh_key(world().path("tmp/anna"));
    write_text(world().path("signers"), signer_line("anna", anna_));
    std::filesystem::permissions(world().path("signers"), std::filesystem::perms(0600));
    std::filesystem::create_directory(world().path("tmp/data"));
    write_text(world().path("tmp/data/ledger"), "what was approved\n");
    create("idle:1");
    write_manifest(table("vault", "gate = \"F3\"\n") + gate());
    world().init();
  }

  // The module's container, made anew under the same label. Another label of it says that there is
  // no gate: nobody asks it.
  void create(const std::string& image) {
    container_.reset();
    container_ = std::make_unique<FreshContainer>(
        lab(), std::vector<std::string>{"--label", label(), "--label", "muniment.gate=none"},
        image);
    container_->copy_in(world().path("tmp/data"), "/srv");
    container_->start({"true"});
  }
  static std::string label() { return "muniment-gate-test=" + std::to_string(::getpid()); }

  std::string table(const std::string& name, const std::string& more) const {
    return "[[module]]\nname = \"" + name + "\"\ncontainer = { label = \"" + label() +
           "\" }\nclass = \"files\"\npaths = [\"/srv/data\"]\n" + more + "\n";
  }
  std::string gate() const {
    return "[gate.F3]\nguards = [\"backup\"]\nsigners = \"" + world().path("signers") +
           "\"\nneeds = [{ dry_run = \"24h\" }, { no_drift = true }]\n";
  }

  Ran expect(const std::vector<std::string>& words, int exit_code) const {
    const Ran ran = world().run(words);
    EXPECT_EQ(ran.exit_code, exit_code) << words[0] << ": " << shown(ran);
    return ran;
  }
  std::string ask(const std::vector<std::string>& words, const std::string& filter) const {
    return jq(world(), world().run(words).out, filter);
  }
  void rehearse_and_approve() const {
    expect({"backup", "vault", "--dry-run"}, 0);
    const std::string digest = ask({"show", "latest:vault", "--json"}, ".plan_digest[0:8]");
    expect({"approve", "latest:vault", "--gate", "F3", "--module", "vault", "--key", anna_.file,
            "--confirm", "F3@" + digest},
           0);
  }
  bool wrote() const { return std::filesystem::exists(world().root() + "/vault"); }

  SshKey anna_;
  std::unique_ptr<FreshContainer> container_;
};

TEST_P(LabGateTest, AnotherImageIsDriftAndNothingIsWritten) {
  rehearse_and_approve();
  create("files:1");
  const Ran drifted = expect({"backup", "--plan", "latest:vault"}, 4);
  EXPECT_TRUE(contains(drifted.err, "rehearse again")) << shown(drifted);
  EXPECT_FALSE(wrote());
  expect({"gate", "F3", "--module", "vault"}, 3);
}

TEST_P(LabGateTest, OneApprovalIsOneExecution) {
  rehearse_and_approve();
  expect({"backup", "--plan", "latest:vault"}, 0);
  EXPECT_TRUE(wrote());
  const Ran again = expect({"backup", "--plan", "latest:vault"}, 3);
  EXPECT_TRUE(contains(again.err, "consumed")) << shown(again);
  expect_private_and_intact();
}

// The container is the candidate, whatever a manifest calls it and whatever its labels say.
TEST_P(LabGateTest, ASecondModuleOnTheSameContainerIsGuardedToo) {
  rehearse_and_approve();
  write_manifest(table("vault", "gate = \"F3\"\n") + table("other", "") + gate());
  const Ran refused = expect({"backup", "other"}, 3);
  EXPECT_TRUE(contains(refused.err, "closed for other")) << shown(refused);
  write_manifest(table("renamed", ""));
  expect({"backup", "renamed"}, 3);
  EXPECT_FALSE(std::filesystem::exists(world().root()));
}

TEST_P(LabGateTest, ARevocationMidwayStopsTheNextStep) {
  const Ran filled =
      lab().exec(container_->id(), {}, {"sh", "-c", "head -c 300M /dev/urandom > /srv/data/large"});
  ASSERT_EQ(filled.exit_code, 0) << filled.err;
  rehearse_and_approve();
  const std::string accepted =
      ask({"events", "--type", "approval_accepted", "--json"}, ".events[0].sequence");
  RunningProgram execution(muniment_argv({"backup", "--plan", "latest:vault"}),
                           world().surroundings());
  ASSERT_TRUE(comes_true(
      [&] {
        return ask({"events", "--type", "approval_consumed", "--json"}, ".events | length") == "1";
      },
      std::chrono::seconds(30)));
  expect({"revoke", accepted, "--reason", "the vault is in use"}, 0);
  const Ran ran = execution.wait();
  EXPECT_EQ(ran.exit_code, 3) << shown(ran);
  EXPECT_TRUE(contains(ran.err, "revoked")) << shown(ran);
  EXPECT_EQ(ask({"show", "latest", "--json"},
                "[.steps[] | select(.kind == \"commit\" or .kind == \"STEP_KIND_COMMIT\") | "
                ".status] | join(\",\")"),
            "proposed");
  for (const auto& entry : std::filesystem::directory_iterator(world().root() + "/vault")) {
    ADD_FAILURE() << "left behind: " << entry.path();
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, LabGateTest, engines(), engine_name);

}  // namespace
}  // namespace muniment
