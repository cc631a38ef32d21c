// Which approvals open a gate: each row changes one thing of a question whose answer is "open".
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/gate.h"
#include "tests/support/gate_samples.h"

namespace muniment {
namespace {

constexpr std::int64_t kHour = 3600 * kGateSecond;

GateApproval& given(GateQuestion& question) {
  return question.approvals.at(0);
}

ApprovalStatement& said(GateQuestion& question) {
  return given(question).statement;
}

GateApproval& add(GateQuestion& question, const std::string& principal) {
  const std::uint64_t submitted = question.approvals.back().submitted + 2;
  question.approvals.push_back(sample_approval(question, principal, submitted));
  return question.approvals.back();
}

// A second submission with the nonce of the first.
void replay(GateQuestion& question, const std::string& principal) {
  const std::string nonce = said(question).nonce;
  add(question, principal).statement.nonce = nonce;
}

void want_two(GateQuestion& question) {
  question.policy->approvals = 2;
  restate(question);
}

void forbid_self(GateQuestion& question, const std::string& self) {
  question.policy->no_self_approval = true;
  question.selves.insert(self);
  restate(question);
}

class GateApprovals : public testing::TestWithParam<GateCase> {};

TEST_P(GateApprovals, DecideWhetherItIsOpen) {
  judge_case(GetParam());
}

std::string name_of(const testing::TestParamInfo<GateCase>& info) {
  return info.param.name;
}

using Q = GateQuestion;

const GateCase kTimes[] = {
    {"NothingChanged", [](Q&) {}},
    {"ExpiresANanosecondLater", [](Q& q) { said(q).expires_ns = kGateNow + 1; }},
    {"ExpiresNow", [](Q& q) { said(q).expires_ns = kGateNow; }, "approval", "it has expired"},
    {"ExpiredLongAgo", [](Q& q) { said(q).expires_ns = kGateNow - kHour / 4; }, "approval",
     "it has expired"},
    {"BeginsNow", [](Q& q) { said(q).not_before_ns = kGateNow; }},
    {"BeginsANanosecondLater", [](Q& q) { said(q).not_before_ns = kGateNow + 1; }, "approval",
     "it does not hold yet"},
    {"HoldsAsLongAsThePolicyAllows",
     [](Q& q) { said(q).not_before_ns = said(q).expires_ns - 12 * kHour; }},
    {"HoldsANanosecondLonger",
     [](Q& q) { said(q).not_before_ns = said(q).expires_ns - 12 * kHour - 1; }, "approval",
     "for longer than 12h"},
    {"HoldsForAllTime",
     [](Q& q) {
       said(q).not_before_ns = std::numeric_limits<std::int64_t>::min();
       said(q).expires_ns = std::numeric_limits<std::int64_t>::max();
     },
     "approval", "for longer than 12h"},
    {"ClockAheadUpToItsEnd", [](Q& q) { q.now_ns = said(q).expires_ns - 1; }},
    {"ClockAheadToItsEnd", [](Q& q) { q.now_ns = said(q).expires_ns; }, "approval",
     "it has expired"},
    {"RecordedItselfAtItsEnd", [](Q& q) { given(q).recorded_ns = said(q).expires_ns; }, "approval",
     "it has expired"},
    {"RehearsedByALaterClockUpToItsEnd",
     [](Q& q) { q.candidate->finished_ns = said(q).expires_ns - 1; }},
    {"RehearsedByALaterClockAtItsEnd", [](Q& q) { q.candidate->finished_ns = said(q).expires_ns; },
     "approval", "it has expired"},
    {"ReliesOnARestoreTestAtItsEnd", [](Q& q) { q.restore_test->at_ns = said(q).expires_ns; },
     "approval", "it has expired"},
    {"ReliesOnACheckAtItsEnd", [](Q& q) { q.checks["canary"].at_ns = said(q).expires_ns; },
     "approval", "it has expired"},
    {"ReliesOnABackupAtItsEnd", [](Q& q) { q.verified_backup->at_ns = said(q).expires_ns; },
     "approval", "it has expired", "exec"},
    {"AnotherRunsApprovalWasRecordedLater",
     [](Q& q) {
       GateApproval& other = add(q, "ben");
       other.statement.run_id = "another";
       other.recorded_ns = said(q).expires_ns;
     }},
    {"BeginsOnlyByTheTimeItWasRecorded",
     [](Q& q) {
       said(q).not_before_ns = kGateNow + kHour / 2;
       given(q).recorded_ns = kGateNow + kHour / 2;
     }},
};
INSTANTIATE_TEST_SUITE_P(Times, GateApprovals, testing::ValuesIn(kTimes), name_of);

const GateCase kSubjects[] = {
    {"GivenBeforeItsPlan", [](Q& q) { given(q).submitted = 19; }, "approval",
     "before its rehearsal ended"},
    {"GivenAtTheEndOfItsPlan", [](Q& q) { given(q).submitted = q.candidate->sequence; }, "approval",
     "before its rehearsal ended"},
    {"GivenRightAfterItsPlan", [](Q& q) { given(q).submitted = q.candidate->sequence + 1; }},
    {"ForAnotherModule", [](Q& q) { said(q).module = "forgejo"; }, "approval",
     "0 of 1 approvals for run 01900000"},
    {"ForAnotherRun", [](Q& q) { said(q).run_id = "01900000-0000-7000-8000-0000000000bb"; },
     "approval", "0 of 1 approvals"},
    {"ForAnotherPlan", [](Q& q) { said(q).plan_digest = to_hex(sha256("another")); }, "approval",
     "it is for plan "},
    {"ForAnotherHost", [](Q& q) { said(q).origin = "rs3000.example/muniment"; }, "approval",
     "the log of another host"},
    {"ForAnotherLogKey", [](Q& q) { said(q).log_key = "rs2000.example/muniment+00000000+AQ=="; },
     "approval", "it names another log key"},
    {"ForALogKeyBeforeARotation",
     [](Q& q) { q.log_keys.insert("rs2000.example/muniment+00000000+AQ=="); }},
    {"ForALogWithoutKeys", [](Q& q) { q.log_keys.clear(); }, "approval", "another log key"},
    {"ForAnotherGate", [](Q& q) { said(q).gate = "F4"; }, "approval", "it is for gate F4"},
    {"OfExecForBackup", [](Q& q) { said(q).guarded = "exec"; }, "approval",
     "it is for exec, not for backup"},
    {"OfRestoreForBackup", [](Q& q) { said(q).guarded = "restore"; }, "approval",
     "it is for restore, not for backup"},
    {"OfBackupForExec", [](Q& q) { said(q).guarded = "backup"; }, "approval",
     "it is for backup, not for exec", "exec"},
    {"OfAPolicyForBackup", [](Q& q) { said(q).guarded = "policy"; }, "approval",
     "it is for policy, not for backup"},
    {"OfAPolicyAsItIsWritten",
     [](Q& q) {
       said(q).guarded = "policy";
       said(q).module = said(q).run_id = "-";
     },
     "approval", "0 of 1 approvals"},
    {"UnderAnotherPolicy", [](Q& q) { said(q).policy_digest = to_hex(sha256("old")); }, "approval",
     "it was given under policy"},
    {"ForARehearsalThatIsSuperseded",
     [](Q& q) {
       q.candidate->superseded_by = "01900000-0000-7000-8000-0000000000cc";
       q.candidate->superseded_sequence = 33;
     },
     "approval candidate", "superseded by 01900000-0000-7000-8000-0000000000cc"},
    {"ExecIsOpenToo", [](Q&) {}, "", "", "exec"},
};
INSTANTIATE_TEST_SUITE_P(Subjects, GateApprovals, testing::ValuesIn(kSubjects), name_of);

const GateCase kCounts[] = {
    {"None", [](Q& q) { q.approvals.clear(); }, "approval", "0 of 1 approvals"},
    {"OneOfTwo", want_two, "approval", "1 of 2 approvals"},
    {"TwoKeysOfTwo",
     [](Q& q) {
       add(q, "ben");
       want_two(q);
     }},
    {"OneKeyUnderTwoNames",
     [](Q& q) {
       const std::string key = given(q).signature.fingerprint;
       add(q, "ben").signature.fingerprint = key;
       want_two(q);
     },
     "approval", "1 of 2 approvals"},
    {"OneKeyTwice",
     [](Q& q) {
       add(q, "anna");
       want_two(q);
     },
     "approval", "1 of 2 approvals"},
    {"TwoKeysUnderOneName",
     [](Q& q) {
       add(q, "ben").signature.principal = "anna";
       want_two(q);
     }},
    {"TheSecondOfTwoHasExpired",
     [](Q& q) {
       add(q, "ben").statement.expires_ns = kGateNow;
       want_two(q);
     },
     "approval", "1 of 2 approvals"},
    {"TheSecondOfTwoIsForAnotherPlan",
     [](Q& q) {
       add(q, "ben").statement.plan_digest = to_hex(sha256("another"));
       want_two(q);
     },
     "approval", "1 of 2 approvals"},
    {"ThePolicyWantsNone",
     [](Q& q) {
       q.policy->approvals = 0;
       restate(q);
     },
     "approval", "of 0"},
    {"ASpoiltOneBesideAGoodOne",
     [](Q& q) {
       add(q, "ben").signature = {
           .good = false, .principal = {}, .fingerprint = {}, .security_key = false, .why = "x"};
     }},
};
INSTANTIATE_TEST_SUITE_P(Counts, GateApprovals, testing::ValuesIn(kCounts), name_of);

const GateCase kFates[] = {
    {"NotAcceptedYet", [](Q& q) { given(q).accepted = q.head; }, "approval",
     "it was not accepted yet"},
    {"Revoked", [](Q& q) { given(q).revoked = 30; }, "approval", "it was revoked by #30"},
    {"RevokedAndGivenAnew",
     [](Q& q) {
       given(q).revoked = 30;
       add(q, "anna");
     }},
    {"Consumed",
     [](Q& q) {
       given(q).consumed = 31;
       given(q).consumed_by = "01900000-0000-7000-8000-0000000000dd";
     },
     "approval", "it was consumed by run 01900000-0000-7000-8000-0000000000dd"},
    {"ConsumedByAnExecutionThatThenFailed",
     [](Q& q) {
       // What became of the run is no part of the question: nothing gives the approval back.
       given(q).consumed = q.head - 2;
       given(q).consumed_by = "failed";
     },
     "approval", "it was consumed by run failed"},
    {"ConsumedAndGivenAnew",
     [](Q& q) {
       given(q).consumed = 31;
       add(q, "anna");
     }},
    {"OneOfTwoConsumed",
     [](Q& q) {
       add(q, "ben").consumed = 31;
       want_two(q);
     },
     "approval", "1 of 2 approvals"},
    {"NonceReplayedAfterItsConsumption",
     [](Q& q) {
       given(q).consumed = 31;
       replay(q, "anna");
     },
     "approval", "its nonce was used before"},
    {"NonceReplayedAfterItsRevocation",
     [](Q& q) {
       given(q).revoked = 31;
       replay(q, "anna");
     },
     "approval", "its nonce was used before"},
    {"NonceUsedByAnotherKeyToMakeTwo",
     [](Q& q) {
       replay(q, "ben");
       want_two(q);
     },
     "approval", "its nonce was used before"},
    {"NonceUsedForAnotherModuleBefore",
     [](Q& q) {
       replay(q, "anna");
       said(q).module = "forgejo";
     },
     "approval", "its nonce was used before"},
    {"NonceReplayedBesideTheFirst", [](Q& q) { replay(q, "anna"); }},
};
INSTANTIATE_TEST_SUITE_P(Fates, GateApprovals, testing::ValuesIn(kFates), name_of);

void spoil(GateQuestion& question, const char* why) {
  given(question).signature.good = false;
  given(question).signature.why = why;
}

const GateCase kSigners[] = {
    {"WrongNamespace", [](Q& q) { spoil(q, "namespace git"); }, "approval",
     "its signature does not hold: namespace git"},
    {"KeyIsNoLongerASigner", [](Q& q) { spoil(q, "no principal matched"); }, "approval",
     "its signature does not hold: no principal matched"},
    {"StatementWasTamperedWith", [](Q& q) { given(q).fault = "line 3 of the statement is bad"; },
     "approval", "line 3 of the statement is bad"},
    {"StatementCannotBeRead",
     [](Q& q) {
       given(q).fault = "line 1 of the statement is bad";
       said(q) = {};
     },
     "approval", "0 of 1 approvals"},
    {"SubmittedByAnAgent", [](Q& q) { given(q).actor_kind = v1::ACTOR_KIND_AGENT; }, "approval",
     "not submitted by an operator"},
    {"SubmittedByCi", [](Q& q) { given(q).actor_kind = v1::ACTOR_KIND_CI; }, "approval",
     "not submitted by an operator"},
    {"SubmittedByATimer", [](Q& q) { given(q).actor_kind = v1::ACTOR_KIND_TIMER; }, "approval",
     "not submitted by an operator"},
    {"SubmittedByNobody", [](Q& q) { given(q).actor_kind = v1::ACTOR_KIND_UNSPECIFIED; },
     "approval", "not submitted by an operator"},
    {"SelfByPrincipal", [](Q& q) { forbid_self(q, "anna"); }, "approval", "no_self_approval"},
    {"SelfByFingerprint", [](Q& q) { forbid_self(q, given(q).signature.fingerprint); }, "approval",
     "no_self_approval"},
    {"SelfByTheUserOfAPrincipal",
     [](Q& q) {
       given(q).signature.principal = "anna@rs2000.example";
       forbid_self(q, "anna");
     },
     "approval", "no_self_approval"},
    {"SelfByAWholePrincipal",
     [](Q& q) {
       given(q).signature.principal = "anna@rs2000.example";
       forbid_self(q, "anna@rs2000.example");
     },
     "approval", "no_self_approval"},
    {"SelfByTheUserOfAClaim", [](Q& q) { forbid_self(q, "anna@laptop"); }, "approval",
     "no_self_approval"},
    {"SelfAmongClaimedAndObserved",
     [](Q& q) {
       q.selves = {"ben", "root"};
       forbid_self(q, "anna");
     },
     "approval", "no_self_approval"},
    {"AnotherThanWhoExecutes", [](Q& q) { forbid_self(q, "ben"); }},
    {"NamedLikeWhoExecutes", [](Q& q) { forbid_self(q, "ann"); }},
    {"SelfWhereThatIsAllowed", [](Q& q) { q.selves = {"anna"}; }},
    {"OneSelfOfTwo",
     [](Q& q) {
       add(q, "ben");
       q.policy->approvals = 2;
       forbid_self(q, "ben");
     },
     "approval", "1 of 2 approvals"},
    {"NoSecurityKey",
     [](Q& q) {
       q.policy->keys = "sk";
       restate(q);
     },
     "approval", "no security key"},
    {"ASecurityKey",
     [](Q& q) {
       q.policy->keys = "sk";
       given(q).signature.security_key = true;
       restate(q);
     }},
    {"OneSecurityKeyOfTwo",
     [](Q& q) {
       add(q, "ben").signature.security_key = true;
       q.policy->keys = "sk";
       want_two(q);
     },
     "approval", "1 of 2 approvals"},
};
INSTANTIATE_TEST_SUITE_P(Signers, GateApprovals, testing::ValuesIn(kSigners), name_of);

const GateCase kForks[] = {
    {"FromBeforeTheFork", [](Q& q) { q.forked = given(q).submitted + 1; }, "approval",
     "before the fork"},
    {"FromBehindTheFork", [](Q& q) { q.forked = given(q).submitted - 1; }},
};
INSTANTIATE_TEST_SUITE_P(Forks, GateApprovals, testing::ValuesIn(kForks), name_of);

TEST(GateApproval, IsNamedByThoseThatOpenedOldestFirst) {
  GateQuestion question = open_question();
  add(question, "ben").statement.expires_ns = kGateNow;
  add(question, "anna");
  add(question, "carla");
  add(question, "ben");
  want_two(question);
  const GateJudgement judgement = judge_gate(question);
  EXPECT_TRUE(judgement.verdict.open());
  EXPECT_EQ(judgement.opened_by, (std::vector<std::uint64_t>{26, 30, 32, 34}));
  const v1::Condition condition = condition_of(judgement, "approval");
  EXPECT_EQ(condition.decided_by_size(), 4);
  EXPECT_EQ(condition.decided_by(0), 26U);
  EXPECT_EQ(condition.decided_by(3), 34U);
}

TEST(GateApproval, ThatOpensNothingIsNotNamedAsOpening) {
  GateQuestion question = open_question();
  question.checks.clear();
  const GateJudgement judgement = judge_gate(question);
  EXPECT_FALSE(judgement.verdict.open());
  EXPECT_EQ(condition_of(judgement, "approval").verdict(), v1::VERDICT_OK);
  EXPECT_TRUE(judgement.opened_by.empty());
}

TEST(GateApproval, IsMissingWhereNobodyGaveOneAndFailedWhereItDoesNotCount) {
  GateQuestion question = open_question();
  given(question).revoked = 30;
  const v1::Condition failed = condition_of(judge_gate(question), "approval");
  EXPECT_EQ(failed.verdict(), v1::VERDICT_FAILED);
  EXPECT_EQ(failed.decided_by(0), 26U);
  question.approvals.clear();
  const v1::Condition missing = condition_of(judge_gate(question), "approval");
  EXPECT_EQ(missing.verdict(), v1::VERDICT_MISSING);
  for (const v1::Condition& condition : {failed, missing}) {
    EXPECT_EQ(condition.next(),
              "muniment approve 01900000-0000-7000-8000-0000000000aa --gate F3 --module notes");
  }
}

}  // namespace
}  // namespace muniment
