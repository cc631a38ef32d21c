// Which key signs, and its signature.
#ifndef MUNIMENT_CLI_APPROVE_KEY_H_
#define MUNIMENT_CLI_APPROVE_KEY_H_

#include <string>
#include <vector>

#include "recorder/core/result.h"

namespace muniment {

// Where a signature is to come from.
struct ApproveKey {
  std::string file;        // --key, or empty:
  std::string agent_line;  // the one signer's key that ssh-agent holds
};

// `file` is --key as it was typed. kInvalid: none was named, and ssh-agent holds no key of the
// signers, or several. kUnavailable: there is no ssh-add.
Result<ApproveKey> choose_key(const std::string& file, const std::string& signers,
                              const std::vector<std::string>& environment);

// The armour over `text`. Says first what the person has to do. Errors: as sign_with_ssh().
Result<std::string> sign_approval(const ApproveKey& key, const std::string& text,
                                  const std::vector<std::string>& environment);

}  // namespace muniment

#endif  // MUNIMENT_CLI_APPROVE_KEY_H_
