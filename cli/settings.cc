#include "cli/settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "recorder/core/paths.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::size_t kMostManifestBytes = 1U << 20U;
constexpr std::size_t kMostSecretBytes = 64U << 10U;

std::string absolute(const std::string& path) {
  std::error_code error;
  std::filesystem::path full = std::filesystem::absolute(path, error).lexically_normal();
  std::string text = error ? path : full.string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::string system_error() {
  return std::strerror(errno);
}

std::string untrusted_because(const struct stat& facts) {
  if (!S_ISREG(facts.st_mode)) return "it is not a regular file";
  if (facts.st_uid != 0 && facts.st_uid != geteuid()) {
    return "it belongs to uid " + std::to_string(facts.st_uid) +
           ", neither root nor you; take it over with chown";
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "group or others may write it; run chmod go-w on it";
  }
  return {};
}

void collect_references(const Module& module, std::vector<std::string>& names) {
  for (const auto* words : {&module.auth.user, &module.auth.password}) {
    for (const AuthWord& word : *words) {
      if (word.kind == AuthWord::Kind::kSecret) names.push_back(word.name);
    }
  }
}

// Secrets that lie in files here; those that live in containers are read where they are used.
Status add_secret_files(const Manifest& manifest, Redactor& secrets) {
  if (manifest.secrets_folder.empty()) return {};
  std::vector<std::string> names;
  for (const Module& module : manifest.modules) collect_references(module, names);
  for (const std::string& name : names) {
    const std::string path = manifest.secrets_folder + "/" + name;
    if (access(path.c_str(), F_OK) != 0) continue;
    Result<std::string> value = read_trusted_file(path, kMostSecretBytes);
    if (!value) return pass(value);
    secrets.add_secret("secret:" + name, std::move(*value));
  }
  return {};
}

// Where state is kept of what nobody gave a place.
std::string state_folder() {
  if (const auto state = environment("XDG_STATE_HOME")) return *state;
  if (geteuid() == 0) return "/var/lib";
  return environment("HOME").value_or("") + "/.local/state";
}

Result<std::string> named_guard(const Globals& globals, Redactor& secrets, bool ask_manifest) {
  if (!globals.guard.empty()) return globals.guard;
  if (const auto named = environment("MUNIMENT_GUARD")) return *named;
  if (ask_manifest && manifest_path(globals)) {
    Result<LoadedManifest> loaded = load_manifest(globals, secrets);
    if (!loaded) return pass(loaded);
    if (!loaded->manifest.guard_path.empty()) return loaded->manifest.guard_path;
  }
  return state_folder() + "/muniment-guard";
}

}  // namespace

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<std::string> read_trusted_file(const std::string& path, std::size_t limit) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return fail(ErrorCode::kInvalid, inert(path) + " cannot be read: " + system_error());
  }
  struct stat facts{};
  std::string why;
  std::string text;
  if (fstat(fd, &facts) != 0) {
    why = system_error();
  } else {
    why = untrusted_because(facts);
  }
  char buffer[16384];
  ssize_t got = 1;
  while (why.empty() && got > 0 && text.size() <= limit) {
    got = read(fd, buffer, sizeof buffer);
    if (got < 0) why = system_error();
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  }
  close(fd);
  if (why.empty() && text.size() > limit) {
    why = "it is larger than " + std::to_string(limit) + " bytes";
  }
  if (!why.empty()) return fail(ErrorCode::kInvalid, inert(path) + " is refused: " + why);
  return text;
}

std::optional<std::string> manifest_path(const Globals& globals) {
  if (!globals.manifest.empty()) return globals.manifest;
  if (const auto named = environment("MUNIMENT_MANIFEST")) return named;
  for (const char* place : {"./muniment.toml", "/etc/muniment/muniment.toml"}) {
    if (access(place, F_OK) == 0) return place;
  }
  return std::nullopt;
}

Result<LoadedManifest> load_manifest(const Globals& globals, Redactor& secrets) {
  const std::optional<std::string> path = manifest_path(globals);
  if (!path) {
    return fail(
        ErrorCode::kInvalid,
        "no manifest: neither ./muniment.toml nor /etc/muniment/muniment.toml is there; name "
        "one with -m, or run `muniment init`");
  }
  Result<std::string> text = read_trusted_file(*path, kMostManifestBytes);
  if (!text) return pass(text);
  Result<Manifest> manifest = parse_manifest(*path, *text);
  if (!manifest) return pass(manifest);
  if (Status status = add_secret_files(*manifest, secrets); !status) return pass(status);
  return LoadedManifest{
      .path = absolute(*path), .text = std::move(*text), .manifest = std::move(*manifest)};
}

Result<std::string> store_path(const Globals& globals, Redactor& secrets, bool ask_manifest) {
  if (!globals.store.empty()) return absolute(globals.store);
  if (const auto named = environment("MUNIMENT_STORE")) return absolute(*named);
  if (ask_manifest && manifest_path(globals)) {
    Result<LoadedManifest> loaded = load_manifest(globals, secrets);
    if (!loaded) return pass(loaded);
    if (!loaded->manifest.store_path.empty()) return absolute(loaded->manifest.store_path);
  }
  return absolute(state_folder() + "/muniment");
}

Result<std::string> guard_path(const Globals& globals, Redactor& secrets, const std::string& store,
                               bool ask_manifest) {
  Result<std::string> named = named_guard(globals, secrets, ask_manifest);
  if (!named) return named;
  std::string guard = absolute(*named);
  if (!is_within(guard, store)) return guard;
  return fail(ErrorCode::kInvalid, "the guard folder " + inert(guard) + " lies in the store " +
                                       inert(store) +
                                       ": whoever restores the store would restore it too; name "
                                       "another with --guard or `guard` in [store]");
}

}  // namespace muniment
