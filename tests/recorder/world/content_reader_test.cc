// A stored artifact comes back as it was, or is said to be corrupt: never as something else.
#include "recorder/world/content_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "recorder/world/artifact_writer.h"
#include "tests/support/generator.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/world_fixture.h"

namespace muniment {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

struct ReadBack {
  std::string content;
  std::optional<Error> error;
  std::string stored_sha256;
  std::string content_sha256;
  std::uint64_t stored_bytes = 0;
  std::uint64_t content_bytes = 0;
};

ReadBack read_back(const std::string& path, Compression compression, Progress& progress) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ContentReader reader(file.get(), path, compression, progress);
  ReadBack out;
  while (true) {
    const Result<std::string_view> piece = reader.next();
    if (!piece) {
      out.error = piece.error();
      return out;
    }
    if (piece->empty()) break;
    out.content += *piece;
  }
  out.stored_sha256 = to_hex(reader.stored_sha256());
  out.content_sha256 = to_hex(reader.content_sha256());
  out.stored_bytes = reader.stored_bytes();
  out.content_bytes = reader.content_bytes();
  return out;
}

ReadBack read_back(const std::string& path, Compression compression) {
  CueProgress progress;
  return read_back(path, compression, progress);
}

// Made by the zstd program, so that the reader does not only understand our own writer.
std::string make_frame(const TempDir& dir, const std::string& content) {
  write_text(dir / "plain", content);
  output_of({"zstd", "-q", "-f", "-3", "-T2", "--check", "-o", dir / "frame", "--", dir / "plain"});
  return read_file(dir / "frame");
}

std::string text_like(Generator& generator, std::size_t size) {
  std::string out;
  while (out.size() < size) {
    out += "item " + std::to_string(generator.below(5000)) + "\n";
  }
  out.resize(size);
  return out;
}

TEST(ContentReader, GivesBackWhatTheZstdProgramCompressed) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const TempDir dir;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kMebibyte - 1, kMebibyte,
                                 kMebibyte + 1, 3 * kMebibyte, generator.below(8 * kMebibyte)}) {
    for (const bool flat : {false, true}) {
      SCOPED_TRACE(std::to_string(size) + (flat ? " zeros" : " bytes"));
      const std::string content = flat ? std::string(size, '\0') : noise(generator, size);
      const std::string frame = make_frame(dir, content);
      const ReadBack seen = read_back(dir / "frame", Compression{3});
      ASSERT_FALSE(seen.error.has_value()) << seen.error->message;
      EXPECT_TRUE(seen.content == content);
      EXPECT_EQ(seen.stored_bytes, frame.size());
      EXPECT_EQ(seen.content_bytes, size);
      EXPECT_EQ(seen.stored_sha256, sha256_by_program(dir / "frame"));
      EXPECT_EQ(seen.content_sha256, sha256_by_program(dir / "plain"));
    }
  }
}

TEST(ContentReader, GivesBackWhatIsStoredPlainly) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const TempDir dir;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kMebibyte, kMebibyte + 1}) {
    const std::string content = noise(generator, size);
    write_text(dir / "plain", content);
    const ReadBack seen = read_back(dir / "plain", Compression{});
    ASSERT_FALSE(seen.error.has_value()) << seen.error->message;
    EXPECT_TRUE(seen.content == content);
    EXPECT_EQ(seen.stored_bytes, size);
    EXPECT_EQ(seen.content_bytes, size);
    EXPECT_EQ(seen.stored_sha256, sha256_by_program(dir / "plain"));
    EXPECT_EQ(seen.content_sha256, seen.stored_sha256);
  }
}

TEST(ContentReader, CallsAFrameThatEndsEarlyCorruptWhereverItEnds) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const TempDir dir;
  const std::string frame = make_frame(dir, text_like(generator, 300'000));
  std::vector<std::size_t> ends{0, 1, 3, 4, 5, 6, 10, frame.size() - 4, frame.size() - 1};
  for (int i = 0; i < (wants_full() ? 2000 : 60); ++i)
    ends.push_back(generator.below(frame.size()));
  for (const std::size_t end : ends) {
    write_text(dir / "cut", std::string_view(frame).substr(0, end));
    const ReadBack seen = read_back(dir / "cut", Compression{3});
    ASSERT_TRUE(seen.error.has_value()) << "cut at " << end << " of " << frame.size();
    EXPECT_EQ(seen.error->code, ErrorCode::kCorrupt) << "cut at " << end;
  }
}

// A few bits of a frame say nothing about the content (the size of the window); where one of those
// is hit, the content must be the same and the digest of what is stored must tell.
TEST(ContentReader, CallsAFrameWithAFlippedBitCorruptOrGivesTheSameContent) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const TempDir dir;
  const std::string content = text_like(generator, 200'000);
  const std::string frame = make_frame(dir, content);
  const std::string digest = sha256_by_program(dir / "frame");
  const std::size_t trials = wants_full() ? 4000 : 120;
  std::size_t corrupt = 0;
  for (std::size_t i = 0; i < trials; ++i) {
    const std::size_t at = i < 12 ? i : generator.below(frame.size());
    std::string damaged = frame;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << generator.below(8)));
    write_text(dir / "damaged", damaged);
    const ReadBack seen = read_back(dir / "damaged", Compression{3});
    if (seen.error) {
      ++corrupt;
      EXPECT_EQ(seen.error->code, ErrorCode::kCorrupt) << "byte " << at;
      continue;
    }
    EXPECT_TRUE(seen.content == content) << "other content behind a flip in byte " << at;
    EXPECT_NE(seen.stored_sha256, digest) << "byte " << at;
  }
  EXPECT_GE(corrupt, trials * 9 / 10);
}

TEST(ContentReader, CallsWhatFollowsTheFrameCorrupt) {
  const TempDir dir;
  const std::string frame = make_frame(dir, "one frame");
  for (const std::string& more : {std::string("x"), std::string(1, '\0'), frame}) {
    write_text(dir / "longer", frame + more);
    const ReadBack seen = read_back(dir / "longer", Compression{3});
    ASSERT_TRUE(seen.error.has_value());
    EXPECT_EQ(seen.error->code, ErrorCode::kCorrupt);
  }
}

// The frame ends where a read of the file ends, so that what follows comes with the next one.
TEST(ContentReader, CallsWhatFollowsTheFrameCorruptAtTheEdgeOfARead) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const TempDir dir;
  const std::string head = make_frame(dir, noise(generator, kMebibyte));
  const std::size_t too_long = head.size() - kMebibyte;
  const std::string frame = make_frame(dir, noise(generator, kMebibyte - too_long));
  ASSERT_EQ(frame.size(), kMebibyte);
  EXPECT_FALSE(read_back(dir / "frame", Compression{3}).error.has_value());
  write_text(dir / "longer", frame + "x");
  const ReadBack seen = read_back(dir / "longer", Compression{3});
  ASSERT_TRUE(seen.error.has_value());
  EXPECT_EQ(seen.error->code, ErrorCode::kCorrupt);
}

TEST(ContentReader, StopsWhenItIsAskedTo) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const TempDir dir;
  write_text(dir / "plain", noise(generator, 4 * kMebibyte));
  CueProgress progress(2 * kMebibyte, nullptr);
  progress.act = [&progress] { progress.stop = true; };
  const ReadBack seen = read_back(dir / "plain", Compression{}, progress);
  ASSERT_TRUE(seen.error.has_value());
  EXPECT_EQ(seen.error->code, ErrorCode::kInterrupted);
  EXPECT_EQ(progress.total, 2 * kMebibyte) << "it read on";
}

TEST(ContentReader, SaysWhichFileCannotBeRead) {
  const TempDir dir;
  CueProgress progress;
  const Fd folder(::open(dir.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ContentReader reader(folder.get(), "/the/artifact", Compression{}, progress);
  const Result<std::string_view> piece = reader.next();
  ASSERT_FALSE(piece.has_value());
  EXPECT_EQ(piece.error().code, ErrorCode::kIo);
  EXPECT_NE(piece.error().message.find("cannot read /the/artifact"), std::string::npos)
      << piece.error().message;
}

TEST(Compression, IsReadFromItsWordsAndNoOthers) {
  ASSERT_TRUE(parse_compression("none").has_value());
  EXPECT_TRUE(parse_compression("none")->none());
  for (int level = 1; level <= 19; ++level) {
    const auto read = parse_compression("zstd:" + std::to_string(level));
    ASSERT_TRUE(read.has_value()) << level;
    EXPECT_EQ(read->zstd_level, level);
  }
  for (const char* word : {"", "None", "zstd", "zstd:", "zstd:0", "zstd:20", "zstd:03", "zstd:-3",
                           "zstd:+3", "zstd: 3", "zstd:3 ", "zstd:3x", "zstd:99999999999999999999",
                           "gzip:3", "none ", "zstd:1.5"}) {
    EXPECT_FALSE(parse_compression(word).has_value()) << word;
  }
}

}  // namespace
}  // namespace muniment
