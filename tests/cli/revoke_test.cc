// `revoke`: an approval is taken back, whatever has become of it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cli/gate_scene.h"
#include "tests/support/test_database.h"

namespace muniment {
namespace {

std::string approved(const GateScene& scene, const std::string& run) {
  const Ran ran = scene.approve(run, scene.anna, {"--json"});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  return jq(scene.here, ran.out, ".sequence");
}

TEST(Revoke, ClosesTheGateAgain) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string sequence = approved(scene, run);
  const Ran ran = scene.here.run({"revoke", sequence, "--reason", "called off", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(jq(scene.here, ran.out,
               "[.accepted_sequence, .about_run, .log_state] | map(tostring) | join(\" \")"),
            sequence + " " + run + " checkpointed");
  EXPECT_EQ(scene.newest("approval_revoked",
                         "[.sequence, .event.module, .event.about_run, "
                         ".event.approval_revoked.accepted_sequence, "
                         ".event.approval_revoked.reason] | map(tostring) | join(\" \")"),
            jq(scene.here, ran.out, ".sequence | tostring") + " notes " + run + " " + sequence +
                " called off");
  EXPECT_EQ(scene.execute(run).exit_code, 3);
  // Another approval of the same rehearsal counts.
  approved(scene, run);
  EXPECT_EQ(scene.execute(run).exit_code, 0);
}

TEST(Revoke, SaysSoWhereItIsLate) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string sequence = approved(scene, run);
  ASSERT_EQ(scene.execute(run).exit_code, 0);
  const Ran late = scene.here.run({"revoke", "#" + sequence, "--reason", "too late"});
  EXPECT_EQ(late.exit_code, 0) << shown(late);
  EXPECT_TRUE(contains(late.out, "had consumed it"));
  const std::string before = scene.count();
  expect_ended(scene.here.run({"revoke", sequence, "--reason", "again"}), 2, {"was revoked by #"});
  EXPECT_EQ(scene.count(), before);
}

TEST(Revoke, IsOfAnAcceptedApprovalAndHasAReason) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string sequence = approved(scene, run);
  const std::string before = scene.count();
  expect_ended(scene.here.run({"revoke", "0", "--reason", "r"}), 7, {"no accepted approval"});
  expect_ended(scene.here.run({"revoke", "100000", "--reason", "r"}), 7, {});
  expect_ended(scene.here.run({"revoke", "soon", "--reason", "r"}), 2, {"is no event"});
  expect_ended(scene.here.run({"revoke", sequence}), 2, {"--reason"});
  expect_ended(scene.here.run({"revoke", sequence, "--reason", ""}), 2, {"--reason"});
  EXPECT_EQ(scene.count(), before);
}

TEST(Revoke, ReachesAStoreThatIsBusyThroughItsInbox) {
  const GateScene scene;
  const std::string run = scene.rehearse();
  const std::string sequence = approved(scene, run);
  const TestDatabase lock(scene.here.database());
  lock.run("PRAGMA journal_mode=DELETE");
  lock.run("BEGIN EXCLUSIVE");
  RunningProgram holder(muniment_argv({"-v", "backup", "--plan", run}), scene.here.surroundings());
  ASSERT_TRUE(comes_true([&] { return contains(holder.err(), "step_started"); })) << holder.err();
  const Ran ran = scene.here.run({"revoke", sequence, "--reason", "called off", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(jq(scene.here, ran.out, "[.sequence, .log_state] | map(tostring) | join(\" \")"),
            scene.newest("approval_revoked", ".sequence | tostring") + " integrated");
  lock.run("ROLLBACK");
  // The step that had begun is done; the next one does not start.
  EXPECT_EQ(holder.wait().exit_code, 3);
}

}  // namespace
}  // namespace muniment
