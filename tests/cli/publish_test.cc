// What `muniment publish` leaves in a folder, what it leaves alone, and what it refuses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "replay/tiles.h"
#include "tests/cli/expect.h"
#include "tests/cli/small_disk.h"
#include "tests/support/left_on_disk.h"
#include "tests/support/published_host.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

class Publish : public testing::Test {
 protected:
  static std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> out;
    for (const auto& [path, bytes] : read_folder(folder)) out.push_back(path);
    return out;
  }
  std::vector<std::string> names() const { return names_in(host_.www()); }

  static std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += name + "\n";
    return out;
  }

  // Puts a checkpoint of ours over the one in the folder; nobody looks at whose signature it has.
  void put_checkpoint(const std::string& origin, std::uint64_t size, const Digest& root) const {
    write_text(host_.www() + "/checkpoint", sample_checkpoint(origin, size, root));
  }

  // That it is refused with this exit code and these words, and touches nothing.
  void expect_refused(int exit_code, const std::vector<std::string>& parts) const {
    const std::string before = list_tree(host_.www());
    expect_ended(host_.publish(), exit_code, parts);
    EXPECT_EQ(list_tree(host_.www()), before);
  }

  PublishedHost host_;
};

TEST_F(Publish, WritesTheLayoutOfTheStandardAndNothingElse) {
  host_.grow_to(300);
  const Ran ran = host_.publish();
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(joined(names()),
            "checkpoint\ntile/0/000\ntile/0/001.p/44\ntile/1/000.p/1\ntile/entries/000\n"
            "tile/entries/001.p/44\n");
  host_.expect_published(host_.www(), 300);
  EXPECT_TRUE(contains(ran.out, "published 300 events in " + host_.www() +
                                    ": 6 files written, 0 kept, 0 removed\nlog "
                                    "testhost/muniment\nroot "))
      << ran.out;
}

TEST_F(Publish, LetsAWebServerReadWhateverTheUmaskIs) {
  host_.grow_to(300);
  for (const mode_t umask : {mode_t{0}, mode_t{077}, mode_t{0777}}) {
    const std::string folder = host_.here().path("www" + std::to_string(umask));
    RunWith with = host_.here().surroundings();
    with.umask = umask;
    const Ran ran = run_muniment({"publish", folder}, with);
    ASSERT_EQ(ran.exit_code, 0) << shown(ran);
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      struct stat facts{};
      ASSERT_EQ(::lstat(entry.path().c_str(), &facts), 0);
      EXPECT_EQ(facts.st_mode & 07777U, entry.is_directory() ? 0755U : 0644U) << entry.path();
    }
    struct stat facts{};
    ASSERT_EQ(::lstat(folder.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777U, 0755U);
  }
}

TEST_F(Publish, SaysThatNothingIsSignedYetAndMakesNoFolder) {
  expect_ended(host_.publish(), 7, {"no checkpoint", "`muniment checkpoint`"});
  EXPECT_FALSE(fs::exists(host_.www()));
}

TEST_F(Publish, SaysWhatNoCheckpointCoversYet) {
  host_.grow_to(20);
  host_.grow_to(23, false);
  const Ran ran = host_.publish({"--json"});
  expect_ended(ran, 0, {"3 events behind the newest checkpoint", "`muniment checkpoint`"});
  EXPECT_EQ(jq(host_.here(), ran.out, "[.size,.behind,.written,.kept,.origin,.folder]"),
            "[20,3,3,0,\"testhost/muniment\",\"" + host_.www() + "\"]");
  host_.expect_published(host_.www(), 20);
}

TEST_F(Publish, WritesOnlyWhatIsNewAndRemovesWhatAFullTileReplaces) {
  host_.grow_to(250);
  ASSERT_EQ(host_.publish().exit_code, 0);
  host_.grow_to(255);
  ASSERT_EQ(host_.publish().exit_code, 0);
  EXPECT_EQ(joined(names()),
            "checkpoint\ntile/0/000.p/250\ntile/0/000.p/255\ntile/entries/000.p/250\n"
            "tile/entries/000.p/255\n")
      << "whoever has the older checkpoint still needs them";
  host_.expect_published(host_.www(), 255);

  const std::string before = list_tree(host_.www());
  const Ran again = host_.publish();
  EXPECT_TRUE(contains(again.out, "0 files written, 3 kept, 0 removed")) << shown(again);
  EXPECT_EQ(list_tree(host_.www()), before) << "nothing was new";

  host_.grow_to(600);
  ASSERT_EQ(host_.publish().exit_code, 0);
  EXPECT_EQ(joined(names()),
            "checkpoint\ntile/0/000\ntile/0/001\ntile/0/002.p/88\ntile/1/000.p/2\n"
            "tile/entries/000\ntile/entries/001\ntile/entries/002.p/88\n");
  EXPECT_FALSE(fs::exists(host_.www() + "/tile/0/000.p"));
  struct stat full{};
  ASSERT_EQ(::lstat((host_.www() + "/tile/entries/001").c_str(), &full), 0);
  host_.grow_to(700);
  const Ran grown = host_.publish({"--json"});
  EXPECT_EQ(jq(host_.here(), grown.out, "[.previous_size,.written,.kept,.removed]"), "[600,3,5,0]");
  struct stat later{};
  ASSERT_EQ(::lstat((host_.www() + "/tile/entries/001").c_str(), &later), 0);
  EXPECT_EQ(later.st_ino, full.st_ino) << "a full bundle is never written again";
  host_.expect_published(host_.www(), 700);
}

TEST_F(Publish, RefusesAFolderThatHoldsSomethingElse) {
  host_.grow_to(10);
  fs::create_directory(host_.www());
  ASSERT_EQ(host_.publish().exit_code, 0) << "an empty one is right";
  fs::remove_all(host_.www());
  fs::create_directories(host_.www() + "/tile/0");
  expect_refused(2, {"`tile`", "no checkpoint"});
  fs::remove_all(host_.www());
  fs::create_directory(host_.www());
  write_text(host_.www() + "/index.html", "hello");
  expect_refused(2, {host_.www(), "`index.html`", "empty folder"});
  expect_ended(host_.publish_in(host_.www() + "/index.html"), 2, {"no folder"});
  expect_ended(host_.publish_in(host_.here().path("no/such")), 7, {"is missing"});
  expect_ended(host_.publish_in(host_.here().store()), 2, {"no checkpoint"});
}

TEST_F(Publish, RefusesAnotherLogAnotherHistoryAndANewerOne) {
  host_.grow_to(10);
  ASSERT_EQ(host_.publish().exit_code, 0);
  const Result<std::unique_ptr<LogReader>> log = open_reader(host_.here().store());
  ASSERT_TRUE(log);
  PublishedSample sample([] {
    std::vector<std::string> entries;
    for (Entry& entry : sample_entries(0, 12)) entries.push_back(std::move(entry.bytes));
    return entries;
  }());
  put_checkpoint("other.example/muniment", 10, sample.root(10));
  expect_refused(5, {"other.example/muniment", "testhost/muniment", "another folder"});
  for (const std::uint64_t size : {1U, 9U, 10U}) {
    put_checkpoint("testhost/muniment", size, sha256("another history"));
    expect_refused(5, {"contradicts the store", to_hex(sample.root(size))});
  }
  put_checkpoint("testhost/muniment", 12, sample.root(12));
  expect_refused(5, {"of 12 events", "of 10", "older than what was published"});
  write_text(host_.www() + "/checkpoint", "not a note\n");
  expect_refused(5, {"no signed note"});
  put_checkpoint("testhost/muniment", 7, sample.root(7));
  EXPECT_EQ(host_.publish().exit_code, 0) << "an earlier one of this log is right";
  host_.expect_published(host_.www(), 10);
}

TEST_F(Publish, MendsWhatIsMissingOrCutOffAndWithCompareWhatWasChanged) {
  host_.grow_to(300);
  ASSERT_EQ(host_.publish().exit_code, 0);
  const FileMap whole = read_folder(host_.www());
  for (const auto& [path, bytes] : whole) {
    if (path == "checkpoint") continue;
    SCOPED_TRACE(path);
    fs::remove(host_.www() + "/" + path);
    ASSERT_EQ(host_.publish().exit_code, 0);
    EXPECT_TRUE(read_folder(host_.www()) == whole);
    write_text(host_.www() + "/" + path, "");
    ASSERT_EQ(host_.publish().exit_code, 0);
    EXPECT_TRUE(read_folder(host_.www()) == whole);
    std::string changed = bytes;
    changed[changed.size() / 2] ^= 1;
    write_text(host_.www() + "/" + path, changed);
    const Ran compared = host_.publish({"--compare", "--json"});
    EXPECT_EQ(jq(host_.here(), compared.out, "[.written,.kept]"), "[1,5]") << shown(compared);
    EXPECT_TRUE(read_folder(host_.www()) == whole);
  }
}

// A store that was restored may have taken another way since; what the dead publisher had made of
// the first one is not trusted.
TEST_F(Publish, TrustsNothingThatNoCheckpointCovers) {
  host_.grow_to(100);
  ASSERT_EQ(host_.publish().exit_code, 0);
  host_.grow_to(600);
  fs::create_directory(host_.www() + "/.muniment-publishing");
  for (const std::string path :
       {"tile/0/000", "tile/0/000.p/150", "tile/0/001", "tile/0/002.p/88", "tile/0/002.p/20",
        "tile/entries/000", "tile/1/000.p/2", "tile/1/000.p/1", ".muniment-publishing/file"}) {
    const Result<Tile> tile = parse_tile_path(path);
    const std::uint64_t size = tile ? size_bounds(*tile).least : 7;
    fs::create_directories(fs::path(host_.www() + "/" + path).parent_path());
    write_text(host_.www() + "/" + path, std::string(size, 'x'));
  }
  const Ran ran = host_.publish();
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  host_.expect_published(host_.www(), 600);
  const std::string fresh = host_.here().path("fresh");
  ASSERT_EQ(host_.publish_in(fresh).exit_code, 0);
  EXPECT_EQ(joined(names()), joined(names_in(fresh)));
  EXPECT_TRUE(read_folder(host_.www()) == read_folder(fresh));
  EXPECT_FALSE(fs::exists(host_.www() + "/.muniment-publishing"));
}

TEST_F(Publish, FollowsNoLinkBelowTheFolder) {
  host_.grow_to(300);
  ASSERT_EQ(host_.publish().exit_code, 0);
  const FileMap whole = read_folder(host_.www());
  const std::string outside = host_.here().path("outside");
  fs::create_directory(outside);
  write_text(outside + "/file", "mine");
  fs::remove(host_.www() + "/tile/0/000");
  fs::create_symlink(outside + "/file", host_.www() + "/tile/0/000");
  ASSERT_EQ(host_.publish().exit_code, 0);
  EXPECT_TRUE(read_folder(host_.www()) == whole);
  EXPECT_FALSE(fs::is_symlink(host_.www() + "/tile/0/000"));
  EXPECT_EQ(read_file(outside + "/file"), "mine");

  fs::rename(host_.www() + "/tile/0", outside + "/0");
  fs::create_symlink(outside + "/0", host_.www() + "/tile/0");
  fs::remove(outside + "/0/000");
  expect_refused(5, {host_.www() + "/tile/0", "a link"});
  EXPECT_FALSE(fs::exists(outside + "/0/000"));

  // Whoever names a link to the folder itself means it.
  fs::remove(host_.www() + "/tile/0");
  fs::create_symlink(host_.www(), host_.here().path("link"));
  EXPECT_EQ(host_.publish_in(host_.here().path("link")).exit_code, 0);
  EXPECT_TRUE(read_folder(host_.www()) == whole);
}

TEST_F(Publish, LetsOneAfterTheOtherPublish) {
  host_.grow_to(520);
  std::vector<Ran> waiting(4);
  {
    std::vector<std::jthread> threads;
    for (Ran& ran : waiting) {
      threads.emplace_back([&] { ran = host_.publish({"--lock-wait", "60"}); });
    }
  }
  for (const Ran& ran : waiting) EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  host_.expect_published(host_.www(), 520);
  std::vector<Ran> hasty(4);
  const std::string other = host_.here().path("other");
  {
    std::vector<std::jthread> threads;
    for (Ran& ran : hasty) threads.emplace_back([&] { ran = host_.publish_in(other); });
  }
  for (const Ran& ran : hasty) {
    if (ran.exit_code != 0) expect_ended(ran, 6, {"another publisher", "--lock-wait"});
  }
  host_.expect_published(other, 520);
}

// Whoever reads while it is published sees one log or the next, never something between.
TEST_F(Publish, IsIntactToWhoeverReadsMeanwhile) {
  host_.grow_to(200);
  ASSERT_EQ(host_.publish().exit_code, 0);
  std::atomic<bool> is_done = false;
  std::size_t judged = 0;
  std::jthread reader([&] {
    while (!is_done || judged == 0) {
      const PublishedFiles files{
          .read = [&](const std::string& path,
                      std::uint64_t) -> Result<std::optional<std::string>> {
            std::ifstream file(host_.www() + "/" + path, std::ios::binary);
            if (!file) return std::nullopt;
            return std::string(std::istreambuf_iterator<char>(file), {});
          },
          .list = [&](const auto& visit) -> Status {
            for (const auto& [path, bytes] : read_folder(host_.www())) visit(path);
            return {};
          },
      };
      const v1::VerifyReport report =
          verify_published(files, {.keys = {host_.key()}, .origin = {}, .min_size = 200});
      EXPECT_EQ(report.verdict(), kIntact) << report.DebugString();
      ++judged;
    }
  });
  for (std::uint64_t size = 240; size <= 560; size += 40) {
    host_.grow_to(size);
    const Ran ran = host_.publish();
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  }
  is_done = true;
  reader.join();
  EXPECT_GT(judged, 3U);
}

TEST_F(Publish, LeavesWhatWasPublishedWhereThereIsNoSpaceForMore) {
  host_.grow_to(40);
  const SmallDisk disk(host_.here().path("small"), "size=1m");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  const std::string folder = host_.here().path("small/www");
  ASSERT_EQ(host_.publish_in(folder).exit_code, 0);
  host_.grow_to(900);
  int failed = 0;
  for (const std::uint64_t free_kib : {0U, 4U, 16U, 60U, 120U, 200U, 280U}) {
    SCOPED_TRACE(free_kib);
    if (disk.free_bytes() < free_kib * 1024) continue;
    ASSERT_TRUE(disk.fill_up_to(free_kib * 1024));
    const Ran ran = host_.publish_in(folder);
    disk.empty();
    if (ran.exit_code == 0) break;
    ++failed;
    expect_ended(ran, 1, {folder, "No space left on device", "free space"});
    EXPECT_EQ(joined(names_in(folder + "/.muniment-publishing")), "") << "it takes what is left";
    host_.expect_published(folder, 40);
  }
  EXPECT_GE(failed, 3);
  const Ran ran = host_.publish_in(folder);
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  host_.expect_published(folder, 900);
}

}  // namespace
}  // namespace muniment
