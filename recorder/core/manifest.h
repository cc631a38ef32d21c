// The manifest, muniment.toml: values only. Words and rules: see README.md and `muniment init`.
#ifndef MUNIMENT_RECORDER_CORE_MANIFEST_H_
#define MUNIMENT_RECORDER_CORE_MANIFEST_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/common.pb.h"
#include "muniment/v1/run.pb.h"
#include "recorder/core/result.h"

namespace muniment {

// Where a word stands in the file; both from 1.
struct Position {
  int line = 1;
  int column = 1;
};

// How a container is found: exactly one of the three is set; all empty: a module on the host.
struct ContainerSelector {
  std::string compose_project;  // with compose_service
  std::string compose_service;
  std::string name;
  std::string label;  // "key=value"
  bool empty() const { return compose_service.empty() && name.empty() && label.empty(); }
};

// `trust`, `env:NAME`, `file-env:NAME`, `secret:NAME`; or a literal, for a user name alone.
struct AuthWord {
  enum class Kind { kTrust, kEnv, kFileEnv, kSecret, kLiteral };
  Kind kind = Kind::kTrust;
  std::string name;
};

struct Auth {
  std::vector<AuthWord> user;
  std::vector<AuthWord> password;
};

struct Quiesce {
  std::string method = "none";  // pause | stop | exec | none
  std::chrono::seconds timeout{60};
  std::vector<std::string> on;
  std::vector<std::string> off;
  std::string user;
};

// The class `command` says how its output is checked: exactly one is set.
struct OutputCheck {
  std::string magic;
  std::string trailer;
  std::uint64_t least_bytes = 0;
};

struct Member {
  Position at;
  std::string id;
  std::string module;                                           // either another module …
  v1::BackupClass backup_class = v1::BACKUP_CLASS_UNSPECIFIED;  // … or a class with its paths
  std::vector<std::string> paths;
  std::vector<std::string> volumes;
  std::vector<std::string> exclude;
};

struct Module {
  Position at;
  std::string name;  // [a-z0-9][a-z0-9._-]{0,62}
  ContainerSelector container;
  std::string host_path;  // absolute, or empty
  // UNSPECIFIED: "auto", the ladder decides.
  v1::BackupClass backup_class = v1::BACKUP_CLASS_UNSPECIFIED;
  std::vector<std::string> paths;
  std::vector<std::string> volumes;
  std::vector<std::string> exclude;
  bool allow_empty = false;
  std::vector<std::string> databases;
  std::optional<bool> globals;
  std::vector<std::string> checks;
  Auth auth;
  std::vector<std::string> argv;
  std::optional<OutputCheck> check;
  std::optional<std::chrono::seconds> timeout;
  std::optional<Quiesce> quiesce;
  std::vector<Member> members;
  std::string gate;    // empty: none
  std::string reason;  // class none
};

// One [[exclude]]: exactly one of the match words is set.
struct Exclude {
  Position at;
  std::string id;
  std::string kind;     // path | module | service | volume | mount | label
  std::string pattern;  // of that kind
  std::string reason;
};

// One condition of a gate: { dry_run = "24h" }, { no_drift = true }, { check = "NAME" } …
struct Need {
  std::string name;
  std::optional<std::chrono::seconds> within;
  std::string value;  // of `check`
};

struct Gate {
  Position at;
  std::string name;
  std::vector<std::string> guards;  // backup | exec | restore
  std::string signers;
  std::uint32_t approvals = 1;
  bool no_self_approval = false;
  std::chrono::seconds expires{24 * 3600};
  std::string keys;                                // "" | "sk"
  std::map<std::string, std::vector<Need>> needs;  // by guarded command
};

struct Manifest {
  std::string host_name;  // empty: the machine's
  std::string origin;     // empty: "<host name>/muniment"
  std::string engine = "auto";
  std::string release_root;
  std::string secrets_folder;
  std::string store_path;  // empty: by the command line's rules
  std::string guard_path;  // likewise
  std::string
      backup_root;  // empty: [backup] is missing; an error when something is to be backed up
  std::string compression = "zstd";  // none | zstd
  int zstd_level = 3;
  std::uint64_t min_free_bytes = 0;
  std::vector<Module> modules;
  std::vector<Exclude> excludes;
  std::map<std::string, Gate> gates;
  v1::Context context;  // [evidence]

  const Module* find(std::string_view module) const;
};

// Parses and checks. `file` stands in messages as it was given.
// An error is kInvalid and its message is `FILE:LINE:COL: what is wrong; expected …; did you mean
// …?`, one problem a line, all problems of the file that can be told apart.
Result<Manifest> parse_manifest(std::string_view file, std::string_view text);

// "90s" "10m" "24h" "7d", a whole number above 0; nothing else.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);
// "512KiB" "2GiB" "0", units B KiB MiB GiB TiB; nothing else; no overflow.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_MANIFEST_H_
