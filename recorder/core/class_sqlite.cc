// Class sqlite: one database file, copied through SQLite's own online backup.
#include "recorder/core/backup_class.h"
#include "recorder/core/container_match.h"
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

// The header is known only where the file can be read from here.
std::optional<Refusal> refuse_inside(const Module& module, const ContainerSight& sight) {
  const v1::PathObserved& seen = sight.paths.front();
  if (!seen.host_path().empty()) return refuse(module, seen);
  if (seen.kind() != v1::PATH_KIND_REGULAR) return refuse(module, seen);
  if (!seen.sqlite_tool().empty()) return refuse_to_run(sight.container);
  return Refusal{v1::UNRESOLVED_REASON_UNSUPPORTED,
                 inert(seen.path()) +
                     " can be read neither from this host (it lies on no volume or bind mount that "
                     "is readable here) nor by a sqlite3 in the container (none in /usr/bin, "
                     "/usr/local/bin, /bin); run muniment on the engine's host as root, or add "
                     "sqlite3 to the image"};
}

const v1::PathObserved& database_of(const Target& target) {
  return target.inside ? target.inside->paths.front() : target.seen;
}

void describe(const Target& target, v1::Step& step) {
  const v1::PathObserved& seen = database_of(target);
  step.mutable_sqlite()->set_path(seen.path());
  step.mutable_sqlite()->set_host_path(seen.host_path());
  if (seen.host_path().empty()) step.mutable_sqlite()->set_tool(seen.sqlite_tool());
}

// Pages in the file, and those that may still be in the WAL alone.
std::optional<std::uint64_t> expected_bytes(const Target& target) {
  const v1::PathObserved& seen = database_of(target);
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
    .refuse_inside = refuse_inside,
};

}  // namespace muniment
