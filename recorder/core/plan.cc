#include "recorder/core/plan.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

std::string compression_word(const Manifest& manifest) {
  if (manifest.compression == "none") return "none";
  return "zstd:" + std::to_string(manifest.zstd_level);
}

v1::Step step_for(const Manifest& manifest, const Target& target, v1::StepKind kind,
                  const std::string& run_id) {
  const BackupClassRules* rules = find_class(target.backup_class);
  check(rules != nullptr, "a resolved module has a class with rules");
  v1::Step step;
  step.set_kind(kind);
  step.set_module(target.module);
  step.set_backup_class(target.backup_class);
  step.set_partial_folder(partial_folder(manifest.backup_root, target.module, run_id));
  step.set_final_folder(final_folder(manifest.backup_root, target.module, run_id));
  const std::string compression = rules->self_compressed ? "none" : compression_word(manifest);
  step.set_compression(compression);
  step.set_artifact(target.module + std::string(rules->extension) +
                    (compression == "none" ? "" : ".zst"));
  step.set_gate(target.gate);
  if (target.inside) set_container(target.inside->container, *step.mutable_container());
  rules->describe(target, step);
  return step;
}

void add_path(std::string& out, const v1::PathObserved& seen) {
  add_plan_line(out, seen.kind() == v1::PATH_KIND_DIRECTORY ? "  folder" : "  file", seen.path());
}

void add_credentials(std::string& out, std::string_view key,
                     const google::protobuf::RepeatedPtrField<v1::Credential>& words) {
  for (const v1::Credential& word : words) {
    add_plan_line(out, key, credential_word(word));
  }
}

// In order of destination: the engine's order says nothing.
void add_mounts(std::string& out, const v1::ContainerObserved& container) {
  std::map<std::string, const v1::Mount*> mounts;
  for (const v1::Mount& mount : container.mounts()) mounts[mount.destination()] = &mount;
  for (const auto& [destination, mount] : mounts) {
    add_plan_line(out, "  mount",
                  mount->kind() + (mount->read_only() ? " ro " : " rw ") + destination);
    add_plan_line(out, "  from", mount->kind() == "volume" ? mount->name() : mount->source());
  }
}

// What the capture will do in the container, with names of credentials alone.
void add_capture(std::string& out, const v1::Step& step) {
  for (const std::string& name : step.postgres().databases())
    add_plan_line(out, "  database", name);
  add_credentials(out, "  user", step.postgres().user());
  add_credentials(out, "  user", step.redis().user());
  add_credentials(out, "  password", step.postgres().password());
  add_credentials(out, "  password", step.redis().password());
  if (step.has_sqlite()) {
    add_plan_line(out, "  by",
                  step.sqlite().host_path().empty() ? step.sqlite().tool() : "this host");
  }
  for (const std::string& argv : step.argv()) add_plan_line(out, "  argv", argv);
}

// The identity of the container, and what is done in it.
void add_container(std::string& out, const Target& target, const v1::Step* capture) {
  const v1::ContainerObserved& container = target.inside->container;
  add_plan_line(out, "  container", container.container_id());
  add_plan_line(out, "  image", container.image_id());
  if (!container.compose_service().empty()) {
    add_plan_line(out, "  compose",
                  container.compose_project() + "/" + container.compose_service());
  }
  add_mounts(out, container);
  for (const v1::PathObserved& seen : target.inside->paths) add_path(out, seen);
  if (capture != nullptr) add_capture(out, *capture);
}

const v1::Step* capture_of(const Target& target, const std::vector<PlannedStep>& steps) {
  for (const PlannedStep& planned : steps) {
    const v1::Step& step = planned.step;
    if (step.kind() == v1::STEP_KIND_CAPTURE && step.module() == target.module) return &step;
  }
  return nullptr;
}

// No run ids, times, destinations, sizes, health or mode: growth of data is no drift.
std::string canonical_text(const Resolution& resolution, const std::vector<PlannedStep>& steps) {
  std::string out = "muniment-plan/1\n";
  add_plan_line(out, "kind", "backup");
  for (const v1::Event& event : resolution.events) {
    if (!event.has_module_excluded()) continue;
    add_plan_line(out, "excluded", event.module());
    add_plan_line(out, "  rule", event.module_excluded().rule());
  }
  for (const Target& target : resolution.targets) {
    add_target_lines(out, target, capture_of(target, steps));
  }
  for (const PlannedStep& planned : steps) {
    const auto* kind = v1::StepKind_descriptor()->FindValueByNumber(planned.step.kind());
    add_plan_line(out, "step",
                  kind->options().GetExtension(v1::word) + " " + planned.step.module());
  }
  return out;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// Each line with the module it belongs to, so that a line means the same wherever it stands.
std::vector<std::string> qualified_lines(std::string_view text) {
  std::vector<std::string> out;
  std::string module;
  for (std::string& text_line : split_lines(text)) {
    if (text_line.starts_with("module ")) module = text_line.substr(7);
    if (text_line.starts_with("excluded ")) module = text_line.substr(9);
    out.push_back(text_line.starts_with("  ") ? module + ":" + text_line.substr(1) : text_line);
  }
  return out;
}

}  // namespace

void add_plan_line(std::string& out, std::string_view key, std::string_view value) {
  out += key;
  out += ' ';
  out += inert(value);
  out += '\n';
}

void set_container(const v1::ContainerObserved& seen, v1::ContainerTarget& out) {
  out.set_container_id(seen.container_id());
  out.set_image_id(seen.image_id());
  out.set_name(seen.name());
  out.set_compose_project(seen.compose_project());
  out.set_compose_service(seen.compose_service());
  *out.mutable_mounts() = seen.mounts();
}

void add_target_lines(std::string& out, const Target& target, const v1::Step* capture) {
  add_plan_line(out, "module", target.module);
  add_plan_line(out, "  class", class_word(target.backup_class));
  if (target.inside) {
    add_container(out, target, capture);
  } else {
    add_path(out, target.seen);
  }
  for (const std::string& pattern : target.exclude) add_plan_line(out, "  exclude", pattern);
  if (!target.gate.empty()) add_plan_line(out, "  gate", target.gate);
}

std::string partial_folder(const std::string& root, const std::string& module,
                           const std::string& run_id) {
  return root + "/" + module + "/." + run_id + ".partial";
}

std::string final_folder(const std::string& root, const std::string& module,
                         const std::string& run_id) {
  return root + "/" + module + "/" + run_id;
}

Plan make_plan(const Manifest& manifest, const Resolution& resolution, const std::string& run_id) {
  check(resolution.problems.empty(), "a plan is made of modules that are resolved");
  Plan plan;
  std::uint64_t artifacts = 0;
  std::uint64_t raw_copy = 0;
  bool all_known = true;
  for (const Target& target : resolution.targets) {
    const BackupClassRules* rules = find_class(target.backup_class);
    const std::optional<std::uint64_t> expected =
        rules->expected_bytes == nullptr ? std::nullopt : rules->expected_bytes(target);
    for (const v1::StepKind kind :
         {v1::STEP_KIND_CAPTURE, v1::STEP_KIND_VERIFY, v1::STEP_KIND_COMMIT}) {
      PlannedStep& planned = plan.steps.emplace_back();
      planned.step = step_for(manifest, target, kind, run_id);
      const bool known = kind == v1::STEP_KIND_COMMIT;
      const bool guessed = !target.inside || expected.has_value();
      planned.fidelity = known     ? v1::FIDELITY_EXACT
                         : guessed ? v1::FIDELITY_PREDICTED
                                   : v1::FIDELITY_UNKNOWN;
      if (kind == v1::STEP_KIND_CAPTURE) planned.expected_bytes = expected;
    }
    all_known = all_known && expected.has_value();
    artifacts += expected.value_or(0);
    const bool raw = rules->needs_raw_copy && manifest.compression != "none";
    if (raw) raw_copy = std::max(raw_copy, expected.value_or(0));
  }
  if (all_known) plan.space_needed_bytes = artifacts + raw_copy;
  plan.canonical = canonical_text(resolution, plan.steps);
  plan.digest = to_hex(sha256(plan.canonical));
  return plan;
}

std::vector<v1::Event> plan_events(const Plan& plan) {
  std::vector<v1::Event> events;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    v1::Event& event = events.emplace_back();
    event.set_module(plan.steps[i].step.module());
    v1::PlanStepProposed& body = *event.mutable_plan_step_proposed();
    body.set_index(static_cast<std::uint32_t>(i + 1));
    *body.mutable_step() = plan.steps[i].step;
    body.set_fidelity(plan.steps[i].fidelity);
    if (plan.steps[i].expected_bytes) body.set_expected_bytes(*plan.steps[i].expected_bytes);
  }
  v1::PlanSealed& sealed = *events.emplace_back().mutable_plan_sealed();
  sealed.set_digest(plan.digest);
  sealed.set_step_count(static_cast<std::uint32_t>(plan.steps.size()));
  if (plan.space_needed_bytes) sealed.set_space_needed_bytes(*plan.space_needed_bytes);
  sealed.set_canonical_sha256(std::string(as_bytes(sha256(plan.canonical))));
  return events;
}

namespace {

// "shop-db: image" of the qualified line "shop-db: image sha256:…"; empty where a line has no value
// of its own to change.
std::string_view key_of(std::string_view line) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return {};
  return line.substr(0, line.find(' ', colon + 2));
}

}  // namespace

std::vector<v1::Difference> compare_plans(std::string_view rehearsed, std::string_view now) {
  const std::vector<std::string> before = qualified_lines(rehearsed);
  const std::vector<std::string> after = qualified_lines(now);
  const std::multiset<std::string> before_set(before.begin(), before.end());
  const std::multiset<std::string> after_set(after.begin(), after.end());
  std::vector<v1::Difference> out;
  for (const std::string& text : before) {
    if (after_set.contains(text)) continue;
    v1::Difference& difference = out.emplace_back();
    difference.set_what("no longer so");
    difference.set_before(text);
  }
  for (const std::string& text : after) {
    if (before_set.contains(text)) continue;
    const auto changed = std::find_if(out.begin(), out.end(), [&](const v1::Difference& other) {
      return other.after().empty() && !key_of(text).empty() &&
             key_of(other.before()) == key_of(text);
    });
    const bool is_new = changed == out.end();
    v1::Difference& difference = is_new ? out.emplace_back() : *changed;
    difference.set_what(is_new ? "new" : "changed");
    difference.set_after(text);
  }
  if (out.empty() && rehearsed != now) out.emplace_back().set_what("the order of modules or steps");
  return out;
}

std::optional<std::string> refuse_root(const v1::PathObserved& root, const Plan& plan,
                                       std::uint64_t min_free_bytes) {
  const std::string path = inert(root.path());
  if (!root.error().empty()) return "the backup root " + path + ": " + inert(root.error());
  if (root.kind() != v1::PATH_KIND_DIRECTORY && root.kind() != v1::PATH_KIND_MISSING) {
    return "the backup root " + path + " is not a folder; correct [backup] root";
  }
  if (!root.writable()) {
    return "nothing can be written at " +
           inert(root.nearest_parent().empty() ? root.path() : root.nearest_parent()) +
           ", where the backup root " + path +
           " belongs: it is read-only or belongs to another user; correct [backup] root or its "
           "owner";
  }
  if (!root.has_free_bytes() || !plan.space_needed_bytes) return std::nullopt;
  const std::uint64_t needed = *plan.space_needed_bytes + min_free_bytes;
  if (root.free_bytes() >= needed) return std::nullopt;
  return "the file system of the backup root " + path + " has " + human_bytes(root.free_bytes()) +
         " free; the plan needs " + human_bytes(*plan.space_needed_bytes) + " and min_free keeps " +
         human_bytes(min_free_bytes) + "; free space or choose another root";
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace muniment
