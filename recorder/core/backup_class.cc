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

v1::BackupClass class_of_word(std::string_view word) {
  const auto* all = v1::BackupClass_descriptor();
  for (int i = 0; i < all->value_count(); ++i) {
    const auto id = static_cast<v1::BackupClass>(all->value(i)->number());
    if (id != v1::BACKUP_CLASS_UNSPECIFIED && class_word(id) == word) return id;
  }
  return v1::BACKUP_CLASS_UNSPECIFIED;
}

std::string credential_word(const v1::Credential& credential) {
  if (credential.name().empty()) return credential.kind();
  return credential.kind() + ":" + credential.name();
}

}  // namespace muniment
