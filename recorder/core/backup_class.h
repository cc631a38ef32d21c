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

// A module with what was seen of it: enough to plan its steps.
struct Target {
  std::string module;
  v1::BackupClass backup_class = v1::BACKUP_CLASS_UNSPECIFIED;
  v1::PathObserved seen;
  std::vector<std::string> exclude;  // the module's patterns, then the manifest's
  std::string gate;
};

struct BackupClassRules {
  v1::BackupClass id;
  std::string_view extension;  // of the artifact, before ".zst"
  // Absent: it can be captured.
  std::optional<Refusal> (*refuse)(const Module& module, const v1::PathObserved& seen);
  // Whether the content alone says that it is of this class: the ladder's last rung.
  bool (*recognise)(const v1::PathObserved& seen);
  // Fills in what the sink must know to capture it.
  void (*describe)(const Target& target, v1::Step& step);
  // An upper bound for the artifact; absent: unknown.
  std::optional<std::uint64_t> (*expected_bytes)(const v1::PathObserved& seen);
  // Whether a raw copy lies beside the artifact while it is compressed.
  bool needs_raw_copy;
};

// nullptr: this release has no rules for that class.
const BackupClassRules* find_class(v1::BackupClass id);
const std::vector<const BackupClassRules*>& all_classes();

// The manifest's word ("sqlite").
std::string class_word(v1::BackupClass id);

extern const BackupClassRules kSqliteRules;
extern const BackupClassRules kFilesRules;

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_BACKUP_CLASS_H_
