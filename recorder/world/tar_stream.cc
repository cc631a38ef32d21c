#include "recorder/world/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>

#include <new>

#include "recorder/core/text.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

std::string member_name(const std::string& path) {
  return path == "/" ? "." : path.substr(1);
}

// libarchive writes both numbers side by side behind the sign, so that the fraction would count
// backwards: -1.25 is -2 s and 750,000,000 ns to the system.
void set_mtime_before_1970(const timespec& mtime, archive_entry* entry) {
  constexpr long kSecondNs = 1'000'000'000;
  if (mtime.tv_sec >= 0 || mtime.tv_nsec == 0) return;
  const bool has_sign = mtime.tv_sec < -1;
  archive_entry_set_mtime(entry, mtime.tv_sec + 1, has_sign ? kSecondNs - mtime.tv_nsec : 0);
}

}  // namespace

void TarStream::Free::operator()(archive* a) const {
  archive_free(a);
}
void TarStream::Free::operator()(archive_entry* e) const {
  archive_entry_free(e);
}

TarStream::TarStream(ArtifactWriter& out)
    : out_(out),
      archive_(archive_write_new()),
      disk_(archive_read_disk_new()),
      entry_(archive_entry_new()) {
  if (!archive_ || !disk_ || !entry_) throw std::bad_alloc();
  archive_read_disk_set_standard_lookup(disk_.get());
  archive_read_disk_set_behavior(disk_.get(),
                                 ARCHIVE_READDISK_NO_FFLAGS | ARCHIVE_READDISK_NO_SPARSE);
  archive_write_set_format_pax(archive_.get());
  // Names are bytes. In the C locale, which this program never leaves, ASCII stays as it is and any
  // other name goes in byte by byte, marked as BINARY. To ask for BINARY would mark every member,
  // and GNU tar prints a warning for each mark; so it does for libarchive's own attributes.
  archive_write_set_format_option(archive_.get(), "pax", "xattrheader", "SCHILY");
  // Blocks of 0 hand each piece on as it comes, so that content is not copied again.
  archive_write_set_bytes_per_block(archive_.get(), 0);
  const auto write = [](archive*, void* self, const void* bytes, size_t size) -> la_ssize_t {
    auto* tar = static_cast<TarStream*>(self);
    if (tar->written_) tar->written_ = tar->out_.write({static_cast<const char*>(bytes), size});
    return tar->written_ ? static_cast<la_ssize_t>(size) : -1;
  };
  archive_write_open2(archive_.get(), this, nullptr, write, nullptr, nullptr);
}

// Freeing an archive that was not finished writes its end, with a zero for each byte that its last
// file still lacks; nobody wants that of a failed capture, and the writer may be gone. libarchive
// 3.6 forgets two small buffers of its own then, as it does after any failed write.
TarStream::~TarStream() {
  archive_write_fail(archive_.get());
}

bool TarStream::is_repeat(const struct stat& facts) const {
  return S_ISREG(facts.st_mode) && facts.st_nlink > 1 &&
         first_names_.contains({facts.st_dev, facts.st_ino});
}

Status TarStream::failure(const std::string& path) {
  if (!written_) return written_;
  const char* why = archive_error_string(archive_.get());
  return fail(ErrorCode::kIo, "cannot put " + shown_path(path) + " into the archive: " +
                                  (why == nullptr ? "unknown cause" : inert_short(why, 256)) +
                                  "; exclude it, or tell the developers");
}

// ACLs and attributes that cannot be read leave the entry without them and a warning; a hard error
// is memory alone.
Status TarStream::read_facts(const struct stat& facts, int fd) {
  archive_entry* entry = entry_.get();
  archive_entry_copy_stat(entry, &facts);
  if (const char* name = archive_read_disk_uname(disk_.get(), facts.st_uid)) {
    archive_entry_copy_uname(entry, name);
  }
  if (const char* name = archive_read_disk_gname(disk_.get(), facts.st_gid)) {
    archive_entry_copy_gname(entry, name);
  }
  if (fd < 0) return {};
  if (archive_read_disk_entry_from_file(disk_.get(), entry, fd, &facts) >= ARCHIVE_WARN) return {};
  return fail(ErrorCode::kIo, "cannot read attributes of " +
                                  shown_path(archive_entry_pathname(entry)) +
                                  "; free memory and run again");
}

Status TarStream::add(const std::string& path, const struct stat& facts, int fd,
                      const std::string& link_target) {
  archive_entry* entry = archive_entry_clear(entry_.get());
  const std::string name = member_name(path);
  archive_entry_copy_pathname(entry, name.c_str());
  if (Status read = read_facts(facts, fd); !read) return read;
  set_mtime_before_1970(facts.st_mtim, entry);
  archive_entry_unset_atime(entry);
  archive_entry_unset_ctime(entry);
  archive_entry_unset_birthtime(entry);
  if (S_ISLNK(facts.st_mode)) archive_entry_copy_symlink(entry, link_target.c_str());
  if (!S_ISREG(facts.st_mode)) archive_entry_set_size(entry, 0);
  if (is_repeat(facts)) {
    archive_entry_copy_hardlink(entry, first_names_.at({facts.st_dev, facts.st_ino}).c_str());
    archive_entry_unset_size(entry);
  }
  if (Status written = write_header(path); !written) return written;
  if (S_ISREG(facts.st_mode) && facts.st_nlink > 1) {
    first_names_.try_emplace({facts.st_dev, facts.st_ino}, name);
  }
  return {};
}

Status TarStream::add_entry(archive_entry* from, const std::string& path, const std::string& link) {
  entry_.reset(archive_entry_clone(from));
  if (!entry_) throw std::bad_alloc();
  archive_entry* entry = entry_.get();
  archive_entry_copy_pathname(entry, member_name(path).c_str());
  archive_entry_unset_atime(entry);
  archive_entry_unset_ctime(entry);
  archive_entry_unset_birthtime(entry);
  if (!link.empty()) {
    archive_entry_copy_hardlink(entry, member_name(link).c_str());
    archive_entry_unset_size(entry);
  } else if (archive_entry_filetype(entry) != AE_IFREG) {
    archive_entry_set_size(entry, 0);
  }
  return write_header(path);
}

Status TarStream::write_header(const std::string& path) {
  if (archive_write_header(archive_.get(), entry_.get()) < ARCHIVE_WARN) return failure(path);
  if (!written_) return written_;
  ++entries_;
  return {};
}

Status TarStream::add_content(std::string_view bytes) {
  const la_ssize_t n = archive_write_data(archive_.get(), bytes.data(), bytes.size());
  if (n != static_cast<la_ssize_t>(bytes.size())) {
    return failure(archive_entry_pathname(entry_.get()));
  }
  return {};
}

Status TarStream::finish() {
  if (archive_write_close(archive_.get()) < ARCHIVE_WARN) return failure("the end");
  return written_;
}

}  // namespace muniment
