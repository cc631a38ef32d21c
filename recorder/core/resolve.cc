#include "recorder/core/resolve.h"

#include <algorithm>

#include "recorder/core/container_match.h"
#include "recorder/core/glob.h"
#include "recorder/core/paths.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

v1::Event excluded(const Module& module, std::string rule, std::string match, std::string reason) {
  v1::Event event;
  event.set_module(module.name);
  v1::ModuleExcluded& body = *event.mutable_module_excluded();
  body.set_rule(std::move(rule));
  body.set_match(std::move(match));
  body.set_reason(std::move(reason));
  return event;
}

const Member* find_membership(const Manifest& manifest, const Module& module, std::string& owner) {
  for (const Module& other : manifest.modules) {
    for (const Member& member : other.members) {
      if (member.module != module.name) continue;
      owner = other.name;
      return &member;
    }
  }
  return nullptr;
}

// The container, where there is exactly one.
const v1::ContainerObserved* container_of(const ResolveInput& input, const Module& module) {
  const auto seen = input.inside.find(module.name);
  return seen == input.inside.end() ? nullptr : only_match(seen->second.containers);
}

std::optional<v1::Event> exclusion_event(const ResolveInput& input, const Module& module) {
  for (const Exclude& rule : input.manifest.excludes) {
    if (excludes_module(rule, module, container_of(input, module))) {
      return excluded(module, rule.id, rule.kind + " " + rule.pattern, rule.reason);
    }
  }
  if (module.backup_class == v1::BACKUP_CLASS_NONE) {
    return excluded(module, "class none", module.name, module.reason);
  }
  std::string owner;
  if (input.all && find_membership(input.manifest, module, owner) != nullptr) {
    return excluded(module, "member", owner, "captured as a member of " + owner);
  }
  return std::nullopt;
}

Refusal unsupported(const Module& module) {
  const std::string what = module.backup_class == v1::BACKUP_CLASS_UNSPECIFIED
                               ? "modules without a place"
                               : "modules of class " + class_word(module.backup_class);
  return {v1::UNRESOLVED_REASON_UNSUPPORTED,
          "this release reads and checks " + what +
              " but cannot act on them; name the other modules, or use a newer muniment"};
}

std::optional<Refusal> refuse_unseen(const Module& module, const v1::PathObserved& seen) {
  const std::string path = inert(module.host_path);
  if (seen.kind() == v1::PATH_KIND_MISSING) {
    return Refusal{v1::UNRESOLVED_REASON_MISSING,
                   "there is nothing at " + path + "; correct host.path or restore the file"};
  }
  if (seen.kind() == v1::PATH_KIND_UNREADABLE) {
    return Refusal{
        v1::UNRESOLVED_REASON_UNREADABLE,
        path + " cannot be read: " + inert(seen.error()) + "; run as a user who may read it"};
  }
  return std::nullopt;
}

std::optional<Refusal> refuse_overlap(const ResolveInput& input, const v1::PathObserved& seen) {
  for (const std::string& path : input.protected_paths) {
    if (path.empty() || !is_within(path, seen.path())) continue;
    return Refusal{v1::UNRESOLVED_REASON_OVERLAPS,
                   inert(seen.path()) + " holds " + inert(path) +
                       ", where muniment itself writes; move one of them"};
  }
  return std::nullopt;
}

// The ladder: the manifest's class, else what the content says. No rung: unknown.
const BackupClassRules* climb(const Module& module, const v1::PathObserved& seen,
                              v1::ModuleResolved& body) {
  if (module.backup_class != v1::BACKUP_CLASS_UNSPECIFIED) {
    body.set_rung(v1::RUNG_MANIFEST);
    body.set_evidence("class = \"" + class_word(module.backup_class) + "\" in the manifest");
    return find_class(module.backup_class);
  }
  for (const BackupClassRules* rules : all_classes()) {
    if (rules->refuse == nullptr) continue;
    if (rules->recognise != nullptr && rules->recognise(seen)) {
      body.set_rung(v1::RUNG_HEADER);
      body.set_evidence("the content of the file says " + class_word(rules->id));
      return rules;
    }
    v1::Considered& considered = *body.add_considered();
    considered.set_what(class_word(rules->id));
    considered.set_why_not("the content of " + inert(seen.path()) + " does not say so");
  }
  return nullptr;
}

std::optional<Refusal> refuse_unused_exclusion(const ResolveInput& input, const Module& module,
                                               const v1::PathObserved& seen) {
  if (!input.all || module.backup_class != v1::BACKUP_CLASS_FILES) return std::nullopt;
  const auto own = static_cast<int>(module.exclude.size());
  for (int i = 0; i < std::min(own, seen.tree().exclusion_hits_size()); ++i) {
    if (seen.tree().exclusion_hits(i) > 0) continue;
    return Refusal{v1::UNRESOLVED_REASON_EMPTIED,
                   "the exclusion " + inert(module.exclude[static_cast<std::size_t>(i)]) +
                       " matches nothing; correct or remove it"};
  }
  return std::nullopt;
}

// Fills in everything of `body` but the considered rungs of a refusal.
Fate judge_host(const ResolveInput& input, const Module& module, v1::ModuleResolved& body) {
  const v1::PathObserved& seen = input.seen.at(module.name);
  if (auto refusal = refuse_unseen(module, seen)) return {refusal, {}};
  const BackupClassRules* rules = climb(module, seen, body);
  if (rules == nullptr && module.backup_class != v1::BACKUP_CLASS_UNSPECIFIED) {
    return {unsupported(module), {}};
  }
  if (rules == nullptr) {
    return {Refusal{v1::UNRESOLVED_REASON_UNKNOWN_CLASS,
                    "nothing says what keeps data at " + inert(seen.path()) +
                        "; write class = \"sqlite\" or class = \"files\""},
            {}};
  }
  if (rules->refuse == nullptr) return {unsupported(module), {}};
  if (auto refusal = rules->refuse(module, seen)) return {refusal, {}};
  if (auto refusal = refuse_overlap(input, seen)) return {refusal, {}};
  if (auto refusal = refuse_unused_exclusion(input, module, seen)) return {refusal, {}};
  body.set_backup_class(rules->id);
  body.add_paths(seen.path());
  Target target;
  target.backup_class = rules->id;
  target.seen = seen;
  target.exclude = exclusions_of(input.manifest, module);
  return {std::nullopt, std::move(target)};
}

Fate judge(const ResolveInput& input, const Module& module, v1::ModuleResolved& body) {
  if (is_host_module(module)) return judge_host(input, module, body);
  if (is_container_module(module)) return judge_container(input, module, body);
  return {unsupported(module), {}};
}

void resolve_one(const ResolveInput& input, const Module& module, Resolution& out) {
  v1::Event& event = out.events.emplace_back();
  event.set_module(module.name);
  v1::ModuleResolved body;
  Fate fate = judge(input, module, body);
  if (fate.refusal) {
    v1::ModuleUnresolved& unresolved = *event.mutable_module_unresolved();
    unresolved.set_reason(fate.refusal->reason);
    unresolved.set_detail(fate.refusal->detail);
    *unresolved.mutable_near_misses() = body.considered();
    out.problems.push_back(module.name + ": " + fate.refusal->detail);
    return;
  }
  *event.mutable_module_resolved() = std::move(body);
  fate.target.module = module.name;
  fate.target.gate = module.gate;
  out.targets.push_back(std::move(fate.target));
}

// With --all, a rule of the manifest that matches nothing at all is a mistake somewhere.
void find_idle_rules(const ResolveInput& input, Resolution& out) {
  if (!input.all) return;
  for (const Exclude& rule : input.manifest.excludes) {
    if (rule.kind != "path") continue;
    const bool blind =
        std::any_of(out.targets.begin(), out.targets.end(), [](const Target& target) {
          return target.inside && target.backup_class == v1::BACKUP_CLASS_FILES;
        });
    if (blind) continue;  // what it hits in a container is seen when that is read
    bool hit = std::any_of(out.events.begin(), out.events.end(), [&](const v1::Event& event) {
      return event.module_excluded().rule() == rule.id;
    });
    for (const Target& target : out.targets) {
      for (std::size_t i = 0; i < target.exclude.size() && !hit; ++i) {
        const auto row = static_cast<int>(i);
        hit = target.exclude[i] == rule.pattern && row < target.seen.tree().exclusion_hits_size() &&
              target.seen.tree().exclusion_hits(row) > 0;
      }
    }
    if (!hit) {
      out.problems.push_back("the exclusion " + rule.id + " (" + inert(rule.pattern) +
                             ") matches nothing; correct or remove it");
    }
  }
}

}  // namespace

bool is_host_module(const Module& module) {
  return !module.host_path.empty() && module.backup_class != v1::BACKUP_CLASS_COMPOSITE;
}

bool is_container_module(const Module& module) {
  return !module.container.empty() && module.backup_class != v1::BACKUP_CLASS_COMPOSITE &&
         module.backup_class != v1::BACKUP_CLASS_NONE;
}

bool excludes_module(const Exclude& rule, const Module& module,
                     const v1::ContainerObserved* container) {
  if (rule.kind == "module") return rule.pattern == module.name;
  if (rule.kind == "path") {
    return !module.host_path.empty() && glob_match(rule.pattern, module.host_path);
  }
  if (rule.kind == "service") {
    const std::string& service = module.container.compose_service;
    return !service.empty() && (rule.pattern == service ||
                                rule.pattern == module.container.compose_project + "/" + service);
  }
  if (rule.kind != "label" || container == nullptr) return false;
  const auto& labels = container->labels_asked();
  return std::find(labels.begin(), labels.end(), rule.pattern) != labels.end();
}

Result<std::vector<const Module*>> select_modules(const Manifest& manifest,
                                                  const Selection& selection) {
  std::vector<const Module*> out;
  std::vector<std::string_view> names;
  for (const Module& module : manifest.modules) names.emplace_back(module.name);
  for (const std::string& name : selection.modules) {
    if (manifest.find(name) != nullptr) continue;
    const std::string near = nearest_word(name, names);
    return fail(ErrorCode::kInvalid, "no module `" + inert_short(name, 80) + "` in the manifest" +
                                         (near.empty() ? "; `muniment resolve` lists them"
                                                       : "; did you mean `" + near + "`?"));
  }
  for (const Module& module : manifest.modules) {
    const auto named = std::find(selection.modules.begin(), selection.modules.end(), module.name);
    if (selection.all || named != selection.modules.end()) out.push_back(&module);
  }
  if (out.empty()) {
    return fail(ErrorCode::kInvalid, manifest.modules.empty()
                                         ? "the manifest has no [[module]]; add one"
                                         : "no module named; name modules or say --all");
  }
  return out;
}

std::vector<std::string> exclusions_of(const Manifest& manifest, const Module& module) {
  std::vector<std::string> patterns = module.exclude;
  for (const Exclude& rule : manifest.excludes) {
    if (rule.kind == "path") patterns.push_back(rule.pattern);
  }
  return patterns;
}

Resolution resolve(const ResolveInput& input) {
  Resolution out;
  for (const Module* module : input.modules) {
    if (std::optional<v1::Event> event = exclusion_event(input, *module)) {
      out.events.push_back(std::move(*event));
    } else {
      resolve_one(input, *module, out);
    }
  }
  find_idle_rules(input, out);
  if (out.targets.empty() && out.problems.empty()) {
    out.problems.emplace_back("every module asked for is excluded: nothing is left to back up");
  }
  return out;
}

}  // namespace muniment
