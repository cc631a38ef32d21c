#include "recorder/core/tlog/note.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/base64.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "tests/support/generator.h"
#include "tests/support/note_signers.h"

namespace muniment {
namespace {

std::vector<NoteKey> keys_of(const std::vector<NoteSigner>& signers) {
  std::vector<NoteKey> keys;
  for (const NoteSigner& signer : signers) keys.push_back(signer.key);
  return keys;
}

void expect_refused(std::string_view note, const std::string& why) {
  const Result<Note> read = parse_note(note);
  ASSERT_FALSE(read) << note;
  EXPECT_EQ(read.error().code, ErrorCode::kInvalid);
  EXPECT_NE(read.error().message.find(why), std::string::npos) << read.error().message;
  EXPECT_TRUE(is_valid_utf8(read.error().message));
}

// The example of the standard, section "Format", and the key that it goes with.
constexpr std::string_view kVkey =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr std::string_view kNote =
    "This is an example message.\n\n\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    "\n";

TEST(Note, FollowsTheExampleOfTheStandard) {
  const Result<NoteKey> key = parse_vkey(kVkey);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->name, "example.com/foo");
  EXPECT_EQ(key->id, 0x530d903aU);
  EXPECT_EQ(vkey_of(*key), kVkey);
  EXPECT_EQ(*key, note_key("example.com/foo", key->public_key));
  const Result<Note> note = parse_note(kNote);
  ASSERT_TRUE(note) << note.error().message;
  EXPECT_EQ(note->text, "This is an example message.\n");
  EXPECT_EQ(format_note(*note), kNote);
  const auto signers = signers_of(*note, std::array{*key});
  ASSERT_TRUE(signers) << signers.error().message;
  EXPECT_EQ(*signers, std::vector{*key});
}

TEST(Note, IsReadAsItWasWritten) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int i = 0; i < 100; ++i) {
    std::vector<NoteSigner> signers;
    Note written{.text = some_note_text(generator), .signatures = {}};
    for (std::size_t n = generator.between(1, 4); n > 0; --n) {
      signers.push_back(some_note_signer(generator, n));
      const NoteSigner& signer = signers.back();
      written.signatures.push_back(sign_note(written.text, signer.key, signer.secret));
    }
    const std::string bytes = format_note(written);
    const Result<Note> read = parse_note(bytes);
    ASSERT_TRUE(read) << bytes << read.error().message;
    EXPECT_EQ(read->text, written.text);
    EXPECT_EQ(format_note(*read), bytes);
    const auto found = signers_of(*read, keys_of(signers));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, keys_of(signers));
  }
}

// The text may look like the end of a note: only the last blank line separates.
TEST(Note, SplitsAtTheLastBlankLine) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const NoteSigner inner = some_note_signer(generator, 1);
  const NoteSigner outer = some_note_signer(generator, 2);
  Note note{.text = "a\n", .signatures = {sign_note("a\n", inner.key, inner.secret)}};
  const std::string text = format_note(note);
  note = {.text = text, .signatures = {sign_note(text, outer.key, outer.secret)}};
  const Result<Note> read = parse_note(format_note(note));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->text, text);
  const auto signers = signers_of(*read, std::array{inner.key, outer.key});
  ASSERT_TRUE(signers);
  EXPECT_EQ(*signers, std::vector{outer.key});
  const Result<Note> short_one = parse_note("\n\n\u2014 a AAAAAAA=\n");
  ASSERT_TRUE(short_one) << short_one.error().message;
  EXPECT_EQ(short_one->text, "\n");
}

TEST(Note, PassesOverUnknownSignatures) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const NoteSigner known = some_note_signer(generator, 1);
  const NoteSigner stranger = some_note_signer(generator, 2);
  Note note{.text = "a\n", .signatures = {}};
  NoteSignature signature = sign_note(note.text, known.key, known.secret);
  signature.bytes = "wrong";
  signature.name = stranger.key.name;  // the id alone is known
  note.signatures.push_back(signature);
  signature.name = known.key.name;
  signature.key_id = stranger.key.id;  // the name alone is known
  note.signatures.push_back(signature);
  auto signers = signers_of(note, std::array{known.key});
  ASSERT_TRUE(signers) << signers.error().message;
  EXPECT_TRUE(signers->empty());
  note.signatures.push_back(sign_note(note.text, known.key, known.secret));
  signers = signers_of(note, std::array{known.key});
  ASSERT_TRUE(signers) << signers.error().message;
  EXPECT_EQ(*signers, std::vector{known.key});
}

TEST(Note, IsSpoiltByOneWrongSignatureOfAKnownKey) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::array signers = {some_note_signer(generator, 1), some_note_signer(generator, 2)};
  Note note{.text = "a\n", .signatures = {}};
  for (const NoteSigner& signer : signers) {
    note.signatures.push_back(sign_note(note.text, signer.key, signer.secret));
  }
  // A second signature of a key that has a good one already is no better.
  note.signatures.push_back(sign_note("b\n", signers[0].key, signers[0].secret));
  const auto found = signers_of(note, std::array{signers[0].key, signers[1].key});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(found.error().message.find(key_id_hex(signers[0].key.id)), std::string::npos);
  const auto of_other = signers_of(note, std::array{signers[1].key});
  ASSERT_TRUE(of_other);
  EXPECT_EQ(of_other->size(), 1U);
}

TEST(Note, NamesItsSignersOnceInTheOrderOfTheKeys) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const NoteSigner a = some_note_signer(generator, 1);
  const NoteSigner b = some_note_signer(generator, 2);
  const NoteSigner c = some_note_signer(generator, 3);
  Note note{.text = "a\n", .signatures = {}};
  for (const NoteSigner* const signer : {&c, &a, &a}) {
    note.signatures.push_back(sign_note(note.text, signer->key, signer->secret));
  }
  const auto found = signers_of(note, std::array{a.key, b.key, c.key, a.key});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (std::vector{a.key, c.key}));
}

TEST(Note, KnowsTimedCosignatures) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const NoteSigner log = some_note_signer(generator, 1);
  const NoteSigner witness = some_witness(generator, 2);
  Note note{.text = "a\n1\n", .signatures = {}};
  note.signatures.push_back(sign_note(note.text, log.key, log.secret));
  note.signatures.push_back(cosignature(note.text, witness, 1'700'000'000));
  const std::array keys = {log.key, witness.key};
  const Result<Note> read = parse_note(format_note(note));
  ASSERT_TRUE(read) << read.error().message;
  auto found = signers_of(*read, keys);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (std::vector{log.key, witness.key}));
  for (const std::uint64_t time : {std::uint64_t{0}, (std::uint64_t{1} << 63U) - 1}) {
    note.signatures[1] = cosignature(note.text, witness, time);
    EXPECT_TRUE(signers_of(note, keys)) << time;
  }
  for (const std::uint64_t time : {std::uint64_t{1} << 63U, ~std::uint64_t{0}}) {
    note.signatures[1] = cosignature(note.text, witness, time);
    EXPECT_FALSE(signers_of(note, keys)) << time;
  }
  note.signatures[1] = cosignature(note.text, witness, 7);
  for (std::size_t at = 0; at < note.signatures[1].bytes.size(); ++at) {
    Note changed = note;
    changed.signatures[1].bytes[at] = static_cast<char>(changed.signatures[1].bytes[at] ^ 1);
    EXPECT_FALSE(signers_of(changed, keys)) << at;
  }
}

// One key with two ids: what was signed as the one kind is never taken for the other.
TEST(Note, KeepsCosignaturesAndSignaturesApart) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const NoteSigner witness = some_witness(generator, 1);
  const NoteKey plain = note_key(witness.key.name, witness.key.public_key);
  EXPECT_NE(plain.id, witness.key.id);
  const NoteSignature timed = cosignature("a\n", witness, 7);
  NoteSignature wrong = sign_note("a\n", plain, witness.secret);
  wrong.key_id = witness.key.id;
  EXPECT_FALSE(signers_of(Note{"a\n", {wrong}}, std::array{witness.key}));
  wrong = timed;
  wrong.key_id = plain.id;
  EXPECT_FALSE(signers_of(Note{"a\n", {wrong}}, std::array{plain}));
  wrong.bytes = wrong.bytes.substr(8);
  EXPECT_FALSE(signers_of(Note{"cosignature/v1\ntime 7\na\n", {timed}}, std::array{witness.key}));
  EXPECT_TRUE(signers_of(Note{"a\n", {timed}}, std::array{witness.key, plain}));
}

TEST(Note, IsSignedByNoKeyOfATypeThatIsNotChecked) {
  const std::string name = "log.example";
  for (const char type : {'\x02', '\x05', '\x06', '\xff'}) {
    const std::string typed = type + std::string(1312, 'k');
    const std::string named = type == '\x02' ? typed.substr(1) : name + "\n" + typed;
    const std::string id = to_hex(as_bytes(sha256(named)).substr(0, 4));
    const Result<NoteKey> key = parse_vkey(name + "+" + id + "+" + base64(typed));
    ASSERT_TRUE(key) << key.error().message;
    const Note note{.text = "a\n",
                    .signatures = {{.name = name, .key_id = key->id, .bytes = "anything"}}};
    const auto signers = signers_of(note, std::array{*key});
    ASSERT_TRUE(signers) << signers.error().message;
    EXPECT_TRUE(signers->empty());
  }
}

TEST(Note, SaysWhichLineIsWrong) {
  const std::string line = "\u2014 log.example AAAAAAA=\n";
  ASSERT_TRUE(parse_note("a\n\n" + line));
  expect_refused("", "has no signature");
  expect_refused("a\n", "has no signature");
  expect_refused("a\n\n", "has no signature");
  expect_refused("a\n\n" + line + "\n", "has no signature");
  expect_refused("a\n" + line, "has no signature");
  expect_refused("\n" + line, "has no signature");
  expect_refused("a\n\n" + line + line.substr(0, line.size() - 1), "line 4: expected a line end");
  expect_refused("a\nb\n\n" + line + "c\n", "line 5: expected a signature line");
  expect_refused("a\n\n- log.example AAAAAAA=\n", "line 3: expected a signature line");
  expect_refused("a\n\n\u2014log.example AAAAAAA=\n", "line 3: expected a signature line");
  expect_refused("a\n\n\u2014 log.example\n", "line 3: expected a key name");
  expect_refused("a\n\n\u2014  AAAAAAA=\n", "line 3: expected a key name");
  expect_refused("a\n\n\u2014 lo+g AAAAAAA=\n", "line 3: expected a key name");
  expect_refused("a\n\n\u2014 lo\u00a0g AAAAAAA=\n", "line 3: expected a key name");
  expect_refused("a\n\n\u2014 l g AAAAAAA=\n", "line 3: expected padded base64");
  expect_refused("a\n\n\u2014 log AAAAAAA\n", "line 3: expected padded base64");
  expect_refused("a\n\n\u2014 log AAAAAAB=\n", "line 3: expected padded base64");
  expect_refused("a\n\n\u2014 log AAAA__A=\n", "line 3: expected padded base64");
  expect_refused("a\n\n\u2014 log AAAAAAA= \n", "line 3: expected padded base64");
  expect_refused("a\n\n\u2014 log \n", "found 0 bytes");
  expect_refused("a\n\n\u2014 log AAAAAA==\n", "found 4 bytes");
  expect_refused("a\nb\xff\n\n" + line, "line 2: expected UTF-8");
  expect_refused("a\xed\xa0\x80\n\n" + line, "line 1: expected UTF-8");
  expect_refused("a\r\n\n" + line, "line 1: expected no control character, found \\r");
  expect_refused("a\n\tb\n\n" + line, "line 2: expected no control character, found \\t");
  expect_refused(std::string("a\0\n\n", 4) + line, "expected no control character, found \\x00");
}

TEST(Note, HasLimits) {
  const std::string line = "\u2014 log.example AAAAAAA=\n";
  std::string note = "a\n\n";
  for (std::size_t i = 0; i < kMostNoteSignatures; ++i) note += line;
  EXPECT_TRUE(parse_note(note));
  expect_refused(note + line, "line 103: expected at most 100 signatures");
  std::string large = std::string(kMostNoteBytes - line.size() - 2, 'a') + "\n\n" + line;
  EXPECT_TRUE(parse_note(large));
  expect_refused("a" + large, "1048577 bytes, expected at most 1048576");
}

// Whatever single byte is changed on the way: what is still trusted is the text that was signed.
TEST(Note, IsNotTrustedWithAnotherByte) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::array signers = {some_note_signer(generator, 1), some_note_signer(generator, 2)};
  const NoteSigner stranger = some_note_signer(generator, 3);
  const std::array keys = {signers[0].key, signers[1].key};
  Note note{.text = some_note_text(generator), .signatures = {}};
  for (const NoteSigner* const signer : {&signers[0], &stranger, &signers[1]}) {
    note.signatures.push_back(sign_note(note.text, signer->key, signer->secret));
  }
  const std::string bytes = format_note(note);
  ASSERT_EQ(signers_of(parse_note(bytes).value(), keys).value().size(), 2U);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      const Result<Note> read = parse_note(changed);
      if (!read) continue;
      EXPECT_EQ(format_note(*read), changed);
      const auto found = signers_of(*read, keys);
      if (!found || found->empty()) continue;
      EXPECT_EQ(read->text, note.text) << changed;
      // A key that is named although its signature was changed would be trusted for nothing.
      for (const NoteKey& key : *found) {
        const auto is_of = [&](const NoteSignature& s) { return s.key_id == key.id; };
        const auto was = std::ranges::find_if(note.signatures, is_of);
        const auto is = std::ranges::find_if(read->signatures, is_of);
        ASSERT_NE(is, read->signatures.end());
        EXPECT_EQ(is->bytes, was->bytes) << changed;
      }
    }
  }
}

}  // namespace
}  // namespace muniment
