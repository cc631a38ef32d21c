#include "recorder/core/tlog/ed25519.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/generator.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

// RFC 8032, section 7.1: tests 1 and 2.
struct Vector {
  std::string_view seed;
  std::string_view public_key;
  std::string_view message;
  std::string_view signature;
};
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
};

// RFC 8410, section 10.
constexpr std::string_view kPrivatePem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n";

// The order of the group, little endian (RFC 8032, section 5.1).
constexpr std::string_view kOrder =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

// The second half of a signature, plus the order: the same number to a reader that does not look.
std::string with_order_added(std::string signature) {
  const std::string order = from_hex(kOrder);
  unsigned carry = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    carry += static_cast<unsigned char>(signature[32 + i]);
    carry += static_cast<unsigned char>(order[i]);
    signature[32 + i] = static_cast<char>(carry & 0xffU);
    carry >>= 8U;
  }
  return signature;
}

std::string pem_of(EVP_PKEY* made, const EVP_CIPHER* cipher) {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(made, EVP_PKEY_free);
  const std::unique_ptr<BIO, void (*)(BIO*)> bio(BIO_new(BIO_s_mem()),
                                                 [](BIO* freed) { BIO_free(freed); });
  EXPECT_EQ(
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), cipher, "secret", 6, nullptr, nullptr),
      1);
  std::string pem(4096, '\0');
  const int size = BIO_read(bio.get(), pem.data(), static_cast<int>(pem.size()));
  pem.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return pem;
}

void expect_refused(std::string_view pem, const std::string& why) {
  const Result<SigningKey> key = SigningKey::from_pem(pem);
  ASSERT_FALSE(key) << pem;
  EXPECT_EQ(key.error().code, ErrorCode::kInvalid);
  EXPECT_NE(key.error().message.find(why), std::string::npos) << key.error().message;
  EXPECT_NE(key.error().message.find("openssl genpkey"), std::string::npos);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(Ed25519, FollowsTheVectorsOfTheStandard) {
  for (const Vector& v : kVectors) {
    const SigningKey key = SigningKey::from_seed(from_hex(v.seed));
    const std::string message = from_hex(v.message);
    EXPECT_EQ(key.public_key(), from_hex(v.public_key));
    EXPECT_EQ(key.sign(message), from_hex(v.signature));
    EXPECT_TRUE(is_signed_by(from_hex(v.public_key), message, from_hex(v.signature)));
  }
}

TEST(Ed25519, WritesAndReadsThePemOfTheStandard) {
  const Result<SigningKey> key = SigningKey::from_pem(kPrivatePem);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->pem(), kPrivatePem);
  EXPECT_EQ(public_key_pem(key->public_key()), kPublicPem);
}

TEST(Ed25519, GivesBackTheKeyThatWasWritten) {
  const SigningKey made = SigningKey::generate();
  const Result<SigningKey> read = SigningKey::from_pem(made.pem());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->public_key(), made.public_key());
  EXPECT_EQ(read->sign("a"), made.sign("a"));
  EXPECT_NE(SigningKey::generate().public_key(), made.public_key());
}

TEST(Ed25519, RefusesOtherPrivateKeys) {
  std::string agreement(kPrivatePem);
  agreement.replace(agreement.find("K2Vw"), 4, "K2Vu");  // the OID of X25519
  expect_refused(agreement, "of type X25519");
  expect_refused(pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), nullptr), "of type EC");
  expect_refused(pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"), nullptr), "of type ED448");
  expect_refused(kPublicPem, "no unencrypted PEM block");
  expect_refused("", "no unencrypted PEM block");
  expect_refused(kPrivatePem.substr(0, 100), "no unencrypted PEM block");
  expect_refused(std::string(1U << 20U, 'x'), "1048576 bytes");
}

// In a process with a terminal of its own: OpenSSL's callback would write there and wait.
TEST(Ed25519, RefusesAnEncryptedKeyWithoutAsking) {
  const std::string pem = pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_aes_256_cbc());
  ASSERT_TRUE(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")) << pem;
  expect_refused(pem, "no unencrypted PEM block");
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) _exit(SigningKey::from_pem(pem) ? 1 : 0);
  char asked = '\0';
  EXPECT_LE(read(terminal, &asked, 1), 0) << "somebody at the terminal is asked";
  close(terminal);  // hangs up on a child that waits
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Ed25519, RefusesEachChangedBit) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const SigningKey key = SigningKey::from_seed(generator.bytes(kEd25519SeedBytes));
  const std::string public_key = key.public_key();
  const std::string message = generator.bytes(generator.between(1, 40));
  const std::string signature = key.sign(message);
  ASSERT_TRUE(is_signed_by(public_key, message, signature));
  const auto flipped = [](std::string bytes, std::size_t bit) {
    bytes[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
    return bytes;
  };
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    EXPECT_FALSE(is_signed_by(public_key, message, flipped(signature, bit))) << bit;
  }
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    EXPECT_FALSE(is_signed_by(public_key, flipped(message, bit), signature)) << bit;
  }
  for (std::size_t bit = 0; bit < public_key.size() * 8; ++bit) {
    EXPECT_FALSE(is_signed_by(flipped(public_key, bit), message, signature)) << bit;
  }
  EXPECT_EQ(ERR_peek_error(), 0U) << "errors are left for another user of the library";
}

TEST(Ed25519, RefusesASecondSpellingOfASignature) {
  const SigningKey key = SigningKey::generate();
  const std::string signature = key.sign("a");
  EXPECT_FALSE(is_signed_by(key.public_key(), "a", with_order_added(signature)));
}

TEST(Ed25519, RefusesOtherLengths) {
  const SigningKey key = SigningKey::generate();
  const std::string public_key = key.public_key();
  const std::string signature = key.sign("a");
  EXPECT_FALSE(is_signed_by("", "a", signature));
  EXPECT_FALSE(is_signed_by(public_key.substr(1), "a", signature));
  EXPECT_FALSE(is_signed_by(public_key + '\0', "a", signature));
  EXPECT_FALSE(is_signed_by(public_key, "a", ""));
  EXPECT_FALSE(is_signed_by(public_key, "a", signature.substr(0, 63)));
  EXPECT_FALSE(is_signed_by(public_key, "a", signature + '\0'));
}

TEST(Ed25519, SignsInManyThreadsAtOnce) {
  const SigningKey key = SigningKey::generate();
  const std::string expected = key.sign("a");
  std::vector<std::string> first_wrong(4, "");
  {
    std::vector<std::jthread> threads;
    for (std::string& wrong : first_wrong) {
      threads.emplace_back([key, expected, &wrong] {
        for (int i = 0; i < 50; ++i) {
          std::string signature = key.sign("a");
          const bool good = is_signed_by(key.public_key(), "a", signature);
          if (signature != expected || !good) wrong = std::move(signature);
        }
      });
    }
  }
  for (const std::string& wrong : first_wrong) EXPECT_EQ(wrong, "");
}

}  // namespace
}  // namespace muniment
