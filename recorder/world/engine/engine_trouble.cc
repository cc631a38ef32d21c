#include "recorder/world/engine/engine_trouble.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kMostShown = 300;

std::string user_named(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> room(16384);
  if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return std::to_string(uid);
}

std::string group_named(gid_t gid) {
  group entry{};
  group* found = nullptr;
  std::vector<char> room(16384);
  if (::getgrgid_r(gid, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    return entry.gr_name;
  }
  return std::to_string(gid);
}

// Whose socket it is; empty: it cannot be seen from here.
std::string owners_of(const std::string& socket) {
  struct stat facts{};
  if (::stat(socket.c_str(), &facts) != 0) return {};
  return "it belongs to user " + inert_short(user_named(facts.st_uid), 64) + " and group " +
         inert_short(group_named(facts.st_gid), 64);
}

}  // namespace

std::string name_of(const EngineRequest& request) {
  return request.method + " " + inert_short(request.path, kMostShown) + " of the engine at " +
         inert_short(request.socket, kMostShown);
}

Error trouble(const EngineRequest& request, std::string_view what, std::string_view next) {
  std::string message = name_of(request);
  message.append(": ").append(what).append("; ").append(next);
  return {ErrorCode::kUnavailable, std::move(message)};
}

Error connect_trouble(const EngineRequest& request, int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return trouble(request, "there is no such socket",
                     "start the engine, or name its socket as `engine` in the manifest");
    case EACCES:
    case EPERM: {
      const std::string owners = owners_of(request.socket);
      if (owners.empty()) {
        return trouble(request, "permission denied: the socket's folder may not be entered",
                       "run as a user who may");
      }
      return trouble(request, "permission denied: " + owners,
                     "run as that user, or as a member of that group");
    }
    case ECONNREFUSED:
      return trouble(request, "connection refused: nobody listens on the socket",
                     "the engine is down; start it");
    case EAGAIN:
    case ETIMEDOUT:
      return trouble(request, "the connection was not taken",
                     "the engine hangs or is overloaded; look at its log");
    case 0:
      return trouble(request, "cannot connect", "check that the engine runs");
    default: {
      std::array<char, 128> room{};
      // The GNU form answers with a text that may lie elsewhere.
      const char* const words = ::strerror_r(error_number, room.data(), room.size());
      return trouble(request, std::string("cannot connect: ") + words,
                     "check that the engine runs");
    }
  }
}

Error silence(const EngineRequest& request, std::chrono::milliseconds limit) {
  const auto ms = limit.count();
  const std::string span =
      ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
  return trouble(request, "timed out after " + span,
                 "the engine hangs or is overloaded; look at its log, or restart it");
}

Error no_container_id(std::string_view given) {
  return {ErrorCode::kInvalid,
          inert_short(given, 80) + " is no container's id; give all 64 hexadecimal digits"};
}

Error refusal(const EngineRequest& request, long status, std::string_view text) {
  std::string what = "it answered " + std::to_string(status);
  if (!text.empty()) what += " (" + inert_short(text, kMostShown) + ")";
  if (status == 404) {
    Error error = trouble(request, what, "list again what the engine has");
    error.code = ErrorCode::kNotFound;
    return error;
  }
  if (status == 409) {
    Error error = trouble(request, what, "bring the container into a state that allows it");
    error.code = ErrorCode::kBusy;
    return error;
  }
  if (status == 401 || status == 403 || status == 405) {
    return trouble(request, what, "allow this request where a proxy stands before the engine");
  }
  return trouble(request, what, "look at the engine's log");
}

}  // namespace muniment
