// Bits of every file of a closed store are flipped, one at a time: `verify` finds it, or nothing
// that anybody reads has changed.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "recorder/log/store.h"
#include "tests/cli/expect.h"
#include "tests/crash/trial.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"
#include "tests/support/sample_store.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// What a flip did, counted by kind of file.
struct Tally {
  int found = 0;
  int harmless = 0;
  int holes = 0;
};

// "000012.sst" is "sst", "MANIFEST-000004" is "MANIFEST".
std::string kind_of(const fs::path& file) {
  const std::string name = file.filename().string();
  if (file.has_extension() && name.front() != '.') return file.extension().string().substr(1);
  return name.substr(0, name.find('-'));
}

std::vector<fs::path> files_of(const std::string& store) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    if (entry.is_regular_file() && entry.file_size() > 0) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A store with an execution, its checkpoint, and events that lie in the WAL alone, as a killed
// writer leaves them.
class FlippedStore {
 public:
  FlippedStore() {
    here_.populate();
    here_.init();
    EXPECT_EQ(here_.run({"backup", "--all"}).exit_code, 0);
    EXPECT_EQ(here_.run({"backup", "--all", "--dry-run"}).exit_code, 0);
    leave_events_in_the_wal();
    EXPECT_EQ(here_.run({"verify"}).exit_code, 0) << here_.run({"verify"}).out;
    told_ = all_that_is_read();
    EXPECT_FALSE(told_.empty());
  }

  const Workspace& here() const { return here_; }

  // Flips a bit, looks, and flips it back.
  void flip(const fs::path& file, std::size_t offset, unsigned bit) {
    const std::string whole = read_file(file.string());
    std::string bytes = whole;
    bytes[offset] = static_cast<char>(static_cast<unsigned char>(bytes[offset]) ^ (1U << bit));
    const auto mode = fs::status(file).permissions();
    std::ofstream(file, std::ios::binary) << bytes;
    const Ran verified = here_.run({"verify"});
    Tally& tally = tallies_[kind_of(file)];
    if (verified.exit_code != 0) {
      ++tally.found;
    } else if (all_that_is_read() == told_) {
      ++tally.harmless;
    } else {
      ++tally.holes;
      ADD_FAILURE() << file << " at " << offset << " bit " << bit
                    << ": verify says intact, and what is read has changed";
    }
    EXPECT_EQ(verified.signal, 0) << file << " at " << offset << " bit " << bit << shown(verified);
    std::ofstream(file, std::ios::binary) << whole;
    fs::permissions(file, mode);
  }

  void print() const {
    Tally all;
    for (const auto& [kind, tally] : tallies_) {
      std::printf("%-10s %5d found, %5d harmless, %d holes\n", kind.c_str(), tally.found,
                  tally.harmless, tally.holes);
      all.found += tally.found;
      all.harmless += tally.harmless;
      all.holes += tally.holes;
    }
    std::printf("%d flips of a closed store: %d found, %d harmless, %d holes\n",
                all.found + all.harmless + all.holes, all.found, all.harmless, all.holes);
  }

 private:
  void leave_events_in_the_wal() {
    const std::string running = here_.path("running");
    fs::rename(here_.store(), running);
    Result<std::unique_ptr<Store>> log = open_store(running, {});
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE((*log)->append(sample_entries_with_blobs(0, 12), std::nullopt));
    fs::copy(running, here_.store(), fs::copy_options::recursive);
    for (const char* name : {"/key", "/vkey"}) {
      fs::permissions(here_.store() + name, fs::perms::owner_read | fs::perms::owner_write);
    }
  }

  std::string all_that_is_read() const {
    std::string told;
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"events", "--jsonl", "--limit", "10000"},
          {"runs", "--jsonl"},
          {"report", "latest"}}) {
      const Ran ran = here_.run(words);
      told += std::to_string(ran.exit_code) + ran.out;
    }
    return told;
  }

  Workspace here_;
  std::string told_;
  std::map<std::string, Tally> tallies_;
};

TEST(Flip, OfABitInAnyFileOfAClosedStoreIsFoundOrHarmless) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  FlippedStore store;
  const int each = is_full() ? 40 : 6;
  std::map<std::string, int> kinds;
  for (const fs::path& file : files_of(store.here().store())) {
    ++kinds[kind_of(file)];
    const std::size_t size = fs::file_size(file);
    for (int i = 0; i < each; ++i) {
      store.flip(file, generator.below(size), static_cast<unsigned>(generator.below(8)));
    }
  }
  for (const char* kind : {"sst", "log", "MANIFEST", "CURRENT", "key"}) {
    EXPECT_TRUE(kinds.contains(kind)) << kind;
  }
  store.print();
  std::printf("%s\n", generator.seed_line().c_str());
}

}  // namespace
}  // namespace muniment
