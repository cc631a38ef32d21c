#include "recorder/log/wal_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "recorder/log/wal_format.h"
#include "tests/recorder/log/wal_fixture.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

// A database whose one log holds `events` events in records of one event each.
struct OneLog {
  OneLog(std::uint64_t count, std::size_t size_bytes) : events(count) {
    {
      WalDatabase database(folder.path);
      for (std::uint64_t i = 0; i < count; ++i) database.put(i, 1, size_bytes);
    }
    log = list_wals(folder.path).back();
    bytes = read_bytes(log);
  }

  WalScan scan_with(const std::string& other) const {
    write_bytes(log, other);
    Result<WalScan> scan = scan_wals(folder.path);
    write_bytes(log, bytes);
    EXPECT_TRUE(scan.has_value());
    return scan.value_or(WalScan{});
  }

  TempDir folder;
  std::uint64_t events;
  std::string log;
  std::string bytes;
};

// Where each record begins, by the checker's own reading of the undamaged log; and the end.
std::vector<std::size_t> record_starts(const OneLog& one) {
  std::vector<std::size_t> starts;
  const std::uint64_t number = std::stoull(std::filesystem::path(one.log).stem().string());
  for (std::size_t at = 0; at < one.bytes.size();) {
    const Fragment fragment = read_fragment(one.bytes, at, number);
    EXPECT_EQ(fragment.kind, FragmentKind::kGood);
    if (begins_record(fragment)) starts.push_back(at);
    at = fragment.end;
  }
  starts.push_back(one.bytes.size());
  return starts;
}

TEST(Crc32c, AgreesWithRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
}

TEST(WalScan, SeesEveryEventOfRandomWholeLogs) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 8; ++round) {
    const TempDir folder;
    std::uint64_t next = 0;
    for (int life = 0; life < 2; ++life) {
      WalDatabase database(folder.path);
      ASSERT_TRUE(database.opened());
      for (int record = 0; record < 12; ++record) {
        const std::uint64_t count = 1 + random() % 4;
        database.put(next, count, random() % (random() % 2 == 0 ? 200 : 50'000));
        next += count;
      }
    }
    const Result<WalScan> scan = scan_wals(folder.path);
    ASSERT_TRUE(scan.has_value()) << scan.error().message;
    EXPECT_TRUE(scan->damage.empty()) << scan->damage.front().what;
    EXPECT_FALSE(scan->torn_tail.has_value());
    EXPECT_EQ(scan->last_sequence, next - 1);
  }
}

TEST(WalScan, FindsEveryFlippedBitAndNamesItsRecord) {
  const OneLog one(6, 40);
  const std::vector<std::size_t> starts = record_starts(one);
  ASSERT_EQ(starts.size(), one.events + 1);
  for (std::size_t bit = 0; bit < one.bytes.size() * 8; ++bit) {
    std::string flipped = one.bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const WalScan scan = one.scan_with(flipped);
    SCOPED_TRACE("bit " + std::to_string(bit));
    ASSERT_EQ(scan.damage.size(), 1U);
    const auto record = static_cast<std::uint64_t>(
        std::upper_bound(starts.begin(), starts.end(), bit / 8) - starts.begin() - 1);
    EXPECT_EQ(scan.damage[0].offset, starts[record]);
    EXPECT_EQ(scan.damage[0].any_good_sequence, record > 0);
    if (record > 0) {
      EXPECT_EQ(scan.damage[0].last_good_sequence, record - 1);
    }
    EXPECT_EQ(scan.only_last_record, record == one.events - 1) << scan.damage[0].what;
    const bool names_it = scan.damage[0].what.find("event " + std::to_string(record) +
                                                   " is gone") != std::string::npos;
    EXPECT_EQ(names_it, record > 0 && record + 1 < one.events) << scan.damage[0].what;
  }
}

TEST(WalScan, TakesEveryTruncationForATornTail) {
  const OneLog one(5, 30);
  const std::vector<std::size_t> starts = record_starts(one);
  for (std::size_t size = 0; size <= one.bytes.size(); ++size) {
    const WalScan scan = one.scan_with(one.bytes.substr(0, size));
    SCOPED_TRACE("cut to " + std::to_string(size));
    EXPECT_TRUE(scan.damage.empty());
    const auto whole = static_cast<std::uint64_t>(
        std::upper_bound(starts.begin(), starts.end(), size) - starts.begin() - 1);
    EXPECT_EQ(scan.torn_tail.has_value(), size != starts[whole]);
    if (scan.torn_tail) {
      EXPECT_EQ(scan.torn_tail->offset, starts[whole]);
    }
    EXPECT_EQ(scan.last_sequence.has_value(), whole > 0);
    if (whole > 0) {
      EXPECT_EQ(*scan.last_sequence, whole - 1);
    }
  }
}

// The oracle: where nothing is found, RocksDB must open and show every event.
TEST(WalScan, FindsAllThatRocksDbLosesOrRefuses) {
  const OneLog one(8, 25);
  const TempDir scratch;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int lost_silently = 0;
  int refused = 0;
  for (std::size_t at = random() % 7; at < one.bytes.size(); at += 7) {
    std::string flipped = one.bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (random() % 8)));
    const bool found = !one.scan_with(flipped).damage.empty();
    const auto seen = open_copy(one.folder.path, one.log, flipped, scratch / "copy");
    if (!seen) ++refused;
    if (seen && *seen < one.events) ++lost_silently;
    if (!found) {
      EXPECT_EQ(seen, one.events) << "byte " << at;
    }
  }
  EXPECT_GT(refused, 0);
  RecordProperty("lost_silently", lost_silently);
}

// Why a scan of its own is needed: see the header's file comment.
TEST(WalScan, FindsTheTwoFlipsThatRocksDbTakesForAnEnd) {
  const OneLog one(8, 25);
  const TempDir scratch;
  const std::size_t third = record_starts(one)[2];
  struct Flip {
    std::size_t offset;
    char bit;
  };
  for (const Flip& flip : std::array{Flip{third + 5, '\x40'}, Flip{third + 6, '\x04'}}) {
    std::string flipped = one.bytes;
    flipped[flip.offset] = static_cast<char>(flipped[flip.offset] ^ flip.bit);
    EXPECT_EQ(open_copy(one.folder.path, one.log, flipped, scratch / "copy"), 2U);
    const WalScan scan = one.scan_with(flipped);
    ASSERT_EQ(scan.damage.size(), 1U);
    EXPECT_NE(scan.damage[0].what.find("event 2 is gone"), std::string::npos);
  }
}

TEST(WalScan, FindsADamagedPartOfARecordThatSpansBlocks) {
  const OneLog one(4, 60'000);
  const std::vector<std::size_t> starts = record_starts(one);
  for (std::size_t record = 0; record < one.events; ++record) {
    for (std::size_t at = starts[record]; at < starts[record + 1]; at += 4'099) {
      std::string flipped = one.bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
      const WalScan scan = one.scan_with(flipped);
      SCOPED_TRACE("byte " + std::to_string(at));
      ASSERT_EQ(scan.damage.size(), 1U);
      EXPECT_EQ(scan.damage[0].offset, starts[record]);
      EXPECT_EQ(scan.only_last_record, record + 1 == one.events) << scan.damage[0].what;
      EXPECT_EQ(scan.last_sequence, record + 1 == one.events ? 2U : 3U);
    }
  }
}

TEST(WalScan, SaysThatCuttingADamagedLastRecordLosesItAlone) {
  const OneLog one(5, 100);
  const TempDir scratch;
  std::string flipped = one.bytes;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_EQ(open_copy(one.folder.path, one.log, flipped, scratch / "copy"), std::nullopt);
  const WalScan scan = one.scan_with(flipped);
  ASSERT_TRUE(scan.only_last_record);
  flipped.resize(scan.damage[0].offset);
  EXPECT_EQ(open_copy(one.folder.path, one.log, flipped, scratch / "copy"), one.events - 1);
}

TEST(WalScan, TellsAWipedRegionFromAnEndThatWasNeverWritten) {
  const OneLog one(6, 2'000);
  const std::vector<std::size_t> starts = record_starts(one);
  std::string wiped = one.bytes;
  std::fill(wiped.begin() + static_cast<std::ptrdiff_t>(starts[2]),
            wiped.begin() + static_cast<std::ptrdiff_t>(starts[4]), '\0');
  const WalScan scan = one.scan_with(wiped);
  ASSERT_EQ(scan.damage.size(), 1U);
  EXPECT_EQ(scan.damage[0].offset, starts[2]);
  EXPECT_NE(scan.damage[0].what.find("events 2 to 3 are gone"), std::string::npos)
      << scan.damage[0].what;
  EXPECT_TRUE(one.scan_with(one.bytes + std::string(100'000, '\0')).damage.empty());
}

TEST(WalScan, NoticesALogThatIsMissingBetweenTwoOthers) {
  const TempDir folder;
  for (std::uint64_t life = 0; life < 3; ++life) {
    WalDatabase database(folder.path);
    ASSERT_TRUE(database.opened());
    database.put(life * 10, 10, 50);
  }
  const std::vector<std::string> logs = list_wals(folder.path);
  ASSERT_EQ(logs.size(), 3U);
  ASSERT_TRUE(scan_wals(folder.path)->damage.empty());
  std::filesystem::remove(logs[1]);
  const Result<std::vector<FileFinding>> found = scan_wal_files(folder.path);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().file, logs[2]);
  EXPECT_EQ(found->front().last_good_sequence, 9U);
  EXPECT_NE(found->front().what.find("events 10 to 19 are gone"), std::string::npos);
}

TEST(WalScan, SurvivesNoise) {
  const OneLog one(1, 10);
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    std::string noise(random() % 100'000, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    const WalScan scan = one.scan_with(noise);
    EXPECT_FALSE(scan.last_sequence.has_value());
    EXPECT_TRUE(!scan.damage.empty() || scan.torn_tail || noise.empty()) << noise.size();
  }
}

TEST(WalScan, SaysThatThereIsNoDatabase) {
  const TempDir folder;
  const Result<WalScan> scan = scan_wals(folder / "db");
  ASSERT_FALSE(scan.has_value());
  EXPECT_EQ(scan.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace muniment
