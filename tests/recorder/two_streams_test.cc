// The law of the two streams: under one mask, a rehearsal and an execution of the same manifest in
// the same world record the same events.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "recorder/log/memory_log.h"
#include "recorder/log/store.h"
#include "tests/support/random_world.h"
#include "tests/support/read_file.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/two_streams.h"

namespace muniment {
namespace {

std::unique_ptr<Store> log_with(const std::vector<Entry>& history) {
  std::unique_ptr<Store> log = make_memory_log("testhost/muniment");
  if (history.empty()) return log;
  EXPECT_TRUE(log->append(history, std::nullopt));
  return log;
}

RunInput input_of(const RandomWorld& world) {
  return {.manifest = &world.manifest(),
          .modules = world.selected(),
          .all = world.all(),
          .store = world.store()};
}

std::size_t worlds() {
  return std::getenv("MUNIMENT_FULL") != nullptr ? 4000 : 240;
}

// How often each kind of world came, so that the law was not proved on nothing.
struct Tally {
  std::size_t ok = 0;
  std::size_t failed = 0;
  std::size_t removed = 0;

  void add(const Stream& executed) {
    ok += executed.state.outcome() == v1::RUN_OUTCOME_OK ? 1U : 0U;
    failed += executed.state.outcome() == v1::RUN_OUTCOME_FAILED ? 1U : 0U;
    removed += count_of(executed, v1::Event::kArtifactRemoved);
  }
};

void expect_left_behind(const RandomWorld& world, const Stream& rehearsed) {
  for (const std::string& path : world.left_behind()) {
    EXPECT_TRUE(std::filesystem::exists(path)) << "a rehearsal removed " << path;
    EXPECT_TRUE(
        std::any_of(rehearsed.events.begin(), rehearsed.events.end(),
                    [&](const v1::Event& event) { return event.path_observed().path() == path; }))
        << path << " is not listed";
  }
}

void expect_cleaned_up(const RandomWorld& world) {
  for (const std::string& path : world.left_behind()) {
    const bool removable = std::find(world.removable().begin(), world.removable().end(), path) !=
                           world.removable().end();
    EXPECT_EQ(std::filesystem::exists(path), !removable) << path;
  }
}

TEST(TwoStreams, AreOneUnderTheMask) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  Tally tally;
  for (std::size_t i = 0; i < worlds() && !HasFatalFailure(); ++i) {
    SCOPED_TRACE("world " + std::to_string(i));
    const TempDir dir(TempDir::fast_parent());
    const RandomWorld world(draw, dir.path);
    const Stream rehearsed = rehearse(input_of(world), *log_with(world.history()));
    expect_left_behind(world, rehearsed);
    const Stream done = execute(input_of(world), *log_with(world.history()));
    expect_cleaned_up(world);
    EXPECT_FALSE(has_taken(rehearsed));
    EXPECT_TRUE(each_settled(rehearsed, v1::STEP_RESULT_WITHHELD));
    EXPECT_EQ(count_of(rehearsed, v1::Event::kRunAbandoned) > 0, world.has_open_runs());
    expect_same(masked_stream(rehearsed, kNothingTaken, kMasked),
                masked_stream(done, kTaken, kMasked));
    tally.add(done);
  }
  if (HasFatalFailure()) return;
  EXPECT_GT(tally.ok, worlds() / 5);
  EXPECT_GT(tally.failed, worlds() / 20);
  EXPECT_GT(tally.removed, worlds() / 20);
}

// One database and one tree, both in order.
class SmallWorld {
 public:
  SmallWorld() {
    manifest_.host_name = "testhost";
    manifest_.backup_root = dir_ / "backups";
    for (const char* name : {"notes", "photos"}) {
      Module& module = manifest_.modules.emplace_back();
      module.name = name;
      module.host_path = dir_ / name;
    }
    manifest_.modules[0].backup_class = v1::BACKUP_CLASS_SQLITE;
    manifest_.modules[1].backup_class = v1::BACKUP_CLASS_FILES;
    make_database(database(), {.wal = true, .rows = 2000});
    make_tree(manifest_.modules[1].host_path);
  }

  Manifest& manifest() { return manifest_; }
  std::string database() const { return manifest_.modules[0].host_path; }
  RunInput input() const {
    return {.manifest = &manifest_,
            .modules = {&manifest_.modules[0], &manifest_.modules[1]},
            .all = true,
            .store = dir_ / "store"};
  }
  TempDir& dir() { return dir_; }

 private:
  TempDir dir_{TempDir::fast_parent()};
  Manifest manifest_;
};

// The body's fields, each as a path from the event down.
std::vector<std::string> set_fields(const v1::Event& event) {
  std::vector<std::string> paths;
  const auto* body = event.GetReflection()->GetOneofFieldDescriptor(
      event, event.GetDescriptor()->FindOneofByName("body"));
  const google::protobuf::Message& message = event.GetReflection()->GetMessage(event, body);
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) paths.push_back(body->name() + "." + field->name());
  return paths;
}

bool is_masked(const std::string& path) {
  return std::find(kMasked.begin(), kMasked.end(), path) != kMasked.end();
}

// The comparison itself can fail: whatever is not masked is seen when it changes.
TEST(TwoStreams, AreToldApartByEachFieldThatIsNotMasked) {
  SmallWorld world;
  const Stream stream = rehearse(world.input(), *log_with({}));
  const std::vector<std::string> whole = masked_stream(stream, kNothingTaken, kMasked);
  std::size_t changes = 0;
  for (std::size_t i = 0; i < stream.events.size(); ++i) {
    std::vector<std::string> paths = set_fields(stream.events[i]);
    for (const char* name : {"host", "boot_id", "caused_by", "module"}) paths.emplace_back(name);
    for (const std::string& path : paths) {
      Stream other = stream;
      clear_field(other.events[i], path);
      if (other.events[i].SerializeAsString() == stream.events[i].SerializeAsString()) continue;
      ++changes;
      EXPECT_EQ(masked_stream(other, kNothingTaken, kMasked) == whole, is_masked(path))
          << "event " << i << ", " << path;
    }
  }
  EXPECT_GT(changes, 100U);
}

TEST(TwoStreams, AreOneInAStoreThatHoldsBoth) {
  SmallWorld world;
  const std::string folder = world.dir() / "store";
  ASSERT_TRUE(create_store(folder, {.origin = "testhost/muniment", .reading_group = ""}));
  Result<std::unique_ptr<Store>> log = open_store(folder, {});
  ASSERT_TRUE(log) << log.error().message;
  const Stream rehearsed = rehearse(world.input(), **log);
  const Stream done = execute(world.input(), **log);
  EXPECT_EQ(done.state.outcome(), v1::RUN_OUTCOME_OK);
  EXPECT_TRUE(each_settled(done, v1::STEP_RESULT_APPLIED));
  EXPECT_EQ(count_of(done, v1::Event::kBackupWritten), 2U);
  EXPECT_EQ(count_of(done, v1::Event::kArtifactVerified), 2U);
  EXPECT_EQ(count_of(done, v1::Event::kManifestWritten), 2U);
  expect_same(masked_stream(rehearsed, kNothingTaken, kMasked),
              masked_stream(done, kTaken, kMasked));
}

bool is_step(const v1::Event& event) {
  return event.has_step_started() || event.has_step_settled();
}

// Without the steps, and without the verdicts that are asked for again before the first of them.
Stream without_steps(Stream stream) {
  const auto first = std::find_if(stream.events.begin(), stream.events.end(), is_step);
  stream.events.erase(std::remove_if(first, stream.events.end(),
                                     [](const v1::Event& event) {
                                       return is_step(event) || event.has_gate_evaluated();
                                     }),
                      stream.events.end());
  return stream;
}

// A rehearsal goes on behind a closed gate, an execution is refused there: the steps are the whole
// difference.
TEST(TwoStreams, DifferByTheStepsAloneBehindAClosedGate) {
  SmallWorld world;
  Gate& gate = world.manifest().gates["F3"];
  gate.name = "F3";
  gate.guards = {"backup"};
  gate.needs["backup"] = {{.name = "dry_run", .within = std::chrono::hours(24), .value = ""}};
  world.manifest().modules[1].gate = "F3";
  const Stream rehearsed = rehearse(world.input(), *log_with({}));
  const Stream refused = execute(world.input(), *log_with({}));
  EXPECT_EQ(rehearsed.state.outcome(), v1::RUN_OUTCOME_OK);
  EXPECT_EQ(refused.state.outcome(), v1::RUN_OUTCOME_REFUSED);
  EXPECT_EQ(count_of(refused, v1::Event::kGateEvaluated), 1U);
  EXPECT_FALSE(has_taken(refused));
  EXPECT_FALSE(std::filesystem::exists(world.manifest().backup_root));
  std::vector<FieldPath> masked = kMasked;
  masked.emplace_back("caused_by");  // of RunFinished: the steps before it are gone
  expect_same(masked_stream(without_steps(rehearsed), kNothingTaken, masked),
              masked_stream(refused, kNothingTaken, masked));
}

std::size_t place_of_failure(const Stream& stream) {
  const auto at = std::find_if(stream.events.begin(), stream.events.end(), [](const v1::Event& e) {
    return e.step_settled().result() == v1::STEP_RESULT_FAILED;
  });
  return static_cast<std::size_t>(at - stream.events.begin());
}

// The header of a database is in order, a page behind it is not: no rehearsal can know. From the
// failure on the execution drops the module's further steps and discards its folder.
TEST(TwoStreams, PartWhereAStepFailsThatNobodyCouldForesee) {
  SmallWorld world;
  std::string bytes = read_file(world.database());
  ASSERT_GT(bytes.size(), 12'288U);
  bytes.replace(4096, 8192, std::string(8192, '\xee'));
  write_text(world.database(), bytes);
  const Stream rehearsed = rehearse(world.input(), *log_with({}));
  Stream failed = execute(world.input(), *log_with({}));
  EXPECT_EQ(rehearsed.state.outcome(), v1::RUN_OUTCOME_OK);
  EXPECT_EQ(failed.state.outcome(), v1::RUN_OUTCOME_FAILED);
  const std::size_t end = place_of_failure(failed) + 1;
  ASSERT_LT(end, failed.events.size());
  std::erase_if(failed.events, [&](const v1::Event& event) {
    return event.step_started().kind() == v1::STEP_KIND_DISCARD ||
           event.step_settled().kind() == v1::STEP_KIND_DISCARD;
  });
  Stream expected = rehearsed;
  const auto after = expected.events.begin() + static_cast<std::ptrdiff_t>(end);
  expected.events.erase(std::remove_if(after, expected.events.end(),
                                       [](const v1::Event& event) {
                                         return is_step(event) && event.module() == "notes";
                                       }),
                        expected.events.end());
  std::vector<FieldPath> masked = kMasked;
  masked.emplace_back("caused_by");  // of the step behind what was left out
  expect_same(masked_stream(expected, kNothingTaken, masked),
              masked_stream(failed, kTaken, masked));
  EXPECT_TRUE(std::filesystem::is_empty(world.manifest().backup_root + "/notes"));
}

}  // namespace
}  // namespace muniment
