// A store that is not what it claims is never taken for one that is: exit 5, the thing named, and
// nothing written. One of a newer format is left to a newer program.
#include <gtest/gtest.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recorder/log/key_codec.h"
#include "recorder/log/rocks_rows.h"
#include "recorder/log/store.h"
#include "recorder/log/store_layout.h"
#include "recorder/log/tables.h"
#include "tests/cli/expect.h"
#include "tests/support/generator.h"
#include "tests/support/left_on_disk.h"
#include "tests/support/read_file.h"
#include "tests/support/sample_store.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// What opens the store to read or to record.
const std::vector<Words> kAllThatOpen = {{"runs"},
                                         {"events"},
                                         {"show", "latest"},
                                         {"report", "latest"},
                                         {"backup", "--all"},
                                         {"backup", "--all", "--dry-run"},
                                         {"note", "latest", "x"}};

// A workspace whose store has an execution in table files.
class Scene {
 public:
  Scene() {
    here_.populate();
    here_.init();
    EXPECT_EQ(here_.run({"backup", "--all"}).exit_code, 0);
  }

  const Workspace& here() const { return here_; }
  std::string db() const { return db_folder(here_.store()); }

  std::vector<std::string> files(const std::string& extension) const {
    std::vector<std::string> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(db())) {
      const bool matches = entry.path().extension() == extension;
      if (matches && entry.file_size() > 0) found.push_back(entry.path().filename().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  // `verify` says 5 and names `file`; no command says that all is well with what it needs, none
  // writes a backup.
  void expect_damage(const std::string& file) const {
    const Ran verified = here_.run({"verify"});
    EXPECT_EQ(verified.exit_code, 5) << shown(verified);
    EXPECT_TRUE(contains(verified.out, file)) << shown(verified);
    const Ran json = here_.run({"verify", "--json"});
    EXPECT_EQ(json.exit_code, 5) << shown(json);
    EXPECT_NE(jq(here_, json.out, ".verdict"), "intact") << shown(json);
    EXPECT_NE(jq(here_, json.out, ".findings | length"), "0") << shown(json);
  }
  // A store that does not open.
  void expect_closed() const {
    const std::string backups = list_tree(here_.root());
    for (const Words& words : kAllThatOpen) {
      const Ran ran = here_.run(words);
      expect_ended(ran, 5, {here_.store(), "muniment verify"});
      EXPECT_EQ(ran.out, "") << words[0];
    }
    EXPECT_EQ(list_tree(here_.root()), backups);
  }

 private:
  Workspace here_;
};

void flip_bit(const std::string& path, std::size_t offset, unsigned bit) {
  std::string bytes = read_file(path);
  ASSERT_LT(offset, bytes.size());
  bytes[offset] = static_cast<char>(static_cast<unsigned char>(bytes[offset]) ^ (1U << bit));
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(DamagedStore, AnyFlippedBitOfATableFileIsFound) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const Scene scene;
  const std::vector<std::string> tables = scene.files(".sst");
  ASSERT_GE(tables.size(), 4U);
  for (const std::string& table : tables) {
    const std::string path = scene.db() + "/" + table;
    const std::size_t offset = generator.below(fs::file_size(path));
    const auto bit = static_cast<unsigned>(generator.below(8));
    SCOPED_TRACE(table + " at " + std::to_string(offset) + " bit " + std::to_string(bit));
    flip_bit(path, offset, bit);
    scene.expect_damage(table);
    flip_bit(path, offset, bit);
  }
  EXPECT_EQ(scene.here().run({"verify"}).exit_code, 0);
}

TEST(DamagedStore, ACutOrMissingTableFileClosesTheStore) {
  for (const bool missing : {false, true}) {
    const Scene scene;
    const std::string table = scene.files(".sst").front();
    const std::string path = scene.db() + "/" + table;
    if (missing) {
      fs::remove(path);
    } else {
      fs::resize_file(path, fs::file_size(path) / 2);
    }
    scene.expect_damage(table);
    scene.expect_closed();
  }
}

TEST(DamagedStore, WithoutItsListOfFilesIsNamed) {
  const Scene scene;
  fs::remove(scene.db() + "/CURRENT");
  scene.expect_damage("CURRENT");
  scene.expect_closed();
}

// A copy of the store whose last events are in the WAL, as a writer leaves it that was killed. The
// path of the WAL.
std::string leave_wal(const Scene& scene, const std::string& copy) {
  const Result<std::unique_ptr<Store>> store = open_store(scene.here().store(), {});
  EXPECT_TRUE(store) << store.error().message;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const auto appended = (*store)->append(sample_entries_with_blobs(i, 1), std::nullopt);
    EXPECT_TRUE(appended) << appended.error().message;
  }
  fs::copy(scene.here().store(), copy, fs::copy_options::recursive);
  std::string log;
  for (const fs::directory_entry& entry : fs::directory_iterator(copy + "/db")) {
    const bool is_log = entry.path().extension() == ".log" && entry.file_size() > 0;
    if (is_log) log = entry.path().string();
  }
  return log;
}

class Wal : public testing::Test {
 protected:
  Wal() : copy_(scene_.here().path("copy")), log_(leave_wal(scene_, copy_)) {
    whole_ = read_file(log_);
  }

  Ran run(Words words) const {
    words.insert(words.begin(), {"-s", copy_});
    return scene_.here().run(words);
  }
  void restore() const { std::ofstream(log_, std::ios::binary) << whole_; }

  Generator generator_;
  Scene scene_;
  std::string copy_;
  std::string log_;
  std::string whole_;
};

TEST_F(Wal, WithAnyFlippedBitIsFoundAndNamed) {
  SCOPED_TRACE(generator_.seed_line());
  ASSERT_EQ(run({"verify"}).exit_code, 0);
  for (int round = 0; round < 5; ++round) {
    const std::size_t offset = generator_.below(whole_.size());
    SCOPED_TRACE(offset);
    flip_bit(log_, offset, static_cast<unsigned>(generator_.below(8)));
    const Ran damaged = run({"verify"});
    EXPECT_EQ(damaged.exit_code, 5) << shown(damaged);
    EXPECT_TRUE(contains(damaged.out, fs::path(log_).filename().string())) << shown(damaged);
    restore();
  }
  EXPECT_EQ(run({"verify"}).exit_code, 0);
}

TEST_F(Wal, WithAHoleIsFoundAndNamed) {
  SCOPED_TRACE(generator_.seed_line());
  const std::size_t begin = generator_.between(8, whole_.size() / 2);
  std::string holed = whole_;
  holed.erase(begin, generator_.between(1, whole_.size() / 4));
  std::ofstream(log_, std::ios::binary) << holed;
  const Ran damaged = run({"verify"});
  EXPECT_EQ(damaged.exit_code, 5) << shown(damaged);
  EXPECT_TRUE(contains(damaged.out, fs::path(log_).filename().string())) << shown(damaged);
}

// The file ends as after a crash in the middle of a write: what was whole before it is all there.
TEST_F(Wal, ThatIsCutKeepsEveryEventBeforeTheCut) {
  SCOPED_TRACE(generator_.seed_line());
  const std::string all = run({"events", "--jsonl", "--limit", "100000"}).out;
  for (int round = 0; round < 3; ++round) {
    const std::size_t offset = generator_.below(whole_.size());
    SCOPED_TRACE(offset);
    fs::resize_file(log_, offset);
    const Ran verified = run({"verify"});
    EXPECT_EQ(verified.exit_code, 0) << shown(verified);
    const std::string kept = run({"events", "--jsonl", "--limit", "100000"}).out;
    EXPECT_TRUE(all.starts_with(kept)) << kept;
    EXPECT_LT(kept.size(), all.size());
    // Appends are of different sizes, but not so different.
    EXPECT_GE(std::count(kept.begin(), kept.end(), '\n') + 1 -
                  (std::count(all.begin(), all.end(), '\n') - 40),
              static_cast<std::ptrdiff_t>(offset * 40 / whole_.size() / 2));
    restore();
  }
}

// Puts a row behind the log's back: every checksum of the database is right afterwards.
void put_row(const Scene& scene, Table table, const std::string& key, const std::string& value) {
  auto rows = RocksRows::open(scene.db(), 0600);
  ASSERT_TRUE(rows) << rows.error().message;
  BatchSink sink(**rows);
  sink.put(table, key, value);
  const Status written = (*rows)->write(sink.batch(), true);
  ASSERT_TRUE(written) << written.error().message;
}

TEST(DamagedStore, AnEventThatWasRewrittenInsideTheDatabaseIsFoundWithItsSequence) {
  const Scene scene;
  std::string bytes;
  {
    const auto rows = RocksRows::open_read_only(scene.db());
    ASSERT_TRUE(rows) << rows.error().message;
    const auto found = (*rows)->get(Table::kEvent, sequence_key(3));
    ASSERT_TRUE(found && *found);
    v1::Event event;
    ASSERT_TRUE(event.ParseFromString(**found));
    event.mutable_host()->set_name("another");
    bytes = event.SerializeAsString();
  }
  put_row(scene, Table::kEvent, sequence_key(3), bytes);
  const Ran verified = scene.here().run({"verify", "--json"});
  EXPECT_EQ(verified.exit_code, 5) << shown(verified);
  EXPECT_EQ(jq(scene.here(), verified.out, ".first_bad_sequence"), "3") << shown(verified);
  EXPECT_EQ(jq(scene.here(), verified.out, ".verdict"), "tampered") << shown(verified);
}

TEST(NewerStore, IsLeftToANewerProgram) {
  const Scene scene;
  {
    const auto rows = RocksRows::open_read_only(scene.db());
    ASSERT_TRUE(rows) << rows.error().message;
    Result<v1::StoreState> state = (*rows)->state();
    ASSERT_TRUE(state) << state.error().message;
    state->set_format_version(kStoreFormat + 1);
    const std::string bytes = state->SerializeAsString();
    put_row(scene, Table::kMeta, std::string(kStateKey), bytes);
  }
  const std::string backups = list_tree(scene.here().root());
  std::vector<Words> commands = kAllThatOpen;
  commands.insert(commands.end(), {{"verify"}, {"reindex"}});
  for (const Words& words : commands) {
    const Ran ran = scene.here().run(words);
    expect_ended(ran, 2, {scene.here().store(), "format 2", "newer muniment"});
    EXPECT_EQ(ran.out, "") << words[0];
  }
  EXPECT_EQ(list_tree(scene.here().root()), backups);
}

}  // namespace
}  // namespace muniment
