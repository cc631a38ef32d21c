// Finds secret values that are known, however they are written.
#ifndef MUNIMENT_RECORDER_CORE_KNOWN_SECRETS_H_
#define MUNIMENT_RECORDER_CORE_KNOWN_SECRETS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// A set of values and the rule that each stands for. A value is found
//   as it is,
//   with any of its bytes percent-encoded (either case; a blank also as `+`),
//   inside base64 (standard and URL alphabet) at each of the three alignments, together with the
//   characters at its edges that carry some of its bits, and with its padding.
// A value type; const methods are safe from many threads.
class KnownSecrets {
 public:
  // A value shorter than this is not kept: too much that is no secret would look like it.
  static constexpr std::size_t kLeastBytes = 6;

  // Of two rules for one value the first stays.
  void add(std::string rule, std::string value);

  // Appends `text`, up to `decided`, to `out`; each secret that starts there becomes its mask.
  // `covered` is how many bytes at the front of `text` belong to a mask that stands in `out`
  // already, and is brought up to date for the text that begins at `decided`. Secrets that overlap
  // become one mask, that of the first; where several start together the longest.
  // REQUIRES: `decided` is text.size(), or at least longest_form() bytes follow it.
  void replace(std::string_view text, std::size_t decided, std::size_t& covered,
               std::string& out) const;

  // The most bytes that a value can take in the text; 0 without values.
  std::size_t longest_form() const { return longest_form_; }

 private:
  struct Secret {
    std::string rule;
    std::string value;
  };
  // Six bits for each character; of the first and the last only those under the mask are known.
  struct Base64Form {
    std::string sextets;
    std::uint8_t first_mask = 0x3F;
    std::uint8_t last_mask = 0x3F;
    std::size_t secret = 0;
  };
  struct Match {
    std::size_t size = 0;  // 0: none
    std::size_t secret = 0;
  };

  void add_base64(std::size_t secret, std::size_t alignment);
  Match longest_at(std::string_view text) const;
  // `first` is the byte that the first `first_bytes` of `text` stand for.
  void match_bytes(std::string_view text, unsigned char first, std::size_t first_bytes,
                   Match& best) const;
  void match_base64(std::string_view text, Match& best) const;

  std::vector<Secret> secrets_;
  std::vector<Base64Form> forms_;
  std::array<std::vector<std::size_t>, 256> by_byte_;   // secrets, by their first byte
  std::array<std::vector<std::size_t>, 64> by_sextet_;  // forms, by their second character
  std::size_t longest_form_ = 0;
};

// What stands in the place of a secret. It does not tell the secret's length.
std::string mask_of(std::string_view rule);

// Whether `text` is one mask and nothing else.
bool is_mask(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_KNOWN_SECRETS_H_
