// What a capture archives, the real tar program restores: bytes, modes, owners, times, links.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "recorder/core/glob.h"
#include "recorder/core/text.h"
#include "recorder/world/capture.h"
#include "tests/support/generator.h"
#include "tests/support/random_tree.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// GNU tar tells of the mark of names that are no ASCII, and of times before 1970 and in the future.
// It takes all of them right.
const std::vector<std::string> kOdd{"--warning=no-unknown-keyword", "--warning=no-timestamp"};

class CaptureFiles : public testing::Test {
 protected:
  void SetUp() override { fs::create_directory(source()); }

  std::string source() const { return dir_ / "source"; }

  Result<Capture> capture(const std::vector<std::string>& paths,
                          const std::vector<std::string>& exclude = {},
                          Compression compression = {}) const {
    const std::string place = dir_ / "target";
    fs::remove_all(place);
    fs::create_directory(place);
    const Folder folder = open_folder(place);
    v1::FilesCapture step;
    for (const std::string& path : paths) step.add_paths(path);
    for (const std::string& pattern : exclude) step.add_exclude(pattern);
    CueProgress progress;
    return capture_files(step, CaptureTarget{folder, "artifact", compression, {}}, progress);
  }

  // Restores the artifact by the tar program; where the member that was `path` is then.
  std::string restore(const std::string& path, const std::vector<std::string>& options = {}) const {
    const std::string place = dir_ / "restored";
    fs::remove_all(place);
    fs::create_directory(place);
    std::vector<std::string> argv{"tar", "-xp", "--numeric-owner", "-C", place, "-f", artifact()};
    if (::geteuid() != 0) argv.emplace_back("--no-same-owner");
    argv.insert(argv.end(), options.begin(), options.end());
    const Ran ran = run_program(argv);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    return place + path;
  }

  // Unpacked where it is compressed.
  std::string artifact() const {
    const std::string path = dir_ / "target/artifact";
    if (!read_file(path).starts_with("\x28\xb5\x2f\xfd")) return path;
    write_text(path + ".tar", content_of_stored(path, Compression{1}));
    return path + ".tar";
  }

  TempDir dir_{TempDir::fast_parent()};
};

TEST_F(CaptureFiles, IsRestoredByTarAsItWas) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int round = 0; round < (wants_full() ? 200 : 6); ++round) {
    fs::remove_all(source());
    fs::create_directory(source());
    make_random_tree(generator, source(), generator.between(1, 120));
    const TreeContent expected = content_of_tree(source());
    const Compression compression{generator.one_in(2) ? 1 : 0};
    const Result<Capture> done = capture({source()}, {}, compression);
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->entries, expected.size());
    EXPECT_EQ(done->changed.count, 0U) << testing::PrintToString(done->changed.listed);
    EXPECT_EQ(done->vanished.count, 0U) << testing::PrintToString(done->vanished.listed);
    EXPECT_EQ(done->not_archived.count, 0U);
    EXPECT_EQ(differences(expected, content_of_tree(restore(source(), kOdd))),
              std::vector<std::string>{});
    EXPECT_EQ(differences(expected, content_of_tree(source())), std::vector<std::string>{})
        << "the source was changed";
    if (testing::Test::HasFailure()) return;
  }
}

TEST_F(CaptureFiles, MakesTheSameBytesOfTheSameTree) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  make_random_tree(generator, source(), 60);
  const Result<Capture> first = capture({source()});
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const Result<Capture> second = capture({source()});
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(to_hex(first->file.content_sha256), to_hex(second->file.content_sha256));
}

// The oracle walks the list of all paths; a folder that matches takes what is below it along.
TEST_F(CaptureFiles, LeavesOutWhatAPatternMatchesAndWhatIsBelowIt) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  make_random_tree(generator, source(), 150);
  const TreeContent all = content_of_tree(source());
  for (int round = 0; round < (wants_full() ? 300 : 12); ++round) {
    std::vector<std::string> patterns{source() + "/**/" + generator.text(1, "abcdefgh") + "*",
                                      source() + "/*[m-p]*"};
    auto victim = all.begin();
    std::advance(victim, static_cast<std::ptrdiff_t>(generator.below(all.size())));
    if (victim->first.find_first_of("*?[\\") == std::string::npos && victim->first != ".") {
      patterns.push_back(source() + "/" + victim->first);
    }
    const auto is_out = [&](const std::string& path) {
      return std::any_of(patterns.begin(), patterns.end(),
                         [&](const std::string& pattern) { return glob_match(pattern, path); });
    };
    TreeContent expected;
    for (const auto& [name, facts] : all) {
      bool out = false;
      for (std::size_t at = name.find('/'); at != name.npos && !out; at = name.find('/', at + 1)) {
        out = is_out(source() + "/" + name.substr(0, at));
      }
      if (out || is_out(name == "." ? source() : source() + "/" + name)) continue;
      // Which name of a file is the first depends on what is left out.
      expected[name] = facts.substr(0, facts.find(" first name "));
    }
    const Result<Capture> done = capture({source()}, patterns);
    ASSERT_TRUE(done.has_value()) << done.error().message;
    TreeContent found = content_of_tree(restore(source(), kOdd));
    for (auto& [name, facts] : found) facts = facts.substr(0, facts.find(" first name "));
    EXPECT_EQ(differences(expected, found), std::vector<std::string>{})
        << testing::PrintToString(patterns);
    EXPECT_EQ(done->entries, expected.size());
    EXPECT_EQ(done->not_archived.count, 0U) << "an exclusion is not a failure to archive";
  }
}

int bound_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const auto* general = reinterpret_cast<const sockaddr*>(&address);
  check(::bind(fd, general, sizeof(address)) == 0, "a socket can be bound");
  return fd;
}

TEST_F(CaptureFiles, NamesTheSocketsThatTarHasNoFormFor) {
  const Fd socket(bound_socket(source() + "/sock"));
  write_text(source() + "/file", "kept");
  const Result<Capture> done = capture({source()});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->not_archived.listed, std::vector<std::string>{source() + "/sock"});
  EXPECT_EQ(done->entries, 2U);
  EXPECT_FALSE(exists(restore(source()) + "/sock"));
  EXPECT_EQ(read_file(dir_ / "restored" + source() + "/file"), "kept");
}

TEST_F(CaptureFiles, OpensNeitherFifosNorDevicesNorWhatIsExcluded) {
  std::vector<std::string> shut{source() + "/fifo", source() + "/excluded", source() + "/sock"};
  ASSERT_EQ(::mkfifo(shut[0].c_str(), 0600), 0);
  write_text(shut[1], "not wanted");
  const Fd socket(bound_socket(shut[2]));
  if (::mknod((source() + "/device").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) {
    shut.push_back(source() + "/device");
  }
  write_text(source() + "/file", "kept");
  const Fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  for (const std::string& path : shut) {
    ASSERT_GE(::inotify_add_watch(watch.get(), path.c_str(), IN_OPEN | IN_ACCESS), 0) << path;
  }
  const Result<Capture> done = capture({source()}, {shut[1]});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  std::array<char, 4096> events{};
  EXPECT_LT(::read(watch.get(), events.data(), events.size()), 0) << "one of them was opened";
  const Fd opened(::open(shut[1].c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_GT(::read(watch.get(), events.data(), events.size()), 0) << "the watch does not watch";
  EXPECT_EQ(differences({}, content_of_tree(restore(source()))).size(), shut.size());
}

TEST_F(CaptureFiles, KeepsExtendedAttributes) {
  write_text(source() + "/file", "kept");
  const std::string value("\x00\xff own", 6);
  for (const std::string& path : {source(), source() + "/file"}) {
    if (::setxattr(path.c_str(), "user.note", value.data(), value.size(), 0) != 0) {
      GTEST_SKIP() << "this file system has no attributes of users";
    }
  }
  const Result<Capture> done = capture({source()});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  const std::string restored = restore(source(), {"--xattrs", "--xattrs-include=*"});
  for (const std::string& path : {restored, restored + "/file"}) {
    std::array<char, 100> seen{};
    const ssize_t n = ::getxattr(path.c_str(), "user.note", seen.data(), seen.size());
    ASSERT_EQ(n, static_cast<ssize_t>(value.size())) << path;
    EXPECT_EQ(std::string(seen.data(), value.size()), value) << path;
  }
}

// Longer than what a system call takes at once: tar cannot restore it whole, but must list it.
TEST_F(CaptureFiles, ArchivesPathsLongerThanTheSystemTakes) {
  Fd folder(::open(source().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string name(250, 'd');
  std::string path = source();
  for (int depth = 0; depth < 24; ++depth) {
    ASSERT_EQ(::mkdirat(folder.get(), name.c_str(), 0700), 0);
    folder.reset(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(folder.open());
    path += "/" + name;
  }
  const Fd file(::openat(folder.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "deep", 4), 4);
  const Result<Capture> done = capture({source()});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->entries, 26U);
  const std::string listed = output_of({"tar", "-tf", artifact()});
  EXPECT_TRUE(listed.ends_with("\n" + path.substr(1) + "/file\n")) << listed.size();
}

TEST_F(CaptureFiles, ArchivesEachPathOnceHoweverOftenItIsNamed) {
  fs::create_directories(source() + "/a/b");
  fs::create_directories(source() + "/ab");
  for (const char* name : {"/a/1", "/a/b/2", "/ab/3"}) write_text(source() + name, name);
  fs::create_hard_link(source() + "/a/1", source() + "/ab/same");
  const Result<Capture> done = capture(
      {source() + "/ab", source() + "/a", source() + "/a/b", source() + "/a", source() + "/ab/3"});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  const std::string in = source().substr(1);
  EXPECT_EQ(output_of({"tar", "-tf", artifact()}), in + "/a/\n" + in + "/a/1\n" + in + "/a/b/\n" +
                                                       in + "/a/b/2\n" + in + "/ab/\n" + in +
                                                       "/ab/3\n" + in + "/ab/same\n");
  const std::string restored = restore(source());
  EXPECT_EQ(lstat_of(restored + "/a/1").st_ino, lstat_of(restored + "/ab/same").st_ino);
}

TEST_F(CaptureFiles, TakesASingleFile) {
  write_text(source() + "/file", "alone");
  const Result<Capture> done = capture({source() + "/file"}, {}, Compression{1});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->entries, 1U);
  EXPECT_EQ(read_file(restore(source() + "/file")), "alone");
}

}  // namespace
}  // namespace muniment
