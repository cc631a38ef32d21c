#include "recorder/core/digest.h"

#include <openssl/evp.h>

#include <algorithm>

#include "recorder/core/check.h"

namespace muniment {
namespace {

// Fetched once: an implicit fetch for each call costs more than hashing a small event.
const EVP_MD* algorithm() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  check(md != nullptr, "OpenSSL has SHA-256");
  return md;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Digest hash_parts(std::string_view prefix, std::string_view a, std::string_view b) {
  thread_local const Context context(EVP_MD_CTX_new());
  Digest out;
  const bool ok = EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1 &&
                  EVP_DigestUpdate(context.get(), prefix.data(), prefix.size()) == 1 &&
                  EVP_DigestUpdate(context.get(), a.data(), a.size()) == 1 &&
                  EVP_DigestUpdate(context.get(), b.data(), b.size()) == 1 &&
                  EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
  check(ok, "SHA-256 of bytes in memory cannot fail");
  return out;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  return hash_parts({}, bytes, {});
}

Digest leaf_hash(std::string_view leaf) {
  return hash_parts({"\x00", 1}, leaf, {});
}

Digest node_hash(const Digest& left, const Digest& right) {
  return hash_parts({"\x01", 1}, as_bytes(left), as_bytes(right));
}

Digest digest_from_bytes(std::string_view bytes) {
  Digest out;
  check(bytes.size() == out.size(), "a digest has 32 bytes");
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4U]);
    out.push_back(kDigits[byte & 15U]);
  }
  return out;
}

struct Sha256::State {
  Context context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex2(state_->context.get(), algorithm(), nullptr) == 1, "SHA-256 starts");
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  check(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1,
        "SHA-256 of bytes in memory cannot fail");
}

Digest Sha256::finish() {
  Digest out;
  check(EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr) == 1,
        "a digest is finished once");
  return out;
}

}  // namespace muniment
