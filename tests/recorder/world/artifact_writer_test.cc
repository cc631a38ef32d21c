// An artifact on disk is what was written, under the digests that were said, and nobody else's.
#include "recorder/world/artifact_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/generator.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

constexpr std::size_t kBlock = Block::kCapacity;
constexpr const char* kName = "notes.db.zst";

// Hands `content` over in pieces, some of them by way of space().
Status write_in_pieces(ArtifactWriter& writer, std::string_view content, Generator& generator) {
  while (!content.empty()) {
    std::size_t n = std::min(content.size(), generator.between(1, kBlock + kBlock / 2));
    if (generator.one_in(3)) {
      const std::span<char> room = writer.space();
      if (room.empty()) return fail(ErrorCode::kIo, "there is no room");
      n = std::min(n, room.size());
      std::memcpy(room.data(), content.data(), n);
      if (Status added = writer.write({room.data(), n}); !added) return added;
    } else if (Status added = writer.write(content.substr(0, n)); !added) {
      return added;
    }
    content.remove_prefix(n);
  }
  return {};
}

// Noise, the same byte over and over, or lines that repeat themselves.
std::string some_content(Generator& generator, std::size_t size) {
  const std::size_t kind = generator.below(3);
  if (kind == 0) return noise(generator, size);
  if (kind == 1) return std::string(size, 'z');
  const std::string line = generator.text(generator.between(10, 5000), "abc \n") + "\n";
  std::string out;
  while (out.size() < size) out += line;
  out.resize(size);
  return out;
}

void expect_stored(const std::string& content, Compression compression, Generator& generator) {
  const TempDir dir;
  const Folder folder = open_folder(dir.path);
  auto writer = ArtifactWriter::create(folder, kName, compression);
  ASSERT_TRUE(writer.has_value()) << writer.error().message;
  const Status written = write_in_pieces(**writer, content, generator);
  ASSERT_TRUE(written.has_value()) << written.error().message;
  const Result<StoredFile> stored = (*writer)->finish();
  ASSERT_TRUE(stored.has_value()) << stored.error().message;

  const std::string path = dir / kName;
  const TempDir memory(TempDir::fast_parent());
  const std::string plain = memory / "plain";
  write_text(plain, content);
  EXPECT_TRUE(content_of_stored(path, compression) == content) << "other content came back";
  EXPECT_EQ(to_hex(stored->sha256), sha256_by_program(path));
  EXPECT_EQ(to_hex(stored->content_sha256), sha256_by_program(plain));
  EXPECT_EQ(stored->content_bytes, content.size());
  const struct stat facts = lstat_of(path);
  EXPECT_EQ(stored->size_bytes, static_cast<std::uint64_t>(facts.st_size));
  EXPECT_EQ(stored->mode, 0600U);
  EXPECT_EQ(facts.st_mode, S_IFREG | 0600U);
  EXPECT_EQ(stored->uid, facts.st_uid);
  EXPECT_EQ(stored->gid, facts.st_gid);
  EXPECT_EQ(stored->device, facts.st_dev);
  EXPECT_EQ(stored->inode, facts.st_ino);
}

TEST(ArtifactWriter, StoresContentOfEverySizeAroundTheEdgesOfABlock) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  std::vector<std::size_t> sizes{0, 1, 511, 4095, 4096, 4097};
  for (const std::size_t blocks : {1U, 2U, 6U, 11U}) {
    for (const std::size_t size : {blocks * kBlock - 1, blocks * kBlock, blocks * kBlock + 1}) {
      sizes.push_back(size);
    }
  }
  sizes.push_back(generator.below((wants_full() ? 200 : 12) * kBlock));
  for (const std::size_t size : sizes) {
    const int level = generator.one_in(4) ? 9 : static_cast<int>(generator.between(1, 3));
    for (const Compression compression : {Compression{}, Compression{level}}) {
      SCOPED_TRACE(std::to_string(size) + " bytes, zstd " + std::to_string(compression.zstd_level));
      expect_stored(some_content(generator, size), compression, generator);
    }
  }
}

TEST(ArtifactWriter, StoresTheSameBytesHoweverTheContentWasCut) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::string content = some_content(generator, 5 * kBlock + 77);
  std::vector<std::string> digests;
  for (int i = 0; i < 3; ++i) {
    const TempDir dir;
    const Folder folder = open_folder(dir.path);
    auto writer = ArtifactWriter::create(folder, kName, Compression{3});
    ASSERT_TRUE(writer.has_value());
    ASSERT_TRUE(write_in_pieces(**writer, content, generator).has_value());
    const Result<StoredFile> stored = (*writer)->finish();
    ASSERT_TRUE(stored.has_value());
    digests.push_back(to_hex(stored->content_sha256) + " as " + to_hex(stored->sha256));
  }
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_EQ(digests[0], digests[2]);
}

TEST(ArtifactWriter, WritesAFrameThatCarriesItsChecksum) {
  const TempDir dir;
  const Folder folder = open_folder(dir.path);
  auto writer = ArtifactWriter::create(folder, kName, Compression{3});
  ASSERT_TRUE(writer.has_value());
  ASSERT_TRUE((*writer)->write("to be kept").has_value());
  ASSERT_TRUE((*writer)->finish().has_value());
  const std::string listed = output_of({"zstd", "-lv", "--", dir / kName});
  EXPECT_NE(listed.find("Check: XXH64"), std::string::npos) << listed;
}

TEST(ArtifactWriter, MakesAFileOfMode0600UnderEveryUmask) {
  for (const mode_t mask : {0U, 022U, 077U, 0777U}) {
    const Umask umask(mask);
    const TempDir dir;
    ASSERT_EQ(::chmod(dir.path.c_str(), 0700), 0);
    const Folder folder = open_folder(dir.path);
    auto writer = ArtifactWriter::create(folder, kName, Compression{3});
    ASSERT_TRUE(writer.has_value()) << writer.error().message;
    EXPECT_EQ(mode_of(dir / kName), 0600U) << "before the first byte, umask " << mask;
    ASSERT_TRUE((*writer)->write("secret").has_value());
    const Result<StoredFile> stored = (*writer)->finish();
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(stored->mode, 0600U) << "umask " << mask;
    EXPECT_EQ(mode_of(dir / kName), 0600U) << "umask " << mask;
  }
}

TEST(ArtifactWriter, LeavesAFileOfThatNameAsItIs) {
  const TempDir dir;
  const Folder folder = open_folder(dir.path);
  write_text(dir / kName, "of yesterday");
  const auto writer = ArtifactWriter::create(folder, kName, Compression{3});
  ASSERT_FALSE(writer.has_value());
  EXPECT_NE(writer.error().message.find(dir / kName), std::string::npos) << writer.error().message;
  EXPECT_NE(writer.error().message.find("EEXIST"), std::string::npos) << writer.error().message;
  EXPECT_EQ(read_file(dir / kName), "of yesterday");
}

TEST(ArtifactWriter, FollowsNoLinkThatLiesThere) {
  const TempDir dir;
  const Folder folder = open_folder(dir.path);
  write_text(dir / "victim", "of somebody else");
  for (const char* target : {"victim", "missing"}) {
    ASSERT_EQ(::symlink(target, (dir / kName).c_str()), 0);
    EXPECT_FALSE(ArtifactWriter::create(folder, kName, Compression{}).has_value()) << target;
    ASSERT_EQ(::unlink((dir / kName).c_str()), 0);
  }
  EXPECT_EQ(read_file(dir / "victim"), "of somebody else");
  EXPECT_FALSE(exists(dir / "missing"));
}

// Writes until it is told that it cannot; the message, and where it was told.
std::string write_until_refused(const Folder& folder, Compression compression,
                                const std::string& content, std::size_t times) {
  auto writer = ArtifactWriter::create(folder, kName, compression);
  if (!writer) return "create: " + writer.error().message;
  for (std::size_t i = 0; i < times; ++i) {
    if (Status written = (*writer)->write(content); !written) {
      const bool room = !(*writer)->space().empty();
      return (room ? "write, with room: " : "write: ") + written.error().message;
    }
  }
  const Result<StoredFile> stored = (*writer)->finish();
  return stored ? "stored" : "finish: " + stored.error().message;
}

TEST(ArtifactWriter, FailsWithTheCauseWhereTheFileMayNotGrow) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::string content = noise(generator, kBlock);
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1000}, kBlock, 3 * kBlock + 1}) {
    for (const Compression compression : {Compression{}, Compression{1}}) {
      // Few enough for all to be queued before the first write fails, and more than any queue.
      for (const std::size_t times : {4U, 40U}) {
        const TempDir dir;
        const Folder folder = open_folder(dir.path);
        const std::string said = in_child([&] {
          const rlimit size{limit, limit};
          if (::setrlimit(RLIMIT_FSIZE, &size) != 0) return std::string("no limit");
          ::signal(SIGXFSZ, SIG_IGN);
          return write_until_refused(folder, compression, content, times);
        });
        SCOPED_TRACE(std::to_string(limit) + " bytes, " + std::to_string(times) + " MiB: " + said);
        EXPECT_TRUE(said.starts_with("write: ") || said.starts_with("finish: "));
        EXPECT_NE(said.find("cannot write " + (dir / kName)), std::string::npos);
        EXPECT_NE(said.find("(EFBIG); raise the limit"), std::string::npos);
        EXPECT_LE(read_file(dir / kName).size(), limit);
      }
    }
  }
}

TEST(ArtifactWriter, FailsWithTheCauseOnAFullDisk) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::string content = noise(generator, kBlock);
  const TempDir dir;
  if (run_program({"mount", "-t", "tmpfs", "-o", "size=2m", "none", dir.path}).exit_code != 0) {
    GTEST_SKIP() << "a small file system cannot be mounted; the limit on files was tried above";
  }
  for (const Compression compression : {Compression{}, Compression{1}}) {
    const Folder folder = open_folder(dir.path);
    const std::string said = write_until_refused(folder, compression, content, 8);
    EXPECT_NE(said.find("cannot write " + (dir / kName)), std::string::npos) << said;
    EXPECT_NE(said.find("No space left on device (ENOSPC); free space"), std::string::npos) << said;
    EXPECT_EQ(::unlink((dir / kName).c_str()), 0);
  }
  EXPECT_EQ(run_program({"umount", dir.path}).exit_code, 0);
}

TEST(ArtifactWriter, IsGivenUpWithoutHarmAtAnyTime) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::string content = some_content(generator, 12 * kBlock);
  for (int i = 0; i < 20; ++i) {
    const TempDir dir;
    const Folder folder = open_folder(dir.path);
    const Compression compression{generator.one_in(2) ? 1 : 0};
    {
      auto writer = ArtifactWriter::create(folder, kName, compression);
      ASSERT_TRUE(writer.has_value());
      const std::string_view part(content.data(), generator.below(content.size()));
      ASSERT_TRUE(write_in_pieces(**writer, part, generator).has_value());
      if (generator.one_in(2)) {
        EXPECT_FALSE((*writer)->space().empty());
      }
    }
    EXPECT_EQ(mode_of(dir / kName), 0600U);
    if (!compression.none()) continue;
    const std::string left = read_file(dir / kName);
    EXPECT_TRUE(content.starts_with(left)) << "what is left was never written";
  }
}

}  // namespace
}  // namespace muniment
