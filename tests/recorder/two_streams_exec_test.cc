// The law of the two streams for a command: its rehearsal and its execution record the same events.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "recorder/clock.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "recorder/recorder.h"
#include "recorder/world/host_source.h"
#include "recorder/world/sinks.h"
#include "tests/support/temp_dir.h"
#include "tests/support/two_streams.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class TickingClock : public Clock {
 public:
  Instant now() override {
    ticks_ += 1'000'000;
    return {.wall_ns = 1'760'000'000'000'000'000 + ticks_,
            .boottime_ns = 1'000'000'000 + ticks_,
            .boot_id = "7b0a7e5e-4d0f-4b1e-9d53-8f0f5c1f6a11"};
  }

 private:
  std::int64_t ticks_ = 0;
};

class World {
 public:
  World() {
    manifest_.host_name = "testhost";
    Module& module = manifest_.modules.emplace_back();
    module.name = "notes";
    module.host_path = dir_ / "notes";
    module.backup_class = v1::BACKUP_CLASS_FILES;
    fs::create_directory(module.host_path);
    std::ofstream(dir_ / "notes/one.txt") << "one\n";
    line_.argv = {"sh", "-c", "touch marker; echo done; echo why >&2; exit ${0}", "0"};
    line_.program = "/bin/sh";
    line_.working_folder = dir_.path;
    line_.environment = {"PATH=/usr/bin:/bin"};
  }

  CommandLine& line() { return line_; }
  bool was_run() const { return fs::exists(dir_ / "marker"); }
  Store& log() { return *log_; }

  Stream rehearse() {
    const std::unique_ptr<Sink> sink = make_withholding_sink();
    return run(*sink, v1::MODE_DRY_RUN);
  }
  Stream execute(const std::function<bool()>& stop = [] { return false; }) {
    const std::unique_ptr<Sink> sink =
        make_command_sink(line_, secrets_, stop, make_withholding_sink());
    return run(*sink, v1::MODE_EXECUTION);
  }

 private:
  Stream run(Sink& sink, v1::Mode mode) {
    TickingClock clock;
    Envelope envelope;
    envelope.run_id = make_uuid7(clock.now().wall_ns + (mode == v1::MODE_DRY_RUN ? 0 : 1'000'000));
    envelope.mode = mode;
    envelope.actor.set_kind(v1::ACTOR_KIND_OPERATOR);
    envelope.host.set_name("testhost");
    RunRequest request;
    request.manifest = &manifest_;
    request.modules = {&manifest_.modules[0]};
    request.started.set_purpose("exec");
    const Result<v1::HostCommand> seen = observe_command(line_, secrets_, [] { return false; });
    EXPECT_TRUE(seen) << seen.error().message;
    request.command = seen.value_or(v1::HostCommand());
    Stream out;
    request.on_recorded = [&](const v1::Event& event, std::uint64_t) {
      if (event.run_id() == envelope.run_id) out.events.push_back(event);
    };
    const std::unique_ptr<Source> source = make_host_source();
    Recorder recorder({*log_, *log_, *source, sink, clock}, std::move(request), envelope);
    Result<v1::RunState> state = recorder.run();
    EXPECT_TRUE(state) << state.error().message;
    if (state) out.state = std::move(*state);
    return out;
  }

  TempDir dir_;
  Manifest manifest_;
  CommandLine line_;
  Redactor secrets_;
  std::unique_ptr<Store> log_ = make_memory_log("testhost/muniment");
};

TEST(TwoStreamsOfACommand, AreOneUnderTheMask) {
  World world;
  const Stream rehearsed = world.rehearse();
  EXPECT_FALSE(world.was_run());
  EXPECT_EQ(rehearsed.state.outcome(), v1::RUN_OUTCOME_OK);
  EXPECT_FALSE(has_taken(rehearsed));
  EXPECT_TRUE(each_settled(rehearsed, v1::STEP_RESULT_WITHHELD));
  const Stream done = world.execute();
  EXPECT_TRUE(world.was_run());
  EXPECT_EQ(done.state.outcome(), v1::RUN_OUTCOME_OK) << done.state.reason();
  EXPECT_EQ(count_of(done, v1::Event::kCommandExecuted), 1U);
  EXPECT_EQ(rehearsed.state.plan_digest(), done.state.plan_digest());
  expect_same(masked_stream(rehearsed, kNothingTaken, kMasked),
              masked_stream(done, kTaken, kMasked));
}

TEST(TwoStreamsOfACommand, AreOneAlsoWhereItFails) {
  World world;
  world.line().argv.back() = "7";
  const Stream rehearsed = world.rehearse();
  const Stream failed = world.execute();
  EXPECT_EQ(rehearsed.state.outcome(), v1::RUN_OUTCOME_OK);
  EXPECT_EQ(failed.state.outcome(), v1::RUN_OUTCOME_FAILED);
  EXPECT_EQ(failed.state.reason(), "step 1 of 1 (notes command): exit status 7");
  expect_same(masked_stream(rehearsed, kNothingTaken, kMasked),
              masked_stream(failed, kTaken, kMasked));
}

TEST(TwoStreamsOfACommand, LeaveItsTranscriptInTheLog) {
  World world;
  const Stream done = world.execute();
  ASSERT_EQ(done.state.commands_size(), 1);
  const v1::CommandState& command = done.state.commands(0);
  EXPECT_EQ(command.module(), "notes");
  EXPECT_EQ(command.exit_status(), 0);
  EXPECT_EQ(command.stdout_tail(), "done\n");
  EXPECT_EQ(command.error_tail(), "why\n");
  const Result<std::optional<std::string>> kept =
      read_blob(world.log(), command.transcript_sha256());
  ASSERT_TRUE(kept && kept->has_value());
  EXPECT_NE((*kept)->find("out| done\n"), std::string::npos);
  EXPECT_NE((*kept)->find("err| why\n"), std::string::npos);
}

TEST(TwoStreamsOfACommand, EndAsInterruptedWhereAPersonAsks) {
  World world;
  world.line().argv = {"sh", "-c", "touch marker; sleep 60"};
  const Stream stopped = world.execute([&] { return world.was_run(); });
  EXPECT_EQ(stopped.state.outcome(), v1::RUN_OUTCOME_INTERRUPTED);
  ASSERT_EQ(count_of(stopped, v1::Event::kCommandExecuted), 1U);
}

// The sink is given one command; a step about another is not carried out.
TEST(CommandSink, RefusesAStepAboutAnotherCommand) {
  World world;
  Redactor secrets;
  const Result<v1::HostCommand> seen = observe_command(world.line(), secrets, [] { return false; });
  ASSERT_TRUE(seen);
  struct NoFacts : Facts {
    Status record(v1::Event) override { return {}; }
  } facts;
  v1::Step step;
  step.set_kind(v1::STEP_KIND_COMMAND);
  step.set_module("notes");
  *step.mutable_command() = *seen;
  const std::unique_ptr<Sink> sink =
      make_command_sink(world.line(), secrets, [] { return false; }, make_withholding_sink());
  v1::Step other = step;
  other.mutable_command()->add_argv("more");
  EXPECT_EQ(sink->perform(other, facts).result, v1::STEP_RESULT_FAILED);
  EXPECT_FALSE(world.was_run());
  EXPECT_EQ(sink->perform(step, facts).result, v1::STEP_RESULT_APPLIED);
  EXPECT_TRUE(world.was_run());
}

TEST(StepCheck, WantsACommandThatIsBoundToItsProgram) {
  World world;
  Redactor secrets;
  v1::Step step;
  step.set_kind(v1::STEP_KIND_COMMAND);
  step.set_module("notes");
  *step.mutable_command() =
      observe_command(world.line(), secrets, [] { return false; }).value_or(v1::HostCommand());
  EXPECT_TRUE(validate_step(step));
  const std::vector<std::function<void(v1::Step&)>> kFaults = {
      [](v1::Step& s) { s.clear_command(); },
      [](v1::Step& s) { s.mutable_command()->clear_argv(); },
      [](v1::Step& s) { s.mutable_command()->clear_files(); },
      [](v1::Step& s) { s.mutable_command()->clear_timeout_seconds(); },
      [](v1::Step& s) { s.mutable_command()->set_working_folder("relative"); },
      [](v1::Step& s) { s.mutable_command()->set_working_folder("/a/../b"); },
      [](v1::Step& s) { s.mutable_command()->mutable_files(0)->set_sha256("short"); },
      [](v1::Step& s) { s.mutable_command()->mutable_files(0)->set_argument(1); },
      [](v1::Step& s) {
        *s.mutable_command()->add_files() = s.command().files(0);
        s.mutable_command()->mutable_files(1)->set_argument(9);
      },
  };
  for (std::size_t i = 0; i < kFaults.size(); ++i) {
    v1::Step faulty = step;
    kFaults[i](faulty);
    EXPECT_FALSE(validate_step(faulty)) << "fault " << i;
  }
}

}  // namespace
}  // namespace muniment
