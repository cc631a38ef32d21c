#include "tests/support/two_streams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "recorder/clock.h"
#include "recorder/core/check.h"
#include "recorder/recorder.h"
#include "recorder/world/host_source.h"
#include "recorder/world/sinks.h"

namespace muniment {
namespace {

// Goes on by itself: nothing of a comparison depends on how fast the machine is.
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

class Silent : public Progress {
 public:
  void advance(std::uint64_t /*bytes*/) override {}
  bool stop_requested() override { return false; }
};

Stream run_with(const RunInput& input, Store& log, Sink& sink, Redactor& secrets, bool acts) {
  TickingClock clock;
  Envelope envelope;
  envelope.run_id = make_uuid7(clock.now().wall_ns);
  envelope.mode = acts ? v1::MODE_EXECUTION : v1::MODE_DRY_RUN;
  envelope.actor.set_kind(v1::ACTOR_KIND_OPERATOR);
  envelope.actor.set_parent_executable(acts ? "/usr/sbin/cron" : "/bin/bash");
  envelope.host.set_name("testhost");
  RunRequest request;
  request.manifest = input.manifest;
  request.modules = input.modules;
  request.all = input.all;
  request.started.set_purpose("backup");
  request.started.add_command_line("muniment");
  if (!acts) request.started.add_command_line("--dry-run");
  if (!acts) request.started.mutable_enforcement()->set_mechanism("landlock");
  request.protected_paths = {input.store, input.manifest->backup_root};
  request.gates.rules = input.gates;
  for (const auto& [name, gate] : input.manifest->gates) {
    request.gates.rules.stated.try_emplace(
        name, StatedPolicy{policy_of(*input.manifest, name, ""), "", "nobody signs for it"});
  }
  request.gates.acts = acts;
  if (acts) request.started.set_follows_run(input.follows);
  Stream out;
  request.on_recorded = [&](const v1::Event& event, std::uint64_t) {
    if (event.run_id() == envelope.run_id) out.events.push_back(event);
  };
  const std::unique_ptr<Source> source =
      input.engine
          ? make_engine_source({input.engine->selector, input.engine->environment, {}}, secrets)
          : make_host_source();
  Recorder recorder({log, log, *source, sink, clock}, std::move(request), envelope);
  Result<v1::RunState> state = recorder.run();
  EXPECT_TRUE(state) << state.error().message;
  if (state) out.state = std::move(*state);
  return out;
}

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

}  // namespace

const std::vector<FieldPath> kMasked = {
    "event_id",                      // ids; the run's own id reads RUN wherever it stands
    "run_id",                        //
    "recorded_at",                   // times
    "boottime_ns",                   //
    "mode",                          //
    "actor",                         // actor facts
    "run_started.command_line",      //
    "run_started.enforcement",       // what is enforced
    "step_settled.result",           // settlement details
    "step_settled.duration",         //
    "step_settled.bytes",            //
    "step_settled.exit_status",      //
    "step_settled.error_tail",       //
    "step_settled.detail",           //
    "run_finished.outcome",          // outcome, with its reason
    "run_finished.reason",           //
    "run_finished.counts",           // counts
    "run_finished.event_count",      //
    "path_observed.free_bytes",      // space figures
    "gate_evaluated.open",           // verdict and approvals
    "gate_evaluated.conditions",     //
    "gate_evaluated.candidate_run",  // the approvals' rehearsal, which a rehearsal has not yet
    "gate_evaluated.gate_time",      //
    "run_started.follows_run",       // a word of the command line
};

const std::vector<v1::Event::BodyCase> kTaken = {
    v1::Event::kContainerQuiesced, v1::Event::kContainerResumed, v1::Event::kCommandExecuted,
    v1::Event::kBackupWritten,     v1::Event::kManifestWritten,  v1::Event::kCopyWritten,
    v1::Event::kArtifactRemoved,   v1::Event::kEvidenceAttached, v1::Event::kArtifactVerified,
    v1::Event::kRestoreTested,     v1::Event::kApprovalConsumed,
};

const std::vector<v1::Event::BodyCase> kNothingTaken;

Stream rehearse(const RunInput& input, Store& log) {
  Redactor secrets;
  const std::unique_ptr<Sink> sink = make_withholding_sink();
  return run_with(input, log, *sink, secrets, false);
}

Stream execute(const RunInput& input, Store& log) {
  Silent progress;
  Redactor secrets;
  const std::unique_ptr<Sink> sink =
      make_artifact_sink(progress, secrets, input.engine.value_or(EngineUse{}));
  return run_with(input, log, *sink, secrets, true);
}

void clear_field(google::protobuf::Message& message, FieldPath path) {
  const std::size_t dot = path.find('.');
  const auto* field = message.GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
  check(field != nullptr, "a masked field is one of the schema");
  const auto* reflection = message.GetReflection();
  if (dot == path.npos) return reflection->ClearField(&message, field);
  if (!reflection->HasField(message, field)) return;
  clear_field(*reflection->MutableMessage(&message, field), path.substr(dot + 1));
}

std::vector<std::string> masked_stream(const Stream& stream,
                                       const std::vector<v1::Event::BodyCase>& taken,
                                       const std::vector<FieldPath>& masked) {
  std::map<std::string, std::size_t> places;
  std::vector<std::string> out;
  for (v1::Event event : stream.events) {
    if (std::find(taken.begin(), taken.end(), event.body_case()) != taken.end()) continue;
    const auto cause = places.find(event.caused_by());
    const std::string led_by =
        cause == places.end() ? "(" + event.caused_by() + ")" : "#" + std::to_string(cause->second);
    places.emplace(event.event_id(), places.size());
    event.set_caused_by(led_by);
    for (const FieldPath& path : masked) clear_field(event, path);
    out.push_back(replace_all(event.Utf8DebugString(), stream.state.run_id(), "RUN"));
  }
  return out;
}

bool has_taken(const Stream& stream) {
  return std::any_of(stream.events.begin(), stream.events.end(), [](const v1::Event& event) {
    return std::find(kTaken.begin(), kTaken.end(), event.body_case()) != kTaken.end();
  });
}

std::size_t count_of(const Stream& stream, v1::Event::BodyCase body) {
  return static_cast<std::size_t>(
      std::count_if(stream.events.begin(), stream.events.end(),
                    [&](const v1::Event& event) { return event.body_case() == body; }));
}

bool each_settled(const Stream& stream, v1::StepResult result) {
  return std::all_of(stream.events.begin(), stream.events.end(), [&](const v1::Event& event) {
    return !event.has_step_settled() || event.step_settled().result() == result;
  });
}

void expect_same(const std::vector<std::string>& rehearsed, const std::vector<std::string>& done) {
  for (std::size_t i = 0; i < std::min(rehearsed.size(), done.size()); ++i) {
    ASSERT_EQ(rehearsed[i], done[i]) << "event " << i;
  }
  ASSERT_EQ(rehearsed.size(), done.size())
      << (rehearsed.size() > done.size() ? "only rehearsed: " + rehearsed[done.size()]
                                         : "only executed: " + done[rehearsed.size()]);
}

}  // namespace muniment
