// What a backup class is: rules as data, one row a class. To add a class, write its rules in a file
// class_NAME.cc, add the row in backup_class.cc and the capture in recorder/world.
#ifndef MUNIMENT_RECORDER_CORE_BACKUP_CLASS_H_
#define MUNIMENT_RECORDER_CORE_BACKUP_CLASS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/plan.pb.h"
#include "muniment/v1/resolution.pb.h"
#include "recorder/core/manifest.h"

namespace muniment {

// Why a module cannot be captured, in the words that the event carries.
struct Refusal {
  v1::UnresolvedReason reason = v1::UNRESOLVED_REASON_UNSPECIFIED;
  std::string detail;
};

// The one container that a module's selector names, and its paths in it.
struct ContainerSight {
  v1::ContainerObserved container;
  std::vector<v1::PathObserved> paths;
};

// A module with what was seen of it: enough to plan its steps.
struct Target {
  std::string module;
  v1::BackupClass backup_class = v1::BACKUP_CLASS_UNSPECIFIED;
  v1::PathObserved seen;                 // a module on the host: its path
  std::optional<ContainerSight> inside;  // a module in a container
  std::vector<std::string> exclude;      // the module's patterns, then the manifest's
  std::string gate;
  bool allow_empty = false;
  std::vector<std::string> databases;  // empty: all
  bool globals = true;
  Auth auth;
};

struct BackupClassRules {
  v1::BackupClass id;
  std::string_view extension;  // of the artifact, before ".zst"
  // Absent: it can be captured. nullptr: the class does not go with a path on the host.
  std::optional<Refusal> (*refuse)(const Module& module, const v1::PathObserved& seen);
  // Whether the content alone says that it is of this class: the ladder's last rung. nullptr:
  // never.
  bool (*recognise)(const v1::PathObserved& seen);
  // Fills in what the sink must know to capture it.
  void (*describe)(const Target& target, v1::Step& step);
  // An upper bound for the artifact; absent, or nullptr: unknown.
  std::optional<std::uint64_t> (*expected_bytes)(const Target& target);
  // Whether a raw copy lies beside the artifact while it is compressed.
  bool needs_raw_copy = false;
  // Whether the artifact is compressed by what makes it, and stored as it is.
  bool self_compressed = false;
  // Absent: it can be captured. nullptr: the class does not go with containers.
  std::optional<Refusal> (*refuse_inside)(const Module& module,
                                          const ContainerSight& sight) = nullptr;
};

// Where the words of `auth` say that a credential is; the defaults of a class where there are none.
void add_credentials(const std::vector<AuthWord>& words, const std::vector<AuthWord>& otherwise,
                     google::protobuf::RepeatedPtrField<v1::Credential>& out);

// nullptr: this release has no rules for that class.
const BackupClassRules* find_class(v1::BackupClass id);
const std::vector<const BackupClassRules*>& all_classes();

// The manifest's word ("sqlite").
std::string class_word(v1::BackupClass id);
// The class of that word; UNSPECIFIED for any other.
v1::BackupClass class_of_word(std::string_view word);
// "trust", "env:NAME": as the manifest has it.
std::string credential_word(const v1::Credential& credential);

extern const BackupClassRules kSqliteRules;
extern const BackupClassRules kFilesRules;
extern const BackupClassRules kPostgresRules;
extern const BackupClassRules kRedisRules;

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_BACKUP_CLASS_H_
