// The one clock and the one source of chance. Both come into the rest of the program as values.
#ifndef MUNIMENT_RECORDER_CLOCK_H_
#define MUNIMENT_RECORDER_CLOCK_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace muniment {

// One reading of the host's clocks.
struct Instant {
  std::int64_t wall_ns = 0;  // since 1970-01-01T00:00:00Z; may go back
  std::int64_t boottime_ns =
      0;                // CLOCK_BOOTTIME: since boot, suspended time included; never goes back
  std::string boot_id;  // UUID of this boot
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
};

std::unique_ptr<Clock> make_host_clock();

// 32 bytes from the kernel's generator.
std::array<std::uint8_t, 32> random_bytes();

// A UUIDv7 (RFC 9562, 5.7), lower case: 48 bits of milliseconds, then 74 random bits.
std::string make_uuid7(std::int64_t wall_ns);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CLOCK_H_
