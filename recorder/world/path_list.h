// Paths that are counted all and named some: an event has room for 64 KiB.
#ifndef MUNIMENT_RECORDER_WORLD_PATH_LIST_H_
#define MUNIMENT_RECORDER_WORLD_PATH_LIST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// The first 32 paths, fewer where they are long: three lists fit in one event.
struct PathList {
  static constexpr std::size_t kMostListed = 32;
  static constexpr std::size_t kMostBytes = 12288;

  std::vector<std::string> listed;  // in the order they were met
  std::uint64_t count = 0;          // of all, also those that are not listed

  // Counts the path, and lists it while there is room.
  void add(std::string_view path) {
    ++count;
    if (listed.size() == kMostListed || bytes_ + path.size() > kMostBytes) return;
    bytes_ += path.size();
    listed.emplace_back(path);
  }

 private:
  std::size_t bytes_ = 0;  // of what is listed
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_PATH_LIST_H_
