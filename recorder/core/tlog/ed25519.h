// Ed25519 (RFC 8032, pure) by OpenSSL.
#ifndef MUNIMENT_RECORDER_CORE_TLOG_ED25519_H_
#define MUNIMENT_RECORDER_CORE_TLOG_ED25519_H_

#include <memory>
#include <string>
#include <string_view>

#include "recorder/core/result.h"

namespace muniment {

inline constexpr std::size_t kEd25519PublicBytes = 32;
inline constexpr std::size_t kEd25519SeedBytes = 32;
inline constexpr std::size_t kEd25519SignatureBytes = 64;

// A private key. Its memory is cleaned when the last copy goes. Signing is deterministic and
// thread-safe.
class SigningKey {
 public:
  // A new one, from the system's randomness.
  static SigningKey generate();

  // From its 32-byte seed. REQUIRES: seed.size() == kEd25519SeedBytes.
  static SigningKey from_seed(std::string_view seed);

  // From PKCS #8 in PEM, unencrypted ("BEGIN PRIVATE KEY"). kInvalid: it is no Ed25519 key.
  static Result<SigningKey> from_pem(std::string_view pem);

  // PKCS #8 in PEM, unencrypted.
  std::string pem() const;

  // 32 bytes.
  std::string public_key() const;

  // 64 bytes.
  std::string sign(std::string_view message) const;

 private:
  struct Key;
  explicit SigningKey(std::shared_ptr<const Key> key) : key_(std::move(key)) {}
  std::shared_ptr<const Key> key_;
};

// Whether `signature` is one of `message` under the public key; false for anything that has not the
// right length.
bool is_signed_by(std::string_view public_key, std::string_view message,
                  std::string_view signature);

// SubjectPublicKeyInfo in PEM ("BEGIN PUBLIC KEY"), as `openssl pkeyutl -pubin` reads it.
// REQUIRES: public_key.size() == kEd25519PublicBytes.
std::string public_key_pem(std::string_view public_key);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_ED25519_H_
