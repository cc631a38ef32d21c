// What evolve() makes of steps and artifacts, against models of them. That it takes everything, and
// that snapshots change nothing, is run_state_test.cc.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "recorder/core/run_state.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

const std::string kRun = "01900000-0000-7000-8000-000000000001";
const std::string kOther = "01900000-0000-7000-8000-000000000002";

v1::Event started() {
  v1::Event event;
  event.set_run_id(kRun);
  event.mutable_run_started()->set_purpose("backup");
  return event;
}

TEST(EvolveModel, CallsAnUnsettledStepUnknownWhenTheRunIsOver) {
  const auto step = [](std::uint32_t index) {
    v1::Event event;
    event.set_run_id(kRun);
    event.mutable_step_started()->set_index(index);
    event.mutable_step_started()->set_kind(v1::STEP_KIND_CAPTURE);
    return event;
  };
  const v1::RunState open = evolve(evolve(evolve({}, started(), 0), step(1), 1), step(2), 2);
  v1::Event settled;
  settled.set_run_id(kRun);
  settled.mutable_step_settled()->set_index(1);
  settled.mutable_step_settled()->set_kind(v1::STEP_KIND_CAPTURE);
  settled.mutable_step_settled()->set_result(v1::STEP_RESULT_APPLIED);
  const v1::RunState one = evolve(open, settled, 3);
  EXPECT_EQ(one.steps(1).status(), "started");

  v1::Event dead;
  dead.set_run_id(kOther);
  dead.set_about_run(kRun);
  dead.mutable_run_abandoned();
  const v1::RunState over = evolve(one, dead, 4);
  EXPECT_EQ(over.outcome(), v1::RUN_OUTCOME_ABANDONED);
  EXPECT_EQ(over.steps(0).status(), "applied");
  EXPECT_EQ(over.steps(1).status(), "unknown");

  // The same event by the run itself is about another: it ends nothing here.
  dead.set_run_id(kRun);
  dead.set_about_run(kOther);
  EXPECT_EQ(evolve(one, dead, 4).outcome(), v1::RUN_OUTCOME_RUNNING);
}

TEST(EvolveModel, KeepsStepsAndDiscardsWithOneIndexApart) {
  v1::RunState state = evolve({}, started(), 0);
  const auto fold = [&](v1::StepKind kind, v1::StepResult result) {
    v1::Event event;
    event.set_run_id(kRun);
    if (result == v1::STEP_RESULT_UNSPECIFIED) {
      event.mutable_step_started()->set_kind(kind);
      event.mutable_step_started()->set_index(1);
    } else {
      event.mutable_step_settled()->set_kind(kind);
      event.mutable_step_settled()->set_index(1);
      event.mutable_step_settled()->set_result(result);
    }
    state = evolve(std::move(state), event, state.last_sequence() + 1);
  };
  fold(v1::STEP_KIND_CAPTURE, v1::STEP_RESULT_UNSPECIFIED);
  fold(v1::STEP_KIND_CAPTURE, v1::STEP_RESULT_FAILED);
  fold(v1::STEP_KIND_DISCARD, v1::STEP_RESULT_UNSPECIFIED);
  fold(v1::STEP_KIND_DISCARD, v1::STEP_RESULT_APPLIED);
  ASSERT_EQ(state.steps_size(), 2);
  EXPECT_EQ(find_step(state, v1::STEP_KIND_CAPTURE, 1)->status(), "failed");
  EXPECT_EQ(find_step(state, v1::STEP_KIND_DISCARD, 1)->status(), "applied");
  EXPECT_EQ(find_step(state, v1::STEP_KIND_CAPTURE, 2), nullptr);
}

// Artifacts through their lives: random facts about three modules, folded by evolve() and by a
// model that keeps nothing but a list.
class ArtifactWorld {
 public:
  struct Artifact {
    std::string module;
    std::string path;
    std::string status;
    v1::Verdict verified = v1::VERDICT_UNSPECIFIED;
  };

  void write(const std::string& module) {
    v1::Event event;
    const std::string path = "/b/" + module + "/" + std::to_string(state_.last_sequence());
    event.mutable_backup_written()->set_path(path);
    event.mutable_backup_written()->set_size_bytes(100);
    record(event, module);
    model_.push_back({module, path, "written"});
  }

  void verify(std::size_t which) {
    if (model_.empty()) return;
    Artifact& artifact = model_[which % model_.size()];
    v1::Event event;
    event.mutable_artifact_verified()->set_path(artifact.path);
    event.mutable_artifact_verified()->set_verdict(v1::VERDICT_FAILED);
    record(event, artifact.module);
    artifact.verified = v1::VERDICT_FAILED;
  }

  void remove(const std::string& module) {
    v1::Event event;
    event.mutable_artifact_removed()->set_path("/b/" + module);
    record(event, module);
    move_written(module, "removed");
  }

  void commit(const std::string& module, v1::StepResult result) {
    v1::Event start;
    start.mutable_step_started()->set_index(++commits_);
    start.mutable_step_started()->set_kind(v1::STEP_KIND_COMMIT);
    start.mutable_step_started()->mutable_unplanned()->set_kind(v1::STEP_KIND_COMMIT);
    start.mutable_step_started()->mutable_unplanned()->set_module(module);
    record(start, module);
    v1::Event end;
    end.mutable_step_settled()->set_index(commits_);
    end.mutable_step_settled()->set_kind(v1::STEP_KIND_COMMIT);
    end.mutable_step_settled()->set_result(result);
    record(end, module);
    if (result == v1::STEP_RESULT_APPLIED) move_written(module, "committed");
  }

  void expect_equal() const {
    ASSERT_EQ(static_cast<std::size_t>(state_.artifacts_size()), model_.size());
    std::uint32_t committed = 0;
    for (std::size_t i = 0; i < model_.size(); ++i) {
      const v1::ArtifactState& is = state_.artifacts(static_cast<int>(i));
      EXPECT_EQ(is.path(), model_[i].path);
      EXPECT_EQ(is.status(), model_[i].status) << is.path();
      EXPECT_EQ(is.verified(), model_[i].verified) << is.path();
      if (model_[i].status == "committed") ++committed;
    }
    EXPECT_EQ(count(state_).artifacts(), committed);
    EXPECT_EQ(count(state_).artifact_bytes(), 100U * committed);
  }

 private:
  void record(v1::Event& event, const std::string& module) {
    event.set_run_id(kRun);
    event.set_module(module);
    state_ = evolve(std::move(state_), event, state_.last_sequence() + 1);
  }
  void move_written(const std::string& module, const std::string& status) {
    for (Artifact& one : model_) {
      if (one.module == module && one.status == "written") one.status = status;
    }
  }

  v1::RunState state_ = evolve({}, started(), 0);
  std::vector<Artifact> model_;
  std::uint32_t commits_ = 0;
};

TEST(EvolveModel, FollowsArtifactsLikeTheModel) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int round = 0; round < 100; ++round) {
    ArtifactWorld world;
    for (int i = 0; i < 20; ++i) {
      const std::string module = "m" + std::to_string(draw.below(3));
      const std::size_t what = draw.below(6);
      if (what < 2) world.write(module);
      if (what == 2) world.verify(draw.below(20));
      if (what == 3) world.remove(module);
      if (what == 4) world.commit(module, v1::STEP_RESULT_APPLIED);
      if (what == 5) {
        world.commit(module, draw.one_in(2) ? v1::STEP_RESULT_FAILED : v1::STEP_RESULT_WITHHELD);
      }
    }
    world.expect_equal();
    if (HasFatalFailure()) return;
  }
}

TEST(EvolveModel, KeepsADurationAtTheEdgeOfItsType) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  struct Case {
    std::int64_t seconds;
    std::int32_t nanos;
    std::int64_t ms;
  };
  for (const Case& c : {Case{0, 0, 0}, Case{2, 999'999'999, 2999}, Case{kMost, 0, kMost},
                        Case{kLeast, 0, kLeast}, Case{kMost / 1000, 999'000'000, kMost}}) {
    v1::RunState state = evolve({}, started(), 0);
    v1::Event event;
    event.set_run_id(kRun);
    event.mutable_step_started()->set_index(1);
    state = evolve(std::move(state), event, 1);
    event.mutable_step_settled()->set_index(1);
    event.mutable_step_settled()->mutable_duration()->set_seconds(c.seconds);
    event.mutable_step_settled()->mutable_duration()->set_nanos(c.nanos);
    state = evolve(std::move(state), event, 2);
    EXPECT_EQ(state.steps(0).duration_ms(), c.ms) << c.seconds << " s";
  }
}

TEST(Count, SaysWhatBecameOfEachStep) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  const std::vector<std::string> statuses = {"proposed", "started", "applied",
                                             "withheld", "failed",  "unknown"};
  for (int round = 0; round < 50; ++round) {
    v1::RunState state;
    std::map<std::string, std::uint32_t> expected;
    for (std::size_t i = draw.below(20); i > 0; --i) {
      v1::StepState& step = *state.add_steps();
      step.set_status(statuses[draw.below(statuses.size())]);
      step.set_planned(draw.one_in(2));
      ++expected[step.status()];
      if (step.planned()) ++expected["planned"];
    }
    const v1::RunCounts counts = count(state);
    EXPECT_EQ(counts.steps(), expected["planned"]);
    EXPECT_EQ(counts.applied(), expected["applied"]);
    EXPECT_EQ(counts.withheld(), expected["withheld"]);
    EXPECT_EQ(counts.failed(), expected["failed"]);
    EXPECT_EQ(counts.not_started(), expected["proposed"]);
  }
}

}  // namespace
}  // namespace muniment
