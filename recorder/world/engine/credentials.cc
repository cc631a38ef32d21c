#include "recorder/world/engine/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "recorder/core/backup_class.h"
#include "recorder/core/text.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr std::size_t kMostSecretBytes = 64U << 10U;

std::string word_of(const v1::Credential& credential) {
  return inert_short(credential_word(credential), 160);
}

std::string without_newline(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::optional<std::string> variable_of(const InspectedContainer& container,
                                       const std::string& name) {
  for (const auto& [key, value] : container.environment) {
    if (key == name && !value.empty()) return value;
  }
  return std::nullopt;
}

// A file in the container; absent where there is none or it cannot be read.
Result<std::optional<std::string>> file_in_container(ContainerCommands& commands,
                                                     const std::string& path) {
  const Result<std::optional<ContainerPath>> seen =
      commands.engine().reader().stat_path(commands.container().container_id(), path);
  if (!seen) return std::unexpected(seen.error());
  if (!*seen) return std::optional<std::string>();
  Result<std::string> text = commands.ask({"cat", path}, {}, kMostSecretBytes);
  if (!text) return pass(text);
  return std::optional(without_newline(std::move(*text)));
}

// A file of the host's folder of secrets: nobody else may read or write it.
Result<std::optional<std::string>> file_on_host(const std::string& folder,
                                                const std::string& name) {
  if (folder.empty()) return std::optional<std::string>();
  const std::string path = folder + "/" + name;
  const Fd file(open_to_read(AT_FDCWD, path.c_str(), O_NOFOLLOW));
  if (!file.open() && errno == ENOENT) return std::optional<std::string>();
  if (!file.open()) return system_failure("open the secret", path, errno);
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return system_failure("stat", path, errno);
  const bool owned = facts.st_uid == 0 || facts.st_uid == ::geteuid();
  if (!S_ISREG(facts.st_mode) || !owned || (facts.st_mode & 077U) != 0) {
    return fail(ErrorCode::kRefused, "secret " + shown_path(path) +
                                         " must be a file of mode 0600 that you own; chmod 600 it");
  }
  std::string text(kMostSecretBytes, '\0');
  const std::int64_t n = read_full(file.get(), text);
  if (n < 0) return system_failure("read", path, errno);
  text.resize(static_cast<std::size_t>(n));
  return std::optional(without_newline(std::move(text)));
}

Result<std::optional<std::string>> value_of(ContainerCommands& commands,
                                            const InspectedContainer& container,
                                            const v1::Credential& word,
                                            const std::string& secrets_folder) {
  if (word.kind() == "literal") return std::optional(word.name());
  if (word.kind() == "env") return variable_of(container, word.name());
  if (word.kind() == "file-env") {
    const std::optional<std::string> path = variable_of(container, word.name());
    if (!path) return std::optional<std::string>();
    return file_in_container(commands, *path);
  }
  if (word.kind() != "secret") return std::optional<std::string>();
  Result<std::optional<std::string>> found =
      file_in_container(commands, "/run/secrets/" + word.name());
  if (!found || *found) return found;
  return file_on_host(secrets_folder, word.name());
}

std::unexpected<Error> none_of(const google::protobuf::RepeatedPtrField<v1::Credential>& words,
                               const std::string& what) {
  std::string list;
  for (const v1::Credential& word : words) list += (list.empty() ? "" : ", ") + word_of(word);
  return fail(ErrorCode::kNotFound, "none of the places where the " + what +
                                        " may be has one: " + list + "; correct `auth`");
}

Result<std::vector<FoundCredential>> find_passwords(
    ContainerCommands& commands, const InspectedContainer& container,
    const google::protobuf::RepeatedPtrField<v1::Credential>& words,
    const std::string& secrets_folder) {
  std::vector<FoundCredential> out;
  for (const v1::Credential& word : words) {
    if (word.kind() == "trust") {
      out.push_back({"trust", std::nullopt});
      continue;
    }
    Result<std::optional<std::string>> value = value_of(commands, container, word, secrets_folder);
    if (!value) return pass(value);
    if (!*value) continue;
    commands.secrets().add_secret(word_of(word), **value);
    out.push_back({word_of(word), std::move(*value)});
  }
  if (out.empty()) return none_of(words, "password");
  return out;
}

Result<std::string> find_user(ContainerCommands& commands, const InspectedContainer& container,
                              const google::protobuf::RepeatedPtrField<v1::Credential>& words,
                              const std::string& secrets_folder) {
  if (words.empty()) return std::string();
  for (const v1::Credential& word : words) {
    Result<std::optional<std::string>> value = value_of(commands, container, word, secrets_folder);
    if (!value) return pass(value);
    if (*value) return std::move(**value);
  }
  return none_of(words, "user name");
}

}  // namespace

Result<Logins> find_logins(ContainerCommands& commands,
                           const google::protobuf::RepeatedPtrField<v1::Credential>& user,
                           const google::protobuf::RepeatedPtrField<v1::Credential>& password,
                           const std::string& secrets_folder) {
  const Result<InspectedContainer> container = commands.inspect();
  if (!container) return std::unexpected(container.error());
  Result<std::string> name = find_user(commands, *container, user, secrets_folder);
  if (!name) return pass(name);
  Result<std::vector<FoundCredential>> passwords =
      find_passwords(commands, *container, password, secrets_folder);
  if (!passwords) return pass(passwords);
  return Logins{std::move(*name), std::move(*passwords)};
}

}  // namespace muniment
