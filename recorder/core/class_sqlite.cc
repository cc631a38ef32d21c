// Class sqlite: one database file, copied through SQLite's own online backup.
#include "recorder/core/backup_class.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

Refusal wrong_kind(const v1::PathObserved& seen, const std::string& is) {
  return {v1::UNRESOLVED_REASON_WRONG_KIND,
          inert(seen.path()) + " is " + is + "; class sqlite needs the path of a database file"};
}

std::optional<Refusal> refuse(const Module& /*module*/, const v1::PathObserved& seen) {
  if (seen.kind() == v1::PATH_KIND_DIRECTORY) return wrong_kind(seen, "a folder");
  if (seen.kind() == v1::PATH_KIND_SYMLINK) return wrong_kind(seen, "a symbolic link");
  if (seen.kind() != v1::PATH_KIND_REGULAR) return wrong_kind(seen, "no regular file");
  if (!seen.sqlite().header_ok())
    return wrong_kind(seen, "no SQLite database (its header differs)");
  return std::nullopt;
}

bool recognise(const v1::PathObserved& seen) {
  return seen.kind() == v1::PATH_KIND_REGULAR && seen.sqlite().header_ok();
}

void describe(const Target& target, v1::Step& step) {
  step.mutable_sqlite()->set_path(target.seen.path());
}

// Pages in the file, and those that may still be in the WAL alone.
std::optional<std::uint64_t> expected_bytes(const v1::PathObserved& seen) {
  const v1::SqliteFacts& facts = seen.sqlite();
  return std::max(seen.size_bytes(), facts.page_size() * facts.page_count()) + facts.wal_bytes();
}

}  // namespace

const BackupClassRules kSqliteRules = {
    .id = v1::BACKUP_CLASS_SQLITE,
    .extension = ".db",
    .refuse = refuse,
    .recognise = recognise,
    .describe = describe,
    .expected_bytes = expected_bytes,
    .needs_raw_copy = true,
};

}  // namespace muniment
