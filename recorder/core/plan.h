// Planning: resolved modules -> ordered steps and the digest that names the plan. Pure.
#ifndef MUNIMENT_RECORDER_CORE_PLAN_H_
#define MUNIMENT_RECORDER_CORE_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/event.pb.h"
#include "recorder/core/backup_class.h"
#include "recorder/core/manifest.h"
#include "recorder/core/resolve.h"

namespace muniment {

struct PlannedStep {
  v1::Step step;
  v1::Fidelity fidelity = v1::FIDELITY_UNSPECIFIED;
  std::optional<std::uint64_t> expected_bytes;
};

struct Plan {
  std::vector<PlannedStep> steps;  // index of a step = place + 1
  std::string canonical;           // the text under the digest; proto/README.md defines it
  std::string digest;              // SHA-256 of it, 64 lower-case hexadecimal digits
  std::optional<std::uint64_t> space_needed_bytes;
};

// For each module, in the manifest's order: capture, verify, commit.
// REQUIRES: the resolution has no problems.
Plan make_plan(const Manifest& manifest, const Resolution& resolution, const std::string& run_id);

// What make_plan() and make_command_plan() write alike.
// "KEY VALUE" with the value made inert, and a newline.
void add_plan_line(std::string& out, std::string_view key, std::string_view value);
// The module with its class, where it was found, its exclusions and its gate; `capture`, unless
// nullptr, is the step that captures it from its container.
void add_target_lines(std::string& out, const Target& target, const v1::Step* capture);
void set_container(const v1::ContainerObserved& seen, v1::ContainerTarget& out);

// PlanStepProposed for each step, then PlanSealed (its canonical text is a blob).
std::vector<v1::Event> plan_events(const Plan& plan);

// Where the plan that was rehearsed and the plan of now part; line by line of the canonical texts.
std::vector<v1::Difference> compare_plans(std::string_view rehearsed, std::string_view now);

// Why the backup root, as seen, cannot take the plan; absent: it can.
std::optional<std::string> refuse_root(const v1::PathObserved& root, const Plan& plan,
                                       std::uint64_t min_free_bytes);

// "1.2 GiB"; exact below 1 KiB ("812 B").
std::string human_bytes(std::uint64_t bytes);

// ROOT/MODULE/.RUN_ID.partial and ROOT/MODULE/RUN_ID.
std::string partial_folder(const std::string& root, const std::string& module,
                           const std::string& run_id);
std::string final_folder(const std::string& root, const std::string& module,
                         const std::string& run_id);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_PLAN_H_
