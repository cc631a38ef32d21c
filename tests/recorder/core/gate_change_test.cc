// Which approvals change a policy: those of the signers on record, for that very text.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "recorder/core/digest.h"
#include "recorder/core/gate.h"
#include "tests/support/gate_samples.h"

namespace muniment {
namespace {

// A change that one approval of anna's is good for.
struct Change {
  GatePolicy old_policy = *open_question().policy;
  GateQuestion question = open_question();
  GateApproval approval;

  Change() {
    question.plan_digest = to_hex(sha256("the new policy"));
    approval = question.approvals.at(0);
    ApprovalStatement& said = approval.statement;
    said.guarded = kPolicyWord;
    said.module = said.run_id = "-";
    said.plan_digest = question.plan_digest;
    question.candidate.reset();
    question.policy.reset();
    question.approvals = {approval};
  }
  std::optional<std::string> fault() const {
    return fault_of_change(approval, old_policy, question, question.now_ns);
  }
};

struct ChangeCase {
  const char* name;
  std::function<void(Change& change)> change;
  const char* fault = "";  // words in it; empty: none
};

void PrintTo(const ChangeCase& row, std::ostream* out) {
  *out << row.name;
}

class PolicyChange : public testing::TestWithParam<ChangeCase> {};

TEST_P(PolicyChange, IsApprovedOnlyByTheSignersOnRecord) {
  Change change;
  ASSERT_EQ(change.fault().value_or("none"), "none");
  GetParam().change(change);
  const std::string fault = change.fault().value_or("");
  EXPECT_NE(fault.find(GetParam().fault), std::string::npos) << fault;
  EXPECT_EQ(fault.empty(), *GetParam().fault == '\0') << fault;
}

const ChangeCase kChanges[] = {
    {"NothingChanged", [](Change&) {}},
    {"OfABackup", [](Change& c) { c.approval.statement.guarded = "backup"; },
     "it is for no change of the policy"},
    {"OfAnotherNewPolicy",
     [](Change& c) { c.approval.statement.plan_digest = to_hex(sha256("another")); },
     "it is for policy "},
    {"OfAnotherOldPolicy",
     [](Change& c) { c.approval.statement.policy_digest = to_hex(sha256("older")); },
     "it was given under policy"},
    {"ThePolicyInForceHasChangedSince", [](Change& c) { c.old_policy.approvals = 2; },
     "it was given under policy"},
    {"OfAnotherGate", [](Change& c) { c.approval.statement.gate = "F4"; }, "it is for gate F4"},
    {"OfAnotherHost", [](Change& c) { c.approval.statement.origin = "rs3000.example/muniment"; },
     "another host"},
    {"OfAnotherLogKey", [](Change& c) { c.question.log_keys = {"x+00000000+AQ=="}; },
     "another log key"},
    {"SignatureDoesNotHold",
     [](Change& c) {
       c.approval.signature.good = false;
       c.approval.signature.why = "not a signer on record";
     },
     "not a signer on record"},
    {"CannotBeRead", [](Change& c) { c.approval.fault = "line 2 is bad"; }, "line 2 is bad"},
    {"SubmittedByAnAgent", [](Change& c) { c.approval.actor_kind = v1::ACTOR_KIND_AGENT; },
     "not submitted by an operator"},
    {"ExpiresANanosecondLater", [](Change& c) { c.approval.statement.expires_ns = kGateNow + 1; }},
    {"ExpiresNow", [](Change& c) { c.approval.statement.expires_ns = kGateNow; }, "it has expired"},
    {"BeginsANanosecondLater", [](Change& c) { c.approval.statement.not_before_ns = kGateNow + 1; },
     "does not hold yet"},
    {"HoldsTooLong",
     [](Change& c) {
       c.approval.statement.not_before_ns =
           c.approval.statement.expires_ns - 12 * 3600 * kGateSecond - 1;
     },
     "for longer than 12h"},
    {"Revoked", [](Change& c) { c.approval.revoked = 30; }, "it was revoked by #30"},
    {"Consumed", [](Change& c) { c.approval.consumed = 30; }, "consumed"},
    {"NonceReplayed",
     [](Change& c) {
       c.approval.submitted = 33;
       c.approval.accepted = 34;
       c.question.approvals.push_back(c.approval);
     },
     "its nonce was used before"},
    {"NoSecurityKey",
     [](Change& c) {
       c.old_policy.keys = "sk";
       c.approval.statement.policy_digest = policy_digest(c.old_policy);
     },
     "no security key"},
    {"ASecurityKey",
     [](Change& c) {
       c.old_policy.keys = "sk";
       c.approval.statement.policy_digest = policy_digest(c.old_policy);
       c.approval.signature.security_key = true;
     }},
};
std::string name_of(const testing::TestParamInfo<ChangeCase>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Rows, PolicyChange, testing::ValuesIn(kChanges), name_of);

// An approval of a change is none of an execution, and the reverse.
TEST(ApprovedChange, OpensNoGate) {
  const Change change;
  GateQuestion question = open_question();
  question.approvals = {change.approval};
  EXPECT_FALSE(judge_gate(question).verdict.open());
  EXPECT_TRUE(fault_of(change.approval, question, question.now_ns));
  const GateApproval of_a_backup = open_question().approvals.at(0);
  EXPECT_TRUE(fault_of_change(of_a_backup, change.old_policy, change.question, kGateNow));
}

}  // namespace
}  // namespace muniment
