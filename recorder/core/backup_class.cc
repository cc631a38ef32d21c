#include "recorder/core/backup_class.h"

namespace muniment {

const std::vector<const BackupClassRules*>& all_classes() {
  static const std::vector<const BackupClassRules*> classes = {&kSqliteRules, &kFilesRules,
                                                               &kPostgresRules, &kRedisRules};
  return classes;
}

const BackupClassRules* find_class(v1::BackupClass id) {
  for (const BackupClassRules* rules : all_classes()) {
    if (rules->id == id) return rules;
  }
  return nullptr;
}

namespace {

const char* word_of(AuthWord::Kind kind) {
  switch (kind) {
    case AuthWord::Kind::kTrust:
      return "trust";
    case AuthWord::Kind::kEnv:
      return "env";
    case AuthWord::Kind::kFileEnv:
      return "file-env";
    case AuthWord::Kind::kSecret:
      return "secret";
    case AuthWord::Kind::kLiteral:
      break;
  }
  return "literal";
}

}  // namespace

void add_credentials(const std::vector<AuthWord>& words, const std::vector<AuthWord>& otherwise,
                     google::protobuf::RepeatedPtrField<v1::Credential>& out) {
  for (const AuthWord& word : words.empty() ? otherwise : words) {
    v1::Credential& credential = *out.Add();
    credential.set_kind(word_of(word.kind));
    credential.set_name(word.name);
  }
}

std::string class_word(v1::BackupClass id) {
  const auto* value = v1::BackupClass_descriptor()->FindValueByNumber(id);
  return value == nullptr ? "unknown" : value->options().GetExtension(v1::word);
}

}  // namespace muniment
