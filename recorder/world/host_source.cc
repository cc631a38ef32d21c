#include "recorder/world/host_source.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "recorder/world/path_facts.h"

namespace muniment {
namespace {

v1::Event event_of(v1::PathObserved seen) {
  v1::Event event;
  *event.mutable_path_observed() = std::move(seen);
  return event;
}

std::unexpected<Error> no_engine() {
  return fail(ErrorCode::kUnavailable, "no container engine is known here; run where one is");
}

struct Observe {
  using Events = Result<std::vector<v1::Event>>;
  Events operator()(const EngineQuery& /*query*/) const {
    v1::Event event;
    event.mutable_engine_observed()->set_error(no_engine().error().message);
    return Events({std::move(event)});
  }
  Events operator()(const ContainerQuery& /*query*/) const { return no_engine(); }
  Events operator()(const ContainerPathQuery& /*query*/) const { return no_engine(); }
  Events operator()(const PathQuery& query) const {
    return Events({event_of(observe_source(query.path, query.exclude))});
  }
  Events operator()(const RootQuery& query) const {
    return Events({event_of(observe_backup_root(query.root))});
  }
  Events operator()(const LeftBehindQuery& query) const {
    std::vector<v1::Event> events;
    for (v1::PathObserved& seen : observe_left_behind(query.root)) {
      events.push_back(event_of(std::move(seen)));
    }
    return events;
  }
};

class HostSource : public Source {
 public:
  Result<std::vector<v1::Event>> observe(const Query& query) override {
    return std::visit(Observe{}, query);
  }
};

}  // namespace

std::unique_ptr<Source> make_host_source() {
  return std::make_unique<HostSource>();
}

}  // namespace muniment
