// Policy, clock and candidate of a gate, and the shape of its verdict.
#include "recorder/core/gate.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/timestamp.h"
#include "tests/support/gate_samples.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

constexpr std::int64_t kMinute = 60 * kGateSecond;

class GateOpens : public testing::TestWithParam<GateCase> {};

TEST_P(GateOpens, OnlyWhereEveryConditionHolds) {
  judge_case(GetParam());
}

std::string name_of(const testing::TestParamInfo<GateCase>& info) {
  return info.param.name;
}

using Q = GateQuestion;

const GateCase kPolicies[] = {
    {"NoPolicyOnRecord", [](Q& q) { q.policy.reset(); }, "policy approval",
     "no policy of gate F3 is on record"},
    {"NothingButACallersPolicy",
     [](Q& q) {
       q.policy.reset();
       q.approvals.clear();
     },
     "policy approval", "no policy of gate F3 is on record"},
    {"ManifestStatesNone", [](Q& q) { q.stated_digest.clear(); }, "policy",
     "does not bind module notes to gate F3"},
    {"ManifestStatesAnother", [](Q& q) { q.stated_digest = to_hex(sha256("mine")); }, "policy",
     "a change wants the approval of the signers on record"},
    {"ManifestStatesAnotherThatIsApproved",
     [](Q& q) {
       q.stated_digest = to_hex(sha256("mine"));
       q.approvals[0].statement.policy_digest = q.stated_digest;
     },
     "policy approval", "the manifest states policy"},
    {"ManifestCannotBeAsked", [](Q& q) { q.stated_fault = "its signers file has a pattern"; },
     "policy", "its signers file has a pattern"},
    {"ModuleIsNotAmongThoseOnRecord",
     [](Q& q) {
       q.policy->modules = {"forgejo"};
       restate(q);
     },
     "policy", "module notes is not among those of gate F3"},
    {"NoModules",
     [](Q& q) {
       q.policy->modules.clear();
       restate(q);
     },
     "policy", "module notes is not among those"},
    {"NoSigners",
     [](Q& q) {
       q.policy->signers_sha256.clear();
       restate(q);
     },
     "policy", "has no signers, so it never opens"},
    {"DoesNotGuardTheCommand",
     [](Q& q) {
       q.policy->guards = {"exec", "restore"};
       restate(q);
     },
     "policy", "does not guard backup"},
    {"GuardsMoreCommands",
     [](Q& q) {
       q.policy->guards = {"backup", "exec", "restore"};
       restate(q);
     }},
    {"GuardFolderOfAnotherPlace", [](Q& q) { q.policy->guard_folder = "/tmp/guard"; },
     "policy approval", "the log holds"},
};
INSTANTIATE_TEST_SUITE_P(Policies, GateOpens, testing::ValuesIn(kPolicies), name_of);

const GateCase kClocks[] = {
    {"ClockBehindByAMinute", [](Q& q) { q.head_ns = kGateNow + kMinute; }},
    {"ClockBehindByANanosecondMore", [](Q& q) { q.head_ns = kGateNow + kMinute + 1; }, "clock",
     "behind the log's last event by more than 60 s"},
    {"ClockSetBackByAMinute", [](Q& q) { q.now_ns = q.head_ns - kMinute; }},
    {"ClockSetBackByANanosecondMore", [](Q& q) { q.now_ns = q.head_ns - kMinute - 1; }, "clock",
     "set it right"},
    {"ClockSetBackToTheBeginningOfTime",
     [](Q& q) { q.now_ns = std::numeric_limits<std::int64_t>::min(); }, "clock", "set it right"},
    {"ClockAheadOfTheLog", [](Q& q) { q.head_ns = 0; }},
    {"HeadAtTheEndOfTime", [](Q& q) { q.head_ns = std::numeric_limits<std::int64_t>::max(); },
     "clock", "set it right"},
};
INSTANTIATE_TEST_SUITE_P(Clocks, GateOpens, testing::ValuesIn(kClocks), name_of);

const GateCase kCandidates[] = {
    {"NoCandidate", [](Q& q) { q.candidate.reset(); },
     "candidate approval dry_run no_drift clean_release", "no rehearsal of module notes was named"},
    {"CandidateIsSuperseded",
     [](Q& q) {
       q.candidate->superseded_by = "01900000-0000-7000-8000-0000000000cc";
       q.candidate->superseded_sequence = 33;
     },
     "candidate approval", "by the newer rehearsal 01900000-0000-7000-8000-0000000000cc"},
    {"CandidateRehearsedTwoGatedModules", [](Q& q) { q.candidate->gated_modules = 2; }, "candidate",
     "2 modules that this gate guards"},
    {"CandidateRehearsedNoGatedModule", [](Q& q) { q.candidate->gated_modules = 0; }, "candidate",
     "0 modules that this gate guards"},
    {"PlanOfNowIsAnother", [](Q& q) { q.plan_digest = to_hex(sha256("now")); },
     "candidate no_drift", "rehearsed was"},
    {"PlanOfNowIsAnotherWithoutAnyNeed",
     [](Q& q) {
       q.policy->needs.clear();
       restate(q);
       q.plan_digest = to_hex(sha256("now"));
     },
     "candidate", "rehearsed was"},
    {"OnlyTheLogIsAsked", [](Q& q) { q.plan_digest.clear(); }},
    {"AnotherModuleIsAsked", [](Q& q) { q.module = "forgejo"; }, "approval", "0 of 1 approvals"},
};
INSTANTIATE_TEST_SUITE_P(Candidates, GateOpens, testing::ValuesIn(kCandidates), name_of);

TEST(Gate, JudgesItsConditionsInOrder) {
  std::string names;
  const v1::GateEvaluated verdict = judge_gate(open_question()).verdict;
  for (const v1::Condition& condition : verdict.conditions()) {
    names += condition.name() + " ";
  }
  EXPECT_EQ(names,
            "policy clock candidate approval dry_run no_drift clean_release restore_test check ");
}

TEST(Gate, SaysWhatItWasAskedAndUnderWhichPolicy) {
  GateQuestion question = open_question();
  const v1::GateEvaluated verdict = judge_gate(question).verdict;
  EXPECT_EQ(verdict.gate(), "F3");
  EXPECT_EQ(verdict.guarded(), "backup");
  EXPECT_EQ(verdict.candidate_run(), question.candidate->run_id);
  EXPECT_EQ(verdict.plan_digest(), question.candidate->plan_digest);
  EXPECT_EQ(verdict.policy_digest(), policy_digest(*question.policy));
  question.plan_digest.clear();
  EXPECT_EQ(judge_gate(question).verdict.plan_digest(), question.candidate->plan_digest);
  question.policy.reset();
  question.candidate.reset();
  const v1::GateEvaluated empty = judge_gate(question).verdict;
  EXPECT_EQ(empty.policy_digest() + empty.candidate_run() + empty.plan_digest(), "");
}

TEST(Gate, HasTheLaterTimeOfTheClockAndOfWhatItReliesOn) {
  const auto time_of = [](const GateQuestion& question) {
    return nanoseconds_of(judge_gate(question).verdict.gate_time());
  };
  EXPECT_EQ(time_of(open_question()), kGateNow);
  const std::vector<void (*)(GateQuestion&)> ahead = {
      [](Q& q) { q.candidate->finished_ns = kGateNow + 7; },
      [](Q& q) { q.restore_test->at_ns = kGateNow + 7; },
      [](Q& q) { q.checks["canary"].at_ns = kGateNow + 7; },
      [](Q& q) { q.approvals[0].recorded_ns = kGateNow + 7; },
      [](Q& q) { q.now_ns = kGateNow + 7; },
  };
  for (const auto& change : ahead) {
    GateQuestion question = open_question();
    change(question);
    EXPECT_EQ(time_of(question), kGateNow + 7);
  }
  GateQuestion question = open_question();
  question.head_ns = kGateNow + 7;
  EXPECT_EQ(time_of(question), kGateNow) << "the head is no proof";
}

TEST(Gate, NamesTheNewerRehearsalAsWhatToApprove) {
  GateQuestion question = open_question();
  question.candidate->superseded_by = "01900000-0000-7000-8000-0000000000cc";
  EXPECT_EQ(condition_of(judge_gate(question), "candidate").next(),
            "muniment approve 01900000-0000-7000-8000-0000000000cc --gate F3 --module notes");
  question = open_question();
  question.stated_digest = to_hex(sha256("mine"));
  EXPECT_EQ(condition_of(judge_gate(question), "policy").next(),
            "muniment approve --policy --gate F3");
}

// Any bytes in the names of things: a verdict comes of it, in text that can be shown.
TEST(Gate, IsJudgedWhateverItIsAsked) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 300; ++i) {
    GateQuestion question = open_question(draw.one_in(2) ? "backup" : "exec");
    const auto time = [&] {
      return static_cast<std::int64_t>(draw.below(std::numeric_limits<std::size_t>::max()));
    };
    question.policy = random_policy(draw);
    if (draw.one_in(2)) question.module = draw.bytes(5);
    if (draw.one_in(2)) question.gate = draw.bytes(5);
    if (draw.one_in(2)) question.now_ns = time();
    if (draw.one_in(2)) question.head_ns = time();
    if (draw.one_in(2)) question.candidate->finished_ns = time();
    if (draw.one_in(2)) question.restore_test->at_ns = time();
    question.approvals[0].statement = random_statement(draw);
    if (draw.one_in(2)) question.approvals[0].statement.run_id = question.candidate->run_id;
    if (draw.one_in(2)) question.approvals[0].statement.module = question.module;
    const GateJudgement judgement = judge_gate(question);
    ASSERT_FALSE(judgement.verdict.open());
    ASSERT_TRUE(judgement.opened_by.empty());
    for (const v1::Condition& condition : judgement.verdict.conditions()) {
      ASSERT_EQ(condition.detail().find_first_of("\n\x1b\r"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace muniment
