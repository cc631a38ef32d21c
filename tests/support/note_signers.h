// Signed notes to test with.
#ifndef MUNIMENT_TESTS_SUPPORT_NOTE_SIGNERS_H_
#define MUNIMENT_TESTS_SUPPORT_NOTE_SIGNERS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "recorder/core/digest.h"
#include "recorder/core/tlog/note.h"
#include "tests/support/generator.h"

namespace muniment {

struct NoteSigner {
  SigningKey secret;
  NoteKey key;
};

// One with a name of its own for each number.
inline NoteSigner some_note_signer(Generator& generator, std::size_t number) {
  SigningKey secret = SigningKey::from_seed(generator.bytes(kEd25519SeedBytes));
  std::string name = generator.text(generator.between(1, 12), "abc./-\x7f") + "\u00e9\U0001f5dd";
  NoteKey key = note_key(name + std::to_string(number), secret.public_key());
  return {std::move(secret), std::move(key)};
}

// The same, with a key of type 0x04.
inline NoteSigner some_witness(Generator& generator, std::size_t number) {
  NoteSigner witness = some_note_signer(generator, number);
  witness.key.type = kNoteCosignature;
  const Digest digest = sha256(witness.key.name + "\n\x04" + witness.key.public_key);
  witness.key.id = 0;
  for (std::size_t i = 0; i < 4; ++i) witness.key.id = (witness.key.id << 8U) | digest[i];
  return witness;
}

// What a witness signs and where its time stands: c2sp.org/tlog-cosignature.
inline NoteSignature cosignature(std::string_view text, const NoteSigner& witness,
                                 std::uint64_t time) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>((time >> (56U - 8U * i)) & 0xffU);
  bytes += witness.secret.sign("cosignature/v1\ntime " + std::to_string(time) + "\n" +
                               std::string(text));
  return {.name = witness.key.name, .key_id = witness.key.id, .bytes = bytes};
}

// Lines that look like parts of a note, blank ones among them; ends in LF.
inline std::string some_note_text(Generator& generator) {
  std::string text;
  for (std::size_t i = generator.between(1, 6); i > 0; --i) {
    if (generator.one_in(4)) {
      text += "\u2014 log.example AAAAAAA=";
    } else {
      text +=
          generator.text(generator.below(8), "ab +=\x7f") + (generator.one_in(3) ? "\u00e9" : "");
    }
    text += '\n';
  }
  return text;
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_NOTE_SIGNERS_H_
