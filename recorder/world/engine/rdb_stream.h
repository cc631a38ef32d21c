// An RDB file as redis-cli prints it: checked while it goes by, without what stands behind it.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_RDB_STREAM_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_RDB_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "recorder/core/result.h"

namespace muniment {

// CRC-64 as Redis has it (Jones: polynomial 0xad93d23594c935a9, reflected, start 0, no final xor),
// continued from `crc` over `bytes`.
std::uint64_t crc64_jones(std::uint64_t crc, std::string_view bytes);

// The size that redis-cli says the RDB has, from its standard error: "writing N bytes to" before a
// transfer from disk, "success after N bytes" behind one without. Absent: it said neither.
std::optional<std::uint64_t> rdb_size_said(std::string_view standard_error);

// Format: "REDIS" and four digits; at the end the byte 0xff and a CRC-64 of all before it, little
// endian, 0 where the server computes none. Behind a diskless transfer redis-cli leaves the 40
// bytes of the stream's own mark; they are no part of the file. Holds back the last 49 bytes.
class RdbStream {
 public:
  static constexpr std::size_t kMarkBytes = 40;

  explicit RdbStream(std::function<Status(std::string_view)> out) : out_(std::move(out)) {}

  Status write(std::string_view piece);

  // Hands on the rest. `size` is what redis-cli said. kCorrupt: this is no whole RDB of that size.
  Status finish(std::uint64_t size);

  // Whether the file carries a checksum; meaningful behind finish().
  bool has_checksum() const { return has_checksum_; }

 private:
  Status hand_on(std::string_view piece);

  std::function<Status(std::string_view)> out_;
  std::string held_;
  std::string head_;
  std::uint64_t size_ = 0;  // of all that came
  std::uint64_t crc_ = 0;   // of what was handed on
  bool has_checksum_ = false;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_RDB_STREAM_H_
