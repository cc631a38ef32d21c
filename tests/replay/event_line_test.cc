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

TEST(EventLine, SaysSoWhereAWordIsOfALaterVersion) {
  v1::Event event;
  event.mutable_step_settled()->set_result(static_cast<v1::StepResult>(99));
  EXPECT_NE(event_line(1, event).find("unknown"), std::string::npos) << event_line(1, event);
}

}  // namespace
}  // namespace muniment
