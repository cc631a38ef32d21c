#include "recorder/core/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recorder/core/run_state.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

const std::string kRun = "01900000-0000-7000-8000-000000000001";
const std::string kDeadRun = "01900000-0000-7000-8000-00000000dead";

Plan plan_of(std::size_t modules) {
  Manifest manifest;
  manifest.backup_root = "/backups";
  Resolution resolution;
  for (std::size_t i = 0; i < modules; ++i) {
    Target& target = resolution.targets.emplace_back();
    target.module = "m" + std::to_string(i);
    target.backup_class = i % 2 == 0 ? v1::BACKUP_CLASS_SQLITE : v1::BACKUP_CLASS_FILES;
    target.seen.set_path("/data/" + target.module);
  }
  return make_plan(manifest, resolution, kRun);
}

// A run as the recorder drives it, with outcomes that the test chooses.
class SimulatedRun {
 public:
  explicit SimulatedRun(const Plan& plan) : plan_(plan) {
    v1::Event started;
    started.mutable_run_started()->set_purpose("backup");
    record(std::move(started));
    for (v1::Event& event : plan_events(plan)) record(std::move(event));
  }

  std::optional<Directive> next(bool stopping) const { return next_step(state_, plan_, stopping); }

  void carry_out(const Directive& step, v1::StepResult result) {
    v1::Event start;
    start.mutable_step_started()->set_index(step.index);
    start.mutable_step_started()->set_kind(step.step.kind());
    if (!step.planned) *start.mutable_step_started()->mutable_unplanned() = step.step;
    record(std::move(start));
    v1::Event end;
    end.mutable_step_settled()->set_index(step.index);
    end.mutable_step_settled()->set_kind(step.step.kind());
    end.mutable_step_settled()->set_result(result);
    end.mutable_step_settled()->set_detail("why");
    record(std::move(end));
  }

  const v1::RunState& state() const { return state_; }

 private:
  void record(v1::Event event) {
    event.set_run_id(kRun);
    state_ = evolve(std::move(state_), event, sequence_++);
  }

  const Plan& plan_;
  v1::RunState state_;
  std::uint64_t sequence_ = 0;
};

// What was seen of one run, step by step.
struct Done {
  Directive step;
  v1::StepResult result;
  bool stopping;
};

bool is_over(v1::StepResult result) {
  return result == v1::STEP_RESULT_APPLIED || result == v1::STEP_RESULT_WITHHELD;
}

// The laws of next_step(), from what was done alone.
class Laws {
 public:
  Laws(const Plan& plan, const std::vector<Done>& done, bool stopped) : plan_(plan) {
    for (const Done& step : done) step.step.planned ? take_planned(step) : take_discard(step);
    for (const std::string& module : captured_) {
      const bool kept = committed_.contains(module);
      const bool lost = failed_.contains(module) || stopped;
      EXPECT_EQ(discarded_.contains(module), lost && !kept) << module;
    }
    if (!stopped) expect_all_others_done();
  }

 private:
  void take_planned(const Done& done) {
    const std::string& module = done.step.step.module();
    EXPECT_FALSE(done.stopping) << "a planned step started while stopping";
    EXPECT_FALSE(failed_.contains(module)) << module << " went on after its failed step";
    EXPECT_FALSE(discarded_.contains(module)) << module << " went on after its discard";
    EXPECT_GT(done.step.index, last_index_) << "planned steps keep the plan's order";
    for (const std::string& lost : failed_) {
      EXPECT_TRUE(discarded_.contains(lost) || !captured_.contains(lost)) << "a discard waits";
    }
    ASSERT_LE(done.step.index, plan_.steps.size());
    EXPECT_EQ(done.step.step.SerializeAsString(),
              plan_.steps[done.step.index - 1].step.SerializeAsString());
    last_index_ = done.step.index;
    planned_.insert(done.step.index);
    if (done.step.step.kind() == v1::STEP_KIND_CAPTURE) captured_.insert(module);
    if (done.result == v1::STEP_RESULT_FAILED) failed_.insert(module);
    if (done.step.step.kind() == v1::STEP_KIND_COMMIT && is_over(done.result)) {
      committed_.insert(module);
    }
  }

  void take_discard(const Done& done) {
    const std::string& module = done.step.step.module();
    EXPECT_EQ(done.step.step.kind(), v1::STEP_KIND_DISCARD);
    EXPECT_TRUE(failed_.contains(module) || done.stopping) << module << " was discarded untroubled";
    EXPECT_TRUE(captured_.contains(module)) << module << " has no folder to discard";
    EXPECT_FALSE(committed_.contains(module)) << module << " was committed and discarded";
    EXPECT_TRUE(discarded_.insert(module).second) << module << " was discarded twice";
    EXPECT_EQ(done.step.index, discarded_.size()) << "discards count by themselves";
    EXPECT_EQ(done.step.step.partial_folder(), "/backups/" + module + "/." + kRun + ".partial");
  }

  void expect_all_others_done() const {
    for (std::uint32_t index = 1; index <= plan_.steps.size(); ++index) {
      if (failed_.contains(plan_.steps[index - 1].step.module())) continue;
      EXPECT_TRUE(planned_.contains(index)) << "step " << index << " was left out";
    }
  }

  const Plan& plan_;
  std::uint32_t last_index_ = 0;
  std::set<std::uint32_t> planned_;
  std::set<std::string> captured_, failed_, committed_, discarded_;
};

// finish() and count() against what was done.
void expect_end(const Plan& plan, const SimulatedRun& run, const std::vector<Done>& done,
                bool stopped) {
  v1::RunCounts counts;
  std::uint32_t started = 0;
  for (const Done& step : done) {
    if (step.step.planned) ++started;
    if (step.result == v1::STEP_RESULT_APPLIED) counts.set_applied(counts.applied() + 1);
    if (step.result == v1::STEP_RESULT_WITHHELD) counts.set_withheld(counts.withheld() + 1);
    if (step.result == v1::STEP_RESULT_FAILED) counts.set_failed(counts.failed() + 1);
  }
  counts.set_steps(static_cast<std::uint32_t>(plan.steps.size()));
  counts.set_not_started(counts.steps() - started);
  const v1::RunFinished end = finish(run.state(), "", stopped);
  EXPECT_EQ(end.counts().ShortDebugString(), counts.ShortDebugString());
  EXPECT_EQ(end.event_count(), 1 + plan.steps.size() + 1 + 2 * done.size() + 1);
  const v1::RunOutcome expected = stopped               ? v1::RUN_OUTCOME_INTERRUPTED
                                  : counts.failed() > 0 ? v1::RUN_OUTCOME_FAILED
                                                        : v1::RUN_OUTCOME_OK;
  EXPECT_EQ(end.outcome(), expected);
  EXPECT_EQ(end.reason().empty(), expected == v1::RUN_OUTCOME_OK);
}

// Drives a run to its end. `choose` gives the outcome of the n-th step; from the step `stop_at` on
// a person has asked to stop.
template <class Choose>
std::size_t drive(const Plan& plan, std::size_t stop_at, Choose choose) {
  SimulatedRun run(plan);
  std::vector<Done> done;
  const std::size_t most = 2 * plan.steps.size();
  while (done.size() <= most) {
    const bool stopping = done.size() >= stop_at;
    const std::optional<Directive> next = run.next(stopping);
    if (!next) break;
    const v1::StepResult result = choose(done.size());
    run.carry_out(*next, result);
    done.push_back({*next, result, stopping});
  }
  EXPECT_LE(done.size(), most) << "the run does not end";
  const bool stopped = done.size() >= stop_at;
  const Laws laws(plan, done, stopped);
  expect_end(plan, run, done, stopped);
  return done.size();
}

constexpr std::size_t kNever = 1000;
constexpr v1::StepResult kResults[] = {v1::STEP_RESULT_APPLIED, v1::STEP_RESULT_WITHHELD,
                                       v1::STEP_RESULT_FAILED};

// Every sequence of outcomes of two modules, with a stop before every step and never.
TEST(NextStep, KeepsItsLawsInEveryRunOfTwoModules) {
  const Plan plan = plan_of(2);
  int runs = 0;
  for (std::size_t stop_at = 0; stop_at <= 9; ++stop_at) {
    // Counts in base 3; a shorter run leaves the digits behind its end unread.
    std::vector<std::size_t> digits(9, 0);
    for (bool more = true; more;) {
      const std::size_t used = drive(plan, stop_at == 9 ? kNever : stop_at,
                                     [&](std::size_t i) { return kResults[digits.at(i)]; });
      ++runs;
      more = false;
      for (std::size_t i = used; i-- > 0 && !more;) {
        more = ++digits[i] < 3;
        if (!more) digits[i] = 0;
      }
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(runs, 1000);
}

TEST(NextStep, KeepsItsLawsInRandomRunsOfManyModules) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    const Plan plan = plan_of(draw.between(1, 7));
    const std::size_t stop_at = draw.one_in(2) ? draw.below(20) : kNever;
    const std::size_t failures = draw.between(1, 10);  // one in so many
    drive(plan, stop_at, [&](std::size_t) {
      return draw.one_in(failures) ? v1::STEP_RESULT_FAILED : v1::STEP_RESULT_APPLIED;
    });
  }
}

TEST(NextStep, IsThePlanStepByStepWhereNothingFails) {
  const Plan plan = plan_of(3);
  for (const v1::StepResult result : {v1::STEP_RESULT_APPLIED, v1::STEP_RESULT_WITHHELD}) {
    EXPECT_EQ(drive(plan, kNever, [&](std::size_t) { return result; }), plan.steps.size());
  }
}

// A sink that was told to stop finishes or fails; the folder of a dead run is another matter.
TEST(NextStep, LeavesTheFoldersOfDeadRunsToThemselves) {
  const Plan plan = plan_of(2);
  SimulatedRun run(plan);
  v1::Step dead;
  dead.set_kind(v1::STEP_KIND_DISCARD);
  dead.set_module("m0");
  dead.set_of_run(kDeadRun);
  dead.set_partial_folder("/backups/m0/." + kDeadRun + ".partial");
  run.carry_out({.index = 1, .step = dead, .planned = false}, v1::STEP_RESULT_FAILED);
  std::optional<Directive> next = run.next(false);
  ASSERT_TRUE(next && next->planned);
  EXPECT_EQ(next->index, 1U) << "a dead run's folder stops nobody";
  run.carry_out(*next, v1::STEP_RESULT_FAILED);
  next = run.next(false);
  ASSERT_TRUE(next && !next->planned);
  EXPECT_EQ(next->step.module(), "m0");
  EXPECT_EQ(next->index, 2U) << "discards are numbered through";
  EXPECT_EQ(next->step.of_run(), "");
}

TEST(ParsePartial, ReadsWhatPartialFolderWrites) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 300; ++i) {
    const std::string root = "/" + draw.text(draw.between(1, 12), "ab/. \n\xff");
    const std::string module = draw.text(draw.between(1, 9), "abz09._-");
    const std::optional<PartialName> name = parse_partial(partial_folder(root, module, kRun));
    ASSERT_TRUE(name) << root << " " << module;
    EXPECT_EQ(name->module, module);
    EXPECT_EQ(name->run_id, kRun);
    EXPECT_FALSE(parse_partial(final_folder(root, module, kRun)));
  }
}

TEST(ParsePartial, TakesNothingElse) {
  const std::string good = "/b/m/." + kRun + ".partial";
  ASSERT_TRUE(parse_partial(good));
  for (std::size_t i = 5; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = '/';
    EXPECT_FALSE(parse_partial(bad)) << bad;
    bad[i] = 'G';
    EXPECT_FALSE(parse_partial(bad)) << bad;
    EXPECT_FALSE(parse_partial(good.substr(0, i))) << good.substr(0, i);
  }
  for (const std::string& bad : {std::string(), "." + kRun + ".partial", "/." + kRun + ".partial",
                                 good + "/", good + "x", "/b/m/" + kRun + ".partial"}) {
    EXPECT_FALSE(parse_partial(bad)) << bad;
  }
}

TEST(DiscardSteps, NameTheFoldersOfKnownRunsAlone) {
  std::vector<v1::PathObserved> seen;
  for (const std::string& path :
       {"/b/m/." + kDeadRun + ".partial", "/b/n/." + kRun + ".partial", std::string("/b/m/other"),
        "/c/m/." + kDeadRun + ".partial", "/b/m/" + kDeadRun}) {
    seen.emplace_back().set_path(path);
  }
  const std::vector<v1::Step> steps = discard_steps(seen, {kDeadRun});
  ASSERT_EQ(steps.size(), 2U);
  for (const v1::Step& step : steps) {
    EXPECT_EQ(step.kind(), v1::STEP_KIND_DISCARD);
    EXPECT_EQ(step.module(), "m");
    EXPECT_EQ(step.of_run(), kDeadRun);
  }
  EXPECT_EQ(steps[0].partial_folder(), seen[0].path());
  EXPECT_EQ(steps[1].partial_folder(), seen[3].path());
  EXPECT_TRUE(discard_steps(seen, {}).empty());
}

TEST(Finish, TellsARefusalFromAFailure) {
  v1::RunState state;
  EXPECT_EQ(finish(state, "no such path", false).outcome(), v1::RUN_OUTCOME_FAILED);
  EXPECT_EQ(finish(state, "no such path", false).reason(), "no such path");
  state.set_drift(true);
  EXPECT_EQ(finish(state, "drift", false).outcome(), v1::RUN_OUTCOME_REFUSED);
  state.set_drift(false);
  state.add_gates()->set_open(true);
  EXPECT_EQ(finish(state, "no room", false).outcome(), v1::RUN_OUTCOME_FAILED);
  state.add_gates()->set_open(false);
  EXPECT_EQ(finish(state, "gate F3 is closed", false).outcome(), v1::RUN_OUTCOME_REFUSED);
  // A closed gate that stops nobody, in a rehearsal, is no problem.
  EXPECT_EQ(finish(state, "", false).outcome(), v1::RUN_OUTCOME_OK);
  EXPECT_EQ(finish(state, "gate F3 is closed", true).outcome(), v1::RUN_OUTCOME_INTERRUPTED);
}

TEST(Finish, NamesTheFirstFailedStep) {
  const Plan plan = plan_of(2);
  SimulatedRun run(plan);
  run.carry_out(*run.next(false), v1::STEP_RESULT_APPLIED);
  run.carry_out(*run.next(false), v1::STEP_RESULT_FAILED);
  run.carry_out(*run.next(false), v1::STEP_RESULT_FAILED);
  EXPECT_EQ(finish(run.state(), "", false).reason(), "step 2 of 6 (m0 verify): why");
}

}  // namespace
}  // namespace muniment
