#include "replay/ustar.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include "tests/support/generator.h"

namespace muniment {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string written(const Entries& entries) {
  std::string out;
  UstarWriter writer(out);
  for (const auto& [name, bytes] : entries) writer.add(name, bytes);
  writer.finish();
  return out;
}

Entries read(std::string_view bytes) {
  Entries out;
  const Result<std::vector<UstarEntry>> entries = parse_ustar(bytes);
  EXPECT_TRUE(entries) << entries.error().message;
  if (!entries) return out;
  for (const UstarEntry& entry : *entries) out.emplace_back(entry.name, entry.bytes);
  return out;
}

Entries random_entries(Generator& random) {
  Entries entries;
  for (std::size_t n = random.between(1, 6); n > 0; --n) {
    entries.emplace_back(
        random.text(random.between(1, 99), "abc.-0"),
        random.bytes(random.one_in(3) ? 512 * random.below(3) : random.below(1500)));
  }
  return entries;
}

TEST(Ustar, ReadsWhatItWrote) {
  Generator random;
  SCOPED_TRACE(random.seed_line());
  for (int i = 0; i < 200; ++i) {
    const Entries entries = random_entries(random);
    const std::string archive = written(entries);
    EXPECT_EQ(archive.size() % kUstarBlock, 0U);
    EXPECT_EQ(read(archive), entries);
  }
}

// Another program's reader as the judge.
TEST(Ustar, IsReadByLibarchive) {
  Generator random;
  SCOPED_TRACE(random.seed_line());
  for (int i = 0; i < 50; ++i) {
    const Entries entries = random_entries(random);
    const std::string bytes = written(entries);
    archive* in = archive_read_new();
    archive_read_support_format_tar(in);
    ASSERT_EQ(archive_read_open_memory(in, bytes.data(), bytes.size()), ARCHIVE_OK);
    archive_entry* entry = nullptr;
    for (const auto& [name, content] : entries) {
      ASSERT_EQ(archive_read_next_header(in, &entry), ARCHIVE_OK) << archive_error_string(in);
      EXPECT_EQ(archive_format(in), ARCHIVE_FORMAT_TAR_USTAR);
      EXPECT_EQ(archive_entry_pathname(entry), name);
      EXPECT_EQ(archive_entry_filetype(entry), AE_IFREG);
      EXPECT_EQ(archive_entry_perm(entry), 0644U);
      EXPECT_EQ(archive_entry_uid(entry) + archive_entry_gid(entry) + archive_entry_mtime(entry),
                0);
      std::string found(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
      EXPECT_EQ(archive_read_data(in, found.data(), found.size()),
                static_cast<la_ssize_t>(content.size()));
      EXPECT_EQ(found, content);
    }
    EXPECT_EQ(archive_read_next_header(in, &entry), ARCHIVE_EOF);
    archive_read_free(in);
  }
}

// What is read is written again as it was: nothing hides in headers and padding.
TEST(Ustar, HasOneSpelling) {
  Generator random;
  SCOPED_TRACE(random.seed_line());
  int read_again = 0;
  for (int i = 0; i < 20; ++i) {
    std::string archive = written(random_entries(random));
    for (int k = 0; k < 500; ++k) {
      const std::size_t at = random.below(archive.size());
      const char before = archive[at];
      archive[at] = static_cast<char>(archive[at] ^ static_cast<char>(random.between(1, 255)));
      if (const Result<std::vector<UstarEntry>> entries = parse_ustar(archive)) {
        ++read_again;
        EXPECT_EQ(written(read(archive)), archive);
      }
      archive[at] = before;
    }
  }
  EXPECT_GT(read_again, 0) << "bytes of the content can be changed";
}

TEST(Ustar, SaysWhetherItIsCutOrNone) {
  const std::string archive = written({{"one", std::string(700, '1')}, {"two", "2"}});
  for (std::size_t size = 0; size < archive.size(); ++size) {
    const Result<std::vector<UstarEntry>> entries = parse_ustar(archive.substr(0, size));
    ASSERT_FALSE(entries) << size;
    EXPECT_EQ(entries.error().code,
              size < 3 * kUstarBlock ? ErrorCode::kInvalid : ErrorCode::kNotFound)
        << size << ": " << entries.error().message;
  }
  EXPECT_EQ(parse_ustar(archive + std::string(512, '\0')).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(parse_ustar(archive + "x").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(parse_ustar("not an archive at all").error().code, ErrorCode::kInvalid);
  std::string huge = archive;
  huge.replace(124, 11, "77777777777");
  EXPECT_FALSE(parse_ustar(huge));
}

}  // namespace
}  // namespace muniment
