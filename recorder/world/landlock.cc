#include "recorder/world/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "recorder/world/os.h"

// Newer than the oldest header that this is built with; the numbers are the kernel's.
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

namespace muniment {
namespace {

constexpr int kAbiOfRefer = 2;
constexpr int kAbiOfTruncate = 3;

constexpr std::uint64_t kMake = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t kRemove = LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE;

// glibc 2.36 has no wrappers.
int create_ruleset(const landlock_ruleset_attr* attributes, std::size_t size, std::uint32_t flags) {
  return static_cast<int>(::syscall(SYS_landlock_create_ruleset, attributes, size, flags));
}

int add_rule(int ruleset, const landlock_path_beneath_attr& rule) {
  return static_cast<int>(
      ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U));
}

int restrict_self(int ruleset) {
  return static_cast<int>(::syscall(SYS_landlock_restrict_self, ruleset, 0U));
}

// The rights of writing that this ABI knows.
std::uint64_t write_rights(int abi) {
  std::uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | kMake | kRemove;
  if (abi >= kAbiOfRefer) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= kAbiOfTruncate) rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
  return rights;
}

// Before REFER the kernel forbids each rename and link between two folders, inside ones included.
std::string words_of(int abi) {
  std::string words = "create, write, rename, remove outside the store";
  if (abi < kAbiOfRefer) words += "; rename and link between folders everywhere";
  if (abi < kAbiOfTruncate) words += " (truncation is not covered)";
  return words;
}

// "" or why this path could not be allowed.
std::string allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const Fd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place.open()) return system_error("open", path, errno).message;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = place.get();
  if (add_rule(ruleset, rule) == 0) return {};
  return system_error("allow", path, errno).message;
}

std::string unavailable_because(int error) {
  if (error == ENOSYS) return "this kernel has no Landlock (before 5.13, or not built in)";
  if (error == EOPNOTSUPP) return "Landlock is switched off (boot parameter lsm=)";
  return "Landlock: " + errno_text(error);
}

std::string enforce(int abi, const std::vector<std::string>& writable_folders) {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = write_rights(abi);
  // The first field alone: older kernels refuse a structure with more than they know, if it is not
  // zero, and newer headers have more.
  const Fd ruleset(create_ruleset(&attributes, sizeof(attributes.handled_access_fs), 0));
  if (!ruleset.open()) return unavailable_because(errno);
  const std::uint64_t on_file =
      write_rights(abi) & (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE);
  std::string problem = allow(ruleset.get(), "/dev/null", on_file);
  for (const std::string& folder : writable_folders) {
    if (problem.empty()) problem = allow(ruleset.get(), folder, write_rights(abi));
  }
  if (!problem.empty()) return problem;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs: " + errno_text(errno);
  if (restrict_self(ruleset.get()) != 0) return unavailable_because(errno);
  return {};
}

}  // namespace

v1::Enforcement forbid_writes_outside(const std::vector<std::string>& writable_folders) {
  v1::Enforcement out;
  out.set_mechanism("landlock");
  const int abi = create_ruleset(nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 0) {
    out.set_not_because(unavailable_because(errno));
    return out;
  }
  out.set_abi(static_cast<std::uint32_t>(abi));
  const std::string problem = enforce(abi, writable_folders);
  out.set_enforced(problem.empty());
  if (problem.empty()) {
    out.set_forbids(words_of(abi));
  } else {
    out.set_not_because(problem);
  }
  return out;
}

}  // namespace muniment
