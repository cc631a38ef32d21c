// Envelopes come from strangers: any bytes may be read, what is read can be written and read again,
// and what is trusted is the payload that was signed.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "recorder/core/text.h"
#include "recorder/core/tlog/dsse.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

struct Signer {
  muniment::SigningKey secret = muniment::SigningKey::from_seed(std::string(32, 's'));
  muniment::NoteKey key = muniment::note_key("log.example", secret.public_key());
};

const Signer& signer() {
  static const Signer kSigner;
  return kSigner;
}

bool are_same(const muniment::DsseEnvelope& a, const muniment::DsseEnvelope& b) {
  return a.payload_type == b.payload_type && a.payload == b.payload &&
         std::ranges::equal(a.signatures, b.signatures, [](const auto& s, const auto& t) {
           return s.key_id == t.key_id && s.bytes == t.bytes;
         });
}

void check_envelope(std::string_view bytes) {
  const auto envelope = muniment::parse_dsse(bytes);
  if (!envelope) {
    require(envelope.error().code == muniment::ErrorCode::kInvalid);
    require(muniment::is_valid_utf8(envelope.error().message));
    return;
  }
  require(envelope->signatures.size() <= muniment::kMostDsseSignatures);
  const std::string json = muniment::format_dsse(*envelope);
  const auto again = muniment::parse_dsse(json);
  require(again && are_same(*again, *envelope));
  require(muniment::format_dsse(*again) == json);
  require(muniment::signers_of(*envelope, std::array{signer().key}).size() <= 1);
}

// The first four bytes say where the type ends and what is changed in an envelope of the rest.
void check_change(std::string_view bytes) {
  if (bytes.size() < 4) return;
  const std::string_view rest = bytes.substr(4);
  const std::size_t cut = static_cast<unsigned char>(bytes[3]) % (rest.size() + 1);
  const auto signed_one =
      muniment::sign_dsse(muniment::valid_utf8(rest.substr(0, cut)), std::string(rest.substr(cut)),
                          signer().key, signer().secret);
  std::string json = muniment::format_dsse(signed_one);
  const auto whole = muniment::parse_dsse(json);
  require(whole && are_same(*whole, signed_one));
  require(muniment::signers_of(*whole, std::array{signer().key}).size() == 1);
  const std::size_t at =
      static_cast<unsigned char>(bytes[0]) * 256U + static_cast<unsigned char>(bytes[1]);
  json[at % json.size()] = bytes[2];
  const auto changed = muniment::parse_dsse(json);
  if (!changed || muniment::signers_of(*changed, std::array{signer().key}).empty()) return;
  require(changed->payload_type == signed_one.payload_type);
  require(changed->payload == signed_one.payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_envelope(bytes);
  // Past the first hurdles, which a fuzzer takes long to find.
  const std::string front = R"({"payload":"","payloadType":"t","signatures":[)";
  check_envelope(front + std::string(bytes) + "]}");
  check_envelope(front + R"({"sig":")" + std::string(bytes) + "\"}]}");
  check_change(bytes);
  return 0;
}
