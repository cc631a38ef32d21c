// A rehearsal asks an engine nothing but to be read: seen by a proxy, and by the engine itself.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/lab/lab_faults.h"
#include "tests/support/engine_proxy.h"

namespace muniment {
namespace {

constexpr const char* kModules = R"(
[[module]]
name = "shop-db"
container = { compose = "shop/db" }
[[module]]
name = "vault"
container = { compose = "vault/db" }
[[module]]
name = "cache"
container = { compose = "shop/cache" }
[[module]]
name = "sessions"
container = { compose = "shop/sessions" }
class = "redis"
auth = { user = "backup", password = "env:REDIS_BACKUP_PASSWORD" }
[[module]]
name = "notes"
container = { compose = "shop/notes" }
class = "sqlite"
paths = ["/data/app.db"]
[[module]]
name = "files"
container = { compose = "shop/files" }
class = "files"
paths = ["/srv/files", "/srv/papers"]
)";

std::string all_of(const std::vector<ProxiedRequest>& requests, bool refused_alone) {
  std::string out;
  for (const ProxiedRequest& request : requests) {
    if (refused_alone && !request.refused) continue;
    out += request.method + " " + request.target + "\n";
  }
  return out;
}

// Whether an event tells of a command or an archive that is no health check of the lab's own.
bool tells_of_a_command(const std::string& event) {
  if (!event.contains("exec_") && !event.contains("archive-path") && !event.contains("\"exec\"") &&
      !event.contains("extract-to-dir") && !event.contains("\"export\"")) {
    return false;
  }
  // The end of one names its container alone.
  if (event.contains("exec_die")) return false;
  return !event.contains("/bin/sh -c false") && !event.contains("pg_isready");
}

class ReadOnly : public testing::TestWithParam<const char*> {};

TEST_P(ReadOnly, RehearsalsAndResolveSendNothingButGetAndHead) {
  const Lab& engine = Lab::up(GetParam());
  MUNIMENT_NEED_LAB(engine);
  EngineProxy proxy(engine.socket());
  proxy.refuse_all_but_reading();
  const LabRun run(proxy.selector(), kModules);
  run.init();

  const long since = Lab::next_second();
  for (int i = 0; i < 3; ++i) {
    const Ran rehearsed = run.run({"backup", "--dry-run", "--all"});
    EXPECT_EQ(rehearsed.exit_code, 0) << rehearsed.out << rehearsed.err;
    for (const char* name : {"shop-db", "vault", "cache", "sessions", "notes", "files"}) {
      EXPECT_TRUE(rehearsed.out.contains(name)) << name;
    }
  }
  const Ran resolved = run.run({"resolve"});
  EXPECT_EQ(resolved.exit_code, 0) << resolved.out << resolved.err;
  const std::string events = engine.events(since);

  const std::vector<ProxiedRequest> requests = proxy.requests();
  EXPECT_GT(requests.size(), 30U);
  EXPECT_EQ(all_of(requests, true), "");
  for (const ProxiedRequest& request : requests) {
    const bool copies = request.method == "GET" && request.target.contains("/archive");
    EXPECT_FALSE(copies) << request.target;
  }
  for (const std::string& event : split(events, '\n'))
    EXPECT_FALSE(tells_of_a_command(event)) << event;
}

// The check above can fail: the same proxy, and events of the same engine.
TEST_P(ReadOnly, AnExecutionIsRefusedByTheProxyAndSeenInItsLog) {
  const Lab& engine = Lab::up(GetParam());
  MUNIMENT_NEED_LAB(engine);
  EngineProxy proxy(engine.socket());
  proxy.refuse_all_but_reading();
  const LabRun run(proxy.selector(), kModules);
  run.init();
  const Ran ran = run.run({"backup", "cache"});
  EXPECT_EQ(ran.exit_code, 1) << ran.out << ran.err;
  EXPECT_TRUE((ran.out + ran.err).contains("refused by the proxy")) << ran.out << ran.err;
  const std::string refused = all_of(proxy.requests(), true);
  EXPECT_TRUE(refused.starts_with("POST /v") && refused.contains("/exec\n")) << refused;

  const long since = Lab::next_second();
  ASSERT_TRUE(engine.done({"exec", "shop-files-1", "true"}));
  bool seen = false;
  for (const std::string& event : split(engine.events(since), '\n')) {
    seen = seen || tells_of_a_command(event);
  }
  EXPECT_TRUE(seen) << "a command leaves no event";
}

INSTANTIATE_TEST_SUITE_P(Engines, ReadOnly, testing::Values("docker", "podman"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace muniment
