#include "recorder/clock.h"

#include <sys/random.h>
#include <time.h>

#include <fstream>

#include "recorder/core/check.h"

namespace muniment {
namespace {

std::int64_t read_clock(clockid_t which) {
  timespec time{};
  check(clock_gettime(which, &time) == 0, "the kernel has this clock");
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

class HostClock : public Clock {
 public:
  HostClock() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::getline(file, boot_id_);
  }

  Instant now() override {
    return {.wall_ns = read_clock(CLOCK_REALTIME),
            .boottime_ns = read_clock(CLOCK_BOOTTIME),
            .boot_id = boot_id_};
  }

 private:
  std::string boot_id_;
};

}  // namespace

std::unique_ptr<Clock> make_host_clock() {
  return std::make_unique<HostClock>();
}

std::array<std::uint8_t, 32> random_bytes() {
  std::array<std::uint8_t, 32> bytes{};
  // Up to 256 bytes come whole once the generator is seeded (getrandom(2)).
  check(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
        "the kernel gives random bytes");
  return bytes;
}

std::string make_uuid7(std::int64_t wall_ns) {
  auto bytes = random_bytes();
  const auto milliseconds = static_cast<std::uint64_t>(wall_ns) / 1'000'000;
  for (unsigned i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::uint8_t>(milliseconds >> (40U - 8U * i));
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x70U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kDigits[bytes[i] >> 4U]);
    text.push_back(kDigits[bytes[i] & 15U]);
  }
  return text;
}

}  // namespace muniment
