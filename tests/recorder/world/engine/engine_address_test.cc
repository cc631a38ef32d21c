#include "recorder/world/engine/engine_address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

using Environment = std::map<std::string, std::string>;

Result<EngineAddress> find(const std::string& selector, const Environment& set = {}) {
  return find_engine(selector, [&](const char* name) -> std::optional<std::string> {
    const auto found = set.find(name);
    return found == set.end() ? std::nullopt : std::optional(found->second);
  });
}

void make_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  ::close(fd);
}

// The engines that this machine itself has come first.
std::string engine_of_this_machine() {
  std::error_code none;
  for (const char* const path : {"/run/docker.sock", "/var/run/docker.sock"}) {
    if (std::filesystem::is_socket(path, none)) return path;
  }
  return {};
}

TEST(EngineAddress, TakesTheManifestsWordWithoutLooking) {
  const Result<EngineAddress> found =
      find("unix:///nowhere/engine.sock", {{"DOCKER_HOST", "tcp://10.0.0.1:2375"}});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->socket, "/nowhere/engine.sock");
  EXPECT_EQ(found->because, "manifest");
}

TEST(EngineAddress, RefusesWhatIsNoSelector) {
  const std::string too_long = "unix:///" + std::string(107, 'x');
  for (const std::string& selector :
       {std::string("none"), std::string("tcp://10.0.0.1:2375"),
        std::string("unix://run/docker.sock"), std::string(""), std::string("docker"), too_long}) {
    const Result<EngineAddress> found = find(selector);
    ASSERT_FALSE(found) << selector;
    EXPECT_EQ(found.error().code, ErrorCode::kInvalid) << selector;
  }
  EXPECT_TRUE(find(too_long.substr(0, too_long.size() - 1)));
}

TEST(EngineAddress, PrefersDockerHostToWhatIsThere) {
  TempDir dir;
  make_socket(dir / "docker.sock");
  const Result<EngineAddress> found =
      find("auto", {{"DOCKER_HOST", "unix:///other/engine.sock"}, {"XDG_RUNTIME_DIR", dir.path}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->socket, "/other/engine.sock");
  EXPECT_EQ(found->because, "DOCKER_HOST");
}

TEST(EngineAddress, RefusesAnotherTransportWithoutPrintingIt) {
  for (const char* const host : {"ssh://root:hunter2@host", "tcp://hunter2:1", "unix://hunter2"}) {
    const Result<EngineAddress> found = find("auto", {{"DOCKER_HOST", host}});
    ASSERT_FALSE(found) << host;
    EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(found.error().message.find("DOCKER_HOST"), std::string::npos);
  }
  const Result<EngineAddress> found = find("auto", {{"DOCKER_HOST", "ssh://root:hunter2@host"}});
  EXPECT_EQ(found.error().message.find("hunter2"), std::string::npos);
}

TEST(EngineAddress, TakesTheFirstSocketThatIsThere) {
  TempDir dir;
  const Environment set = {{"XDG_RUNTIME_DIR", dir.path}, {"DOCKER_HOST", ""}};
  const std::string own = engine_of_this_machine();
  std::filesystem::create_directories(dir / "podman");
  make_socket(dir / "podman/podman.sock");
  // A folder of that name is what an engine leaves that was to mount a socket before it was there.
  std::filesystem::create_directories(dir / "docker.sock");
  const Result<EngineAddress> second = find("auto", set);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->socket, own.empty() ? dir / "podman/podman.sock" : own);
  std::filesystem::remove(dir / "docker.sock");
  make_socket(dir / "docker.sock");
  const Result<EngineAddress> first = find("auto", set);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->socket, own.empty() ? dir / "docker.sock" : own);
  EXPECT_EQ(first->because, "first that is there");
}

TEST(EngineAddress, SaysWhereItLooked) {
  std::error_code none;
  if (!engine_of_this_machine().empty() ||
      std::filesystem::is_socket("/run/podman/podman.sock", none)) {
    GTEST_SKIP() << "an engine runs on this machine";
  }
  TempDir dir;
  const Result<EngineAddress> found = find("auto", {{"XDG_RUNTIME_DIR", dir.path}});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  for (const std::string& path :
       {std::string("/run/docker.sock"), std::string("/var/run/docker.sock"), dir / "docker.sock",
        dir / "podman/podman.sock", std::string("/run/podman/podman.sock")}) {
    EXPECT_NE(found.error().message.find(path), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace muniment
