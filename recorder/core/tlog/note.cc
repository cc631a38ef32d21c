#include "recorder/core/tlog/note.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "recorder/core/base64.h"
#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::string_view kDash = "\u2014 ";  // in front of a signature line
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kShownBytes = 80;

// The types that the standard gives out; 0x02 alone leaves the name out of the key id.
constexpr std::uint8_t kEcdsa = 0x02;
constexpr std::array<std::uint8_t, 6> kTypes = {kNoteEd25519, kEcdsa, kNoteCosignature,
                                                0x05,         0x06,   0xff};

// White_Space of Unicode beyond ASCII. UTF-8 is self-synchronizing: a match is the code point.
constexpr std::array<std::string_view, 19> kSpaces = {
    "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
    "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
    "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20U;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = (number << 8U) | static_cast<unsigned char>(byte);
  return number;
}

std::string key_id_bytes(std::uint32_t id) {
  std::string out;
  for (unsigned shift = 32; shift > 0; shift -= 8) {
    out += static_cast<char>((id >> (shift - 8)) & 0xffU);
  }
  return out;
}

std::string typed_key(const NoteKey& key) {
  return static_cast<char>(key.type) + key.public_key;
}

std::uint32_t key_id_of(const NoteKey& key) {
  const Digest digest =
      sha256(key.type == kEcdsa ? key.public_key : key.name + '\n' + typed_key(key));
  return static_cast<std::uint32_t>(big_endian(as_bytes(digest).substr(0, kKeyIdBytes)));
}

bool is_checked_here(std::uint8_t type) {
  return type == kNoteEd25519 || type == kNoteCosignature;
}

std::unexpected<Error> bad_vkey(std::string_view vkey, const std::string& why) {
  return fail(ErrorCode::kInvalid, "the verifier key \"" + inert_short(vkey, kShownBytes) + "\" " +
                                       why + "; copy it anew from its owner");
}

std::unexpected<Error> bad_note(const std::string& why) {
  return fail(ErrorCode::kInvalid, "the signed note " + why + "; fetch it anew from its source");
}

std::unexpected<Error> bad_line(std::size_t line, const std::string& why) {
  return bad_note("is malformed in line " + std::to_string(line) + ": " + why);
}

std::size_t lines_in(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

Result<NoteSignature> parse_signature(std::string_view line, std::size_t number) {
  const auto shown = [&] { return "found \"" + inert_short(line, kShownBytes) + "\""; };
  if (!line.starts_with(kDash)) {
    return bad_line(
        number, "expected a signature line, which begins with an em dash and a space, " + shown());
  }
  const std::string_view rest = line.substr(kDash.size());
  const std::size_t space = rest.find(' ');
  const std::string_view name = rest.substr(0, space);
  if (space == std::string_view::npos || !is_note_name(name)) {
    return bad_line(number, "expected a key name, a space and base64, " + shown());
  }
  const std::optional<std::string> bytes = base64_decoded_strictly(rest.substr(space + 1));
  if (!bytes) return bad_line(number, "expected padded base64 behind the key name, " + shown());
  if (bytes->size() <= kKeyIdBytes) {
    return bad_line(number, "expected a key id of 4 bytes and a signature, found " +
                                std::to_string(bytes->size()) + " bytes");
  }
  const std::string_view all = *bytes;
  return NoteSignature{.name = std::string(name),
                       .key_id = static_cast<std::uint32_t>(big_endian(all.substr(0, kKeyIdBytes))),
                       .bytes = std::string(all.substr(kKeyIdBytes))};
}

// The first line that no note may have.
Status check_characters(std::string_view bytes) {
  const std::size_t valid = valid_utf8_prefix(bytes);
  if (valid != bytes.size()) {
    return bad_line(lines_in(bytes.substr(0, valid)) + 1, "expected UTF-8, found other bytes");
  }
  const auto* const control =
      std::find_if(bytes.begin(), bytes.end(), [](char c) { return is_control(c) && c != '\n'; });
  if (control == bytes.end()) return {};
  const auto before = static_cast<std::size_t>(control - bytes.begin());
  return bad_line(lines_in(bytes.substr(0, before)) + 1,
                  "expected no control character, found " + inert(bytes.substr(before, 1)));
}

bool is_good(const NoteSignature& signature, std::string_view text, const NoteKey& key) {
  const std::string_view bytes = signature.bytes;
  if (key.type == kNoteEd25519) return is_signed_by(key.public_key, text, bytes);
  if (bytes.size() != kTimeBytes + kEd25519SignatureBytes) return false;
  const std::uint64_t time = big_endian(bytes.substr(0, kTimeBytes));
  if (time > std::numeric_limits<std::int64_t>::max()) return false;
  std::string message = "cosignature/v1\ntime " + std::to_string(time) + "\n";
  message += text;
  return is_signed_by(key.public_key, message, bytes.substr(kTimeBytes));
}

}  // namespace

NoteKey note_key(std::string name, std::string public_key) {
  check(is_note_name(name), "a key has a name that the standard allows");
  check(public_key.size() == kEd25519PublicBytes, "an Ed25519 public key has 32 bytes");
  NoteKey key{
      .name = std::move(name), .id = 0, .type = kNoteEd25519, .public_key = std::move(public_key)};
  key.id = key_id_of(key);
  return key;
}

bool is_note_name(std::string_view name) {
  if (name.empty() || !is_valid_utf8(name)) return false;
  const auto is_bad = [](char c) { return is_control(c) || c == ' ' || c == '+'; };
  if (std::any_of(name.begin(), name.end(), is_bad)) return false;
  return std::none_of(kSpaces.begin(), kSpaces.end(), [&](std::string_view space) {
    return name.find(space) != std::string_view::npos;
  });
}

std::string key_id_hex(std::uint32_t id) {
  return to_hex(key_id_bytes(id));
}

std::string vkey_of(const NoteKey& key) {
  return key.name + "+" + key_id_hex(key.id) + "+" + base64(typed_key(key));
}

Result<NoteKey> parse_vkey(std::string_view vkey) {
  const std::size_t first = vkey.find('+');
  const std::size_t second =
      first == std::string_view::npos ? std::string_view::npos : vkey.find('+', first + 1);
  if (second == std::string_view::npos) {
    return bad_vkey(vkey, "has not the three parts name+keyid+key");
  }
  const std::string_view name = vkey.substr(0, first);
  if (!is_note_name(name)) {
    return bad_vkey(vkey, "has no valid name: expected text without white space");
  }
  const std::optional<std::string> bytes = base64_decoded_strictly(vkey.substr(second + 1));
  if (!bytes || bytes->size() < 2)
    return bad_vkey(vkey, "does not end in padded base64 of a type and a key");
  NoteKey key{.name = std::string(name),
              .id = 0,
              .type = static_cast<std::uint8_t>(bytes->front()),
              .public_key = bytes->substr(1)};
  const std::string type = "0x" + to_hex(bytes->substr(0, 1));
  if (std::find(kTypes.begin(), kTypes.end(), key.type) == kTypes.end()) {
    return bad_vkey(vkey, "is of type " + type + ", which the standard does not know");
  }
  if (is_checked_here(key.type) && key.public_key.size() != kEd25519PublicBytes) {
    return bad_vkey(vkey, "is of type " + type + " and has " +
                              std::to_string(key.public_key.size()) + " bytes, expected 32");
  }
  key.id = key_id_of(key);
  const std::string expected = key_id_hex(key.id);
  const std::string_view found = vkey.substr(first + 1, second - first - 1);
  if (found != expected) {
    return bad_vkey(vkey, "has the key id \"" + inert_short(found, kShownBytes) + "\", expected " +
                              expected + " for its name and key");
  }
  return key;
}

bool is_among(const NoteKey& key, std::span<const NoteKey> keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string vkeys_of(std::span<const NoteKey> keys) {
  std::string out;
  for (const NoteKey& key : keys) out += (out.empty() ? "" : ", ") + vkey_of(key);
  return out.empty() ? "no key" : out;
}

Result<Note> parse_note(std::string_view bytes) {
  if (bytes.size() > kMostNoteBytes) {
    return bad_note("has " + std::to_string(bytes.size()) + " bytes, expected at most " +
                    std::to_string(kMostNoteBytes));
  }
  if (const Status characters = check_characters(bytes); !characters) {
    return std::unexpected(characters.error());
  }
  const std::size_t split = bytes.rfind("\n\n");
  if (split == std::string_view::npos || split + 2 == bytes.size()) {
    return bad_note("has no signature: expected a blank line and signature lines at its end");
  }
  std::size_t number = lines_in(bytes.substr(0, split + 2)) + 1;
  if (!bytes.ends_with('\n')) {
    return bad_line(lines_in(bytes) + 1, "expected a line end behind the last signature");
  }
  Note note{.text = std::string(bytes.substr(0, split + 1)), .signatures = {}};
  std::string_view rest = bytes.substr(split + 2);
  for (; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    if (note.signatures.size() == kMostNoteSignatures) {
      return bad_line(number, "expected at most " + std::to_string(kMostNoteSignatures) +
                                  " signatures, found more");
    }
    Result<NoteSignature> signature = parse_signature(rest.substr(0, end), number);
    if (!signature) return pass(signature);
    note.signatures.push_back(*std::move(signature));
    rest.remove_prefix(end + 1);
  }
  return note;
}

std::string format_note(const Note& note) {
  check(note.text.ends_with('\n'), "the text of a note ends in LF");
  std::string out = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) {
    out += kDash;
    out += signature.name + " " + base64(key_id_bytes(signature.key_id) + signature.bytes) + "\n";
  }
  return out;
}

NoteSignature sign_note(std::string_view text, const NoteKey& key, const SigningKey& secret) {
  check(text.ends_with('\n'), "the text of a note ends in LF");
  check(key.type == kNoteEd25519, "a note is signed by a key of type 0x01");
  check(key.public_key == secret.public_key(), "the two halves of a key belong together");
  return {.name = key.name, .key_id = key.id, .bytes = secret.sign(text)};
}

Result<std::vector<NoteKey>> signers_of(const Note& note, std::span<const NoteKey> keys) {
  std::vector<bool> signed_by(keys.size(), false);
  for (const NoteSignature& signature : note.signatures) {
    bool known = false;
    bool good = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const NoteKey& key = keys[i];
      if (key.name != signature.name || key.id != signature.key_id) continue;
      if (!is_checked_here(key.type)) continue;
      known = true;
      if (!is_good(signature, note.text, key)) continue;
      good = true;
      signed_by[i] = true;
    }
    if (known && !good) {
      return fail(ErrorCode::kCorrupt,
                  "the signed note is not what \"" + inert(signature.name) + "\" (key id " +
                      key_id_hex(signature.key_id) +
                      ") signed: its signature does not fit the text; do not trust the note, fetch "
                      "it anew from its source");
    }
  }
  std::vector<NoteKey> signers;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!signed_by[i]) continue;
    if (std::find(signers.begin(), signers.end(), keys[i]) == signers.end()) {
      signers.push_back(keys[i]);
    }
  }
  return signers;
}

}  // namespace muniment
