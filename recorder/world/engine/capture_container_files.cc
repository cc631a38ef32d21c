#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "recorder/core/glob.h"
#include "recorder/core/paths.h"
#include "recorder/core/text.h"
#include "recorder/world/engine/capture_inside.h"
#include "recorder/world/engine/engine_archive.h"
#include "recorder/world/os.h"
#include "recorder/world/tar_stream.h"

namespace muniment {
namespace {

// Where a member lies on this host by the mount that holds it; "" where none does. Its folders are
// real ones: the engine has walked them.
std::string on_this_host(const v1::ContainerTarget& container, const std::string& path) {
  const v1::Mount* mount = mount_of(container.mounts(), path);
  return mount == nullptr ? "" : mount->source() + path.substr(mount->destination().size());
}

// What a listing remembers of a member, to see what became of it.
struct Listed {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_s = 0;
  std::int64_t mtime_ns = 0;
  bool operator==(const Listed&) const = default;
};

Listed facts_of(const ArchiveMember& member) {
  return {member.size_bytes, archive_entry_mtime(member.entry),
          archive_entry_mtime_nsec(member.entry)};
}

class FilesInside {
 public:
  FilesInside(const InsideTarget& target, ContainerCommands& commands, ArtifactWriter& out,
              Capture& capture)
      : source_(target.step.files()),
        commands_(commands),
        capture_(capture),
        tar_(out),
        names_no_owners_(commands.engine().reader().facts().name() == "podman") {}

  // The list comes first: what the engine leaves out of an archive in silence shows only beside it.
  Status run() {
    // Nothing is archived twice.
    const std::vector<std::string> paths =
        outermost({source_.paths().begin(), source_.paths().end()});
    for (const std::string& path : paths) {
      if (Status listed =
              read(path, {[&](const ArchiveMember& member) { return list(member); }, {}});
          !listed) {
        return listed;
      }
    }
    const ArchiveVisitor writer{
        [&](const ArchiveMember& member) { return add(member); },
        [&](std::string_view piece) { return skipping_ ? Status() : add_content(piece); }};
    for (const std::string& path : paths) {
      if (Status written = read(path, writer); !written) return written;
    }
    for (const auto& [path, facts] : listed_) capture_.vanished.add(path);
    if (files_ == 0 && !source_.allow_empty()) {
      return fail(ErrorCode::kIo, std::string("there is no file in it") +
                                      (excluded_ == 0 ? "; set allow_empty = true if that is right"
                                                      : " but excluded ones; narrow `exclude`"));
    }
    capture_.check = "compared with a list taken before";
    if (without_owner_ > 0) {
      capture_.check += "; the engine names no owners: " + std::to_string(without_owner_) +
                        " members outside of volumes are written as root's";
    }
    capture_.entries = tar_.entries();
    return tar_.finish();
  }

 private:
  Status read(const std::string& path, const ArchiveVisitor& visitor) {
    root_ = path;
    return read_engine_archive(commands_.engine(), commands_.container().container_id(), path,
                               visitor, commands_.progress());
  }

  // Of the path itself or of a folder above it, up to the path that was asked for.
  bool is_excluded(std::string_view path) const {
    while (true) {
      for (const std::string& pattern : source_.exclude()) {
        if (glob_match(pattern, path)) return true;
      }
      const std::size_t slash = path.rfind('/');
      if (path.size() <= root_.size() || slash == std::string_view::npos || slash == 0)
        return false;
      path = path.substr(0, slash);
    }
  }

  Status list(const ArchiveMember& member) {
    if (!is_excluded(member.path)) listed_[member.path] = facts_of(member);
    return {};
  }

  Status add(const ArchiveMember& member) {
    skipping_ = is_excluded(member.path);
    if (skipping_) {
      ++excluded_;
      return {};
    }
    const auto before = listed_.find(member.path);
    if (before != listed_.end()) {
      if (before->second != facts_of(member) && archive_entry_filetype(member.entry) == AE_IFREG) {
        capture_.changed.add(member.path);
      }
      listed_.erase(before);
    }
    if (archive_entry_filetype(member.entry) == AE_IFREG) ++files_;
    if (names_no_owners_) find_owner(member);
    // Its first name is excluded: the link would point at nothing.
    if (!member.link.empty() && is_excluded(member.link)) {
      return fail(ErrorCode::kIo,
                  "hard link " + inert_short(member.path, 200) +
                      " has its first name among the excluded; exclude both or none");
    }
    return tar_.add_entry(member.entry, member.path, member.link);
  }

  // Podman 4.3 names root as the owner of everything: the host's own file knows better.
  void find_owner(const ArchiveMember& member) {
    struct stat facts{};
    const std::string path = on_this_host(commands_.container(), member.path);
    if (path.empty() || ::lstat(path.c_str(), &facts) != 0) {
      ++without_owner_;
      return;
    }
    archive_entry_set_uid(member.entry, facts.st_uid);
    archive_entry_set_gid(member.entry, facts.st_gid);
    archive_entry_copy_uname(member.entry, nullptr);
    archive_entry_copy_gname(member.entry, nullptr);
  }

  Status add_content(std::string_view piece) {
    commands_.progress().advance(piece.size());
    return tar_.add_content(piece);
  }

  const v1::FilesCapture& source_;
  ContainerCommands& commands_;
  Capture& capture_;
  TarStream tar_;
  std::string root_;
  std::map<std::string, Listed> listed_;
  bool skipping_ = false;
  bool names_no_owners_ = false;
  std::uint64_t without_owner_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t excluded_ = 0;
};

}  // namespace

Result<std::vector<Captured>> capture_container_files(const InsideTarget& target,
                                                      ContainerCommands& commands) {
  if (const Result<InspectedContainer> now = commands.inspect(); !now) {
    return std::unexpected(now.error());
  }
  const v1::Step& step = target.step;
  auto writer = ArtifactWriter::create(target.folder, step.artifact(),
                                       *parse_compression(step.compression()));
  if (!writer) return pass(writer);
  Captured out{step.artifact(), step.compression(), step.backup_class(), {}, false};
  {
    FilesInside files(target, commands, **writer, out.capture);
    if (Status done = files.run(); !done) return pass(done);
  }
  Result<StoredFile> stored = (*writer)->finish();
  if (!stored) return pass(stored);
  out.capture.file = *stored;
  return std::vector<Captured>{std::move(out)};
}

}  // namespace muniment
