#include "recorder/core/tlog/ed25519.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "recorder/core/check.h"

namespace muniment {
namespace {

constexpr std::size_t kMostPemBytes = 64U << 10U;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;
using Bio = std::unique_ptr<BIO, Free>;

// OpenSSL's queue of errors belongs to the thread: what fails here for a good reason must not be
// found there by another user of the library.
class OwnErrors {
 public:
  OwnErrors() { ERR_set_mark(); }
  ~OwnErrors() { ERR_pop_to_mark(); }
  OwnErrors(const OwnErrors&) = delete;
  OwnErrors& operator=(const OwnErrors&) = delete;
};

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// OpenSSL's own would ask at the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*given*/) {
  return -1;
}

Pkey public_pkey(std::string_view public_key) {
  return Pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(public_key), public_key.size()));
}

std::string written(BIO* bio) {
  const char* data = nullptr;
  const long size = BIO_ctrl(bio, BIO_CTRL_INFO, 0, static_cast<void*>(&data));
  check(size > 0, "PEM written to memory is there");
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

// OpenSSL wipes the private part when it frees it.
struct SigningKey::Key {
  Pkey pkey;
};

SigningKey SigningKey::generate() {
  Pkey pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  check(pkey != nullptr, "OpenSSL makes an Ed25519 key");
  return SigningKey(std::make_shared<const Key>(std::move(pkey)));
}

SigningKey SigningKey::from_seed(std::string_view seed) {
  check(seed.size() == kEd25519SeedBytes, "an Ed25519 seed has 32 bytes");
  Pkey pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size()));
  check(pkey != nullptr, "32 bytes are an Ed25519 key");
  return SigningKey(std::make_shared<const Key>(std::move(pkey)));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  const OwnErrors errors;
  const std::string make_one = "; make one with `openssl genpkey -algorithm ed25519`";
  if (pem.size() > kMostPemBytes) {
    return fail(ErrorCode::kInvalid, "the signing key has " + std::to_string(pem.size()) +
                                         " bytes, expected a short PEM file" + make_one);
  }
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  check(bio != nullptr, "OpenSSL reads memory");
  Pkey pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (pkey == nullptr) {
    return fail(ErrorCode::kInvalid,
                "the signing key is no unencrypted PEM block \"BEGIN PRIVATE KEY\"" + make_one);
  }
  if (EVP_PKEY_is_a(pkey.get(), "ED25519") != 1) {
    const char* const name = EVP_PKEY_get0_type_name(pkey.get());
    return fail(ErrorCode::kInvalid, "the signing key is of type " +
                                         std::string(name == nullptr ? "unknown" : name) +
                                         ", expected ED25519" + make_one);
  }
  return SigningKey(std::make_shared<const Key>(std::move(pkey)));
}

std::string SigningKey::pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_->pkey.get(), nullptr,
                                                        nullptr, 0, nullptr, nullptr) == 1,
        "a private key is written to memory");
  return written(bio.get());
}

std::string SigningKey::public_key() const {
  std::string out(kEd25519PublicBytes, '\0');
  std::size_t size = out.size();
  check(EVP_PKEY_get_raw_public_key(key_->pkey.get(), raw(out), &size) == 1 && size == out.size(),
        "a private key knows its public key");
  return out;
}

std::string SigningKey::sign(std::string_view message) const {
  const Context context(EVP_MD_CTX_new());
  std::string out(kEd25519SignatureBytes, '\0');
  std::size_t size = out.size();
  check(context != nullptr &&
            EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->pkey.get()) == 1 &&
            EVP_DigestSign(context.get(), raw(out), &size, raw(message), message.size()) == 1 &&
            size == out.size(),
        "an Ed25519 key signs");
  return out;
}

bool is_signed_by(std::string_view public_key, std::string_view message,
                  std::string_view signature) {
  if (public_key.size() != kEd25519PublicBytes) return false;
  if (signature.size() != kEd25519SignatureBytes) return false;
  const OwnErrors errors;
  const Pkey pkey = public_pkey(public_key);
  const Context context(EVP_MD_CTX_new());
  if (pkey == nullptr || context == nullptr) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(message),
                          message.size()) == 1;
}

std::string public_key_pem(std::string_view public_key) {
  check(public_key.size() == kEd25519PublicBytes, "an Ed25519 public key has 32 bytes");
  const Pkey pkey = public_pkey(public_key);
  const Bio bio(BIO_new(BIO_s_mem()));
  check(pkey != nullptr && bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), pkey.get()) == 1,
        "a public key is written to memory");
  return written(bio.get());
}

}  // namespace muniment
