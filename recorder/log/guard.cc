#include "recorder/log/guard.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/log/private_file.h"
#include "recorder/log/store_layout.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kMostLogBytes = 16U << 10U;
constexpr std::string_view kVkeyWord = "vkey ";
constexpr std::string_view kStoreWord = "store ";

std::string id_of(const NoteKey& key) {
  return to_hex(sha256(vkey_of(key))).substr(0, kIdDigits);
}

// The store's path may hold anything, line ends too: it goes up to the last line end.
std::string log_text(const Guarded& entry) {
  return std::string(kVkeyWord) + vkey_of(entry.key) + "\n" + std::string(kStoreWord) +
         entry.store + "\n";
}

std::unexpected<Error> damaged(const std::string& path, const std::string& why) {
  return fail(ErrorCode::kCorrupt, "guard " + inert(path) + " is damaged (" + why +
                                       "); find out who changed it, or restore it from a copy");
}

Result<Guarded> parse_log(const std::string& path, std::string_view text) {
  const std::size_t line_end = text.find('\n');
  if (!text.starts_with(kVkeyWord) || line_end == std::string_view::npos) {
    return damaged(path, "it names no key");
  }
  Result<NoteKey> key = parse_vkey(text.substr(kVkeyWord.size(), line_end - kVkeyWord.size()));
  if (!key) return damaged(path, key.error().message);
  std::string_view rest = text.substr(line_end + 1);
  if (!rest.starts_with(kStoreWord) || !rest.ends_with('\n')) {
    return damaged(path, "it names no store");
  }
  rest.remove_prefix(kStoreWord.size());
  rest.remove_suffix(1);
  return Guarded{.key = *std::move(key), .store = std::string(rest), .checkpoint = {}};
}

Result<Guarded> read_entry(const std::string& folder, const std::string& id) {
  const std::string log = folder + "/log";
  Result<std::optional<std::string>> text =
      read_private_file(log, Privacy::kTrusted, kMostLogBytes);
  if (!text) return pass(text);
  if (!text->has_value()) return damaged(log, "it is missing");
  Result<Guarded> entry = parse_log(log, **text);
  if (!entry) return entry;
  if (id_of(entry->key) != id) return damaged(log, "the folder's name is not its key's");
  Result<std::optional<std::string>> note =
      read_private_file(folder + "/checkpoint", Privacy::kTrusted, kMostNoteBytes);
  if (!note) return pass(note);
  if (note->has_value()) entry->checkpoint = std::move(**note);
  return entry;
}

bool is_id(const std::string& name) {
  return name.size() == kIdDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// An entry whose making was interrupted has no file of its own yet.
bool is_empty_entry(const std::string& folder) {
  std::error_code error;
  return !fs::exists(folder + "/log", error) && !fs::exists(folder + "/checkpoint", error);
}

}  // namespace

std::string place_of(const std::string& store_folder) {
  std::error_code error;
  const fs::path real = fs::canonical(store_folder, error);
  return error ? store_folder : real.string();
}

Result<std::vector<Guarded>> read_guard(const std::string& folder) {
  std::vector<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    const std::string name = at->path().filename();
    if (is_id(name) && !is_empty_entry(folder + "/" + name)) ids.push_back(name);
  }
  if (error == std::errc::no_such_file_or_directory) return std::vector<Guarded>();
  if (error) {
    return fail(ErrorCode::kIo, "guard " + inert(folder) + " cannot be read: " + error.message() +
                                    "; correct it, or name another folder in [store] guard");
  }
  std::sort(ids.begin(), ids.end());
  std::vector<Guarded> entries;
  for (const std::string& id : ids) {
    Result<Guarded> entry = read_entry(folder + "/" + id, id);
    if (!entry) return pass(entry);
    entries.push_back(*std::move(entry));
  }
  return entries;
}

Result<Guard> Guard::hold(const std::string& folder) {
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error("cannot make the guard folder " + inert(folder));
  }
  const std::string path = folder + "/lock";
  const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) return system_error("cannot open " + inert(path));
  Guard guard(folder, lock);
  while (::flock(lock, LOCK_EX) != 0) {
    if (errno != EINTR) return system_error("cannot lock " + inert(path));
  }
  return guard;
}

Guard::Guard(Guard&& other) noexcept
    : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)) {}

Guard& Guard::operator=(Guard&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(lock_, other.lock_);
  return *this;
}

Guard::~Guard() {
  if (lock_ >= 0) ::close(lock_);
}

Status Guard::keep(const Guarded& entry) {
  const std::string folder = folder_ + "/" + id_of(entry.key);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error("cannot make " + inert(folder));
  }
  if (Status synced = sync_folder(folder_); !synced) return synced;
  Status written =
      write_private_file(folder + "/log", log_text(entry), Access{}, IfThere::kReplace);
  if (!written || entry.checkpoint.empty()) return written;
  return write_private_file(folder + "/checkpoint", entry.checkpoint, Access{}, IfThere::kReplace);
}

}  // namespace muniment
