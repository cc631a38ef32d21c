// Where a path of a container lies on this host: by the innermost mount, never through a link.
#include "recorder/world/engine/mount_path.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "recorder/core/paths.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class MountPath : public testing::Test {
 protected:
  MountPath() {
    fs::create_directories(dir_ / "outer/sub");
    fs::create_directories(dir_ / "inner");
    write_text(dir_ / "outer/app.db", "outer");
    write_text(dir_ / "inner/app.db", "inner");
    write_text(dir_ / "secret", "secret");
    fs::create_symlink(dir_ / "secret", dir_ / "outer/link");
    fs::create_symlink(dir_ / "inner", dir_ / "outer/folder");
    add("volume", dir_ / "outer", "/data");
  }
  void add(const std::string& kind, const std::string& source, const std::string& destination) {
    v1::Mount& mount = *container_.add_mounts();
    mount.set_kind(kind);
    mount.set_source(source);
    mount.set_destination(destination);
  }
  std::string at(const std::string& path) const { return host_path_of(container_, path); }

  TempDir dir_;
  v1::ContainerObserved container_;
};

TEST_F(MountPath, IsThatOfTheInnermostMount) {
  EXPECT_EQ(at("/data/app.db"), dir_ / "outer/app.db");
  add("bind", dir_ / "inner", "/data/sub");
  EXPECT_EQ(at("/data/sub/app.db"), dir_ / "inner/app.db");
  EXPECT_EQ(at("/data2/app.db"), "");
  EXPECT_EQ(at("/etc/app.db"), "");
}

TEST_F(MountPath, IsNoneThroughALink) {
  EXPECT_EQ(at("/data/link"), "");
  EXPECT_EQ(at("/data/folder/app.db"), "");
  EXPECT_EQ(at("/data/../secret"), "");
}

// Below the mount around it lies the file that the bind covers, which is another one.
TEST_F(MountPath, IsNoneForAFileThatIsItselfAMount) {
  add("bind", dir_ / "inner/app.db", "/data/app.db");
  EXPECT_EQ(at("/data/app.db"), "");
}

TEST_F(MountPath, IsNoneOnATmpfsOrWhereTheSourceCannotBeSeen) {
  write_text(dir_ / "outer/sub/app.db", "covered");
  add("tmpfs", "", "/data/sub");
  add("volume", dir_ / "gone", "/gone");
  EXPECT_EQ(at("/data/sub/app.db"), "");
  EXPECT_EQ(at("/gone/app.db"), "");
}

TEST(Outermost, LeavesOutWhatLiesInsideAnother) {
  using Paths = std::vector<std::string>;
  EXPECT_EQ(outermost({"/b/c", "/a", "/b", "/a/x", "/a", "/ab"}), (Paths{"/a", "/ab", "/b"}));
  EXPECT_EQ(outermost({"/a", "/"}), Paths{"/"});
  EXPECT_EQ(outermost({}), Paths{});
}

}  // namespace
}  // namespace muniment
