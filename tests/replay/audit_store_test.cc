// Stores on disk that somebody changed while nobody wrote: what `verify` does, door by door.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "recorder/log/key_codec.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "recorder/log/tables.h"
#include "replay/audit.h"
#include "tests/support/audited.h"
#include "tests/support/generator.h"
#include "tests/support/sample_store.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kEvents = 330;

// What is wrong with a store, and where: the opening, the rows, the files.
struct Diagnosis {
  std::vector<FoundRow> findings;  // of the rows
  std::string opening;             // why it did not open
  std::vector<FileFinding> files;
  bool intact() const { return findings.empty() && opening.empty() && files.empty(); }
};

Diagnosis diagnose(const std::string& folder) {
  Diagnosis out;
  Result<std::unique_ptr<LogReader>> reader = open_reader(folder);
  if (!reader) {
    out.opening = reader.error().message;
    EXPECT_EQ(reader.error().code, ErrorCode::kCorrupt) << out.opening;
    reader = open_damaged(folder);
  }
  if (reader) {
    out.findings = rows_of(audited(**reader, sample_request(2)));
  }
  const Result<std::vector<FileFinding>> files = check_files(folder);
  EXPECT_TRUE(files) << files.error().message;
  if (files) out.files = *files;
  return out;
}

class AuditOfAStore : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(create_store(store_, {kSampleOrigin, ""}));
    Result<std::unique_ptr<Store>> log = open_store(store_, {});
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE((*log)->append(sample_entries_with_blobs(0, kEvents), {}));
    const v1::StoreState state = *(*log)->state();
    ASSERT_TRUE((*log)->keep_signed(
        sequence_key(kEvents),
        signed_checkpoint(kEvents, digest_from_bytes(state.root()), {SampleKey()})));
    log->reset();
    fs::copy(store_, kept_, fs::copy_options::recursive);
  }

  void restore() {
    fs::remove_all(store_);
    fs::copy(kept_, store_, fs::copy_options::recursive);
  }

  // Works on the rows as whoever has the files can; leaves the store closed.
  void tamper(const std::function<void(RocksRows&)>& attack) {
    Result<std::unique_ptr<RocksRows>> rows = RocksRows::open(db_folder(store_), 0600);
    ASSERT_TRUE(rows) << rows.error().message;
    attack(**rows);
    ASSERT_TRUE((*rows)->flush());
  }

  std::vector<fs::path> tables() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(db_folder(store_))) {
      if (entry.path().extension() == ".sst") out.push_back(entry.path());
    }
    return out;
  }

  void expect_first_bad(const std::string& what, std::uint64_t sequence) {
    const Diagnosis found = diagnose(store_);
    ASSERT_FALSE(found.findings.empty()) << what << ": " << found.opening;
    EXPECT_EQ(found.findings[0].sequence, sequence) << what << ": " << found.findings[0].what;
    EXPECT_TRUE(found.files.empty()) << what << ": " << found.files[0].what;
    restore();
  }

  TempDir folder_;
  std::string store_ = folder_ / "store";
  std::string kept_ = folder_ / "kept";
};

std::string value_of(const RocksRows& rows, Table table, const std::string& key) {
  const Result<std::optional<std::string>> value = rows.get(table, key);
  EXPECT_TRUE(value && value->has_value());
  return value->value_or("");
}

void put(RocksRows& rows, Table table, const std::string& key, const std::string& value) {
  EXPECT_TRUE(rows.db().Put({}, rows.handle(table), key, value).ok());
}

void drop(RocksRows& rows, Table table, const std::string& key) {
  EXPECT_TRUE(rows.db().Delete({}, rows.handle(table), key).ok());
}

TEST_F(AuditOfAStore, FindsNothingInAnIntactOne) {
  const Diagnosis found = diagnose(store_);
  EXPECT_TRUE(found.intact()) << found.opening;
  ASSERT_TRUE(open_damaged(store_));
  const Result<std::unique_ptr<Store>> writer = open_store(store_, {});
  ASSERT_TRUE(writer);
  EXPECT_EQ(open_damaged(store_).error().code, ErrorCode::kBusy);
  const Result<std::unique_ptr<LogReader>> beside = open_reader(store_);
  ASSERT_TRUE(beside);
  EXPECT_EQ(to_text(findings_of(**beside)), "") << "beside a writer";
}

TEST_F(AuditOfAStore, NamesTheFirstBadEvent) {
  tamper([](RocksRows& rows) {
    std::string bytes = value_of(rows, Table::kEvent, sequence_key(123));
    bytes[bytes.size() - 3] ^= 1;
    put(rows, Table::kEvent, sequence_key(123), bytes);
  });
  expect_first_bad("edited", 123);
  tamper([](RocksRows& rows) { drop(rows, Table::kEvent, sequence_key(77)); });
  expect_first_bad("removed", 77);
  tamper([](RocksRows& rows) {
    const std::string bytes = value_of(rows, Table::kEvent, sequence_key(50));
    put(rows, Table::kEvent, sequence_key(50), value_of(rows, Table::kEvent, sequence_key(51)));
    put(rows, Table::kEvent, sequence_key(51), bytes);
  });
  expect_first_bad("swapped", 50);
  tamper([](RocksRows& rows) {
    for (std::uint64_t i = 300; i < kEvents; ++i) drop(rows, Table::kEvent, sequence_key(i));
  });
  expect_first_bad("tail cut", 300);
  tamper([](RocksRows& rows) {
    put(rows, Table::kEvent, sequence_key(kEvents), sample_entry(9999).bytes);
  });
  expect_first_bad("inserted", kEvents);
  tamper([](RocksRows& rows) { put(rows, Table::kNode, node_key(3, 4), std::string(32, 'x')); });
  expect_first_bad("node", 39);
  tamper([](RocksRows& rows) { drop(rows, Table::kIndex, id_key(sample_event_id(222))); });
  expect_first_bad("index", 222);
  tamper([](RocksRows& rows) { drop(rows, Table::kRun, sample_run_id(80)); });
  expect_first_bad("summary", 80);
}

TEST_F(AuditOfAStore, FindsAnEmptiedTable) {
  for (const Table table : kTables) {
    tamper([&](RocksRows& rows) { ASSERT_TRUE(rows.clear(table)); });
    const Diagnosis found = diagnose(store_);
    EXPECT_FALSE(found.findings.empty()) << table_name(table);
    restore();
  }
  tamper([](RocksRows& rows) { put(rows, Table::kCheckpoint, sequence_key(1), "forged"); });
  EXPECT_FALSE(diagnose(store_).findings.empty());
}

TEST_F(AuditOfAStore, NamesTheFileThatIsGone) {
  const std::vector<fs::path> files = tables();
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    fs::remove(file);
    const Diagnosis found = diagnose(store_);
    EXPECT_FALSE(found.opening.empty() && found.findings.empty()) << file;
    ASSERT_EQ(found.files.size(), 1U) << file;
    EXPECT_EQ(found.files[0].file, "db/" + file.filename().string());
    restore();
  }
}

void flip_bit(const fs::path& file, std::uint64_t at, unsigned bit) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(static_cast<unsigned>(byte) ^ (1U << bit)));
  ASSERT_TRUE(stream.good());
}

TEST_F(AuditOfAStore, NamesTheFileWithAFlippedBit) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const int rounds = std::getenv("MUNIMENT_FULL") != nullptr ? 400 : 8;
  std::cout << rounds << " flipped bits, " << generator.seed_line() << "\n";
  const std::vector<fs::path> files = tables();
  for (int i = 0; i < rounds; ++i) {
    const fs::path& file = files[generator.below(files.size())];
    const std::size_t at = generator.below(fs::file_size(file));
    flip_bit(file, at, static_cast<unsigned>(generator.below(8)));
    const Result<std::vector<FileFinding>> found = check_files(store_);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_EQ(found->size(), 1U) << file << " at " << at;
    EXPECT_EQ(found->at(0).file, "db/" + file.filename().string());
    restore();
  }
}

// One row of any table, dropped or one byte of it changed; says what it did.
std::string damage(RocksRows& rows, Generator& generator) {
  const Table table = kTables[generator.below(kTables.size())];
  std::vector<std::pair<std::string, std::string>> all;
  EXPECT_TRUE(rows.scan(table, "", Direction::kForward, [&](auto key, auto value) {
    all.emplace_back(key, value);
    return true;
  }));
  if (all.empty()) {
    put(rows, table, "new", "row");
    return "a new row in " + std::string(table_name(table));
  }
  auto& [key, value] = all[generator.below(all.size())];
  const std::string what = std::string(table_name(table)) + " " + to_hex(key);
  // The origin has no second witness in the store; elsewhere every byte has one.
  if (generator.one_in(3) || value.empty() || table == Table::kMeta) {
    drop(rows, table, key);
    return "dropped " + what;
  }
  const std::size_t at = generator.below(value.size());
  value[at] = static_cast<char>(static_cast<unsigned char>(value[at]) ^
                                (1U << static_cast<unsigned>(generator.below(8))));
  put(rows, table, key, value);
  return "changed " + what + " at byte " + std::to_string(at);
}

TEST_F(AuditOfAStore, FindsAnyDamageToASingleRow) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const int rounds = std::getenv("MUNIMENT_FULL") != nullptr ? 400 : 8;
  std::cout << rounds << " damaged rows, " << generator.seed_line() << "\n";
  for (int i = 0; i < rounds; ++i) {
    std::string what;
    tamper([&](RocksRows& rows) { what = damage(rows, generator); });
    const Diagnosis found = diagnose(store_);
    ASSERT_FALSE(found.findings.empty()) << what << ": " << found.opening;
    restore();
  }
}

}  // namespace
}  // namespace muniment
