// SHA-256, and the two hashes of an RFC 6962 tree (section 2.1).
#ifndef MUNIMENT_RECORDER_CORE_DIGEST_H_
#define MUNIMENT_RECORDER_CORE_DIGEST_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace muniment {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);

// SHA-256(0x00 || leaf): the hash of a stored event.
Digest leaf_hash(std::string_view leaf);

// SHA-256(0x01 || left || right).
Digest node_hash(const Digest& left, const Digest& right);

// The 32 bytes as protobuf's `bytes` wants them. The view lives as long as `digest`.
inline std::string_view as_bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// REQUIRES: bytes.size() == 32.
Digest digest_from_bytes(std::string_view bytes);

// Whether it is 64 lower-case hexadecimal digits: a SHA-256, an engine's id.
bool is_hex_digest(std::string_view text);

// Two lower-case hexadecimal digits for each byte.
std::string to_hex(std::string_view bytes);
inline std::string to_hex(const Digest& digest) {
  return to_hex(as_bytes(digest));
}

// SHA-256 of a stream. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  // The digest of all bytes so far. REQUIRES: called once, nothing is added afterwards.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_DIGEST_H_
