#include "recorder/world/engine/engine_address.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <string_view>
#include <vector>

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::string_view kUnix = "unix://";
constexpr std::size_t kMostPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kMostShown = 200;

// What is wrong with it as the path of a socket; empty: nothing.
std::string fault_of(std::string_view path) {
  if (!path.starts_with('/')) return "it is no absolute path";
  if (path.size() > kMostPath) {
    return "a socket's path has at most " + std::to_string(kMostPath) + " bytes, this one has " +
           std::to_string(path.size());
  }
  if (path.find('\0') != std::string_view::npos) return "it holds a zero byte";
  return {};
}

// Why there is no socket at `path`; empty: there is one.
std::string absence_of(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) == 0) {
    return S_ISSOCK(facts.st_mode) ? std::string() : "is no socket";
  }
  if (errno == EACCES) return "may not be looked at";
  return "is not there";
}

Result<EngineAddress> from_docker_host(const std::string& host) {
  if (!host.starts_with(kUnix)) {
    // The rest may hold a password.
    const std::size_t end = host.find("://");
    const std::string scheme = end == std::string::npos ? "no URL" : host.substr(0, end);
    return fail(ErrorCode::kUnavailable,
                "DOCKER_HOST names another transport than unix (" + inert_short(scheme, 32) +
                    "); only local sockets are spoken to: unset it, or name a socket as `engine = "
                    "\"unix:///…\"` in the manifest");
  }
  const std::string path = host.substr(kUnix.size());
  if (const std::string fault = fault_of(path); !fault.empty()) {
    return fail(ErrorCode::kUnavailable, "DOCKER_HOST names " + inert_short(path, kMostShown) +
                                             ", but " + fault + "; correct or unset it");
  }
  return EngineAddress{path, "DOCKER_HOST"};
}

}  // namespace

Result<EngineAddress> find_engine(
    const std::string& selector,
    const std::function<std::optional<std::string>(const char* name)>& environment) {
  if (selector == "none") {
    return fail(ErrorCode::kInvalid,
                "the manifest says `engine = \"none\"`; name an engine where a container is meant");
  }
  if (selector != "auto") {
    const bool known = selector.starts_with(kUnix);
    const std::string path = known ? selector.substr(kUnix.size()) : std::string();
    const std::string fault = known ? fault_of(path) : "it is neither auto, none nor unix://";
    if (fault.empty()) return EngineAddress{path, "manifest"};
    return fail(ErrorCode::kInvalid, "the engine " + inert_short(selector, kMostShown) +
                                         " is none: " + fault +
                                         "; write \"auto\" or \"unix:///path/of/socket\"");
  }
  const std::optional<std::string> host = environment("DOCKER_HOST");
  if (host && !host->empty()) return from_docker_host(*host);

  std::vector<std::string> candidates = {"/run/docker.sock", "/var/run/docker.sock"};
  const std::optional<std::string> runtime = environment("XDG_RUNTIME_DIR");
  if (runtime && runtime->starts_with('/')) {
    candidates.push_back(*runtime + "/docker.sock");
    candidates.push_back(*runtime + "/podman/podman.sock");
  }
  candidates.emplace_back("/run/podman/podman.sock");
  std::string looked;
  for (const std::string& path : candidates) {
    std::string absence = fault_of(path);
    if (absence.empty()) absence = absence_of(path);
    if (absence.empty()) return EngineAddress{path, "first that is there"};
    looked += (looked.empty() ? "" : ", ") + inert_short(path, kMostShown) + " (" + absence + ")";
  }
  return fail(ErrorCode::kUnavailable, "no container engine was found; looked at " + looked +
                                           "; start it, or set DOCKER_HOST or `engine` in the "
                                           "manifest");
}

}  // namespace muniment
