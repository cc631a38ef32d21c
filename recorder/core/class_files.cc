// Class files: a folder or a file, as a tar archive.
#include "recorder/core/backup_class.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

std::optional<Refusal> refuse(const Module& module, const v1::PathObserved& seen) {
  const std::string path = inert(seen.path());
  if (seen.kind() == v1::PATH_KIND_SYMLINK) {
    return Refusal{
        v1::UNRESOLVED_REASON_WRONG_KIND,
        path + " is a symbolic link, which is not followed; write the path it points to"};
  }
  if (seen.kind() != v1::PATH_KIND_DIRECTORY && seen.kind() != v1::PATH_KIND_REGULAR) {
    return Refusal{v1::UNRESOLVED_REASON_WRONG_KIND, path + " is neither a folder nor a file"};
  }
  const v1::TreeFacts& tree = seen.tree();
  if (tree.unreadable() > 0) {
    return Refusal{v1::UNRESOLVED_REASON_UNREADABLE,
                   std::to_string(tree.unreadable()) + " entries under " + path +
                       " cannot be read, first " + inert(tree.first_unreadable()) +
                       "; run as a user who can, or exclude them"};
  }
  if (seen.kind() == v1::PATH_KIND_REGULAR || tree.files() > 0) return std::nullopt;
  if (tree.excluded() > 0) {
    return Refusal{v1::UNRESOLVED_REASON_EMPTIED,
                   "the exclusions leave no file under " + path + "; narrow them"};
  }
  if (module.allow_empty) return std::nullopt;
  return Refusal{v1::UNRESOLVED_REASON_EMPTIED,
                 "there is no file under " + path + "; set allow_empty = true if that is right"};
}

// What lies in a folder of a container is learnt when it is read: the engine lists nothing.
std::optional<Refusal> refuse_inside(const Module& /*module*/, const ContainerSight& sight) {
  for (const v1::PathObserved& seen : sight.paths) {
    if (seen.kind() == v1::PATH_KIND_SYMLINK) {
      return Refusal{v1::UNRESOLVED_REASON_WRONG_KIND,
                     inert(seen.path()) +
                         " in the container is a symbolic link, which is not followed; write the "
                         "path it points to"};
    }
    if (seen.kind() == v1::PATH_KIND_DIRECTORY || seen.kind() == v1::PATH_KIND_REGULAR) continue;
    return Refusal{v1::UNRESOLVED_REASON_WRONG_KIND,
                   inert(seen.path()) + " in the container is neither a folder nor a file"};
  }
  return std::nullopt;
}

void describe(const Target& target, v1::Step& step) {
  if (target.inside) {
    for (const v1::PathObserved& seen : target.inside->paths) {
      step.mutable_files()->add_paths(seen.path());
    }
    step.mutable_files()->set_allow_empty(target.allow_empty);
  } else {
    step.mutable_files()->add_paths(target.seen.path());
  }
  for (const std::string& pattern : target.exclude) step.mutable_files()->add_exclude(pattern);
}

// 512 bytes of header and as much padding for each entry, more for long names.
std::optional<std::uint64_t> expected_bytes(const Target& target) {
  if (target.inside) return std::nullopt;
  const v1::PathObserved& seen = target.seen;
  const v1::TreeFacts& tree = seen.tree();
  const std::uint64_t entries = tree.files() + tree.directories() + tree.links() + tree.specials();
  return std::max(tree.bytes(), seen.kind() == v1::PATH_KIND_REGULAR ? seen.size_bytes() : 0) +
         entries * 2048 + 10240;
}

}  // namespace

const BackupClassRules kFilesRules = {
    .id = v1::BACKUP_CLASS_FILES,
    .extension = ".tar",
    .refuse = refuse,
    .recognise = nullptr,  // a folder says nothing of what keeps data in it
    .describe = describe,
    .expected_bytes = expected_bytes,
    .refuse_inside = refuse_inside,
};

}  // namespace muniment
