// A folder that calls itself a published log and is meant to hurt whoever verifies it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/published_host.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class HostileFolder : public testing::Test {
 protected:
  HostileFolder() {
    host_.grow_to(300);
    EXPECT_EQ(host_.publish().exit_code, 0);
  }

  std::string at(const std::string& relative) const { return host_.www() + "/" + relative; }

  // A program that is held up ends by this.
  Ran verify() const {
    return host_.here().run_under({"timeout", "-s", "KILL", "30"},
                                  {"verify", host_.www(), "--key", vkey_of(host_.key())});
  }

  PublishedHost host_;
};

TEST_F(HostileFolder, IsIntactBeforeAnythingIsDoneToIt) {
  const Ran ran = verify();
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_TRUE(contains(ran.out, "300 events")) << shown(ran);
}

TEST_F(HostileFolder, IsNotFollowedWaitedForOrReadWithoutEnd) {
  const std::string outside = host_.here().path("outside");
  write_text(outside, "the secret outside");
  const auto replace = [&](const std::string& relative, const std::function<void()>& by) {
    fs::remove_all(at(relative));
    by();
  };
  struct Trap {
    const char* path;  // what becomes something else
    const char* what;  // what is said of it
    std::function<void(const std::string& path)> lay;
  };
  const std::vector<Trap> traps{
      {"tile/0/000", "a link", [&](const auto& p) { fs::create_symlink(outside, p); }},
      {"tile/entries/000", "a link", [&](const auto& p) { fs::create_symlink("/dev/zero", p); }},
      {"checkpoint", "a link", [&](const auto& p) { fs::create_symlink(outside, p); }},
      {"tile/0/001.p/44", "no regular file", [](const auto& p) { ::mkfifo(p.c_str(), 0644); }},
      {"checkpoint", "no regular file", [](const auto& p) { ::mkfifo(p.c_str(), 0644); }},
      {"tile/entries/001.p/44", "no regular file", [](const auto& p) { fs::create_directory(p); }},
      {"tile/0/000", "expected at most 8192",
       [](const auto& p) {
         write_text(p, "");
         fs::resize_file(p, 1ULL << 40U);
       }},
      {"tile/entries/000", "expected at most 16777472",
       [](const auto& p) {
         write_text(p, "");
         fs::resize_file(p, 1ULL << 40U);
       }},
      {"checkpoint", "expected at most 1048576",
       [](const auto& p) {
         write_text(p, "");
         fs::resize_file(p, 1ULL << 40U);
       }},
      {"tile/0", "a link", [&](const auto& p) { fs::create_symlink("/", p); }},
      {"tile/entries", "a link", [&](const auto& p) { fs::create_symlink(host_.www(), p); }},
  };
  for (const Trap& trap : traps) {
    SCOPED_TRACE(std::string(trap.path) + ": " + trap.what);
    const std::string kept = host_.here().path("kept");
    fs::copy(host_.www(), kept, fs::copy_options::recursive);
    replace(trap.path, [&] { trap.lay(at(trap.path)); });
    const Ran ran = verify();
    EXPECT_EQ(ran.exit_code, 5) << shown(ran);
    EXPECT_TRUE(contains(ran.out, trap.path)) << shown(ran);
    EXPECT_TRUE(contains(ran.out, trap.what)) << shown(ran);
    EXPECT_EQ(ran.out.find("secret"), ran.out.npos) << shown(ran);
    fs::remove_all(host_.www());
    fs::rename(kept, host_.www());
  }
}

TEST_F(HostileFolder, MayBeDeepAndHoldNamesThatNobodyShouldPrint) {
  std::string deep = at("tile");
  for (int i = 0; i < 200; ++i) deep += "/x000";
  fs::create_directories(deep);
  write_text(deep + "/000", "x");
  write_text(at("tile/0/\x1b[2J\n\xff"), "x");
  const Ran ran = verify();
  EXPECT_EQ(ran.exit_code, 5) << shown(ran);
  EXPECT_TRUE(contains(ran.out, "tile/0/\\x1B[2J\\n\\xFF does not belong")) << shown(ran);
  EXPECT_EQ(ran.out.find('\x1b'), ran.out.npos);
  EXPECT_TRUE(contains(ran.out, "tile/x000/x000")) << shown(ran);
}

TEST_F(HostileFolder, MayBeNoFolderAtAll) {
  fs::remove_all(host_.www());
  EXPECT_NE(verify().exit_code, 0);
  fs::create_directory(host_.www());
  const Ran ran = verify();
  EXPECT_EQ(ran.exit_code, 5) << shown(ran);
  EXPECT_TRUE(contains(ran.out, "no file `checkpoint`")) << shown(ran);
}

}  // namespace
}  // namespace muniment
