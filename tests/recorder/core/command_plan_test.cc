// What an approval of a command is bound to.
#include "recorder/core/command_plan.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "recorder/core/decide.h"
#include "recorder/core/digest.h"
#include "recorder/core/run_state.h"

namespace muniment {
namespace {

Resolution resolution_of(const std::string& module) {
  Resolution out;
  Target& target = out.targets.emplace_back();
  target.module = module;
  target.backup_class = v1::BACKUP_CLASS_FILES;
  target.seen.set_path("/srv/" + module);
  target.seen.set_kind(v1::PATH_KIND_DIRECTORY);
  target.gate = "F3";
  return out;
}

v1::HostCommand smoke() {
  v1::HostCommand command;
  for (const char* word : {"sh", "smoke.sh", "--password", "[redacted:option]"}) {
    command.add_argv(word);
  }
  command.set_working_folder("/srv");
  for (const char* name : {"PATH", "HOME"}) command.add_environment_names(name);
  for (const auto& [argument, path] : {std::pair{0U, "/usr/bin/sh"}, {1U, "/srv/smoke.sh"}}) {
    v1::BoundFile& file = *command.add_files();
    file.set_argument(argument);
    file.set_path(path);
    file.set_sha256(std::string(32, static_cast<char>('a' + argument)));
  }
  command.set_timeout_seconds(600);
  return command;
}

struct World {
  Resolution resolution = resolution_of("wiki");
  v1::HostCommand command = smoke();
  std::vector<MaskedArgument> masked{{3, "5ea1"}};

  Plan plan() const {
    Result<Plan> made = make_command_plan(resolution, command, masked);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : Plan();
  }
};

TEST(CommandPlan, SaysEverythingThatTheDigestCovers) {
  const Plan plan = World().plan();
  EXPECT_EQ(
      plan.canonical,
      "muniment-plan/1\nkind exec\nmodule wiki\n  class files\n  folder /srv/wiki\n  gate F3\n"
      "  program /usr/bin/sh\n  content 0 " +
          to_hex(std::string(32, 'a')) + "\n  argument 0 sh\n  content 1 " +
          to_hex(std::string(32, 'b')) +
          "\n  argument 1 smoke.sh\n  argument 2 --password\n"
          "  argument 3 [redacted:option]\n  sealed 3 5ea1\n"
          "  in /srv\n  variable HOME\n  variable PATH\n  timeout 600\n"
          "step command wiki\n");
  EXPECT_EQ(plan.digest, to_hex(sha256(plan.canonical)));
}

TEST(CommandPlan, IsOneStepWithAllThatItNeeds) {
  World world;
  v1::ContainerObserved& seen = world.resolution.targets[0].inside.emplace().container;
  seen.set_container_id(std::string(64, 'c'));
  const Plan plan = world.plan();
  ASSERT_EQ(plan.steps.size(), 1U);
  const v1::Step& step = plan.steps[0].step;
  EXPECT_EQ(step.kind(), v1::STEP_KIND_COMMAND);
  EXPECT_EQ(step.module(), "wiki");
  EXPECT_EQ(step.gate(), "F3");
  EXPECT_EQ(step.container().container_id(), std::string(64, 'c'));
  EXPECT_EQ(step.command().SerializeAsString(), smoke().SerializeAsString());
  EXPECT_TRUE(step.partial_folder().empty());
  EXPECT_FALSE(plan.space_needed_bytes);
}

TEST(CommandPlan, HasAnotherDigestForEachThingThatIsAnother) {
  const std::vector<std::pair<const char*, std::function<void(World&)>>> kChanges = {
      {"module", [](World& w) { w.resolution = resolution_of("notes"); }},
      {"path", [](World& w) { w.resolution.targets[0].seen.set_path("/srv/other"); }},
      {"gate", [](World& w) { w.resolution.targets[0].gate.clear(); }},
      {"class", [](World& w) { w.resolution.targets[0].backup_class = v1::BACKUP_CLASS_SQLITE; }},
      {"container",
       [](World& w) { w.resolution.targets[0].inside.emplace().container.set_container_id("c1"); }},
      {"a word", [](World& w) { w.command.set_argv(2, "--passwort"); }},
      {"a word more", [](World& w) { w.command.add_argv(""); }},
      {"the order of words", [](World& w) { w.command.mutable_argv()->SwapElements(1, 2); }},
      {"what a mask hides", [](World& w) { w.masked[0].seal = "5ea2"; }},
      {"the working folder", [](World& w) { w.command.set_working_folder("/tmp"); }},
      {"a variable", [](World& w) { w.command.add_environment_names("LD_PRELOAD"); }},
      {"the program's path", [](World& w) { w.command.mutable_files(0)->set_path("/bin/sh"); }},
      {"the program",
       [](World& w) { w.command.mutable_files(0)->set_sha256(std::string(32, 'x')); }},
      {"the script",
       [](World& w) { w.command.mutable_files(1)->set_sha256(std::string(32, 'x')); }},
      {"the script is gone", [](World& w) { w.command.mutable_files()->RemoveLast(); }},
      {"the time", [](World& w) { w.command.set_timeout_seconds(601); }},
  };
  const Plan before = World().plan();
  for (const auto& [what, change] : kChanges) {
    SCOPED_TRACE(what);
    World world;
    change(world);
    const Plan after = world.plan();
    EXPECT_NE(after.digest, before.digest);
    EXPECT_FALSE(compare_plans(before.canonical, after.canonical).empty());
  }
}

TEST(CommandPlan, IsNotMisledByTheOrderOfVariables) {
  World world;
  world.command.mutable_environment_names()->SwapElements(0, 1);
  EXPECT_EQ(world.plan().digest, World().plan().digest);
}

TEST(CommandPlan, LetsNoWordWriteALineOfItsOwn) {
  World world;
  world.command.set_argv(2, "x\n  timeout 1\nstep command wiki");
  const std::string canonical = world.plan().canonical;
  EXPECT_NE(canonical.find("  argument 2 x\\n  timeout 1\\nstep command wiki\n"), canonical.npos)
      << canonical;
}

TEST(CommandPlan, NeedsExactlyOneModule) {
  for (const std::size_t modules : {0U, 2U}) {
    Resolution resolution;
    while (resolution.targets.size() < modules) {
      resolution.targets.push_back(resolution_of("wiki").targets[0]);
    }
    const Result<Plan> plan = make_command_plan(resolution, smoke(), {});
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::kInvalid);
  }
}

// There is no folder that could be left behind.
TEST(CommandPlan, LeavesNothingToDiscardHoweverItEnds) {
  const Plan plan = World().plan();
  for (const char* status : {"applied", "withheld", "failed", "started"}) {
    for (const bool stopping : {false, true}) {
      v1::RunState state;
      v1::StepState& step = *state.add_steps();
      step.set_index(1);
      step.set_kind(v1::STEP_KIND_COMMAND);
      step.set_module("wiki");
      step.set_planned(true);
      step.set_status("proposed");
      const std::optional<Directive> first = next_step(state, plan, false);
      ASSERT_TRUE(first);
      EXPECT_EQ(first->step.kind(), v1::STEP_KIND_COMMAND);
      step.set_status(status);
      EXPECT_FALSE(next_step(state, plan, stopping)) << status;
    }
  }
}

}  // namespace
}  // namespace muniment
