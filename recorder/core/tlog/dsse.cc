#include "recorder/core/tlog/dsse.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "recorder/core/base64.h"
#include "recorder/core/check.h"
#include "recorder/core/json_depth.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepest = 64;

std::unexpected<Error> bad_envelope(const std::string& why) {
  return fail(ErrorCode::kInvalid,
              "the DSSE envelope is malformed: " + why + "; fetch it anew from its source");
}

// Null where the object has no text by that name.
const std::string* text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return nullptr;
  return &found->get_ref<const std::string&>();
}

std::optional<std::string> bytes_of(const Json& object, const char* name) {
  const std::string* const text = text_of(object, name);
  return text == nullptr ? std::nullopt : base64_decoded(*text);
}

Result<DsseSignature> parse_signature(const Json& entry, std::size_t index) {
  const std::string what = "signatures[" + std::to_string(index) + "]";
  if (!entry.is_object()) return bad_envelope(what + " is no object");
  std::optional<std::string> bytes = bytes_of(entry, "sig");
  if (!bytes) return bad_envelope(what + ".sig is no base64");
  const auto key_id = entry.find("keyid");
  DsseSignature signature{.key_id = {}, .bytes = *std::move(bytes)};
  if (key_id == entry.end() || key_id->is_null()) return signature;
  if (!key_id->is_string()) return bad_envelope(what + ".keyid is no text");
  signature.key_id = key_id->get_ref<const std::string&>();
  return signature;
}

}  // namespace

std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload) {
  std::string out = "DSSEv1 " + std::to_string(payload_type.size()) + " ";
  out += payload_type;
  out += " " + std::to_string(payload.size()) + " ";
  out += payload;
  return out;
}

std::string format_dsse(const DsseEnvelope& envelope) {
  Json signatures = Json::array();
  for (const DsseSignature& signature : envelope.signatures) {
    check(is_valid_utf8(signature.key_id), "the key id of a DSSE signature is UTF-8");
    Json entry = {{"sig", base64(signature.bytes)}};
    if (!signature.key_id.empty()) entry["keyid"] = signature.key_id;
    signatures.push_back(std::move(entry));
  }
  check(is_valid_utf8(envelope.payload_type), "the payload type of a DSSE envelope is UTF-8");
  const Json json = {{"payload", base64(envelope.payload)},
                     {"payloadType", envelope.payload_type},
                     {"signatures", std::move(signatures)}};
  return json.dump();
}

Result<DsseEnvelope> parse_dsse(std::string_view json) {
  if (json.size() > kMostDsseBytes) {
    return bad_envelope("it has " + std::to_string(json.size()) + " bytes, expected at most " +
                        std::to_string(kMostDsseBytes));
  }
  if (is_nested_deeper(json, kDeepest)) return bad_envelope("it is nested too deep");
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return bad_envelope("it is no JSON object");
  const std::string* const type = text_of(parsed, "payloadType");
  if (type == nullptr) return bad_envelope("payloadType is no text");
  std::optional<std::string> payload = bytes_of(parsed, "payload");
  if (!payload) return bad_envelope("payload is no base64");
  const auto signatures = parsed.find("signatures");
  if (signatures == parsed.end() || !signatures->is_array()) {
    return bad_envelope("signatures is no list");
  }
  if (signatures->size() > kMostDsseSignatures) {
    return bad_envelope("it has " + std::to_string(signatures->size()) +
                        " signatures, expected at most " + std::to_string(kMostDsseSignatures));
  }
  DsseEnvelope envelope{.payload_type = *type, .payload = *std::move(payload), .signatures = {}};
  for (const Json& entry : *signatures) {
    Result<DsseSignature> signature = parse_signature(entry, envelope.signatures.size());
    if (!signature) return pass(signature);
    envelope.signatures.push_back(*std::move(signature));
  }
  return envelope;
}

DsseEnvelope sign_dsse(std::string payload_type, std::string payload, const NoteKey& key,
                       const SigningKey& secret) {
  check(key.type == kNoteEd25519, "an envelope is signed by a key of type 0x01");
  check(key.public_key == secret.public_key(), "the two halves of a key belong together");
  std::string signature = secret.sign(pre_authentication_encoding(payload_type, payload));
  return {.payload_type = std::move(payload_type),
          .payload = std::move(payload),
          .signatures = {{.key_id = key_id_hex(key.id), .bytes = std::move(signature)}}};
}

std::vector<NoteKey> signers_of(const DsseEnvelope& envelope, std::span<const NoteKey> keys) {
  const std::string message = pre_authentication_encoding(envelope.payload_type, envelope.payload);
  std::vector<NoteKey> signers;
  for (const NoteKey& key : keys) {
    if (key.type != kNoteEd25519) continue;
    const auto is_same = [&](const NoteKey& other) { return other.public_key == key.public_key; };
    if (std::any_of(signers.begin(), signers.end(), is_same)) continue;
    const auto is_good = [&](const DsseSignature& signature) {
      return is_signed_by(key.public_key, message, signature.bytes);
    };
    if (std::any_of(envelope.signatures.begin(), envelope.signatures.end(), is_good)) {
      signers.push_back(key);
    }
  }
  return signers;
}

}  // namespace muniment
