#include "tests/support/random_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <set>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "tests/support/read_file.h"
#include "tests/support/sample_data.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

void must(int result, const std::string& what) {
  check(result == 0, what.c_str());
}

mode_t some_mode(Generator& draw, bool folder) {
  static constexpr std::array<mode_t, 10> kModes{0,     0400,  0444,  0600,  0644,
                                                 04755, 02755, 01777, 06711, 07777};
  const mode_t mode = draw.one_in(3) ? static_cast<mode_t>(draw.below(010000))
                                     : kModes.at(draw.below(kModes.size()));
  // Others than root must be able to read it, or there is nothing to compare.
  return ::geteuid() == 0 ? mode : mode | (folder ? 0700U : 0400U);
}

timespec some_time(Generator& draw) {
  constexpr std::int64_t k1901 = -2'177'000'000;
  constexpr std::int64_t k2200 = 7'258'000'000;
  const bool ordinary = draw.one_in(2);
  const std::int64_t from = ordinary ? 1'000'000'000 : k1901;
  const std::int64_t to = ordinary ? 1'800'000'000 : k2200;
  timespec out{};
  out.tv_sec = from + static_cast<std::int64_t>(draw.below(static_cast<std::size_t>(to - from)));
  out.tv_nsec = static_cast<long>(draw.below(1'000'000'000));
  return out;
}

std::string some_content(Generator& draw) {
  if (draw.one_in(5)) return {};
  if (draw.one_in(6)) return std::string(draw.below(300'000), 'x') + draw.bytes(100);
  return draw.bytes(draw.below(2000));
}

void make_sparse(Generator& draw, const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  check(fd >= 0, "a sparse file can be made");
  const auto size = static_cast<off_t>(draw.between(1, 2'000'000));
  must(::ftruncate(fd, size), "a sparse file can be made long");
  check(::pwrite(fd, "data", 4, size / 2) == 4, "a sparse file can be written");
  ::close(fd);
}

// What was made so far, by kind.
struct Made {
  std::vector<std::string> folders;
  std::vector<std::string> files;
  std::vector<std::string> all;
};

std::string free_path(Generator& draw, const Made& made) {
  constexpr std::size_t kLongest = 3800;
  while (true) {
    const std::string& folder = made.folders[draw.below(made.folders.size())];
    std::string path = folder + "/" + odd_name(draw);
    struct stat facts{};
    if (path.size() <= kLongest && ::lstat(path.c_str(), &facts) != 0) return path;
  }
}

void make_link(Generator& draw, const Made& made, const std::string& path) {
  const std::size_t kind = draw.below(4);
  std::string target = "nowhere/" + odd_name(draw);
  if (kind == 0) target = made.all[draw.below(made.all.size())];
  if (kind == 1) target = "/etc/passwd";
  if (kind == 2) target = draw.text(draw.between(90, 3000), "ab/\xff ");
  must(::symlink(target.c_str(), path.c_str()), "a link can be made");
}

void make_entry(Generator& draw, Made& made) {
  const std::string path = free_path(draw, made);
  const std::size_t kind = draw.below(12);
  if (kind < 3) {
    must(::mkdir(path.c_str(), 0700), "a folder can be made");
    made.folders.push_back(path);
  } else if (kind == 3) {
    make_link(draw, made, path);
  } else if (kind == 4 && !made.files.empty()) {
    const std::string& first = made.files[draw.below(made.files.size())];
    must(::link(first.c_str(), path.c_str()), "a hard link can be made");
  } else if (kind == 5) {
    must(::mkfifo(path.c_str(), 0600), "a FIFO can be made");
  } else if (kind == 6) {
    make_sparse(draw, path);
    made.files.push_back(path);
  } else {
    write_text(path, some_content(draw));
    made.files.push_back(path);
  }
  made.all.push_back(path);
}

// Last of all, and from below: what is made in a folder changes its time.
void set_facts(Generator& draw, const std::string& path) {
  struct stat facts{};
  must(::lstat(path.c_str(), &facts), path);
  if (::geteuid() == 0) {
    const auto owner = static_cast<uid_t>(draw.below(3'000'000));
    must(::lchown(path.c_str(), owner, static_cast<gid_t>(draw.below(70'000))), "chown works");
  }
  if (!S_ISLNK(facts.st_mode)) {
    must(::chmod(path.c_str(), some_mode(draw, S_ISDIR(facts.st_mode))), "chmod works");
  }
  const std::array<timespec, 2> times{some_time(draw), some_time(draw)};
  must(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW), "times can be set");
}

std::string facts_of(const std::string& path, const struct stat& facts) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%06o owner %u:%u mtime %lld.%09ld",
                static_cast<unsigned>(facts.st_mode), facts.st_uid, facts.st_gid,
                static_cast<long long>(facts.st_mtim.tv_sec), facts.st_mtim.tv_nsec);
  std::string out = text.data();
  if (S_ISREG(facts.st_mode)) {
    out += " size " + std::to_string(facts.st_size) + " sha256 " + to_hex(sha256(read_file(path)));
  } else if (S_ISLNK(facts.st_mode)) {
    out += " to " + fs::read_symlink(path).string();
  } else if (S_ISCHR(facts.st_mode) || S_ISBLK(facts.st_mode)) {
    out += " device " + std::to_string(major(facts.st_rdev)) + ":" +
           std::to_string(minor(facts.st_rdev));
  }
  return out;
}

}  // namespace

std::string odd_name(Generator& draw) {
  static const std::vector<std::string> kNames{"with space",
                                               " leading",
                                               "trailing ",
                                               "-rf",
                                               "--help",
                                               "*",
                                               "?",
                                               "'",
                                               "\"",
                                               "$(id)",
                                               "`id`",
                                               "new\nline",
                                               "\n",
                                               "tab\t",
                                               "\x1b[31mred",
                                               "\x1b]0;title\x07",
                                               "\xff",
                                               "\xc3\x28",
                                               "\xe2\x80\xae"
                                               "gnp.exe",
                                               "caf\xc3\xa9",
                                               "cafe\xcc\x81",
                                               "back\\slash",
                                               "C:",
                                               "...",
                                               ".hidden",
                                               "a=b",
                                               "%41",
                                               "#",
                                               "~",
                                               "@LongLink",
                                               "\x7f",
                                               "\x01"};
  const std::size_t kind = draw.below(8);
  if (kind == 0) return draw.text(255, "abcdefghij\xff");
  if (kind == 1) return draw.text(draw.between(80, 130), "pqrs ");
  if (kind < 4) return kNames[draw.below(kNames.size())];
  return draw.text(draw.between(1, 12), "abcdefghijklmnopqrstuvwxyz0123456789");
}

void make_random_tree(Generator& draw, const std::string& folder, std::size_t entries) {
  Made made;
  made.folders.push_back(folder);
  made.all.push_back(folder);
  for (std::size_t i = 0; i < entries; ++i) make_entry(draw, made);
  std::set<std::pair<dev_t, ino_t>> seen;
  for (auto path = made.all.rbegin(); path != made.all.rend(); ++path) {
    struct stat facts{};
    must(::lstat(path->c_str(), &facts), *path);
    if (seen.insert({facts.st_dev, facts.st_ino}).second) set_facts(draw, *path);
  }
}

TreeContent content_of_tree(const std::string& folder) {
  std::vector<std::string> paths{folder};
  for (const auto& item : fs::recursive_directory_iterator(folder)) paths.push_back(item.path());
  std::sort(paths.begin(), paths.end());
  TreeContent out;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names;
  for (const std::string& path : paths) {
    struct stat facts{};
    must(::lstat(path.c_str(), &facts), path);
    const std::string name = path == folder ? "." : path.substr(folder.size() + 1);
    out[name] = facts_of(path, facts);
    if (!S_ISREG(facts.st_mode) || facts.st_nlink < 2) continue;
    const auto first = first_names.try_emplace({facts.st_dev, facts.st_ino}, name).first;
    out[name] += " first name " + first->second;
  }
  return out;
}

std::vector<std::string> differences(const TreeContent& expected, const TreeContent& found) {
  std::vector<std::string> out;
  for (const auto& [path, facts] : expected) {
    const auto other = found.find(path);
    if (other == found.end()) {
      out.push_back("missing: " + inert(path) + " " + inert(facts));
    } else if (other->second != facts) {
      out.push_back(inert(path) + ": " + inert(other->second) + " (expected " + inert(facts) + ")");
    }
  }
  for (const auto& [path, facts] : found) {
    if (!expected.contains(path)) out.push_back("too much: " + inert(path) + " " + inert(facts));
  }
  return out;
}

}  // namespace muniment
