#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/world/os.h"
#include "recorder/world/path_facts.h"
#include "recorder/world/path_list.h"
#include "recorder/world/sqlite_database.h"
#include "recorder/world/tree_walk.h"

namespace muniment {
namespace {

v1::PathKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return v1::PATH_KIND_REGULAR;
  if (S_ISDIR(mode)) return v1::PATH_KIND_DIRECTORY;
  if (S_ISLNK(mode)) return v1::PATH_KIND_SYMLINK;
  return v1::PATH_KIND_OTHER;
}

class Inventory : public TreeVisitor {
 public:
  explicit Inventory(std::size_t patterns) : hits_(patterns) {}

  Status entry(const WalkEntry& entry) override {
    const mode_t mode = entry.facts.st_mode;
    if (S_ISDIR(mode)) {
      facts_.set_directories(facts_.directories() + 1);
      return {};
    }
    if (S_ISREG(mode)) {
      count_file(entry);
      return {};
    }
    listed_.add(entry.path);
    if (S_ISLNK(mode)) {
      facts_.set_links(facts_.links() + 1);
    } else {
      facts_.set_specials(facts_.specials() + 1);
    }
    return {};
  }

  Status excluded(const std::string&, const std::vector<std::size_t>& patterns) override {
    facts_.set_excluded(facts_.excluded() + 1);
    for (const std::size_t pattern : patterns) ++hits_[pattern];
    return {};
  }

  Status unreadable(const std::string& path, int) override {
    count_unreadable(path);
    return {};
  }

  Status vanished(const std::string&) override { return {}; }

  v1::TreeFacts finish() {
    for (std::string& path : listed_.listed) facts_.add_listed(std::move(path));
    for (const std::uint64_t hits : hits_) facts_.add_exclusion_hits(hits);
    return std::move(facts_);
  }

 private:
  // Asked, not opened: a rehearsal must not touch a million access times, and opening is what an
  // alarm on a file would see.
  void count_file(const WalkEntry& entry) {
    if (::faccessat(entry.folder, entry.name, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) != 0 &&
        errno == EACCES) {
      count_unreadable(entry.path);
    }
    facts_.set_files(facts_.files() + 1);
    facts_.set_bytes(facts_.bytes() + static_cast<std::uint64_t>(entry.facts.st_size));
  }

  void count_unreadable(const std::string& path) {
    if (facts_.unreadable() == 0) facts_.set_first_unreadable(path);
    facts_.set_unreadable(facts_.unreadable() + 1);
  }

  v1::TreeFacts facts_;
  PathList listed_;
  std::vector<std::uint64_t> hits_;
};

void observe_header(const std::string& path, v1::PathObserved& seen) {
  const Fd file(open_to_read(AT_FDCWD, path.c_str(), O_NOFOLLOW));
  if (!file.open()) {
    seen.set_kind(v1::PATH_KIND_UNREADABLE);
    seen.set_error(system_error("open", path, errno).message);
    return;
  }
  std::string bytes(kSqliteHeaderBytes, '\0');
  const std::int64_t n = read_full(file.get(), bytes);
  if (n < 0) {
    seen.set_kind(v1::PATH_KIND_UNREADABLE);
    seen.set_error(system_error("read", path, errno).message);
    return;
  }
  bytes.resize(static_cast<std::size_t>(n));
  v1::SqliteFacts& facts = *seen.mutable_sqlite();
  const Result<SqliteHeader> header = parse_sqlite_header(bytes);
  facts.set_header_ok(header.has_value());
  if (!header) return;
  facts.set_page_size(header->page_size);
  const std::uint64_t whole_pages = seen.size_bytes() / header->page_size;
  facts.set_page_count(header->page_count != 0 ? header->page_count : whole_pages);
  facts.set_wal_mode(header->wal_mode);
  struct stat wal{};
  if (::stat((path + "-wal").c_str(), &wal) == 0) {
    facts.set_wal_bytes(static_cast<std::uint64_t>(wal.st_size));
  }
}

void observe_tree(const std::string& path, const std::vector<std::string>& exclude,
                  v1::PathObserved& seen) {
  Inventory inventory(exclude.size());
  const Status walked = walk_tree(path, WalkRules{exclude, std::nullopt}, inventory);
  *seen.mutable_tree() = inventory.finish();
  if (!walked) seen.set_error(walked.error().message);
}

// What the path is, however it is called: a gate guards the data, not its name.
void observe_identity(const std::string& path, const struct stat& facts, v1::PathObserved& seen) {
  seen.set_file_identity(std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino));
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (real != nullptr && path != real.get()) seen.set_real_path(real.get());
}

}  // namespace

v1::PathObserved observe_source(const std::string& path, const std::vector<std::string>& exclude) {
  v1::PathObserved seen;
  seen.set_role(v1::PATH_ROLE_SOURCE);
  seen.set_path(path);
  struct stat facts{};
  if (::lstat(path.c_str(), &facts) != 0) {
    const int error = errno;
    const bool missing = error == ENOENT || error == ENOTDIR;
    seen.set_kind(missing ? v1::PATH_KIND_MISSING : v1::PATH_KIND_UNREADABLE);
    seen.set_error(system_error("read", path, error).message);
    return seen;
  }
  observe_identity(path, facts, seen);
  seen.set_kind(kind_of(facts.st_mode));
  seen.set_file_mode(facts.st_mode & 07777U);
  seen.set_uid(facts.st_uid);
  seen.set_gid(facts.st_gid);
  seen.set_size_bytes(static_cast<std::uint64_t>(facts.st_size));
  if (S_ISREG(facts.st_mode)) observe_header(path, seen);
  if (S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)) observe_tree(path, exclude, seen);
  if (S_ISDIR(facts.st_mode) && seen.tree().first_unreadable() == path) {
    seen.set_kind(v1::PATH_KIND_UNREADABLE);
    seen.set_error(system_error("list folder", path, EACCES).message);
  }
  return seen;
}

}  // namespace muniment
