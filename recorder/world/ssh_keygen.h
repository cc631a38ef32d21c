// Signatures of people: OpenSSH's own ssh-keygen makes and judges them (ssh-keygen(1), -Y).
//
// The program is /usr/bin/ssh-keygen and no other: one that PATH finds first could say anything.
// Nothing is written to disk: texts go through standard input and files in memory.
#ifndef MUNIMENT_RECORDER_WORLD_SSH_KEYGEN_H_
#define MUNIMENT_RECORDER_WORLD_SSH_KEYGEN_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/gate.h"
#include "recorder/core/result.h"

namespace muniment {

// Signs `text` under kApprovalNamespace; the SSHSIG armour. `key_file` is a private key, or a
// public key whose private half ssh-agent holds (SSH_AUTH_SOCK in `environment`, "NAME=value"). A
// passphrase or a touch is asked for by ssh-keygen itself, on the terminal.
// kInvalid: the key cannot be used, in ssh-keygen's words. kUnavailable: there is no ssh-keygen.
// kInterrupted: a person pressed Ctrl-C, or `stop` said so.
Result<std::string> sign_with_ssh(const std::string& key_file, std::string_view text,
                                  const std::vector<std::string>& environment,
                                  const std::function<bool()>& stop = {});

// Likewise, with a key that ssh-agent holds: one line of list_agent_keys().
Result<std::string> sign_with_agent(const std::string& public_key, std::string_view text,
                                    const std::vector<std::string>& environment,
                                    const std::function<bool()>& stop = {});

// The public keys that ssh-agent holds, as lines of an authorized_keys file; none is not an error.
Result<std::vector<std::string>> list_agent_keys(const std::vector<std::string>& environment);

// Judges a signature over `text` by the text of an allowed_signers file. One that does not hold is
// an answer (why), not an error. kUnavailable: there is no ssh-keygen.
Result<SignatureCheck> check_ssh_signature(std::string_view text, std::string_view signature,
                                           std::string_view signers);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_SSH_KEYGEN_H_
