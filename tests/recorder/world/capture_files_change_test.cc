// Trees that change while they are archived, and those that cannot be: said, and the tar is valid.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sanitizer/lsan_interface.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "recorder/world/capture.h"
#include "tests/support/generator.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
constexpr std::size_t kBig = 8 * kMebibyte;
constexpr std::size_t kCue = 2 * kMebibyte;  // of `big` are read when the cue comes

class CaptureFilesChange : public testing::Test {
 protected:
  void SetUp() override {
    SCOPED_TRACE(generator_.seed_line());
    fs::create_directories(source() + "/later/folder");
    content_ = noise(generator_, kBig);
    write_text(big(), content_);
    write_text(source() + "/later/file", "later");
    write_text(source() + "/later/folder/file", "deep");
    write_text(source() + "/second", "second");
  }

  std::string source() const { return dir_ / "source"; }
  std::string big() const { return source() + "/big"; }
  std::string target() const { return dir_ / "target"; }

  Result<Capture> capture(Progress& progress, Compression compression = {}) const {
    fs::remove_all(target());
    fs::create_directory(target());
    const Folder folder = open_folder(target());
    v1::FilesCapture step;
    step.add_paths(source());
    struct stat root{};
    if (!backup_root_.empty()) root = lstat_of(backup_root_);
    return capture_files(
        step, CaptureTarget{folder, "artifact", compression, {root.st_dev, root.st_ino}}, progress);
  }

  // With `change` when a quarter of `big` was read. Restored below restored().
  Capture capture_with(const std::function<void()>& change) {
    CueProgress progress(kCue, nullptr);
    progress.act = [&] {
      read_before_ = progress.total;
      change();
    };
    Result<Capture> done = capture(progress);
    EXPECT_TRUE(done.has_value()) << done.error().message;
    if (!done) return {};
    fs::create_directory(dir_ / "restored");
    const Ran ran = run_program({"tar", "-xpf", target() + "/artifact", "-C", dir_ / "restored"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    const std::string listed = output_of({"tar", "-tf", target() + "/artifact"});
    EXPECT_EQ(static_cast<std::uint64_t>(std::count(listed.begin(), listed.end(), '\n')),
              done->entries);
    return *done;
  }
  std::string restored(const std::string& name) const {
    return read_file(dir_ / "restored" + source() + "/" + name);
  }
  void expect_only_big_changed(const Capture& done) const {
    EXPECT_EQ(done.changed.listed, std::vector<std::string>{big()});
    EXPECT_EQ(done.changed.count, 1U);
    EXPECT_EQ(done.vanished.count, 0U);
    EXPECT_EQ(restored("second"), "second") << "what follows is out of step";
    EXPECT_EQ(restored("later/folder/file"), "deep");
  }

  Generator generator_;
  TempDir dir_{TempDir::fast_parent()};
  std::string content_;
  std::string backup_root_;
  std::size_t read_before_ = 0;  // of `big`, when the change came
};

TEST_F(CaptureFilesChange, FillsAFileThatShrinksWithZerosAndSaysSo) {
  for (const std::size_t left : {std::size_t{0}, kCue, 3 * kMebibyte + 17}) {
    write_text(big(), content_);
    const Capture done = capture_with([&] { fs::resize_file(big(), left); });
    expect_only_big_changed(done);
    const std::string seen = restored("big");
    ASSERT_LT(read_before_, 3 * kMebibyte) << "the cue came late";
    const std::size_t kept = std::max(left, read_before_);
    EXPECT_EQ(seen.size(), kBig);
    EXPECT_TRUE(seen == content_.substr(0, kept) + std::string(kBig - kept, '\0')) << left;
    fs::remove_all(dir_ / "restored");
  }
}

TEST_F(CaptureFilesChange, CutsAFileThatGrowsAtItsFirstSizeAndSaysSo) {
  const Capture done = capture_with([&] {
    std::ofstream(big(), std::ios::binary | std::ios::app) << noise(generator_, 3 * kMebibyte);
  });
  expect_only_big_changed(done);
  EXPECT_TRUE(restored("big") == content_);
}

TEST_F(CaptureFilesChange, SaysThatAFileOfTheSameSizeWasRewritten) {
  const Capture done = capture_with([&] {
    std::fstream file(big(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(kBig) - 100);
    file << "other";
  });
  expect_only_big_changed(done);
}

TEST_F(CaptureFilesChange, SaysThatAFileWasReplacedAndKeepsWhatItHadBegun) {
  const Capture done = capture_with([&] {
    write_text(dir_ / "new", "replaced");
    fs::rename(dir_ / "new", big());
  });
  expect_only_big_changed(done);
  EXPECT_TRUE(restored("big") == content_);
}

TEST_F(CaptureFilesChange, NamesWhatWasGoneWhenItsTurnCame) {
  const Capture done = capture_with([&] {
    fs::remove_all(source() + "/later");
    fs::remove(source() + "/second");
  });
  EXPECT_EQ(done.vanished.listed,
            (std::vector<std::string>{source() + "/later", source() + "/second"}));
  EXPECT_EQ(done.vanished.count, 2U);
  EXPECT_EQ(done.changed.count, 0U);
  EXPECT_EQ(done.entries, 2U);
  EXPECT_TRUE(restored("big") == content_);
}

TEST_F(CaptureFilesChange, TakesWhatIsThereWhenItsTurnComes) {
  const Capture done = capture_with([&] {
    fs::remove_all(source() + "/later");
    fs::create_symlink("/etc", source() + "/later");
    fs::remove(source() + "/second");
    fs::create_directory(source() + "/second");
    write_text(source() + "/second/third", "third");
    write_text(source() + "/unlisted", "made too late");
  });
  EXPECT_EQ(done.vanished.count + done.changed.count, 0U);
  const std::string in = dir_ / "restored" + source();
  EXPECT_EQ(fs::read_symlink(in + "/later"), "/etc");
  EXPECT_EQ(restored("second/third"), "third");
  EXPECT_FALSE(exists(in + "/unlisted"));
}

// libarchive forgets what it holds for an archive that fails: see ~TarStream.
class LeaksOfOthers {
 public:
#if defined(__SANITIZE_ADDRESS__)
  LeaksOfOthers() { __lsan_disable(); }
  ~LeaksOfOthers() { __lsan_enable(); }
#else
  LeaksOfOthers() = default;
  ~LeaksOfOthers() = default;
#endif
  LeaksOfOthers(const LeaksOfOthers&) = delete;
  LeaksOfOthers& operator=(const LeaksOfOthers&) = delete;
};

TEST_F(CaptureFilesChange, StopsWhereItIsAskedTo) {
  [[maybe_unused]] const LeaksOfOthers allowed;
  for (const Compression compression : {Compression{}, Compression{1}}) {
    CueProgress progress;
    progress.at = kCue;
    progress.act = [&progress] { progress.stop = true; };
    const Result<Capture> done = capture(progress, compression);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, ErrorCode::kInterrupted);
    EXPECT_LT(progress.total, kCue + kMebibyte) << "it read on";
  }
}

TEST_F(CaptureFilesChange, NamesTheFirstOfWhatCannotBeReadAndCountsTheRest) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  fs::create_directory(source() + "/shut");
  write_text(source() + "/shut/inside", "not counted: nobody can see it");
  ASSERT_EQ(::chmod(dir_.path.c_str(), 0755), 0);
  for (const char* name : {"/later/file", "/second"})
    ASSERT_EQ(::chmod((source() + name).c_str(), 0), 0);
  ASSERT_EQ(::chmod((source() + "/shut").c_str(), 0), 0);
  fs::create_directory(target());
  const Folder folder = open_folder(target());
  ASSERT_EQ(::chmod(target().c_str(), 0777), 0);
  const std::string said = in_child([&] {
    if (!become_nobody()) return std::string("cannot become another user");
    v1::FilesCapture step;
    step.add_paths(source());
    CueProgress progress;
    const auto done =
        capture_files(step, CaptureTarget{folder, "artifact", Compression{}, {}}, progress);
    return done ? std::string("captured") : done.error().message;
  });
  EXPECT_NE(said.find("cannot read " + source() + "/later/file: Permission denied (EACCES)"),
            std::string::npos)
      << said;
  EXPECT_TRUE(said.ends_with(" (3 unreadable in all), or exclude it")) << said;
}

TEST_F(CaptureFilesChange, NeverEntersTheBackupRootAndSaysSo) {
  backup_root_ = source() + "/later";
  CueProgress progress;
  const Result<Capture> done = capture(progress);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->not_archived.listed, std::vector<std::string>{source() + "/later"});
  EXPECT_EQ(output_of({"tar", "-tf", target() + "/artifact"}).find("later"), std::string::npos);
}

TEST_F(CaptureFilesChange, RefusesARootThatIsNoFileAndNoFolder) {
  const std::string path = dir_ / "other";
  const auto said = [&] {
    fs::remove_all(target());
    fs::create_directory(target());
    const Folder folder = open_folder(target());
    v1::FilesCapture step;
    step.add_paths(source());
    step.add_paths(path);
    CueProgress progress;
    const auto done =
        capture_files(step, CaptureTarget{folder, "artifact", Compression{}, {}}, progress);
    EXPECT_TRUE(fs::is_empty(target())) << "something was made before it was looked at";
    return done ? std::string("captured") : done.error().message;
  };
  EXPECT_EQ(said(),
            "cannot read " + path + ": No such file or directory (ENOENT); check that it exists");
  fs::create_symlink(source(), path);
  EXPECT_EQ(said(), path + " is a symbolic link; name its target");
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(said(), path + " is neither a file nor a folder; name one that is");
}

TEST_F(CaptureFilesChange, NamesTheArtifactAndTheCauseWhereItMayNotGrow) {
  for (const Compression compression : {Compression{}, Compression{1}}) {
    for (const std::size_t limit : {std::size_t{0}, std::size_t{700}, 3 * kMebibyte}) {
      const std::string said = in_child([&] {
        const rlimit size{limit, limit};
        if (::setrlimit(RLIMIT_FSIZE, &size) != 0) return std::string("no limit");
        ::signal(SIGXFSZ, SIG_IGN);
        CueProgress progress;
        const Result<Capture> done = capture(progress, compression);
        return done ? std::string("captured") : done.error().message;
      });
      EXPECT_EQ(said, "cannot write " + target() +
                          "/artifact: File too large (EFBIG); raise the limit on the size of "
                          "files (ulimit -f) and run again");
    }
  }
}

}  // namespace
}  // namespace muniment
