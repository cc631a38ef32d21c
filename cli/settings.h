// What the command line, the environment and the manifest settle together.
#ifndef MUNIMENT_CLI_SETTINGS_H_
#define MUNIMENT_CLI_SETTINGS_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "recorder/core/manifest.h"
#include "recorder/core/redact.h"
#include "recorder/core/result.h"

namespace muniment {

// Options that stand before or after every command. Empty: not given.
struct Globals {
  std::string manifest;
  std::string store;
  std::string guard;
  std::string actor;
  bool json = false;
  bool jsonl = false;
  double lock_wait_seconds = 0;
  bool verbose = false;
  bool quiet = false;
  std::string log_format = "text";
  std::string color = "auto";
  std::vector<std::string> command_line;  // argv as given
};

// A manifest with the text it was read from.
struct LoadedManifest {
  std::string path;
  std::string text;
  Manifest manifest;
};

// Where the manifest is: -m, MUNIMENT_MANIFEST, ./muniment.toml, /etc/muniment/muniment.toml.
// Absent: none of the places that nobody named has one.
std::optional<std::string> manifest_path(const Globals& globals);

// Reads and checks it. kInvalid when it is missing, broken, writable by group or others, or owned
// by neither root nor the effective user. `secrets` takes what it refers to.
Result<LoadedManifest> load_manifest(const Globals& globals, Redactor& secrets);

// Where the store is: -s, MUNIMENT_STORE, the manifest's, $XDG_STATE_HOME/muniment, as root
// /var/lib/muniment, else ~/.local/state/muniment. Absolute, but not resolved. Without
// `ask_manifest` the manifest's word is passed over: there is none yet.
Result<std::string> store_path(const Globals& globals, Redactor& secrets, bool ask_manifest = true);

// Where the guard folder is: --guard, MUNIMENT_GUARD, the manifest's, beside the default store
// (muniment-guard). kInvalid when it lies in the store: a restore would take it along.
// Without `ask_manifest` the manifest's word is passed over: there is none yet.
Result<std::string> guard_path(const Globals& globals, Redactor& secrets, const std::string& store,
                               bool ask_manifest = true);

// An environment variable; absent when it is unset or empty.
std::optional<std::string> environment(const char* name);

// The content of a file that decides what is done, at most `limit` bytes. kInvalid when it is no
// regular file, or somebody else could have written it.
Result<std::string> read_trusted_file(const std::string& path, std::size_t limit);

}  // namespace muniment

#endif  // MUNIMENT_CLI_SETTINGS_H_
