// Resolution of a module in a container: one container or a typed failure, one class or a typed
// failure; never a guess.
#include <algorithm>

#include "recorder/core/container_match.h"
#include "recorder/core/detect.h"
#include "recorder/core/glob.h"
#include "recorder/core/resolve.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

void consider(v1::ModuleResolved& body, std::string what, std::string why_not) {
  v1::Considered& considered = *body.add_considered();
  considered.set_what(std::move(what));
  considered.set_why_not(std::move(why_not));
}

// The one that the selector names. Near misses become considered.
Result<const v1::ContainerObserved*> choose(const Module& module, const ContainersSeen& seen,
                                            v1::ModuleResolved& body, Refusal& refusal) {
  const std::string wanted = describe_selector(module.container);
  std::vector<const v1::ContainerObserved*> matches;
  bool one_off = false;
  for (const v1::ContainerObserved& container : seen.containers) {
    if (is_match(module.container, container)) {
      matches.push_back(&container);
      continue;
    }
    consider(body, short_name(container), near_miss(module.container, container));
    one_off = one_off || (container.compose_oneoff() && is_of_service(module.container, container));
  }
  if (matches.size() == 1) return matches.front();
  if (matches.empty() && one_off) {
    refusal = {v1::UNRESOLVED_REASON_ONE_OFF, "only a one-off container (compose run) matches " +
                                                  wanted + "; start the service itself"};
  } else if (matches.empty()) {
    refusal = {v1::UNRESOLVED_REASON_MISSING,
               "no container matches " + wanted +
                   (body.considered().empty() ? "" : "; near: " + body.considered(0).what()) +
                   "; start it, or correct `container`"};
  } else {
    std::string names;
    for (const v1::ContainerObserved* one : matches) {
      names += (names.empty() ? "" : ", ") + short_name(*one);
    }
    refusal = {v1::UNRESOLVED_REASON_AMBIGUOUS,
               std::to_string(matches.size()) + " containers match " + wanted + ": " + names +
                   "; name one of them with container = { name = \"…\" }"};
  }
  return fail(ErrorCode::kInvalid, refusal.detail);
}

// A label that gives the container to another module than the selector does.
std::optional<Refusal> refuse_other_module(const Module& module,
                                           const v1::ContainerObserved& container) {
  const auto label = container.muniment_labels().find("module");
  if (label == container.muniment_labels().end() || label->second == module.name) {
    return std::nullopt;
  }
  return Refusal{v1::UNRESOLVED_REASON_AMBIGUOUS,
                 "container " + short_name(container) + " says by its label that it is module " +
                     inert_short(label->second, 80) + "; correct the label or `container`"};
}

// The class: the manifest's, else the label's, else what all other rungs agree on.
v1::BackupClass decide_class(const Module& module, const std::vector<RungSays>& rungs,
                             v1::ModuleResolved& body, std::optional<Refusal>& refusal) {
  const bool written = module.backup_class != v1::BACKUP_CLASS_UNSPECIFIED;
  v1::BackupClass decided = module.backup_class;
  if (written) {
    body.set_rung(v1::RUNG_MANIFEST);
    body.set_evidence("class = \"" + class_word(decided) + "\" in the manifest");
  }
  const bool labelled = !rungs.empty() && rungs.front().rung == v1::RUNG_LABEL;
  if (!written && labelled && rungs.front().backup_class == v1::BACKUP_CLASS_UNSPECIFIED) {
    refusal = Refusal{v1::UNRESOLVED_REASON_UNKNOWN_CLASS,
                      rungs.front().evidence + " is no class; correct the label"};
    return decided;
  }
  for (const RungSays& says : rungs) {
    if (decided == v1::BACKUP_CLASS_UNSPECIFIED) {
      decided = says.backup_class;
      body.set_rung(says.rung);
      body.set_evidence(says.evidence);
      continue;
    }
    const std::string word = class_word(says.backup_class);
    const bool agrees = says.backup_class == decided;
    consider(body, word + ": " + says.evidence,
             agrees ? "agrees; a stronger rung had decided" : "a stronger rung had decided");
    if (agrees || written || labelled || refusal) continue;
    refusal = Refusal{v1::UNRESOLVED_REASON_AMBIGUOUS,
                      std::string(body.evidence()) + " says " + class_word(decided) + ", " +
                          says.evidence + " says " + word + "; write `class` in the manifest"};
  }
  return decided;
}

std::optional<Refusal> refuse_path(const v1::PathObserved& seen) {
  const std::string path = inert(seen.path());
  if (seen.kind() == v1::PATH_KIND_MISSING) {
    return Refusal{v1::UNRESOLVED_REASON_MISSING,
                   "there is nothing at " + path + " in the container; correct `paths`"};
  }
  if (seen.kind() == v1::PATH_KIND_UNREADABLE) {
    return Refusal{v1::UNRESOLVED_REASON_UNREADABLE,
                   path + " in the container cannot be read: " + inert(seen.error())};
  }
  return std::nullopt;
}

// "a, b" as its words.
std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, end);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty()) out.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::vector<std::string> label_list(const v1::ContainerObserved& container, const char* key) {
  const auto label = container.muniment_labels().find(key);
  if (label == container.muniment_labels().end()) return {};
  return split_list(label->second);
}

// The manifest's exclusions of volumes and mounts, as patterns over paths in the container.
std::vector<std::string> mount_exclusions(const Manifest& manifest,
                                          const v1::ContainerObserved& container) {
  std::vector<std::string> out;
  for (const Exclude& rule : manifest.excludes) {
    for (const v1::Mount& mount : container.mounts()) {
      const bool hit =
          (rule.kind == "volume" && mount.kind() == "volume" && mount.name() == rule.pattern) ||
          (rule.kind == "mount" && glob_match(rule.pattern, mount.destination()));
      if (hit) out.push_back(mount.destination() + "/**");
    }
  }
  return out;
}

Result<std::vector<std::string>> exclusions_inside(const ResolveInput& input, const Module& module,
                                                   const v1::ContainerObserved& container) {
  std::vector<std::string> out;
  if (module.exclude.empty()) out = label_list(container, "exclude");
  for (const std::string& pattern : out) {
    if (glob_error(pattern).empty()) continue;
    return fail(ErrorCode::kInvalid, "label muniment.exclude of " + short_name(container) +
                                         " has the pattern " + inert_short(pattern, 80) +
                                         ", which " + std::string(glob_error(pattern)) +
                                         "; correct the label");
  }
  for (std::string& pattern : exclusions_of(input.manifest, module)) {
    out.push_back(std::move(pattern));
  }
  for (std::string& pattern : mount_exclusions(input.manifest, container)) {
    out.push_back(std::move(pattern));
  }
  return out;
}

std::optional<Refusal> refuse_emptied(const Target& target) {
  if (target.backup_class != v1::BACKUP_CLASS_FILES) return std::nullopt;
  for (const v1::PathObserved& seen : target.inside->paths) {
    const bool gone =
        std::any_of(target.exclude.begin(), target.exclude.end(),
                    [&](const std::string& pattern) { return glob_match(pattern, seen.path()); });
    if (!gone) return std::nullopt;
  }
  return Refusal{v1::UNRESOLVED_REASON_EMPTIED,
                 "the exclusions leave none of its paths; narrow them"};
}

Refusal unsupported(v1::BackupClass id) {
  return {v1::UNRESOLVED_REASON_UNSUPPORTED,
          "this release cannot capture class " + class_word(id) +
              " in a container; name the other modules, or use a newer muniment"};
}

}  // namespace

Fate judge_container(const ResolveInput& input, const Module& module, v1::ModuleResolved& body) {
  static const ContainersSeen kNothing;
  const auto found = input.inside.find(module.name);
  const ContainersSeen& seen = found == input.inside.end() ? kNothing : found->second;
  if (!seen.engine_error.empty()) {
    return {Refusal{v1::UNRESOLVED_REASON_ENGINE, seen.engine_error}, {}};
  }
  Refusal none_or_many;
  const Result<const v1::ContainerObserved*> chosen = choose(module, seen, body, none_or_many);
  if (!chosen) return {none_or_many, {}};
  const v1::ContainerObserved& container = **chosen;
  if (auto refusal = refuse_other_module(module, container)) return {refusal, {}};
  Target target;
  target.inside = ContainerSight{.container = container, .paths = seen.paths};
  std::optional<Refusal> refusal;
  target.backup_class = decide_class(module, climb_ladder(*target.inside), body, refusal);
  if (refusal) return {refusal, {}};
  if (target.backup_class == v1::BACKUP_CLASS_UNSPECIFIED) {
    return {Refusal{v1::UNRESOLVED_REASON_UNKNOWN_CLASS,
                    "nothing says what keeps data in container " + short_name(container) +
                        ": neither image " + inert_short(container.image(), 120) +
                        " nor its environment nor its mounts; write `class`"},
            {}};
  }
  const BackupClassRules* rules = find_class(target.backup_class);
  if (rules == nullptr || rules->refuse_inside == nullptr) {
    return {unsupported(target.backup_class), {}};
  }
  const bool wants_path = rules->refuse != nullptr;
  const AskedPaths asked = asked_paths(module, container);
  if (wants_path && asked.refusal) return {asked.refusal, {}};
  if (wants_path && asked.paths.empty()) {
    return {Refusal{v1::UNRESOLVED_REASON_MISSING,
                    "class " + class_word(rules->id) + " in a container needs `paths`; write them"},
            {}};
  }
  for (const v1::PathObserved& path : target.inside->paths) {
    if (auto refused = refuse_path(path)) return {refused, {}};
  }
  if (auto refused = rules->refuse_inside(module, *target.inside)) return {refused, {}};
  Result<std::vector<std::string>> exclude = exclusions_inside(input, module, container);
  if (!exclude) return {Refusal{v1::UNRESOLVED_REASON_WRONG_KIND, exclude.error().message}, {}};
  target.exclude = std::move(*exclude);
  if (auto refused = refuse_emptied(target)) return {refused, {}};
  target.allow_empty = module.allow_empty;
  target.databases =
      module.databases.empty() ? label_list(container, "databases") : module.databases;
  target.globals = module.globals.value_or(true);
  target.auth = module.auth;
  body.set_backup_class(target.backup_class);
  body.add_container_ids(container.container_id());
  for (const v1::PathObserved& path : target.inside->paths) body.add_paths(path.path());
  return {std::nullopt, std::move(target)};
}

}  // namespace muniment
