// The keys that may approve: an allowed_signers file of OpenSSH (ssh-keygen(1), ALLOWED SIGNERS).
// Pure. ssh-keygen judges signatures; what is read here says who could make one that counts.
#ifndef MUNIMENT_RECORDER_CORE_SIGNERS_H_
#define MUNIMENT_RECORDER_CORE_SIGNERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

// One line of the file. A key in two lines is one key: keys count by their fingerprint.
struct Signer {
  std::vector<std::string> principals;  // as written, at least one
  std::string key_type;                 // "ssh-ed25519", "sk-ssh-ed25519@openssh.com"
  std::string fingerprint;              // "SHA256:" and base64 without padding
};

// All lines. Comments and empty lines are none. Options of a line are OpenSSH's (namespaces,
// valid-after, valid-before).
// kInvalid, naming the line: a principal with `*`, `?` or `!` (anybody would be a signer);
// cert-authority (the file would not say which keys); a line that is none; no key at all.
Result<std::vector<Signer>> parse_signers(std::string_view text);

// Whether a key lives in hardware and wants a touch: the manifest's `keys = "sk"`.
bool is_security_key(const Signer& signer);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_SIGNERS_H_
