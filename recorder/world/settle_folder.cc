#include "recorder/world/settle_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>  // NOLINT(modernize-deprecated-headers): renameat2 is POSIX's, not C++'s
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "recorder/core/digest.h"
#include "recorder/world/os.h"
#include "recorder/world/run_manifest.h"

namespace muniment {
namespace {

struct Item {
  std::string name;
  struct stat facts{};
};

struct CloseDir {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

Result<std::vector<Item>> list(const Folder& folder) {
  Fd again(open_to_read(folder.fd.get(), ".", O_DIRECTORY));
  if (!again.open()) return system_failure("list folder", folder.path, errno);
  const std::unique_ptr<DIR, CloseDir> stream(::fdopendir(again.get()));
  if (!stream) return system_failure("list folder", folder.path, errno);
  (void)again.release();
  std::vector<Item> items;
  errno = 0;
  while (const dirent* found = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    Item item{found->d_name, {}};
    if (item.name == "." || item.name == "..") continue;
    if (::fstatat(folder.fd.get(), found->d_name, &item.facts, AT_SYMLINK_NOFOLLOW) != 0) {
      return system_failure("stat", folder.path + "/" + item.name, errno);
    }
    items.push_back(std::move(item));
    errno = 0;
  }
  if (errno != 0) return system_failure("list folder", folder.path, errno);
  return items;
}

std::unexpected<Error> unexpected_item(const Folder& folder, const std::string& name,
                                       const std::string& why) {
  return fail(ErrorCode::kRefused, "folder " + folder.path + " holds " + shown_path(name) + ", " +
                                       why + "; look at it, move it away, then run again");
}

Status check_items(const Folder& partial, const std::vector<const Captured*>& artifacts) {
  const Result<std::vector<Item>> items = list(partial);
  if (!items) return std::unexpected(items.error());
  for (const Item& item : *items) {
    const auto known = std::find_if(artifacts.begin(), artifacts.end(),
                                    [&](const Captured* a) { return a->name == item.name; });
    if (known == artifacts.end()) {
      return unexpected_item(partial, item.name, "which this run did not write");
    }
    const StoredFile& file = (*known)->capture.file;
    const bool same = item.facts.st_ino == file.inode && item.facts.st_dev == file.device &&
                      static_cast<std::uint64_t>(item.facts.st_size) == file.size_bytes &&
                      item.facts.st_mode == (S_IFREG | 0600U);
    if (!same) return unexpected_item(partial, item.name, "which changed after it was verified");
  }
  if (items->size() == artifacts.size()) return {};
  return fail(ErrorCode::kRefused, "folder " + partial.path + " holds " +
                                       std::to_string(items->size()) + " artifacts (expected " +
                                       std::to_string(artifacts.size()) + "); run again");
}

}  // namespace

Result<StoredFile> write_run_manifest(const Folder& partial, const Place& place,
                                      const std::vector<const Captured*>& artifacts) {
  if (Status right = check_items(partial, artifacts); !right) return pass(right);
  const std::string path = partial.path + "/" + std::string(kRunManifestName);
  const Result<Fd> file = create_private_file(partial, std::string(kRunManifestName));
  if (!file) return std::unexpected(file.error());
  const std::string text = run_manifest_json(place, artifacts);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file->get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_failure("write", path, n == 0 ? EIO : errno);
    done += static_cast<std::size_t>(n);
  }
  if (Status synced = sync_fd(file->get(), path); !synced) return pass(synced);
  if (Status synced = sync_fd(partial.fd.get(), partial.path); !synced) return pass(synced);
  Result<StoredFile> stored = stat_stored(file->get(), path);
  if (!stored) return stored;
  stored->sha256 = sha256(text);
  return stored;
}

Status commit_folder(const Folder& module_folder, const Place& place) {
  const int fd = module_folder.fd.get();
  const std::string from = place.partial_name();
  if (::renameat2(fd, from.c_str(), fd, place.run_id.c_str(), RENAME_NOREPLACE) != 0) {
    const int error = errno;
    // A plain rename could replace a folder, and a name that is made first would be a final name
    // with nothing under it.
    if (error == EINVAL || error == ENOSYS) {
      return fail(ErrorCode::kIo,
                  "the file system of " + shown_path(module_folder.path) +
                      " cannot rename without replacing (renameat2: " + errno_text(error) +
                      "); put [backup] root on one that can, such as ext4, xfs or btrfs");
    }
    return system_failure("rename " + from + " to", place.final_folder(), error);
  }
  return sync_fd(fd, module_folder.path);
}

Result<std::uint64_t> discard_folder(const Folder& module_folder, const Folder& partial,
                                     const Place& place) {
  const Result<std::vector<Item>> items = list(partial);
  if (!items) return std::unexpected(items.error());
  std::uint64_t bytes = 0;
  for (const Item& item : *items) {
    if (!S_ISREG(item.facts.st_mode)) {
      return unexpected_item(partial, item.name, "which is no regular file");
    }
    bytes += static_cast<std::uint64_t>(item.facts.st_size);
  }
  for (const Item& item : *items) {
    if (::unlinkat(partial.fd.get(), item.name.c_str(), 0) != 0) {
      return system_failure("remove", partial.path + "/" + item.name, errno);
    }
  }
  if (::unlinkat(module_folder.fd.get(), place.partial_name().c_str(), AT_REMOVEDIR) != 0) {
    return system_failure("remove folder", partial.path, errno);
  }
  if (Status synced = sync_fd(module_folder.fd.get(), module_folder.path); !synced) {
    return pass(synced);
  }
  return bytes;
}

}  // namespace muniment
