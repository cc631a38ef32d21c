#include "recorder/core/tlog/dsse.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/base64.h"
#include "recorder/core/text.h"
#include "tests/support/generator.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

constexpr const char* kVectors = "dsse/vectors.json";
constexpr std::string_view kType = "application/vnd.in-toto+json";

struct Signer {
  SigningKey secret;
  NoteKey key;
};

Signer some_signer(Generator& generator, std::string name) {
  SigningKey secret = SigningKey::from_seed(generator.bytes(kEd25519SeedBytes));
  NoteKey key = note_key(std::move(name), secret.public_key());
  return {std::move(secret), std::move(key)};
}

DsseEnvelope some_envelope(Generator& generator) {
  DsseEnvelope envelope;
  envelope.payload_type = valid_utf8(generator.bytes(generator.below(20))) + "\"\\\u2028\n";
  envelope.payload = generator.bytes(generator.below(50));
  for (std::size_t i = generator.below(4); i > 0; --i) {
    envelope.signatures.push_back(
        {.key_id = generator.one_in(2) ? "" : valid_utf8(generator.bytes(8)),
         .bytes = generator.bytes(generator.below(70))});
  }
  return envelope;
}

void expect_same(const DsseEnvelope& a, const DsseEnvelope& b) {
  EXPECT_EQ(a.payload_type, b.payload_type);
  EXPECT_EQ(a.payload, b.payload);
  ASSERT_EQ(a.signatures.size(), b.signatures.size());
  for (std::size_t i = 0; i < a.signatures.size(); ++i) {
    EXPECT_EQ(a.signatures[i].key_id, b.signatures[i].key_id);
    EXPECT_EQ(a.signatures[i].bytes, b.signatures[i].bytes);
  }
}

// An envelope in JSON with what is given in place of a part.
std::string json_of(std::string_view payload, std::string_view type, std::string_view signatures) {
  std::string json = R"({"payload":)";
  json.append(payload).append(R"(,"payloadType":)").append(type);
  return json.append(R"(,"signatures":)").append(signatures).append("}");
}

// Of the protocol, section "Signature Definition".
TEST(Dsse, SignsTheBytesOfTheStandard) {
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(pre_authentication_encoding("", ""), "DSSEv1 0  0 ");
  EXPECT_EQ(pre_authentication_encoding("\u00e9", "\u0ca0"), "DSSEv1 2 \u00e9 3 \u0ca0");
}

TEST(Dsse, SignsTheBytesOfThePublishedVectors) {
  SKIP_WITHOUT_VECTORS(kVectors);
  const Json vectors = read_vectors(vectors_folder() + "/" + kVectors);
  const Json& cases = member(vectors, "pae");
  EXPECT_GE(cases.items.size(), 3U);
  for (const Json& c : cases.items) {
    EXPECT_EQ(pre_authentication_encoding(member(c, "type").text, member(c, "body").text),
              member(c, "pae").text);
  }
}

// What is not of Ed25519 is read, and trusted by nobody.
TEST(Dsse, ReadsThePublishedEnvelopeAndTrustsNoEcdsa) {
  SKIP_WITHOUT_VECTORS(kVectors);
  const Json vectors = read_vectors(vectors_folder() + "/" + kVectors);
  const Json& published = member(member(vectors, "ecdsa_p256_sha256_rfc6979_raw_rs"), "envelope");
  const auto quoted = [](const Json& text) { return '"' + text.text + '"'; };
  ASSERT_EQ(member(published, "signatures").items.size(), 1U);
  const std::string sig = quoted(member(member(published, "signatures").items[0], "sig"));
  const Result<DsseEnvelope> envelope =
      parse_dsse(json_of(quoted(member(published, "payload")),
                         quoted(member(published, "payloadType")), "[{\"sig\":" + sig + "}]"));
  ASSERT_TRUE(envelope) << envelope.error().message;
  EXPECT_EQ(envelope->payload_type, "http://example.com/HelloWorld");
  EXPECT_EQ(envelope->payload, "hello world");
  ASSERT_EQ(envelope->signatures.size(), 1U);
  EXPECT_EQ(envelope->signatures[0].bytes.size(), 64U);
  EXPECT_EQ(envelope->signatures[0].key_id, "");
  const std::vector<NoteKey> keys = {
      {.name = "ecdsa", .id = 0x66301bbf, .type = 0x02, .public_key = std::string(32, '\x02')},
      note_key("ed25519", SigningKey::generate().public_key())};
  EXPECT_TRUE(signers_of(*envelope, keys).empty());
}

// If two pairs had one encoding, a signature of the one would be one of the other.
TEST(Dsse, EncodesDifferentPairsDifferently) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 2000; ++i) {
    const std::string all = generator.text(generator.between(2, 12), "0123 1");
    const auto pair = [&] {
      const std::size_t cut = generator.below(all.size());
      return std::pair(all.substr(0, cut), all.substr(cut));
    };
    const auto [type_a, body_a] = pair();
    const auto [type_b, body_b] = pair();
    EXPECT_EQ(
        pre_authentication_encoding(type_a, body_a) == pre_authentication_encoding(type_b, body_b),
        type_a == type_b && body_a == body_b)
        << all;
  }
}

TEST(Dsse, IsReadAsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 300; ++i) {
    const DsseEnvelope written = some_envelope(generator);
    const std::string json = format_dsse(written);
    EXPECT_EQ(json.find('\n'), std::string::npos);
    const Result<DsseEnvelope> read = parse_dsse(json);
    ASSERT_TRUE(read) << read.error().message;
    expect_same(*read, written);
    const std::optional<Json> by_another = parse_json(json);
    ASSERT_TRUE(by_another) << json;
    EXPECT_EQ(member(*by_another, "payloadType").text, written.payload_type);
    EXPECT_EQ(member(*by_another, "payload").text, base64(written.payload));
    EXPECT_EQ(member(*by_another, "signatures").items.size(), written.signatures.size());
  }
}

TEST(Dsse, IsOneLineOfThisShape) {
  DsseEnvelope envelope{
      .payload_type = "t\"", .payload = "hi", .signatures = {{.key_id = "7f", .bytes = "abc"}}};
  EXPECT_EQ(format_dsse(envelope),
            R"({"payload":"aGk=","payloadType":"t\"","signatures":[{"keyid":"7f","sig":"YWJj"}]})");
}

TEST(Dsse, IsTrustedByTheKeyThatSigned) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const Signer alice = some_signer(generator, "alice");
  const Signer bob = some_signer(generator, "bob");
  const DsseEnvelope signed_one = sign_dsse(std::string(kType), "{}", alice.key, alice.secret);
  ASSERT_EQ(signed_one.signatures.size(), 1U);
  EXPECT_EQ(signed_one.signatures[0].key_id, key_id_hex(alice.key.id));
  const Result<DsseEnvelope> read = parse_dsse(format_dsse(signed_one));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(signers_of(*read, std::array{bob.key, alice.key}), std::vector{alice.key});
  EXPECT_TRUE(signers_of(*read, std::array{bob.key}).empty());
  EXPECT_TRUE(signers_of(*read, {}).empty());
}

TEST(Dsse, CountsEachKeyOnce) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const Signer alice = some_signer(generator, "alice");
  const Signer bob = some_signer(generator, "bob");
  const NoteKey alias = note_key("carol", alice.key.public_key);
  DsseEnvelope envelope = sign_dsse(std::string(kType), "{}", alice.key, alice.secret);
  envelope.signatures.push_back(envelope.signatures[0]);
  envelope.signatures[1].key_id = key_id_hex(alias.id);
  const std::array keys = {bob.key, alice.key, alias, alice.key};
  EXPECT_EQ(signers_of(envelope, keys), std::vector{alice.key});
  const DsseEnvelope of_bob = sign_dsse(std::string(kType), "{}", bob.key, bob.secret);
  envelope.signatures.push_back(of_bob.signatures[0]);
  EXPECT_EQ(signers_of(envelope, keys), (std::vector{bob.key, alice.key}));
}

TEST(Dsse, DecidesNothingByAKeyId) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const Signer alice = some_signer(generator, "alice");
  const Signer bob = some_signer(generator, "bob");
  DsseEnvelope envelope = sign_dsse(std::string(kType), "{}", alice.key, alice.secret);
  for (const std::string& hint : {std::string(), key_id_hex(bob.key.id), std::string("?")}) {
    envelope.signatures[0].key_id = hint;
    EXPECT_EQ(signers_of(envelope, std::array{alice.key, bob.key}), std::vector{alice.key});
  }
  envelope.signatures[0].bytes = generator.bytes(kEd25519SignatureBytes);
  envelope.signatures[0].key_id = key_id_hex(alice.key.id);
  EXPECT_TRUE(signers_of(envelope, std::array{alice.key, bob.key}).empty());
}

TEST(Dsse, IsSignedByNoKeyOfAnotherType) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const Signer alice = some_signer(generator, "alice");
  const DsseEnvelope envelope = sign_dsse(std::string(kType), "{}", alice.key, alice.secret);
  for (int type = 0; type < 256; ++type) {
    NoteKey key = alice.key;
    key.type = static_cast<std::uint8_t>(type);
    EXPECT_EQ(signers_of(envelope, std::array{key}).size(), type == kNoteEd25519 ? 1U : 0U) << type;
  }
}

// Whatever single byte is changed on the way: what is still trusted says the same.
TEST(Dsse, IsNotTrustedWithAnotherByte) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const Signer alice = some_signer(generator, "alice");
  const std::string payload = generator.bytes(20);
  const std::string json =
      format_dsse(sign_dsse(std::string(kType), payload, alice.key, alice.secret));
  const std::size_t sig = json.find("\"sig\":\"") + 7;
  for (std::size_t at = 0; at < json.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = json;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      const Result<DsseEnvelope> read = parse_dsse(changed);
      if (!read) continue;
      const bool trusted = !signers_of(*read, std::array{alice.key}).empty();
      if (!trusted) continue;
      EXPECT_EQ(read->payload, payload) << changed;
      EXPECT_EQ(read->payload_type, kType) << changed;
      EXPECT_TRUE(at < sig || read->signatures[0].bytes.size() == 64) << changed;
    }
  }
}

TEST(Dsse, ReadsWhatTheStandardAllows) {
  const std::array<std::string, 5> all = {
      json_of(R"("-_8=")", R"("t")", R"([{"sig":"-_8"}])"),
      json_of(R"("+/8")", R"("t")", R"([{"sig":"+/8=","keyid":null}])"),
      json_of(R"("+/8=")", R"("\u0074")", R"([{"sig":"+/8=","keyid":"","cert":[1]}])"),
      R"( { "signatures" : [ { "keyid" : "", "sig" : "+/8=" } ], "payload":"+/8=",)"
      R"("payloadType":"t","extra":{"payload":[{}]}})",
      json_of(R"("+\/8=")", R"("t")", R"([{"sig":"+\/8="}])")};
  for (const std::string& json : all) {
    const Result<DsseEnvelope> envelope = parse_dsse(json);
    ASSERT_TRUE(envelope) << json << envelope.error().message;
    expect_same(*envelope, {.payload_type = "t",
                            .payload = "\xfb\xff",
                            .signatures = {{.key_id = "", .bytes = "\xfb\xff"}}});
  }
  const Result<DsseEnvelope> unsigned_one = parse_dsse(json_of(R"("")", R"("")", "[]"));
  ASSERT_TRUE(unsigned_one);
  EXPECT_TRUE(unsigned_one->signatures.empty());
}

TEST(Dsse, SaysWhatIsWrong) {
  const auto of_signatures = [](std::string_view list) {
    return json_of(R"("aGk=")", R"("t")", list);
  };
  std::string many = "[";
  for (std::size_t i = 0; i < kMostDsseSignatures; ++i) many += R"({"sig":""},)";
  const std::string deep(100'000, '[');
  const std::vector<std::pair<std::string, std::string>> all = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {"{}", "payloadType is no text"},
      {"{\"a\":1e999}", "no JSON object"},
      {"{\"\xff\":1}", "no JSON object"},
      {of_signatures("[]") + "x", "no JSON object"},
      {json_of("1", R"("t")", "[]"), "payload is no base64"},
      {json_of(R"("a")", R"("t")", "[]"), "payload is no base64"},
      {json_of(R"("aG\nk=")", R"("t")", "[]"), "payload is no base64"},
      {json_of(R"("")", "null", "[]"), "payloadType is no text"},
      {R"({"payload":"","payloadType":""})", "signatures is no list"},
      {of_signatures("{}"), "signatures is no list"},
      {of_signatures("[1]"), "signatures[0] is no object"},
      {of_signatures(R"([{"sig":""},{}])"), "signatures[1].sig is no base64"},
      {of_signatures(R"([{"sig":"*"}])"), "signatures[0].sig is no base64"},
      {of_signatures(R"([{"sig":"","keyid":7}])"), "signatures[0].keyid is no text"},
      {of_signatures(many + R"({"sig":""}])"), "101 signatures, expected at most 100"},
      {R"({"extra":)" + deep, "nested too deep"},
      {std::string(kMostDsseBytes + 1, ' '), "16777217 bytes, expected at most 16777216"},
  };
  for (const auto& [json, why] : all) {
    const Result<DsseEnvelope> envelope = parse_dsse(json);
    ASSERT_FALSE(envelope) << why;
    EXPECT_EQ(envelope.error().code, ErrorCode::kInvalid);
    EXPECT_NE(envelope.error().message.find(why), std::string::npos) << envelope.error().message;
  }
  many.back() = ']';
  EXPECT_TRUE(parse_dsse(of_signatures(many)));
}

}  // namespace
}  // namespace muniment
