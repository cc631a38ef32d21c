#include <gtest/gtest.h>

#include "muniment/v1/event.pb.h"
#include "recorder/core/text.h"
#include "replay/query.h"
#include "replay/render_text.h"
#include "tests/support/every_event.h"
#include "tests/support/generator.h"
#include "tests/support/poison.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;

TEST(EventLine, NamesSequenceAndTypeOfEveryEvent) {
  ASSERT_EQ(body_fields().size(), body_names().size());
  for (const FieldDescriptor* body : body_fields()) {
    const std::string line = event_line(412, full_event(*body));
    EXPECT_TRUE(line.starts_with("#412 " + body->name() + " ")) << line;
    v1::Event empty;
    empty.GetReflection()->MutableMessage(&empty, body);
    const std::string bare = event_line(0, empty);
    EXPECT_TRUE(bare.starts_with("#0 " + body->name())) << bare;
  }
  EXPECT_EQ(event_line(7, unknown_event()).substr(0, 10), "#7 unknown");
}

TEST(EventLine, IsOneLineThatNoTerminalObeysWhateverIsInIt) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (const FieldDescriptor* body : body_fields()) {
    for (int i = 0; i < 4 * alternatives(*body); ++i) {
      v1::Event event = full_event(*body, i);
      if (i > 0) {
        poison(event, i % 2 == 1 ? hostile_text() : valid_utf8(generator.bytes(4096)));
      }
      const std::string line = event_line(1, event);
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
      EXPECT_TRUE(is_inert(line)) << inert(line);
      EXPECT_LT(line.size(), 1000U) << "a line that nobody can read: " << line;
    }
  }
}

v1::Event named(const char* module) {
  v1::Event event;
  event.set_module(module);
  return event;
}

TEST(EventLine, SaysWhatAPersonLooksFor) {
  v1::Event event = named("notes");
  event.mutable_step_started()->set_kind(v1::STEP_KIND_CAPTURE);
  event.mutable_step_started()->set_index(1);
  EXPECT_EQ(event_line(12, event), "#12 step_started notes: capture, step 1");

  event = named("notes");
  v1::StepSettled& settled = *event.mutable_step_settled();
  settled.set_kind(v1::STEP_KIND_CAPTURE);
  settled.set_index(4);
  settled.set_result(v1::STEP_RESULT_FAILED);
  settled.set_detail("disk full");
  EXPECT_EQ(event_line(13, event), "#13 step_settled notes: capture, step 4: failed, disk full");

  event = named("");
  event.mutable_clock_stepped()->set_step_ns(-3'500'000'000);
  EXPECT_EQ(event_line(14, event), "#14 clock_stepped: -3.500 s");

  event = named("");
  event.mutable_run_finished()->set_outcome(v1::RUN_OUTCOME_REFUSED);
  event.mutable_run_finished()->set_reason("drift");
  EXPECT_EQ(event_line(15, event), "#15 run_finished: refused: drift");
}

TEST(EventLine, SaysWhatBecameOfAGate) {
  v1::Event event = named("notes");
  v1::ApprovalAccepted& accepted = *event.mutable_approval_accepted();
  accepted.set_gate("F3");
  accepted.set_plan_digest("1a2b3c4d5e6f");
  accepted.mutable_expires()->set_seconds(1'795'600'000);
  accepted.set_key_fingerprint("SHA256:abc");
  EXPECT_EQ(event_line(1, event),
            "#1 approval_accepted notes: F3, plan 1a2b3c4d, until 2026-11-25T09:46:40.000000000Z, "
            "key SHA256:abc");

  event = named("notes");
  v1::GateEvaluated& verdict = *event.mutable_gate_evaluated();
  verdict.set_gate("F3");
  verdict.add_conditions()->set_verdict(v1::VERDICT_OK);
  v1::Condition& row = *verdict.add_conditions();
  row.set_verdict(v1::VERDICT_MISSING);
  row.set_name("approval");
  row.set_detail("0 of 1");
  EXPECT_EQ(event_line(2, event), "#2 gate_evaluated notes: F3 closed: approval: 0 of 1");
  verdict.clear_conditions();
  verdict.set_open(true);
  verdict.set_candidate_run("0199");
  EXPECT_EQ(event_line(2, event), "#2 gate_evaluated notes: F3 open, run 0199");

  event = named("notes");
  event.mutable_approval_consumed()->set_gate("F3");
  event.mutable_approval_consumed()->add_accepted_sequences(7);
  event.mutable_approval_consumed()->add_accepted_sequences(9);
  EXPECT_EQ(event_line(3, event), "#3 approval_consumed notes: F3, #7, #9");

  event = named("");
  event.mutable_approval_rejected()->set_gate("F3");
  event.mutable_approval_rejected()->set_submitted_sequence(5);
  event.mutable_approval_rejected()->set_why("the key is no signer");
  EXPECT_EQ(event_line(4, event), "#4 approval_rejected: F3, #5: the key is no signer");

  event = named("");
  event.mutable_approval_revoked()->set_accepted_sequence(7);
  EXPECT_EQ(event_line(5, event), "#5 approval_revoked: #7");
}

TEST(EventLine, SaysWhichCommandWasRunAndHowItEnded) {
  v1::Event event = named("notes");
  v1::CommandExecuted& body = *event.mutable_command_executed();
  body.add_argv("smoke");
  body.add_argv("[redacted:name]");
  body.set_exit_status(3);
  EXPECT_EQ(event_line(1, event),
            "#1 command_executed notes: smoke [redacted:name], exit status 3");
  body.set_container_id("0123456789abcdef");
  EXPECT_EQ(event_line(1, event),
            "#1 command_executed notes: smoke [redacted:name], in container 0123456789ab, exit "
            "status 3");
  body.set_timed_out(true);
  body.clear_container_id();
  EXPECT_EQ(event_line(1, event),
            "#1 command_executed notes: smoke [redacted:name], killed when its time was over");
}

TEST(EventLine, SaysSoWhereAWordIsOfALaterVersion) {
  v1::Event event;
  event.mutable_step_settled()->set_result(static_cast<v1::StepResult>(99));
  EXPECT_NE(event_line(1, event).find("unknown"), std::string::npos) << event_line(1, event);
}

}  // namespace
}  // namespace muniment
