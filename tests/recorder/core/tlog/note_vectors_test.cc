// Signed notes and keys that others published.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/base64.h"
#include "recorder/core/tlog/note.h"
#include "tests/support/vectors.h"

namespace muniment {
namespace {

constexpr const char* kNotes = "signed_note/notes.json";
constexpr const char* kVkeys = "signed_note/vkeys.json";

Json vectors(const char* name) {
  return read_vectors(vectors_folder() + "/" + name);
}

std::string note_of(const Json& c) {
  const Json* const encoded = c.find("note_b64");
  if (encoded == nullptr) return member(c, "note").text;
  const std::optional<std::string> bytes = base64_decoded_strictly(encoded->text);
  EXPECT_TRUE(bytes);
  return bytes.value_or("");
}

NoteKey key_of(std::string_view vkey) {
  Result<NoteKey> key = parse_vkey(vkey);
  EXPECT_TRUE(key) << vkey;
  return key.value_or(NoteKey{});
}

std::vector<NoteKey> keys_of(const Json& c) {
  std::vector<NoteKey> keys;
  if (const Json* const one = c.find("vkey")) keys.push_back(key_of(one->text));
  if (const Json* const many = c.find("vkeys")) {
    for (const Json& vkey : many->items) keys.push_back(key_of(vkey.text));
  }
  return keys;
}

// "PRIVATE+KEY+name+id+base64(type || seed)", of Go's module; the base64 may hold a '+'.
SigningKey secret_of(std::string_view skey) {
  for (int i = 0; i < 4; ++i) skey.remove_prefix(skey.find('+') + 1);
  const std::optional<std::string> typed = base64_decoded_strictly(skey);
  EXPECT_TRUE(typed && typed->size() == 1 + kEd25519SeedBytes);
  return SigningKey::from_seed(typed.value_or(std::string(33, '\0')).substr(1));
}

TEST(NoteVectors, ValidOnesAreTrusted) {
  SKIP_WITHOUT_VECTORS(kNotes);
  const Json file = vectors(kNotes);
  EXPECT_GE(member(file, "valid").items.size(), 6U);
  for (const Json& c : member(file, "valid").items) {
    SCOPED_TRACE(member(c, "name").text);
    const Result<Note> note = parse_note(note_of(c));
    ASSERT_TRUE(note) << note.error().message;
    const Json* const text = c.find("text");
    EXPECT_EQ(note->text, text != nullptr ? text->text : note->text);
    EXPECT_EQ(format_note(*note), note_of(c));
    const std::vector<NoteKey> keys = keys_of(c);
    const auto signers = signers_of(*note, keys);
    ASSERT_TRUE(signers) << signers.error().message;
    EXPECT_EQ(*signers, keys);
    for (const NoteKey& key : keys) {
      const auto alone = signers_of(*note, std::array{key});
      ASSERT_TRUE(alone) << alone.error().message;
      EXPECT_EQ(*alone, std::vector{key});
    }
  }
}

TEST(NoteVectors, SecretKeysSignByteForByte) {
  SKIP_WITHOUT_VECTORS(kNotes);
  const Json file = vectors(kNotes);
  int signed_again = 0;
  for (const Json& c : member(file, "valid").items) {
    const Json* const skey = c.find("skey");
    if (skey == nullptr) continue;
    Note note{.text = member(c, "text").text, .signatures = {}};
    note.signatures.push_back(
        sign_note(note.text, key_of(member(c, "vkey").text), secret_of(skey->text)));
    EXPECT_EQ(format_note(note), note_of(c));
    ++signed_again;
  }
  EXPECT_GE(signed_again, 1);
}

TEST(NoteVectors, MalformedOnesAreRefused) {
  SKIP_WITHOUT_VECTORS(kNotes);
  const Json file = vectors(kNotes);
  EXPECT_GE(member(file, "invalid_malformed").items.size(), 8U);
  for (const Json& c : member(file, "invalid_malformed").items) {
    const Result<Note> note = parse_note(note_of(c));
    ASSERT_FALSE(note) << member(c, "name").text;
    EXPECT_EQ(note.error().code, ErrorCode::kInvalid);
  }
}

TEST(NoteVectors, WrongSignaturesSpoilTheNote) {
  SKIP_WITHOUT_VECTORS(kNotes);
  const Json file = vectors(kNotes);
  EXPECT_GE(member(file, "invalid_signature").items.size(), 1U);
  for (const Json& c : member(file, "invalid_signature").items) {
    SCOPED_TRACE(member(c, "name").text);
    const Result<Note> note = parse_note(note_of(c));
    ASSERT_TRUE(note) << note.error().message;
    const auto signers = signers_of(*note, keys_of(c));
    ASSERT_FALSE(signers);
    EXPECT_EQ(signers.error().code, ErrorCode::kCorrupt);
  }
}

TEST(NoteVectors, UnknownKeysArePassedOver) {
  SKIP_WITHOUT_VECTORS(kNotes);
  const Json file = vectors(kNotes);
  EXPECT_GE(member(file, "must_ignore").items.size(), 2U);
  for (const Json& c : member(file, "must_ignore").items) {
    SCOPED_TRACE(member(c, "name").text);
    const Result<Note> note = parse_note(note_of(c));
    ASSERT_TRUE(note) << note.error().message;
    const auto signers = signers_of(*note, keys_of(c));
    ASSERT_TRUE(signers) << signers.error().message;
    EXPECT_TRUE(signers->empty());
  }
}

TEST(NoteVectors, WrongVkeysAreRefused) {
  SKIP_WITHOUT_VECTORS(kNotes);
  SKIP_WITHOUT_VECTORS(kVkeys);
  const Json notes = vectors(kNotes);
  EXPECT_GE(member(notes, "vkeys_invalid").items.size(), 2U);
  for (const Json& vkey : member(notes, "vkeys_invalid").items) {
    EXPECT_FALSE(parse_vkey(vkey.text)) << vkey.text;
  }
  const Json file = vectors(kVkeys);
  EXPECT_GE(member(file, "key_id_mismatch_must_refuse").items.size(), 1U);
  for (const Json& c : member(file, "key_id_mismatch_must_refuse").items) {
    const Result<NoteKey> key = parse_vkey(member(c, "vkey").text);
    ASSERT_FALSE(key);
    EXPECT_NE(key.error().message.find("\"" + member(c, "stated").text + "\", expected " +
                                       member(c, "computed_per_C2SP").text),
              std::string::npos)
        << key.error().message;
  }
}

TEST(NoteVectors, VkeysOfEachTypeAreRead) {
  SKIP_WITHOUT_VECTORS(kVkeys);
  const Json file = vectors(kVkeys);
  EXPECT_GE(member(file, "valid").items.size(), 3U);
  for (const Json& c : member(file, "valid").items) {
    const NoteKey key = key_of(member(c, "vkey").text);
    EXPECT_EQ(std::to_string(key.type), member(c, "type").text);
    EXPECT_EQ(vkey_of(key), member(c, "vkey").text);
  }
  const Json& rekor = member(file, "rekor_tiles_key_id");
  const NoteKey key =
      note_key(member(rekor, "origin").text, from_hex(member(rekor, "ed25519_pub_hex").text));
  EXPECT_EQ(std::to_string(key.id), member(rekor, "key_id_u32").text);
}

}  // namespace
}  // namespace muniment
