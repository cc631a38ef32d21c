#include "recorder/core/container_match.h"

#include <algorithm>

#include "recorder/core/text.h"

namespace muniment {
namespace {

// "shop_db_1" and "Shop-DB-1" are what a person may have meant by "shop-db-1".
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '-' || c == '_' || c == '.' || c == '/') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

bool is_similar(std::string_view a, std::string_view b) {
  const std::string one = folded(a);
  const std::string other = folded(b);
  if (one.empty() || other.empty()) return false;
  if (one.contains(other) || other.contains(one)) return true;
  return !nearest_word(one, std::vector<std::string_view>{other}).empty();
}

}  // namespace

std::string describe_selector(const ContainerSelector& selector) {
  if (!selector.compose_service.empty()) {
    return "compose " + inert(selector.compose_project) + "/" + inert(selector.compose_service);
  }
  if (!selector.name.empty()) return "name " + inert(selector.name);
  return "label " + inert(selector.label);
}

bool is_of_service(const ContainerSelector& selector, const v1::ContainerObserved& container) {
  return container.compose_project() == selector.compose_project &&
         container.compose_service() == selector.compose_service;
}

const v1::ContainerObserved* only_match(const std::vector<v1::ContainerObserved>& containers) {
  const v1::ContainerObserved* found = nullptr;
  for (const v1::ContainerObserved& container : containers) {
    if (!container.inspected()) continue;
    if (found != nullptr) return nullptr;
    found = &container;
  }
  return found;
}

bool is_match(const ContainerSelector& selector, const v1::ContainerObserved& container) {
  if (!selector.compose_service.empty()) {
    return is_of_service(selector, container) && !container.compose_oneoff();
  }
  if (!selector.name.empty()) return container.name() == selector.name;
  const auto& labels = container.labels_asked();
  return std::find(labels.begin(), labels.end(), selector.label) != labels.end();
}

std::vector<std::string> labels_named(const Manifest& manifest) {
  std::vector<std::string> out;
  for (const Module& module : manifest.modules) {
    if (!module.container.label.empty()) out.push_back(module.container.label);
  }
  for (const Exclude& rule : manifest.excludes) {
    if (rule.kind == "label") out.push_back(rule.pattern);
  }
  return out;
}

std::string near_miss(const ContainerSelector& selector, const v1::ContainerObserved& container) {
  if (!selector.compose_service.empty()) {
    if (is_of_service(selector, container)) {
      return container.compose_oneoff() ? "a one-off container of the service" : "";
    }
    if (container.compose_project() == selector.compose_project &&
        is_similar(container.compose_service(), selector.compose_service)) {
      return "another service of the project: " + inert(container.compose_service());
    }
    if (container.compose_service() == selector.compose_service) {
      return "the same service of another project: " + inert(container.compose_project());
    }
    if (is_similar(container.name(), selector.compose_project + selector.compose_service)) {
      return "a similar name, without that project and service";
    }
    return "";
  }
  if (!selector.name.empty()) {
    return is_similar(container.name(), selector.name) ? "a similar name" : "";
  }
  return "";
}

AskedPaths asked_paths(const Module& module, const v1::ContainerObserved& container) {
  AskedPaths out{.paths = module.paths, .refusal = {}};
  for (const std::string& volume : module.volumes) {
    const auto& mounts = container.mounts();
    const auto mount = std::find_if(mounts.begin(), mounts.end(), [&](const v1::Mount& one) {
      return one.kind() == "volume" && one.name() == volume;
    });
    if (mount != mounts.end()) {
      out.paths.push_back(mount->destination());
      continue;
    }
    std::string has;
    for (const v1::Mount& one : mounts) {
      if (one.kind() == "volume") has += (has.empty() ? "" : ", ") + inert_short(one.name(), 80);
    }
    out.refusal = Refusal{v1::UNRESOLVED_REASON_MISSING,
                          "container " + short_name(container) + " has no volume " + inert(volume) +
                              "; it has " + (has.empty() ? "none" : has) + "; correct `volumes`"};
  }
  return out;
}

std::optional<Refusal> refuse_to_run(const v1::ContainerObserved& container) {
  const std::string name = "container " + short_name(container);
  const std::string& state = container.state();
  if (state == "paused") {
    return Refusal{v1::UNRESOLVED_REASON_PAUSED,
                   name + " is paused, so that no command can run in it; unpause it"};
  }
  if (state != "running") {
    return Refusal{v1::UNRESOLVED_REASON_STOPPED,
                   name + " is " + inert(state.empty() ? "in no known state" : state) +
                       ", so that no command can run in it; start it"};
  }
  if (container.health() == "unhealthy") {
    return Refusal{v1::UNRESOLVED_REASON_UNHEALTHY,
                   name + " is unhealthy by its own check; repair it before it is backed up"};
  }
  return std::nullopt;
}

std::string short_name(const v1::ContainerObserved& container) {
  return inert_short(container.name(), 120) + " (" + inert(container.container_id().substr(0, 12)) +
         ")";
}

}  // namespace muniment
