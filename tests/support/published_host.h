// A host whose log is published in a folder, for tests of the real binary.
#ifndef MUNIMENT_TESTS_SUPPORT_PUBLISHED_HOST_H_
#define MUNIMENT_TESTS_SUPPORT_PUBLISHED_HOST_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "recorder/log/log_key.h"
#include "recorder/log/sign.h"
#include "recorder/log/store.h"
#include "tests/support/published_sample.h"
#include "tests/support/run_binary.h"
#include "tests/support/sample_events.h"

namespace muniment {

// The regular files below a folder by their relative paths. What goes while it is read is left out.
inline FileMap read_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  FileMap files;
  std::error_code gone;
  fs::recursive_directory_iterator at(folder, gone);
  for (; at != fs::recursive_directory_iterator(); at.increment(gone)) {
    if (!at->is_regular_file(gone)) continue;
    std::ifstream file(at->path(), std::ios::binary);
    if (!file) continue;
    files[at->path().lexically_relative(folder).string()] =
        std::string(std::istreambuf_iterator<char>(file), {});
  }
  return files;
}

// A workspace with a store and a place to publish it in. The log grows by sample events, and
// nothing else: the same size is the same log for ever, but for its signature.
class PublishedHost {
 public:
  PublishedHost() {
    here_.init();
    std::string line;
    std::getline(std::ifstream(here_.store() + "/vkey"), line);
    const Result<NoteKey> key = parse_vkey(line);
    EXPECT_TRUE(key) << line;
    if (key) key_ = *key;
  }

  const Workspace& here() const { return here_; }
  std::string www() const { return here_.path("www"); }
  const NoteKey& key() const { return key_; }

  // Appends events up to this size, and signs them or not.
  void grow_to(std::uint64_t size, bool sign = true) {
    const Result<std::unique_ptr<Store>> store = open_store(here_.store(), {});
    ASSERT_TRUE(store) << store.error().message;
    const Result<Appended> done = (*store)->append(sample_entries(size_, size - size_), size_);
    ASSERT_TRUE(done) << done.error().message;
    size_ = size;
    if (!sign) return;
    const Result<LogKeys> keys = read_log_keys(here_.store(), **store);
    ASSERT_TRUE(keys) << keys.error().message;
    const auto made = sign_checkpoint(**store, *keys, here_.path("guard"));
    ASSERT_TRUE(made) << made.error().message;
  }

  Ran publish(const std::vector<std::string>& more = {}) const { return publish_in(www(), more); }
  Ran publish_in(const std::string& folder, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"publish", folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return here_.run(arguments);
  }

  // What a stranger with the log's key says of the files.
  v1::VerifyReport judge(const FileMap& files) const {
    const Trust trust{.keys = {key_}, .origin = {}, .min_size = 0};
    return verify_published(published_in(files), trust);
  }
  // That a stranger finds nothing in the folder, and this many events.
  void expect_published(const std::string& folder, std::uint64_t size) const {
    const v1::VerifyReport report = judge(read_folder(folder));
    EXPECT_EQ(report.verdict(), kIntact) << report.DebugString();
    EXPECT_EQ(report.findings_size(), 0) << report.DebugString();
    EXPECT_EQ(report.events(), size) << report.DebugString();
  }

 private:
  Workspace here_;
  NoteKey key_;
  std::uint64_t size_ = 0;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_PUBLISHED_HOST_H_
