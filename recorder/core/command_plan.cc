#include "recorder/core/command_plan.h"

#include <algorithm>

#include "recorder/core/digest.h"

namespace muniment {
namespace {

std::string numbered(std::uint32_t number, std::string_view text) {
  return std::to_string(number) + " " + std::string(text);
}

void add_content(std::string& out, const v1::HostCommand& command, std::uint32_t argument) {
  for (const v1::BoundFile& file : command.files()) {
    if (file.argument() != argument) continue;
    if (argument == 0) add_plan_line(out, "  program", file.path());
    add_plan_line(out, "  content", numbered(argument, to_hex(file.sha256())));
  }
}

void add_command(std::string& out, const v1::HostCommand& command,
                 const std::vector<MaskedArgument>& masked) {
  for (int i = 0; i < command.argv_size(); ++i) {
    const auto argument = static_cast<std::uint32_t>(i);
    add_content(out, command, argument);
    add_plan_line(out, "  argument", numbered(argument, command.argv(i)));
    for (const MaskedArgument& mask : masked) {
      if (mask.argument == argument) add_plan_line(out, "  sealed", numbered(argument, mask.seal));
    }
  }
  add_plan_line(out, "  in", command.working_folder());
  std::vector<std::string> names(command.environment_names().begin(),
                                 command.environment_names().end());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) add_plan_line(out, "  variable", name);
  add_plan_line(out, "  timeout", std::to_string(command.timeout_seconds()));
}

}  // namespace

Result<Plan> make_command_plan(const Resolution& resolution, const v1::HostCommand& command,
                               const std::vector<MaskedArgument>& masked) {
  if (resolution.targets.size() != 1) {
    return fail(ErrorCode::kInvalid, "a command is run for one module, and " +
                                         std::to_string(resolution.targets.size()) +
                                         " were resolved; name one that is not excluded");
  }
  const Target& target = resolution.targets.front();
  Plan plan;
  PlannedStep& planned = plan.steps.emplace_back();
  planned.fidelity = v1::FIDELITY_UNKNOWN;  // what a command does is seen when it is done
  planned.step.set_kind(v1::STEP_KIND_COMMAND);
  planned.step.set_module(target.module);
  planned.step.set_backup_class(target.backup_class);
  planned.step.set_gate(target.gate);
  *planned.step.mutable_command() = command;
  if (target.inside) {
    set_container(target.inside->container, *planned.step.mutable_container());
  }
  plan.canonical = "muniment-plan/1\n";
  add_plan_line(plan.canonical, "kind", "exec");
  add_target_lines(plan.canonical, target, nullptr);
  add_command(plan.canonical, command, masked);
  add_plan_line(plan.canonical, "step", "command " + target.module);
  plan.digest = to_hex(sha256(plan.canonical));
  return plan;
}

}  // namespace muniment
