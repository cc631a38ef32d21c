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

// The words that name something, in their order; those that name nothing are left out. kNotFound
// when none is left: the message lists the words. `secrets_folder` is the host's; may be empty.
Result<std::vector<FoundCredential>> find_passwords(
    ContainerCommands& commands, const InspectedContainer& container,
    const google::protobuf::RepeatedPtrField<v1::Credential>& words,
    const std::string& secrets_folder);

// The first user name that a word names; empty where no word is given. kNotFound: none of them
// does.
Result<std::string> find_user(ContainerCommands& commands, const InspectedContainer& container,
                              const google::protobuf::RepeatedPtrField<v1::Credential>& words,
                              const std::string& secrets_folder);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_WORLD_ENGINE_CREDENTIALS_H_
