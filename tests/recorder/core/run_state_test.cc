#include "recorder/core/run_state.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "tests/support/every_event.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

const std::string kRun = "01900000-0000-7000-8000-000000000001";
const std::string kOther = "01900000-0000-7000-8000-000000000002";

bool same(const Message& a, const Message& b) {
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

std::string shown(const v1::RunState& state) {
  return state.ShortDebugString();
}

v1::RunState reread(const v1::RunState& state) {
  v1::RunState again;
  EXPECT_TRUE(again.ParseFromString(state.SerializeAsString()));
  return again;
}

v1::Event started() {
  v1::Event event;
  event.set_run_id(kRun);
  event.mutable_run_started()->set_purpose("backup");
  return event;
}

// Puts something extreme, unheard of or just small into a scalar field.
void twist(Message& message, const FieldDescriptor& field, Generator& draw) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return;
  const auto pick = [&]<class Number>(Number small) {
    const Number values[] = {std::numeric_limits<Number>::max(), std::numeric_limits<Number>::min(),
                             small};
    return values[draw.below(3)];
  };
  const auto small = draw.below(4);
  const auto type = field.cpp_type();
  if (type == FieldDescriptor::CPPTYPE_INT32) {
    reflection.SetInt32(&message, &field, pick(static_cast<std::int32_t>(small)));
  } else if (type == FieldDescriptor::CPPTYPE_INT64) {
    reflection.SetInt64(&message, &field, pick(static_cast<std::int64_t>(small)));
  } else if (type == FieldDescriptor::CPPTYPE_UINT32) {
    reflection.SetUInt32(&message, &field, pick(static_cast<std::uint32_t>(small)));
  } else if (type == FieldDescriptor::CPPTYPE_UINT64) {
    reflection.SetUInt64(&message, &field, pick(static_cast<std::uint64_t>(small)));
  } else if (type == FieldDescriptor::CPPTYPE_ENUM) {
    reflection.SetEnumValue(&message, &field, pick(static_cast<int>(small)));
  } else if (type == FieldDescriptor::CPPTYPE_STRING) {
    reflection.SetString(&message, &field, small == 0 ? "" : "m" + std::to_string(small));
  } else {
    reflection.ClearField(&message, &field);
  }
}

void twist_some(Message& message, Generator& draw) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    if (field->message_type() != nullptr && !field->is_repeated() && !draw.one_in(8)) {
      twist_some(*message.GetReflection()->MutableMessage(&message, field, nullptr), draw);
    } else if (draw.one_in(2)) {
      twist(message, *field, draw);
    }
  }
}

// Any event of any type that belongs to the run, however senseless.
v1::Event any_event(Generator& draw) {
  const std::vector<const FieldDescriptor*> bodies = body_fields();
  const std::size_t which = draw.below(bodies.size() + 2);
  v1::Event event = unknown_event();
  if (which < bodies.size()) {
    const int alternative = static_cast<int>(draw.below(2));
    event = full_event(*bodies[which], alternative);
  } else if (which > bodies.size()) {
    event.Clear();
  }
  if (!draw.one_in(4)) twist_some(event, draw);
  const bool is_own = !draw.one_in(5);
  event.set_run_id(is_own ? kRun : kOther);
  event.set_about_run(is_own ? (draw.one_in(9) ? kOther : "") : kRun);
  return event;
}

TEST(Evolve, TakesEveryEventInEveryState) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int round = 0; round < 60; ++round) {
    v1::RunState state = evolve({}, started(), 5);
    std::uint64_t own = 1;
    for (std::uint64_t sequence = 6; sequence < 70; ++sequence) {
      const v1::Event event = any_event(draw);
      if (event.run_id() == kRun) ++own;
      v1::RunState next = evolve(state, event, sequence);
      ASSERT_EQ(next.run_id(), kRun);
      ASSERT_EQ(next.first_sequence(), 5U);
      ASSERT_EQ(next.last_sequence(), sequence);
      ASSERT_EQ(next.last_event_id(), event.event_id());
      ASSERT_EQ(next.event_count(), own);
      // A snapshot that was stored and read again goes on in the same way.
      ASSERT_TRUE(same(reread(next), next)) << event.ShortDebugString();
      ASSERT_TRUE(same(evolve(reread(state), event, sequence), next)) << event.ShortDebugString();
      state = std::move(next);
    }
    count(state);
  }
}

TEST(Evolve, IsOneFoldWhereverSnapshotsWereTaken) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int round = 0; round < 30; ++round) {
    std::vector<v1::Event> events = {started()};
    for (std::size_t i = draw.below(150); i > 0; --i) events.push_back(any_event(draw));
    v1::RunState whole;
    v1::RunState resumed;
    v1::RunState by_rule;  // as the log does it: the stored snapshot, then the tail behind it
    std::string stored;
    std::size_t stored_at = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      whole = evolve(std::move(whole), events[i], i);
      resumed = evolve(draw.one_in(3) ? reread(resumed) : resumed, events[i], i);
      if (!is_snapshot_due(events[i], kRun, whole.event_count())) continue;
      stored = whole.SerializeAsString();
      stored_at = i;
    }
    ASSERT_TRUE(same(resumed, whole)) << shown(whole);
    ASSERT_TRUE(by_rule.ParseFromString(stored));
    ASSERT_EQ(by_rule.last_sequence(), stored_at);
    for (std::size_t i = stored_at + 1; i < events.size(); ++i) {
      by_rule = evolve(std::move(by_rule), events[i], i);
    }
    ASSERT_TRUE(same(by_rule, whole)) << shown(whole);
  }
}

TEST(Evolve, StaysEmptyUntilTheRunStarts) {
  for (const FieldDescriptor* const body : body_fields()) {
    const v1::RunState state = evolve({}, full_event(*body), 7);
    EXPECT_EQ(has_started(state), body->name() == "run_started") << body->name();
    EXPECT_EQ(has_started(state), state.ByteSizeLong() > 0) << body->name();
  }
  EXPECT_EQ(evolve({}, unknown_event(), 7).ByteSizeLong(), 0U);
}

TEST(Evolve, TakesTheFirstStartAlone) {
  const v1::RunState once = evolve({}, started(), 3);
  v1::Event again = started();
  again.mutable_run_started()->set_purpose("resolve");
  const v1::RunState twice = evolve(once, again, 4);
  EXPECT_EQ(twice.purpose(), "backup");
  EXPECT_EQ(twice.first_sequence(), 3U);
  EXPECT_EQ(twice.event_count(), 2U);
}

// Types that say nothing of a run's state move its end on and change nothing else.
TEST(Evolve, ChangesNothingForWhatItDoesNotFold) {
  const std::set<std::string> folded = {
      "run_started",       "run_finished",      "run_abandoned",      "module_resolved",
      "module_unresolved", "module_excluded",   "plan_step_proposed", "plan_sealed",
      "drift_detected",    "gate_evaluated",    "step_started",       "step_settled",
      "backup_written",    "artifact_verified", "artifact_removed",   "note_added",
      "check_recorded",    "engine_observed",   "container_observed", "approval_accepted",
      "command_executed"};
  const v1::RunState before = evolve({}, started(), 0);
  std::size_t others = 0;
  for (const FieldDescriptor* const body : body_fields()) {
    v1::Event event = full_event(*body);
    event.set_run_id(kOther);
    event.set_about_run(kRun);
    v1::RunState after = evolve(before, event, 9);
    after.set_last_sequence(before.last_sequence());
    after.set_last_event_id(before.last_event_id());
    if (folded.contains(body->name())) continue;
    EXPECT_TRUE(same(after, before)) << body->name() << ": " << shown(after);
    ++others;
  }
  EXPECT_EQ(others + folded.size(), body_fields().size());
}

TEST(IsSnapshotDue, AtTheEndsAtFactsFromOutsideAndEach64Events) {
  v1::Event note;
  note.mutable_note_added();
  note.set_run_id(kRun);
  for (std::uint64_t events = 1; events < 200; ++events) {
    EXPECT_EQ(is_snapshot_due(note, kRun, events), events % 64 == 0) << events;
  }
  EXPECT_TRUE(is_snapshot_due(started(), kRun, 1));
  v1::Event finished;
  finished.set_run_id(kRun);
  finished.mutable_run_finished();
  EXPECT_TRUE(is_snapshot_due(finished, kRun, 3));
  note.set_run_id(kOther);
  note.set_about_run(kRun);
  EXPECT_TRUE(is_snapshot_due(note, kRun, 3));
}

}  // namespace
}  // namespace muniment
