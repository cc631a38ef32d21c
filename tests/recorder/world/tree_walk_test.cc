// A walk meets every path once, in order, opens nothing but folders, and gets along with any depth.
#include "recorder/world/tree_walk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "recorder/world/path_list.h"
#include "tests/support/generator.h"
#include "tests/support/random_tree.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// Writes down what it is told, and may act on it.
struct Notes : TreeVisitor {
  Status entry(const WalkEntry& entry) override {
    paths.push_back(entry.path);
    struct stat now{};
    EXPECT_EQ(::fstatat(entry.folder, entry.name, &now, AT_SYMLINK_NOFOLLOW), 0) << entry.path;
    EXPECT_EQ(now.st_ino, entry.facts.st_ino) << entry.path;
    EXPECT_EQ(entry.opened >= 0, S_ISDIR(now.st_mode)) << entry.path;
    if (on_entry) return on_entry(entry.path);
    return {};
  }
  Status excluded(const std::string& path, const std::vector<std::size_t>& patterns) override {
    pruned.push_back(path);
    hits.push_back(patterns);
    return {};
  }
  Status unreadable(const std::string& path, int error) override {
    unread.push_back(path);
    last_error = error;
    return {};
  }
  Status vanished(const std::string& path) override {
    gone.push_back(path);
    return {};
  }

  std::function<Status(const std::string&)> on_entry;
  std::vector<std::string> paths;
  std::vector<std::string> pruned;
  std::vector<std::vector<std::size_t>> hits;
  std::vector<std::string> unread;
  std::vector<std::string> gone;
  int last_error = 0;
};

// Component by component: a folder before what is in it, names bytewise.
bool comes_before(const std::string& a, const std::string& b) {
  const fs::path left(a);
  const fs::path right(b);
  return std::lexicographical_compare(
      left.begin(), left.end(), right.begin(), right.end(),
      [](const fs::path& x, const fs::path& y) { return x.native() < y.native(); });
}

std::vector<std::string> all_paths(const std::string& folder) {
  std::vector<std::string> out{folder};
  for (const auto& item : fs::recursive_directory_iterator(folder)) out.push_back(item.path());
  std::sort(out.begin(), out.end(), comes_before);
  return out;
}

TEST(TreeWalk, MeetsEveryPathOnceAndInOrder) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int round = 0; round < (wants_full() ? 200 : 10); ++round) {
    const TempDir dir(TempDir::fast_parent());
    make_random_tree(generator, dir.path, generator.below(200));
    Notes notes;
    ASSERT_TRUE(walk_tree(dir.path, {}, notes).has_value());
    EXPECT_EQ(notes.paths, all_paths(dir.path));
    EXPECT_TRUE(notes.pruned.empty() && notes.unread.empty() && notes.gone.empty());
  }
}

TEST(TreeWalk, SaysWhichPatternsPrunedAPath) {
  const TempDir dir(TempDir::fast_parent());
  for (const char* name : {"a/cache/x", "a/keep", "b/cache"}) {
    fs::create_directories(dir / name);
  }
  Notes notes;
  const WalkRules rules{{dir / "**/cache", dir / "nothing", dir / "a/*"}, {}};
  ASSERT_TRUE(walk_tree(dir.path, rules, notes).has_value());
  EXPECT_EQ(notes.pruned,
            (std::vector<std::string>{dir / "a/cache", dir / "a/keep", dir / "b/cache"}));
  EXPECT_EQ(notes.hits, (std::vector<std::vector<std::size_t>>{{0, 2}, {2}, {0}}));
  EXPECT_EQ(notes.paths, (std::vector<std::string>{dir.path, dir / "a", dir / "b"}));
}

TEST(TreeWalk, PrunesItsRootLikeAnyOther) {
  const TempDir dir(TempDir::fast_parent());
  Notes notes;
  ASSERT_TRUE(walk_tree(dir.path, WalkRules{{dir.path}, {}}, notes).has_value());
  EXPECT_EQ(notes.pruned, std::vector<std::string>{dir.path});
  EXPECT_TRUE(notes.paths.empty());
}

TEST(TreeWalk, DoesNotEnterTheFolderToSkipByWhateverNameItIsMet) {
  const TempDir dir(TempDir::fast_parent());
  fs::create_directories(dir / "a/root/module");
  fs::create_directories(dir / "b");
  const struct stat root = lstat_of(dir / "a/root");
  Notes notes;
  const WalkRules rules{{}, FolderIdentity{root.st_dev, root.st_ino}};
  ASSERT_TRUE(walk_tree(dir.path, rules, notes).has_value());
  EXPECT_EQ(notes.pruned, std::vector<std::string>{dir / "a/root"});
  EXPECT_EQ(notes.hits, std::vector<std::vector<std::size_t>>{{}});
  EXPECT_EQ(notes.paths, (std::vector<std::string>{dir.path, dir / "a", dir / "b"}));
}

TEST(TreeWalk, DoesNotFollowLinksNotEvenAtItsRoot) {
  const TempDir dir(TempDir::fast_parent());
  fs::create_directories(dir / "real/inside");
  fs::create_symlink("real", dir / "link");
  fs::create_symlink("..", dir / "real/up");
  Notes notes;
  ASSERT_TRUE(walk_tree(dir / "link", {}, notes).has_value());
  EXPECT_EQ(notes.paths, std::vector<std::string>{dir / "link"});
  Notes below;
  ASSERT_TRUE(walk_tree(dir / "real", {}, below).has_value());
  EXPECT_EQ(below.paths,
            (std::vector<std::string>{dir / "real", dir / "real/inside", dir / "real/up"}));
}

TEST(TreeWalk, CallsAMissingRootUnreadable) {
  const TempDir dir(TempDir::fast_parent());
  Notes notes;
  ASSERT_TRUE(walk_tree(dir / "missing", {}, notes).has_value());
  EXPECT_EQ(notes.unread, std::vector<std::string>{dir / "missing"});
  EXPECT_EQ(notes.last_error, ENOENT);
}

TEST(TreeWalk, EndsWithTheErrorOfItsVisitor) {
  const TempDir dir(TempDir::fast_parent());
  make_tree(dir / "tree");
  Notes notes;
  notes.on_entry = [&notes](const std::string&) -> Status {
    if (notes.paths.size() < 3) return {};
    return fail(ErrorCode::kInterrupted, "enough");
  };
  const Status walked = walk_tree(dir.path, {}, notes);
  ASSERT_FALSE(walked.has_value());
  EXPECT_EQ(walked.error().message, "enough");
  EXPECT_EQ(notes.paths.size(), 3U);
}

// A chain of folders, each with a file before and behind the next folder. The path grows far beyond
// what a system call takes.
void make_chain(const std::string& top, std::size_t depth) {
  fs::create_directory(top);
  Fd folder(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t i = 0; i < depth; ++i) {
    for (const char* name : {"a", "z"}) {
      const Fd file(::openat(folder.get(), name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
      check(file.open(), "a file deep down can be made");
    }
    check(::mkdirat(folder.get(), "middle-of-a-long-path", 0700) == 0, "a folder can be made");
    folder.reset(::openat(folder.get(), "middle-of-a-long-path", O_RDONLY | O_CLOEXEC));
  }
}

TEST(TreeWalk, GetsAlongWithAnyDepthOnFewDescriptors) {
  const TempDir dir(TempDir::fast_parent());
  for (const std::size_t depth :
       {kOpenFolders - 1, kOpenFolders, kOpenFolders + 1, std::size_t{3 * kOpenFolders}}) {
    const std::string top = dir / std::to_string(depth);
    make_chain(top, depth);
    const std::string said = in_child([&]() -> std::string {
      const rlimit few{kOpenFolders + 32, kOpenFolders + 32};
      if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return "no limit";
      std::size_t met = 0;
      struct Count : TreeVisitor {
        explicit Count(std::size_t& to) : met(to) {}
        Status entry(const WalkEntry& entry) override {
          ++met;
          // The way back found the right folder: what is behind the middle is still there.
          struct stat now{};
          if (::fstatat(entry.folder, entry.name, &now, AT_SYMLINK_NOFOLLOW) == 0) return {};
          return fail(ErrorCode::kIo, "lost at " + entry.path);
        }
        Status excluded(const std::string&, const std::vector<std::size_t>&) override { return {}; }
        Status unreadable(const std::string& path, int error) override {
          return fail(ErrorCode::kIo, path + " error " + std::to_string(error));
        }
        Status vanished(const std::string& path) override { return fail(ErrorCode::kIo, path); }
        std::size_t& met;
      } count(met);
      const Status walked = walk_tree(top, {}, count);
      return walked ? std::to_string(met) : walked.error().message;
    });
    EXPECT_EQ(said, std::to_string(3 * depth + 1));
    // remove_all of the standard library gives up on such a path.
    EXPECT_EQ(run_program({"rm", "-rf", "--", top}).exit_code, 0);
  }
}

TEST(TreeWalk, NoticesThatAFolderWasMovedWhileItWasBelow) {
  const TempDir dir(TempDir::fast_parent());
  make_chain(dir / "top", kOpenFolders + 20);
  fs::create_directory(dir / "elsewhere");
  std::size_t folders = 0;
  Notes notes;
  notes.on_entry = [&](const std::string& path) -> Status {
    if (!path.ends_with("/middle-of-a-long-path") || ++folders != kOpenFolders + 15) return {};
    // The second folder of the chain goes: the first one's descriptor was given up by now.
    fs::rename(dir / "top/middle-of-a-long-path", dir / "elsewhere/moved");
    return {};
  };
  const Status walked = walk_tree(dir / "top", {}, notes);
  ASSERT_FALSE(walked.has_value());
  EXPECT_NE(walked.error().message.find("was moved while it was read"), std::string::npos)
      << walked.error().message;
  EXPECT_EQ(run_program({"rm", "-rf", "--", dir / "top", dir / "elsewhere"}).exit_code, 0);
}

TEST(PathList, CountsAllAndKeepsTheFirstThatHaveRoom) {
  PathList list;
  for (int i = 0; i < 100; ++i) list.add("/path/" + std::to_string(i));
  EXPECT_EQ(list.count, 100U);
  ASSERT_EQ(list.listed.size(), PathList::kMostListed);
  EXPECT_EQ(list.listed.front(), "/path/0");
  EXPECT_EQ(list.listed.back(), "/path/31");
  PathList longer;
  for (int i = 0; i < 10; ++i) longer.add(std::string(4096, 'p'));
  EXPECT_EQ(longer.count, 10U);
  EXPECT_EQ(longer.listed.size(), 3U);
  EXPECT_LE(longer.listed.size() * 4096, PathList::kMostBytes);
}

}  // namespace
}  // namespace muniment
