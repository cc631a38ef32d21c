// Which container a selector means, and whether it can be worked with. Pure.
#ifndef MUNIMENT_RECORDER_CORE_CONTAINER_MATCH_H_
#define MUNIMENT_RECORDER_CORE_CONTAINER_MATCH_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "muniment/v1/resolution.pb.h"
#include "recorder/core/backup_class.h"
#include "recorder/core/manifest.h"
#include "recorder/core/result.h"

namespace muniment {

// "compose shop/db", "name shop-db-1", "label tier=db".
std::string describe_selector(const ContainerSelector& selector);

// Whether it is the one, by the words of the selector alone. One-off containers (`compose run`) of
// a service are not the service: they match by name or label only.
bool is_match(const ContainerSelector& selector, const v1::ContainerObserved& container);

// The one that was inspected, which is to say that it matches; nullptr where none or several do.
const v1::ContainerObserved* only_match(const std::vector<v1::ContainerObserved>& containers);

// Whether it is of the selector's compose service, one-off or not.
bool is_of_service(const ContainerSelector& selector, const v1::ContainerObserved& container);

// Why one that does not match was almost meant; empty: it was not. "another service of the
// project", "a one-off container of the service", "a similar name".
std::string near_miss(const ContainerSelector& selector, const v1::ContainerObserved& container);

// "key=value" of every label that the manifest names: those of selectors and of exclusions.
std::vector<std::string> labels_named(const Manifest& manifest);

// The paths in the container that a module asks for: `paths` as written, then for each of `volumes`
// where the container has it. Refused: a volume that the container does not have.
struct AskedPaths {
  std::vector<std::string> paths;
  std::optional<Refusal> refusal;
};
AskedPaths asked_paths(const Module& module, const v1::ContainerObserved& container);

// Why no command can run in it: stopped, paused, restarting, unhealthy. Absent: one can.
std::optional<Refusal> refuse_to_run(const v1::ContainerObserved& container);

// "shop-db-1 (0123456789ab)", inert.
std::string short_name(const v1::ContainerObserved& container);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_CONTAINER_MATCH_H_
