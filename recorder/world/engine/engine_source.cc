// The host and its container engine as a Source.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/container_match.h"
#include "recorder/core/text.h"
#include "recorder/world/engine/engine_reader.h"
#include "recorder/world/engine/mount_path.h"
#include "recorder/world/host_source.h"
#include "recorder/world/path_facts.h"

namespace muniment {
namespace {

using Events = Result<std::vector<v1::Event>>;

constexpr std::size_t kMostNearMisses = 8;

class EngineSource : public Source {
 public:
  EngineSource(EngineChoice choice, Redactor& secrets)
      : choice_(std::move(choice)), secrets_(secrets), host_(make_host_source()) {}

  Events observe(const Query& query) override {
    if (std::holds_alternative<EngineQuery>(query)) return observe_engine();
    if (const auto* asked = std::get_if<ContainerQuery>(&query)) return find(asked->selector);
    if (const auto* asked = std::get_if<ContainerPathQuery>(&query)) return look_at(*asked);
    return host_->observe(query);
  }

 private:
  Events observe_engine();
  Events find(const ContainerSelector& selector);
  Events look_at(const ContainerPathQuery& query);
  Status connect();
  // The list of the run's first question: one moment for all modules.
  Status list();
  Result<v1::ContainerObserved> inspect(const std::string& container_id);
  Status add_image_names(v1::ContainerObserved& container);
  Result<std::string> find_tool(const std::string& container_id);

  EngineChoice choice_;
  Redactor& secrets_;
  std::unique_ptr<Source> host_;
  std::unique_ptr<EngineReader> engine_;
  std::optional<std::vector<v1::ContainerObserved>> listed_;
};

Status EngineSource::connect() {
  if (engine_) return {};
  Result<EngineAddress> address = find_engine(choice_.selector, choice_.environment);
  if (!address) return pass(address);
  Result<std::unique_ptr<EngineReader>> engine = EngineReader::connect(*address);
  if (!engine) return pass(engine);
  engine_ = std::move(*engine);
  engine_->ask_for_labels(choice_.labels);
  return {};
}

Events EngineSource::observe_engine() {
  v1::Event event;
  v1::EngineObserved& seen = *event.mutable_engine_observed();
  const Status connected = connect();
  const Status answered = connected ? list() : connected;
  seen.set_reachable(answered.has_value());
  if (engine_) *seen.mutable_engine() = engine_->facts();
  if (!answered) seen.set_error(secrets_.redact(answered.error().message));
  seen.mutable_engine()->set_selector(choice_.selector);
  return Events({std::move(event)});
}

Status EngineSource::list() {
  if (listed_) return {};
  Result<std::vector<v1::ContainerObserved>> all = engine_->list();
  if (!all) return pass(all);
  listed_ = std::move(*all);
  return {};
}

// An image that lost its name is known by others: the class may hang on it.
Status EngineSource::add_image_names(v1::ContainerObserved& container) {
  if (!container.image().starts_with("sha256:")) return {};
  Result<EngineReader::ImageNames> names = engine_->image(container.image_id());
  if (!names && names.error().code == ErrorCode::kNotFound) return {};
  if (!names) return pass(names);
  for (std::string& name : names->tags) container.add_image_names(std::move(name));
  for (std::string& name : names->digests) container.add_image_names(std::move(name));
  return {};
}

Result<v1::ContainerObserved> EngineSource::inspect(const std::string& container_id) {
  Result<InspectedContainer> seen = engine_->inspect(container_id);
  if (!seen) return pass(seen);
  teach_secrets(*seen, secrets_);
  if (Status named = add_image_names(seen->observed); !named) return pass(named);
  return std::move(seen->observed);
}

Events EngineSource::find(const ContainerSelector& selector) {
  if (Status connected = connect(); !connected) return pass(connected);
  if (Status listed = list(); !listed) return pass(listed);
  std::vector<v1::Event> events;
  std::vector<v1::Event> near;
  for (const v1::ContainerObserved& container : *listed_) {
    if (!is_match(selector, container)) {
      if (near.size() < kMostNearMisses && !near_miss(selector, container).empty()) {
        *near.emplace_back().mutable_container_observed() = container;
      }
      continue;
    }
    Result<v1::ContainerObserved> seen = inspect(container.container_id());
    // Gone since it was listed: it is no match any more.
    if (!seen && seen.error().code == ErrorCode::kNotFound) continue;
    if (!seen) return pass(seen);
    *events.emplace_back().mutable_container_observed() = std::move(*seen);
  }
  for (v1::Event& event : near) events.push_back(std::move(event));
  return events;
}

Result<std::string> EngineSource::find_tool(const std::string& container_id) {
  constexpr std::array kPlaces = {"/usr/bin/sqlite3", "/usr/local/bin/sqlite3", "/bin/sqlite3"};
  for (const char* place : kPlaces) {
    const Result<std::optional<ContainerPath>> seen = engine_->stat_path(container_id, place);
    if (!seen) return std::unexpected(seen.error());
    if (*seen && (*seen)->kind != v1::PATH_KIND_DIRECTORY) return std::string(place);
  }
  return std::string();
}

Events EngineSource::look_at(const ContainerPathQuery& query) {
  if (Status connected = connect(); !connected) return pass(connected);
  const std::string& id = query.container.container_id();
  v1::Event event;
  v1::PathObserved& seen = *event.mutable_path_observed();
  const Result<std::optional<ContainerPath>> stat = engine_->stat_path(id, query.path);
  if (!stat) return std::unexpected(stat.error());
  const std::string host = host_path_of(query.container, query.path);
  const bool is_file = *stat && (*stat)->kind == v1::PATH_KIND_REGULAR;
  // The header, and what only the host's file says: owner, WAL.
  if (is_file && !host.empty()) seen = observe_source(host, {});
  seen.clear_tree();
  seen.set_role(v1::PATH_ROLE_SOURCE);
  seen.set_path(query.path);
  seen.set_container_id(id);
  seen.set_kind(*stat ? (*stat)->kind : v1::PATH_KIND_MISSING);
  if (!*stat) return Events({std::move(event)});
  seen.set_file_mode((*stat)->mode);
  seen.set_size_bytes((*stat)->size_bytes);
  if (!is_file) return Events({std::move(event)});
  seen.set_host_path(host);
  if (host.empty()) {
    Result<std::string> tool = find_tool(id);
    if (!tool) return pass(tool);
    seen.set_sqlite_tool(std::move(*tool));
  }
  return Events({std::move(event)});
}

}  // namespace

std::unique_ptr<Source> make_engine_source(EngineChoice choice, Redactor& secrets) {
  return std::make_unique<EngineSource>(std::move(choice), secrets);
}

}  // namespace muniment
