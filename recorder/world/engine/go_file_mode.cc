#include "recorder/world/engine/go_file_mode.h"

namespace muniment {
namespace {

constexpr std::uint32_t bit(unsigned n) {
  return 1U << n;
}
constexpr std::uint32_t kDirectory = bit(31);
constexpr std::uint32_t kLink = bit(27);
constexpr std::uint32_t kSetuid = bit(23);
constexpr std::uint32_t kSetgid = bit(22);
constexpr std::uint32_t kSticky = bit(20);
// Device, named pipe, socket, character device, irregular.
constexpr std::uint32_t kSpecial = bit(26) | bit(25) | bit(24) | bit(21) | bit(19);

}  // namespace

void apply_go_mode(std::uint32_t go_mode, ContainerPath& path) {
  const auto has = [&](std::uint32_t bits) { return (go_mode & bits) != 0; };
  path.kind = has(kDirectory) ? v1::PATH_KIND_DIRECTORY
              : has(kLink)    ? v1::PATH_KIND_SYMLINK
              : has(kSpecial) ? v1::PATH_KIND_OTHER
                              : v1::PATH_KIND_REGULAR;
  path.mode = (go_mode & 0777U) | (has(kSetuid) ? 04000U : 0U) | (has(kSetgid) ? 02000U : 0U) |
              (has(kSticky) ? 01000U : 0U);
}

}  // namespace muniment
