#include "recorder/core/backup_class.h"

namespace muniment {

const std::vector<const BackupClassRules*>& all_classes() {
  static const std::vector<const BackupClassRules*> classes = {&kSqliteRules, &kFilesRules};
  return classes;
}

const BackupClassRules* find_class(v1::BackupClass id) {
  for (const BackupClassRules* rules : all_classes()) {
    if (rules->id == id) return rules;
  }
  return nullptr;
}

std::string class_word(v1::BackupClass id) {
  const auto* value = v1::BackupClass_descriptor()->FindValueByNumber(id);
  return value == nullptr ? "unknown" : value->options().GetExtension(v1::word);
}

}  // namespace muniment
