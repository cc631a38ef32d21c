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

// The bytes that are signed.
std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload);

// One line of JSON without a line end.
std::string format_dsse(const DsseEnvelope& envelope);

// Standard and URL-safe base64, unknown fields are passed over. kInvalid: it is no envelope.
Result<DsseEnvelope> parse_dsse(std::string_view json);

DsseEnvelope sign_dsse(std::string payload_type, std::string payload, const NoteKey& key,
                       const SigningKey& secret);

// Those of `keys` of which a signature is good, in their order, each once. Key ids are not looked
// at. Empty: signed by none of them.
std::vector<NoteKey> signers_of(const DsseEnvelope& envelope, std::span<const NoteKey> keys);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_DSSE_H_
