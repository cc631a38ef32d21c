#include "recorder/stamper.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/log/prepared_entry.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'767'323'045 * kSecond + 123'456'789;

struct SetClock : Clock {
  Instant now() override { return instant; }
  void pass(std::int64_t ns) {
    instant.wall_ns += ns;
    instant.boottime_ns += ns;
  }
  Instant instant{.wall_ns = kNow, .boottime_ns = 1000 * kSecond, .boot_id = "boot-a"};
};

Envelope envelope() {
  Envelope envelope;
  envelope.run_id = "01900000-0000-7000-8000-000000000001";
  envelope.mode = v1::MODE_EXECUTION;
  envelope.actor.set_uid(1000);
  envelope.actor.mutable_claimed()->set_commitment(std::string(32, 'c'));
  envelope.host.set_name("rs2000");
  return envelope;
}

v1::Event note() {
  v1::Event event;
  event.set_module("forgejo");
  event.set_caused_by("01900000-0000-7000-8000-000000000002");
  event.mutable_note_added()->mutable_text()->set_commitment(std::string(32, 'n'));
  return event;
}

std::int64_t time_of(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos();
}

TEST(Hide, CommitsToSaltAndText) {
  const Hidden hidden = hide("operator:anna");
  ASSERT_EQ(hidden.blob.size(), 32U + 13U);
  EXPECT_EQ(hidden.blob.substr(32), "operator:anna");
  EXPECT_EQ(hidden.field.commitment(), as_bytes(sha256(hidden.blob)));
}

// Behind a clock that was set, too: no fact swallows what was noticed with it.
TEST(Stamper, StampsFactsOfNoRunAndKeepsTheStepOfTheClock) {
  SetClock clock;
  Stamper stamper(clock, envelope(), std::nullopt);
  ASSERT_EQ(stamper.stamp_facts(note()).size(), 1U);
  clock.instant.wall_ns += 3600 * kSecond;
  const std::vector<v1::Event> facts = stamper.stamp_facts(note());
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_TRUE(facts[0].has_clock_stepped());
  EXPECT_TRUE(facts[1].has_note_added());
  for (const v1::Event& fact : facts) EXPECT_EQ(fact.run_id(), "");
}

TEST(Hide, NeverGivesOneCommitmentTwice) {
  std::set<std::string> commitments;
  for (int i = 0; i < 100; ++i) commitments.insert(hide("anna").field.commitment());
  EXPECT_EQ(commitments.size(), 100U);
}

TEST(Stamper, PutsTheEnvelopeOnAndLeavesTheRestAlone) {
  SetClock clock;
  Stamper stamper(clock, envelope(), std::nullopt);
  const std::vector<v1::Event> stamped = stamper.stamp(note());
  ASSERT_EQ(stamped.size(), 1U);
  v1::Event expected = note();
  expected.set_event_id(stamped[0].event_id());
  expected.mutable_recorded_at()->set_seconds(1'767'323'045);
  expected.mutable_recorded_at()->set_nanos(123'456'789);
  expected.set_boot_id("boot-a");
  expected.set_boottime_ns(1000 * kSecond);
  expected.set_run_id(envelope().run_id);
  expected.set_mode(v1::MODE_EXECUTION);
  *expected.mutable_actor() = envelope().actor;
  *expected.mutable_host() = envelope().host;
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(stamped[0], expected))
      << stamped[0].ShortDebugString();
}

// RFC 9562, 5.7: 48 bits of milliseconds, version 7, variant 10.
TEST(Stamper, GivesEachEventAnIdOfItsMillisecond) {
  SetClock clock;
  Stamper stamper(clock, envelope(), std::nullopt);
  std::set<std::string> ids;
  for (int i = 0; i < 500; ++i) {
    clock.pass(700'000);
    const std::string id = stamper.stamp(note())[0].event_id();
    ASSERT_TRUE(is_uuid_text(id)) << id;
    EXPECT_EQ(id[14], '7') << id;
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    const std::string milliseconds = id.substr(0, 8) + id.substr(9, 4);
    EXPECT_EQ(std::stoll(milliseconds, nullptr, 16), clock.instant.wall_ns / 1'000'000) << id;
    EXPECT_TRUE(ids.insert(id).second) << id;
  }
}

struct Step {
  std::int64_t against_boottime;
  bool noticed;
};

TEST(Stamper, NoticesAClockThatMovedByMoreThanTwoSeconds) {
  for (const Step step : {Step{0, false}, Step{2 * kSecond, false}, Step{-2 * kSecond, false},
                          Step{2 * kSecond + 1, true}, Step{-2 * kSecond - 1, true},
                          Step{86'400 * kSecond, true}, Step{-86'400 * kSecond, true}}) {
    SetClock clock;
    Stamper stamper(clock, envelope(), std::nullopt);
    stamper.stamp(note());
    clock.pass(5 * kSecond);
    clock.instant.wall_ns += step.against_boottime;
    const std::vector<v1::Event> stamped = stamper.stamp(note());
    ASSERT_EQ(stamped.size(), step.noticed ? 2U : 1U) << step.against_boottime;
    EXPECT_TRUE(stamped.back().has_note_added());
    EXPECT_EQ(time_of(stamped.back().recorded_at()), clock.instant.wall_ns);
    if (!step.noticed) continue;
    EXPECT_EQ(stamped[0].clock_stepped().step_ns(), step.against_boottime);
    EXPECT_EQ(time_of(stamped[0].clock_stepped().expected_at()), kNow + 5 * kSecond);
    EXPECT_EQ(stamped[0].run_id(), envelope().run_id);
    EXPECT_NE(stamped[0].event_id(), stamped[1].event_id());
    // It is said once: the next event stands on the new time.
    EXPECT_EQ(stamper.stamp(note()).size(), 1U);
  }
}

TEST(Stamper, NoticesASuspensionNotAsAStep) {
  SetClock clock;
  Stamper stamper(clock, envelope(), std::nullopt);
  stamper.stamp(note());
  clock.pass(8 * 3600 * kSecond);  // CLOCK_BOOTTIME goes on while the machine sleeps
  EXPECT_EQ(stamper.stamp(note()).size(), 1U);
}

TEST(Stamper, ComparesWithTheLastEventOfTheLog) {
  SetClock clock;
  Stamper before(clock, envelope(), std::nullopt);
  const v1::Event last = before.stamp(note()).back();
  clock.pass(60 * kSecond);
  {
    Stamper same(clock, envelope(), last);
    EXPECT_EQ(same.stamp(note()).size(), 1U);
  }
  clock.instant.wall_ns -= 3 * kSecond;
  Stamper after(clock, envelope(), last);
  const std::vector<v1::Event> stamped = after.stamp(note());
  ASSERT_EQ(stamped.size(), 2U);
  EXPECT_EQ(stamped[0].clock_stepped().step_ns(), -3 * kSecond);
}

TEST(Stamper, CannotCompareAcrossABoot) {
  SetClock clock;
  Stamper before(clock, envelope(), std::nullopt);
  const v1::Event last = before.stamp(note()).back();
  clock.instant = {.wall_ns = kNow + 3600 * kSecond, .boottime_ns = kSecond, .boot_id = "boot-b"};
  Stamper after(clock, envelope(), last);
  EXPECT_EQ(after.stamp(note()).size(), 1U);
}

// A clock before 1970 gives a time that is valid all the same: nanos are never negative.
TEST(Stamper, WritesATimeBefore1970AsProtobufWantsIt) {
  SetClock clock;
  clock.instant.wall_ns = -1;
  Stamper stamper(clock, envelope(), std::nullopt);
  const v1::Event event = stamper.stamp(note())[0];
  EXPECT_EQ(event.recorded_at().seconds(), -1);
  EXPECT_EQ(event.recorded_at().nanos(), 999'999'999);
}

// An event may claim any time; the log's last one may be from anywhere.
TEST(Stamper, TakesAnyTimeOfTheLogsLastEvent) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t seconds : {kMost, kLeast, std::int64_t{253'402'300'799}}) {
    for (const std::int64_t boottime : {kMost, kLeast, std::int64_t{0}}) {
      SetClock clock;
      v1::Event last;
      last.set_boot_id("boot-a");
      last.set_boottime_ns(boottime);
      last.mutable_recorded_at()->set_seconds(seconds);
      last.mutable_recorded_at()->set_nanos(std::numeric_limits<std::int32_t>::max());
      Stamper stamper(clock, envelope(), last);
      const std::vector<v1::Event> stamped = stamper.stamp(note());
      EXPECT_EQ(stamped.size(), 2U) << seconds << " " << boottime;
      EXPECT_EQ(time_of(stamped.back().recorded_at()), kNow);
    }
  }
}

TEST(Stamper, SaysEachMoveOfARandomClockExactly) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  SetClock clock;
  Stamper stamper(clock, envelope(), std::nullopt);
  std::int64_t offset = 0;  // wall clock against boottime, as the events tell it
  std::int64_t silent = 0;  // moves too small to be told
  stamper.stamp(note());
  const std::int64_t start = clock.instant.wall_ns - clock.instant.boottime_ns;
  for (int i = 0; i < 500; ++i) {
    clock.pass(static_cast<std::int64_t>(draw.below(10'000'000'000)));
    if (draw.one_in(3)) {
      clock.instant.wall_ns += static_cast<std::int64_t>(draw.below(10'000'000'000)) - 5 * kSecond;
    }
    const std::int64_t moved =
        clock.instant.wall_ns - clock.instant.boottime_ns - start - offset - silent;
    const std::vector<v1::Event> stamped = stamper.stamp(note());
    const bool is_told = moved > 2 * kSecond || moved < -2 * kSecond;
    ASSERT_EQ(stamped.size(), is_told ? 2U : 1U) << i;
    if (is_told) {
      EXPECT_EQ(stamped[0].clock_stepped().step_ns(), moved);
    }
    (is_told ? offset : silent) += moved;
  }
}

TEST(MakeEntry, KeepsEventAndBlobs) {
  SetClock clock;
  Stamper stamper(clock, envelope(), std::nullopt);
  const v1::Event event = stamper.stamp(note())[0];
  const Entry entry = make_entry(event, {"a blob"});
  EXPECT_EQ(entry.bytes, make_entry(event).bytes);
  v1::Event parsed;
  ASSERT_TRUE(parsed.ParseFromString(entry.bytes));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(parsed, event));
  EXPECT_EQ(entry.blobs, std::vector<std::string>{"a blob"});
}

}  // namespace
}  // namespace muniment
