#include "replay/query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "recorder/log/memory_log.h"
#include "replay/json.h"
#include "tests/support/every_event.h"
#include "tests/support/random_runs.h"

namespace muniment {
namespace {

std::string word(const google::protobuf::EnumDescriptor& type, int value) {
  return enum_word(*type.FindValueByNumber(value));
}

std::int64_t ns_of(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000'000 + time.nanos();
}

// By the words of the contract, over runs that were folded without the log's help.
bool is_wanted(const RunFilter& filter, const v1::RunState& run) {
  const auto in = [](const auto& rows, const auto& is) {
    return std::any_of(rows.begin(), rows.end(), is);
  };
  if (!filter.mode.empty() && word(*v1::Mode_descriptor(), run.mode()) != filter.mode) return false;
  if (!filter.outcome.empty() &&
      word(*v1::RunOutcome_descriptor(), run.outcome()) != filter.outcome) {
    return false;
  }
  if (!filter.module.empty() &&
      !in(run.modules(), [&](const auto& row) { return row.module() == filter.module; })) {
    return false;
  }
  if (!filter.gate.empty() &&
      !in(run.gates(), [&](const auto& row) { return row.gate() == filter.gate; })) {
    return false;
  }
  if (!filter.actor.empty() && run.actor().commitment() != erasable(filter.actor).commitment()) {
    return false;
  }
  const std::int64_t ns = ns_of(run.started_at());
  return (!filter.since_ns || ns >= *filter.since_ns) &&
         (!filter.until_ns || ns < *filter.until_ns);
}

template <class List>
std::vector<std::string> ids_of(const List& runs) {
  std::vector<std::string> out;
  for (const v1::RunState& run : runs) out.push_back(run.run_id());
  return out;
}

RunFilter random_filter(Generator& generator, const std::vector<v1::RunState>& runs) {
  RunFilter filter;
  if (generator.one_in(3)) filter.module = kSomeModules[generator.below(kSomeModules.size())];
  if (generator.one_in(8)) filter.module = "no-such-module";
  if (generator.one_in(3)) {
    filter.mode = std::array{"dry-run", "execution", "observation"}[generator.below(3)];
  }
  if (generator.one_in(4)) {
    filter.outcome = std::array{
        "ok", "failed", "refused", "interrupted", "abandoned", "running"}[generator.below(6)];
  }
  if (generator.one_in(5)) filter.gate = generator.one_in(2) ? "F3" : "F2";
  if (generator.one_in(4)) filter.actor = kSomeActors[generator.below(kSomeActors.size())];
  if (generator.one_in(10)) filter.actor = "operator:nobody";
  // At the very moment of a run: since includes it, until does not.
  const auto moment = [&] { return ns_of(runs[generator.below(runs.size())].started_at()); };
  if (generator.one_in(3)) filter.since_ns = moment();
  if (generator.one_in(3)) filter.until_ns = moment();
  return filter;
}

TEST(QueryOfRuns, GivesWhatTheEventsGivePageByPageExactlyOnce) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::unique_ptr<Store> log = make_memory_log("o");
  write_random_runs(*log, 60, generator);
  const std::vector<v1::RunState> runs = all_runs(all_events(*log));
  std::size_t found = 0;
  for (int round = 0; round < 150; ++round) {
    RunFilter filter = random_filter(generator, runs);
    std::vector<std::string> expected;
    for (const v1::RunState& run : runs) {
      if (is_wanted(filter, run)) expected.push_back(run.run_id());
    }
    filter.limit = static_cast<std::uint32_t>(generator.between(1, 25));
    std::vector<std::string> seen;
    do {
      const Result<v1::RunList> page = list(*log, filter);
      ASSERT_TRUE(page) << page.error().message;
      ASSERT_LE(page->runs_size(), static_cast<int>(filter.limit));
      for (const std::string& id : ids_of(page->runs())) seen.push_back(id);
      filter.before = page->next();
      ASSERT_TRUE(page->next().empty() || page->runs_size() == static_cast<int>(filter.limit));
    } while (!filter.before.empty() && seen.size() <= runs.size());
    EXPECT_EQ(seen, expected);
    found += seen.size();
  }
  EXPECT_GT(found, 150U) << "filters that find nothing prove nothing";
}

TEST(QueryOfRuns, GivesTheStateThatTheEventsGive) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::unique_ptr<Store> log = make_memory_log("o");
  write_random_runs(*log, 20, generator);
  const std::vector<v1::RunState> runs = all_runs(all_events(*log));
  const Result<v1::RunList> page = list(*log, RunFilter{});
  ASSERT_EQ(page->runs_size(), static_cast<int>(runs.size()));
  for (int i = 0; i < page->runs_size(); ++i) {
    EXPECT_EQ(page->runs(i).SerializeAsString(),
              runs[static_cast<std::size_t>(i)].SerializeAsString());
  }
  EXPECT_EQ(page->covers().first(), 0U);
  EXPECT_EQ(page->covers().last(), log->state()->size() - 1);
}

TEST(QueryOfRuns, GivesTwentyUnlessAskedForMoreAndSaysSo) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::unique_ptr<Store> log = make_memory_log("o");
  write_random_runs(*log, 21, generator);
  const Result<v1::RunList> page = list(*log, RunFilter{});
  EXPECT_EQ(page->runs_size(), 20);
  EXPECT_EQ(page->next(), page->runs(19).run_id());
  RunFilter unknown;
  unknown.before = sample_uuid(777'777, 2);
  EXPECT_EQ(list(*log, unknown).error().code, ErrorCode::kNotFound);
}

TEST(QueryOfAnEmptyLog, GivesNothingAndCoversNothing) {
  const std::unique_ptr<Store> log = make_memory_log("o");
  const Result<v1::RunList> runs = list(*log, RunFilter{});
  const Result<v1::EventList> events = list(*log, EventFilter{});
  EXPECT_EQ(runs->runs_size(), 0);
  EXPECT_EQ(events->events_size(), 0);
  EXPECT_FALSE(runs->covers().has_first());
  EXPECT_FALSE(events->covers().has_last());
  EXPECT_TRUE(runs->next().empty());
  EXPECT_FALSE(events->has_next());
}

bool is_wanted(const EventFilter& filter, const StoredEvent& stored) {
  const v1::Event& event = stored.event;
  const std::int64_t ns = ns_of(event.recorded_at());
  return stored.sequence >= filter.from_sequence &&
         (filter.run_id.empty() || event.run_id() == filter.run_id ||
          event.about_run() == filter.run_id) &&
         (filter.module.empty() || event.module() == filter.module) &&
         (filter.type.empty() || body_name(event) == filter.type) &&
         (!filter.since_ns || ns >= *filter.since_ns) &&
         (!filter.until_ns || ns < *filter.until_ns);
}

EventFilter random_filter(Generator& generator, const std::vector<StoredEvent>& events) {
  EventFilter filter;
  const auto any = [&]() -> const StoredEvent& { return events[generator.below(events.size())]; };
  if (generator.one_in(4)) filter.run_id = any().event.run_id();
  if (generator.one_in(4)) filter.module = kSomeModules[generator.below(kSomeModules.size())];
  if (generator.one_in(4)) filter.type = body_name(any().event);
  if (generator.one_in(10)) filter.type = "no_such_type";
  if (generator.one_in(3)) filter.since_ns = ns_of(any().event.recorded_at());
  if (generator.one_in(3)) filter.until_ns = ns_of(any().event.recorded_at());
  if (generator.one_in(3)) filter.from_sequence = any().sequence;
  return filter;
}

TEST(QueryOfEvents, GivesWhatAScanGivesPageByPageExactlyOnce) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::unique_ptr<Store> log = make_memory_log("o");
  write_random_runs(*log, 50, generator);
  const std::vector<StoredEvent> events = all_events(*log);
  std::size_t found = 0;
  for (int round = 0; round < 200; ++round) {
    EventFilter filter = random_filter(generator, events);
    std::vector<std::uint64_t> expected;
    for (const StoredEvent& stored : events) {
      if (is_wanted(filter, stored)) expected.push_back(stored.sequence);
    }
    filter.limit = static_cast<std::uint32_t>(generator.between(1, 60));
    std::vector<std::uint64_t> seen;
    for (bool more = true; more && seen.size() <= events.size();) {
      const Result<v1::EventList> page = list(*log, filter);
      ASSERT_TRUE(page) << page.error().message;
      ASSERT_LE(page->events_size(), static_cast<int>(filter.limit));
      for (const v1::EventView& view : page->events()) seen.push_back(view.sequence());
      more = page->has_next();
      filter.from_sequence = page->next();
    }
    EXPECT_EQ(seen, expected);
    found += seen.size();
  }
  EXPECT_GT(found, 1000U);
}

// A module's rows lie beside those of modules whose names begin with its own.
TEST(QueryOfEvents, KeepsModulesApartWhoseNamesBeginAlike) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::unique_ptr<Store> log = make_memory_log("o");
  write_random_runs(*log, 40, generator);
  EventFilter filter;
  filter.module = "note";
  const Result<v1::EventList> page = list(*log, filter);
  EXPECT_GT(page->events_size(), 0);
  for (const v1::EventView& view : page->events()) EXPECT_EQ(view.event().module(), "note");
}

TEST(QueryOfEvents, ShowsTheStoredEventWithItsLeafAndAnUnknownOneWithItsBytes) {
  const std::unique_ptr<Store> log = make_memory_log("o");
  v1::Event known = sample_event(0);
  v1::Event unknown = unknown_event();
  unknown.set_event_id(sample_event_id(1));
  unknown.clear_run_id();
  unknown.clear_about_run();
  for (const v1::Event* event : {&known, &unknown}) {
    ASSERT_TRUE(log->append({{event->SerializeAsString(), {}}}, {}));
  }
  const Result<v1::EventList> page = list(*log, EventFilter{});
  ASSERT_EQ(page->events_size(), 2);
  EXPECT_EQ(page->events(0).type(), "run_started");
  EXPECT_EQ(page->events(0).leaf_hash(), as_bytes(leaf_hash(known.SerializeAsString())));
  EXPECT_EQ(page->events(0).size_bytes(), known.ByteSizeLong());
  EXPECT_TRUE(page->events(0).unknown_bytes().empty());
  EXPECT_EQ(page->events(1).type(), "unknown");
  EXPECT_EQ(page->events(1).unknown_bytes(), unknown.SerializeAsString());
}

// An event may claim any time; asking for times must not break on it.
TEST(QueryOfEvents, TakesTimesBeyondWhatNanosecondsCanCount) {
  const std::unique_ptr<Store> log = make_memory_log("o");
  const std::int64_t seconds[] = {std::numeric_limits<std::int64_t>::min(), 0,
                                  std::numeric_limits<std::int64_t>::max()};
  for (std::uint64_t i = 0; i < 3; ++i) {
    v1::Event event = sample_event(i);
    event.mutable_recorded_at()->set_seconds(seconds[i]);
    ASSERT_TRUE(log->append({{event.SerializeAsString(), {}}}, {}));
  }
  EventFilter filter;
  filter.since_ns = 0;
  const Result<v1::EventList> late = list(*log, filter);
  ASSERT_EQ(late->events_size(), 2);
  EXPECT_EQ(late->events(0).sequence(), 1U);
  filter.until_ns = 1'000'000'000'000;
  EXPECT_EQ(list(*log, filter)->events_size(), 1);
}

TEST(BodyNames, AreThoseOfTheSchema) {
  std::vector<std::string> expected;
  for (const auto* field : body_fields()) expected.push_back(field->name());
  EXPECT_EQ(body_names(), expected);
  EXPECT_EQ(body_name(v1::Event()), "unknown");
}

TEST(ParseTime, TakesMomentsDatesOffsetsAndHowLongAgo) {
  constexpr std::int64_t kNow = 1'795'600'000'000'000'000;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::pair<const char*, std::int64_t> good[] = {{"1970-01-01", 0},
                                                       {"1970-01-02T00:00:01Z", 86'401 * kSecond},
                                                       {"1970-01-01T02:00:00+02:00", 0},
                                                       {"1970-01-01T00:00:00.5Z", kSecond / 2},
                                                       {"90s", kNow - 90 * kSecond},
                                                       {"10m", kNow - 600 * kSecond},
                                                       {"24h", kNow - 86'400 * kSecond},
                                                       {"7d", kNow - 604'800 * kSecond}};
  for (const auto& [text, expected] : good) {
    const Result<std::int64_t> time = parse_time(text, kNow);
    ASSERT_TRUE(time) << text << ": " << time.error().message;
    EXPECT_EQ(*time, expected) << text;
  }
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-11-22T09:42", "-1h", "1.5h", "h",
                           "24", "2026-11-2", "\x1b[2J"}) {
    const Result<std::int64_t> time = parse_time(text, kNow);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, ErrorCode::kInvalid);
    EXPECT_NE(time.error().message.find("expected 2026-11-22T09:42:00Z"), std::string::npos);
    EXPECT_EQ(time.error().message.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace muniment
