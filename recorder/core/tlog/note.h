// Signed notes and verifier keys: C2SP signed-note v1.0.0, https://c2sp.org/signed-note.
//
//   note  = text LF 1*( "— " name " " base64(key id(4) || signature) LF )      text ends in LF
//   vkey  = name "+" key id in hex "+" base64(type || public key)
//   key id = the first four bytes of SHA-256(name LF type || public key), big endian
#ifndef MUNIMENT_RECORDER_CORE_TLOG_NOTE_H_
#define MUNIMENT_RECORDER_CORE_TLOG_NOTE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"
#include "recorder/core/tlog/ed25519.h"

namespace muniment {

// Signature types of the standard that are checked here. Its others (ECDSA 0x02, RFC 6962 0x05,
// ML-DSA 0x06, long 0xff) are parsed and never verify.
inline constexpr std::uint8_t kNoteEd25519 = 0x01;
inline constexpr std::uint8_t kNoteCosignature = 0x04;  // cosignature/v1: with a time

// A public key and the name it signs under.
struct NoteKey {
  std::string name;  // not empty, no white space, no '+'
  std::uint32_t id = 0;
  std::uint8_t type = kNoteEd25519;
  std::string public_key;  // without the type byte

  bool operator==(const NoteKey&) const = default;
};

// The Ed25519 key under a name. REQUIRES: is_note_name(name), a public key of 32 bytes.
NoteKey note_key(std::string name, std::string public_key);

// Whether the standard lets a key have this name: valid UTF-8, no white space of Unicode, no '+',
// no control character below U+0020, not empty. Others may be in it: show it through inert().
bool is_note_name(std::string_view name);

// The key id as a vkey has it: eight lower-case hexadecimal digits.
std::string key_id_hex(std::uint32_t id);

// "name+hex8+base64". The parser recomputes the key id. kInvalid: what is wrong with it; a type
// that the standard has not given out is wrong.
std::string vkey_of(const NoteKey& key);
Result<NoteKey> parse_vkey(std::string_view vkey);

bool is_among(const NoteKey& key, std::span<const NoteKey> keys);

// As vkeys, with commas; "no key" of none.
std::string vkeys_of(std::span<const NoteKey> keys);

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string bytes;  // behind the key id
};

struct Note {
  std::string text;  // ends in LF; all of it is signed
  std::vector<NoteSignature> signatures;
};

inline constexpr std::size_t kMostNoteBytes = 1U << 20U;
inline constexpr std::size_t kMostNoteSignatures = 100;

// kInvalid says which line is wrong: not UTF-8, a control character, no signature, too many, a
// signature line that is malformed or whose base64 could be written in another way.
Result<Note> parse_note(std::string_view bytes);

// REQUIRES: a text that ends in LF.
std::string format_note(const Note& note);

// The signature line of a key over a text.
// REQUIRES: a text that ends in LF, a key of type 0x01 that is the public half of `secret`.
NoteSignature sign_note(std::string_view text, const NoteKey& key, const SigningKey& secret);

// Those of `keys` that signed the note, in their order, each once; empty when none of them did.
// Signatures of unknown keys, and of types that are not checked here, are passed over, as the
// standard wants; kCorrupt when one of a known key (name and id) is wrong, be it a second one: then
// the note is not to be trusted at all.
Result<std::vector<NoteKey>> signers_of(const Note& note, std::span<const NoteKey> keys);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_TLOG_NOTE_H_
