#include <fcntl.h>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/world/host_source.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr std::size_t kBufferBytes = 65536;

std::string link_target(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
  target.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return target;
}

}  // namespace

v1::HostFacts observe_host() {
  v1::HostFacts facts;
  struct utsname names{};
  if (::uname(&names) == 0) {
    facts.set_kernel(valid_utf8(std::string(names.sysname) + " " + names.release));
    facts.set_machine(valid_utf8(names.machine));
  }
  const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (processors > 0) facts.set_processors(static_cast<std::uint32_t>(processors));
  return facts;
}

v1::Actor observe_actor() {
  v1::Actor actor;
  actor.set_uid(::geteuid());
  actor.set_terminal(::isatty(STDIN_FILENO) == 1);
  actor.set_parent_executable(link_target("/proc/" + std::to_string(::getppid()) + "/exe"));
  return actor;
}

std::string observe_user_name() {
  struct passwd entry{};
  struct passwd* found = nullptr;
  std::vector<char> buffer(kBufferBytes);
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return "uid " + std::to_string(::geteuid());
  return found->pw_name;
}

std::string observe_host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return valid_utf8(name.data());
}

std::string observe_program_sha256() {
  const Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  std::vector<char> buffer(kBufferBytes);
  Sha256 hash;
  while (true) {
    const std::int64_t n = read_full(file.get(), buffer);
    if (n < 0) return {};
    if (n == 0) return std::string(as_bytes(hash.finish()));
    hash.update({buffer.data(), static_cast<std::size_t>(n)});
  }
}

}  // namespace muniment
