// DSSE v1.0.2: a signed payload in JSON, https://github.com/secure-systems-lab/dsse.
//
//   signed bytes = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body     LEN: bytes, in decimal
#ifndef MUNIMENT_RECORDER_CORE_TLOG_DSSE_H_
#define MUNIMENT_RECORDER_CORE_TLOG_DSSE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/core/tlog/note.h"

namespace muniment {

struct DsseSignature {
  std::string key_id;  // a hint that nothing vouches for; here the key id of the vkey in hex
  std::string bytes;
};

struct DsseEnvelope {
  std::string payload_type;
  std::string payload;  // decoded
  std::vector<DsseSignature> signatures;
};

inline constexpr std::size_t kMostDsseBytes = 16U << 20U;
inline constexpr std::size_t kMostDsseSignatures = 100;

// The bytes that are signed.
std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload);

// One line of JSON without a line end. REQUIRES: the payload type and key ids are valid UTF-8.
std::string format_dsse(const DsseEnvelope& envelope);

// Standard and URL-safe base64, unknown fields are passed over. kInvalid: it is no envelope, or
// exceeds the limits above. No signature at all is no error here: then nobody signed it.
Result<DsseEnvelope> parse_dsse(std::string_view json);

// REQUIRES: a key of type 0x01 that is the public half of `secret`; a type in UTF-8.
DsseEnvelope sign_dsse(std::string payload_type, std::string payload, const NoteKey& key,
                       const SigningKey& secret);

// Those of `keys` of which a signature is good, in their order. Key ids are not looked at; a public
// key that is listed twice, be it under two names, counts once. Only keys of type 0x01 sign
// envelopes. Empty: signed by none of them.
std::vector<NoteKey> signers_of(const DsseEnvelope& envelope, std::span<const NoteKey> keys);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_DSSE_H_
