// What a policy needs beside approvals: each condition true, false, missing and too old.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "recorder/core/digest.h"
#include "recorder/core/gate.h"
#include "tests/support/gate_samples.h"

namespace muniment {
namespace {

constexpr std::int64_t kHour = 3600 * kGateSecond;
constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();

// Instead of all others.
void need(GateQuestion& question, const Need& one) {
  question.policy->needs[question.guarded] = {one};
  restate(question);
}

Need aged(const char* name, std::chrono::seconds within) {
  return {.name = name, .within = within, .value = {}};
}

class GateNeeds : public testing::TestWithParam<GateCase> {};

TEST_P(GateNeeds, DecideWhetherItIsOpen) {
  judge_case(GetParam());
}

std::string name_of(const testing::TestParamInfo<GateCase>& info) {
  return info.param.name;
}

using Q = GateQuestion;

const GateCase kRehearsals[] = {
    {"RehearsedExactlyADayAgo", [](Q& q) { q.candidate->finished_ns = kGateNow - 24 * kHour; }},
    {"RehearsedANanosecondEarlier",
     [](Q& q) { q.candidate->finished_ns = kGateNow - 24 * kHour - 1; }, "dry_run",
     "the newest rehearsal is older than"},
    {"RehearsedAtTheBeginningOfTime", [](Q& q) { q.candidate->finished_ns = kFirst; }, "dry_run",
     "is older than"},
    {"RehearsedADayBeforeTheCheckItReliesOn",
     [](Q& q) {
       q.candidate->finished_ns = kGateNow - 24 * kHour;
       q.checks["canary"].at_ns = kGateNow + 1;
     },
     "dry_run", "is older than"},
    {"RehearsedAheadOfTheClock", [](Q& q) { q.candidate->finished_ns = kGateNow + 1; }},
    {"NothingWasRehearsed", [](Q& q) { q.candidate.reset(); },
     "dry_run no_drift clean_release candidate approval", "no rehearsal is on record"},
    {"AnAgeOfAThousandYears",
     [](Q& q) { need(q, aged("dry_run", std::chrono::hours(24 * 365'000))); }},
    {"AnAgeThatIsNone", [](Q& q) { need(q, {.name = "dry_run", .within = {}, .value = {}}); },
     "dry_run", "is older than"},
    {"NeedsNothing",
     [](Q& q) {
       q.policy->needs.clear();
       restate(q);
       q.candidate->finished_ns = kFirst;
     }},
    {"NeedsOfAnotherCommandAreNotAsked",
     [](Q& q) {
       q.policy->needs["restore"] = {{.name = "moon", .within = {}, .value = {}}};
       restate(q);
     }},
};
INSTANTIATE_TEST_SUITE_P(Rehearsals, GateNeeds, testing::ValuesIn(kRehearsals), name_of);

const GateCase kDrifts[] = {
    {"AnExecutionFoundDrift",
     [](Q& q) {
       q.candidate->drift = 30;
       q.plan_digest.clear();
     },
     "no_drift", "found the world changed"},
    {"TheWorldIsAsRehearsedAgain", [](Q& q) { q.candidate->drift = 30; }},
    {"ThePlanOfNowIsAnother", [](Q& q) { q.plan_digest = to_hex(sha256("now")); },
     "no_drift candidate", "the plan of now is"},
    {"NoPlanOfNow", [](Q& q) { q.plan_digest.clear(); }},
    {"DriftWhereItIsNotAskedFor",
     [](Q& q) {
       q.candidate->drift = 30;
       need(q, aged("dry_run", std::chrono::hours(24)));
     }},
    {"CleanReleaseUnknownAtTheRehearsal", [](Q& q) { q.candidate->clean_release.reset(); },
     "clean_release", "it is not known whether the release root was clean"},
    {"UncleanReleaseAtTheRehearsal", [](Q& q) { q.candidate->clean_release = false; },
     "clean_release", "was not clean at the rehearsal"},
    {"UncleanReleaseNow", [](Q& q) { q.clean_release = false; }, "clean_release",
     "is not clean now"},
    {"CleanReleaseUnknownNow", [](Q& q) { q.clean_release.reset(); }, "clean_release",
     "it is not known whether the release root is clean now"},
    {"CleanReleaseOfNowNotAskedOfTheLogAlone",
     [](Q& q) {
       q.clean_release.reset();
       q.plan_digest.clear();
     }},
    {"UncleanReleaseWhereItIsNotAskedFor",
     [](Q& q) {
       q.clean_release = false;
       q.candidate->clean_release = false;
       need(q, aged("dry_run", std::chrono::hours(24)));
     }},
};
INSTANTIATE_TEST_SUITE_P(Drifts, GateNeeds, testing::ValuesIn(kDrifts), name_of);

const GateCase kProofs[] = {
    {"BackupVerifiedExactlyADayAgo", [](Q& q) { q.verified_backup->at_ns = kGateNow - 24 * kHour; },
     "", "", "exec"},
    {"BackupVerifiedANanosecondEarlier",
     [](Q& q) { q.verified_backup->at_ns = kGateNow - 24 * kHour - 1; }, "verified_backup",
     "the newest verified backup is older than", "exec"},
    {"BackupVerifiedAtTheBeginningOfTime", [](Q& q) { q.verified_backup->at_ns = kFirst; },
     "verified_backup", "is older than", "exec"},
    {"NoVerifiedBackup", [](Q& q) { q.verified_backup.reset(); }, "verified_backup",
     "no verified backup is on record", "exec"},
    {"BackupFoundBad", [](Q& q) { q.verified_backup->verdict = v1::VERDICT_FAILED; },
     "verified_backup", "did not succeed", "exec"},
    {"BackupOfUnknownVerdict", [](Q& q) { q.verified_backup->verdict = v1::VERDICT_UNSPECIFIED; },
     "verified_backup", "did not succeed", "exec"},
    {"NoVerifiedBackupWhereItIsNotAskedFor", [](Q& q) { q.verified_backup.reset(); }},
    {"RestoreTestedExactlyTwoDaysAgo", [](Q& q) { q.restore_test->at_ns = kGateNow - 48 * kHour; }},
    {"RestoreTestedANanosecondEarlier",
     [](Q& q) { q.restore_test->at_ns = kGateNow - 48 * kHour - 1; }, "restore_test",
     "the newest restore test is older than"},
    {"NoRestoreTest", [](Q& q) { q.restore_test.reset(); }, "restore_test",
     "no restore test is on record"},
    {"RestoreTestFailed", [](Q& q) { q.restore_test->verdict = v1::VERDICT_FAILED; },
     "restore_test", "did not succeed"},
    {"RestoreTestMissing", [](Q& q) { q.restore_test->verdict = v1::VERDICT_MISSING; },
     "restore_test", "did not succeed"},
};
INSTANTIATE_TEST_SUITE_P(Proofs, GateNeeds, testing::ValuesIn(kProofs), name_of);

const GateCase kChecks[] = {
    {"CheckFailed", [](Q& q) { q.checks["canary"].verdict = v1::VERDICT_FAILED; }, "check",
     "check canary is not ok"},
    {"CheckFoundMissing", [](Q& q) { q.checks["canary"].verdict = v1::VERDICT_MISSING; }, "check",
     "check canary is not ok"},
    {"CheckOfUnknownVerdict", [](Q& q) { q.checks["canary"].verdict = v1::VERDICT_UNSPECIFIED; },
     "check", "check canary is not ok"},
    {"NoCheck", [](Q& q) { q.checks.clear(); }, "check", "check canary is not on record"},
    {"AnotherCheckIsOk",
     [](Q& q) {
       q.checks["Canary"] = q.checks["canary"];
       q.checks.erase("canary");
     },
     "check", "check canary is not on record"},
    {"AnotherCheckFailed",
     [](Q& q) {
       q.checks["ci"] = {.sequence = 5, .at_ns = kGateNow, .verdict = v1::VERDICT_FAILED};
     }},
    {"CheckOfAnyAge", [](Q& q) { q.checks["canary"].at_ns = kFirst; }},
    {"CheckWithAHostileName",
     [](Q& q) { need(q, {.name = "check", .within = {}, .value = "a\x1b[2J'b"}); }, "check",
     "check a\\x1B[2J'b is not on record"},
    {"UnknownNeed", [](Q& q) { need(q, {.name = "moon", .within = {}, .value = "full"}); }, "moon",
     "does not know the condition moon"},
    {"UnknownNeedWithAnAge", [](Q& q) { need(q, aged("dry_runs", std::chrono::hours(24))); },
     "dry_runs", "does not know the condition dry_runs"},
};
INSTANTIATE_TEST_SUITE_P(Checks, GateNeeds, testing::ValuesIn(kChecks), name_of);

std::string next_of(const GateQuestion& question, const std::string& name) {
  return condition_of(judge_gate(question), name).next();
}

TEST(GateNeed, NamesTheCommandThatSuppliesIt) {
  GateQuestion question = open_question();
  question.checks.clear();
  question.restore_test.reset();
  question.candidate->finished_ns = 0;
  EXPECT_EQ(next_of(question, "check"),
            "muniment note 01900000-0000-7000-8000-0000000000aa --check canary=ok");
  EXPECT_EQ(next_of(question, "dry_run"), "muniment backup notes --dry-run");
  EXPECT_NE(next_of(question, "restore_test").find("muniment restore-test "), std::string::npos);
  question = open_question("exec");
  question.verified_backup.reset();
  question.candidate->finished_ns = 0;
  EXPECT_NE(next_of(question, "verified_backup").find("muniment backup "), std::string::npos);
  EXPECT_EQ(next_of(question, "dry_run"),
            "muniment exec --module notes --gate F3 --dry-run -- CMD");
}

// What is shown to be typed must not do more than it says.
TEST(GateNeed, QuotesAHostileNameForTheShell) {
  GateQuestion question = open_question();
  need(question, {.name = "check", .within = {}, .value = "a'; reboot; '"});
  EXPECT_NE(next_of(question, "check").find(R"('a'\''; reboot; '\'''=ok)"), std::string::npos)
      << next_of(question, "check");
}

TEST(GateNeed, IsDecidedByTheEventThatProvesIt) {
  const GateJudgement backup = judge_gate(open_question());
  const GateJudgement exec = judge_gate(open_question("exec"));
  const auto decided_by = [](const GateJudgement& judgement, const std::string& name) {
    const v1::Condition condition = condition_of(judgement, name);
    return condition.decided_by_size() == 1 ? condition.decided_by(0) : 0;
  };
  EXPECT_EQ(decided_by(backup, "policy"), 3U);
  EXPECT_EQ(decided_by(backup, "candidate"), 20U);
  EXPECT_EQ(decided_by(backup, "approval"), 26U);
  EXPECT_EQ(decided_by(backup, "dry_run"), 20U);
  EXPECT_EQ(decided_by(backup, "restore_test"), 12U);
  EXPECT_EQ(decided_by(backup, "check"), 22U);
  EXPECT_EQ(decided_by(exec, "verified_backup"), 10U);
}

}  // namespace
}  // namespace muniment
