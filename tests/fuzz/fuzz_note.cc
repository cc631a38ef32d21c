// Notes and keys come from strangers: any bytes may be read, what is read has one spelling, and
// what is trusted is the text that was signed.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "recorder/core/text.h"
#include "recorder/core/tlog/note.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class T>
bool has_message(const muniment::Result<T>& read) {
  return read.has_value() || (read.error().code == muniment::ErrorCode::kInvalid &&
                              muniment::is_valid_utf8(read.error().message));
}

struct Signer {
  muniment::SigningKey secret = muniment::SigningKey::from_seed(std::string(32, 's'));
  muniment::NoteKey key = muniment::note_key("log.example", secret.public_key());
};

const Signer& signer() {
  static const Signer kSigner;
  return kSigner;
}

void check_note(std::string_view bytes) {
  const auto note = muniment::parse_note(bytes);
  require(has_message(note));
  if (!note) return;
  require(muniment::format_note(*note) == bytes);
  require(note->text.ends_with('\n') && !note->signatures.empty());
  require(note->signatures.size() <= muniment::kMostNoteSignatures);
  for (const auto& signature : note->signatures) {
    require(muniment::is_note_name(signature.name) && !signature.bytes.empty());
  }
  muniment::NoteKey witness = signer().key;
  witness.type = muniment::kNoteCosignature;
  const std::array keys = {signer().key, witness};
  const auto signers = muniment::signers_of(*note, keys);
  require(signers ? signers->size() <= keys.size()
                  : signers.error().code == muniment::ErrorCode::kCorrupt);
}

void check_vkey(std::string_view bytes) {
  const auto key = muniment::parse_vkey(bytes);
  require(has_message(key));
  require(!key || (muniment::vkey_of(*key) == bytes && muniment::is_note_name(key->name)));
}

// The first three bytes say what is changed in a note that was signed over the rest.
void check_change(std::string_view bytes) {
  if (bytes.size() < 3) return;
  std::string text = muniment::valid_utf8(bytes.substr(3));
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20U; }, '\n');
  text += '\n';
  muniment::Note note{.text = text, .signatures = {}};
  note.signatures.push_back(muniment::sign_note(text, signer().key, signer().secret));
  std::string changed = muniment::format_note(note);
  const std::size_t at =
      static_cast<unsigned char>(bytes[0]) * 256U + static_cast<unsigned char>(bytes[1]);
  changed[at % changed.size()] = bytes[2];
  const auto read = muniment::parse_note(changed);
  require(has_message(read));
  if (!read) return;
  const auto signers = muniment::signers_of(*read, std::array{signer().key});
  require(!signers || signers->empty() || read->text == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_note(bytes);
  // Past the first hurdles, which a fuzzer takes long to find.
  check_note("a\n\n\u2014 log.example " + std::string(bytes) + "\n");
  check_note("a\n\n\u2014 " + std::string(bytes));
  check_vkey(bytes);
  check_vkey("log.example+" + std::string(bytes));
  check_change(bytes);
  return 0;
}
