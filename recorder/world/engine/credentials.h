// Credentials by the words of the manifest: looked up when a capture needs them, known to the
// redactor before they are used, handed to programs by the environment of their exec.
#ifndef MUNIMENT_RECORDER_WORLD_ENGINE_CREDENTIALS_H_
#define MUNIMENT_RECORDER_WORLD_ENGINE_CREDENTIALS_H_

#include <optional>
#include <string>
#include <vector>

#include "muniment/v1/plan.pb.h"
#include "recorder/core/result.h"
#include "recorder/world/engine/container_commands.h"

namespace muniment {

// One way in. No password: the server trusts whoever comes.
struct FoundCredential {
  std::string word;  // "trust", "env:POSTGRES_PASSWORD": what the evidence may name
  std::optional<std::string> password;
};

// A user and the ways in to try, in the order of the words; words that name nothing are left out.
struct Logins {
  std::string user;  // empty: no word was given
  std::vector<FoundCredential> passwords;
};

// kNotFound: no word names a user, or none a password; the message lists the words. The redactor
// knows the passwords afterwards. `secrets_folder` is the host's; may be empty.
Result<Logins> find_logins(ContainerCommands& commands,
                           const google::protobuf::RepeatedPtrField<v1::Credential>& user,
                           const google::protobuf::RepeatedPtrField<v1::Credential>& password,
                           const std::string& secrets_folder);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_CREDENTIALS_H_
