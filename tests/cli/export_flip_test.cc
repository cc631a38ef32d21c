// Every byte of every file of a published log is changed in turn: no change goes unseen. Here with
// the optimized library: it is a whole verification for each byte.
#include <gtest/gtest.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "replay/verify_published.h"
#include "tests/crash/trial.h"
#include "tests/support/generator.h"
#include "tests/support/published_sample.h"
#include "tests/support/sample_events.h"

namespace muniment {
namespace {

// A full tile and a partial one, two levels of them; the events are those of runs.
constexpr std::uint64_t kEvents = 300;

std::vector<std::string> sample_leaves() {
  std::vector<std::string> leaves;
  for (Entry& entry : sample_entries(0, kEvents)) leaves.push_back(std::move(entry.bytes));
  return leaves;
}

// Quick: each eighth byte of the bundles of entries; else every byte of every file.
TEST(Flip, OfAnyByteOfAPublishedLogIsFound) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const PublishedSample sample(sample_leaves());
  FileMap files = sample.files(kEvents);
  Trust trust;
  trust.keys = {sample_note_key(PublishedSample::kOrigin)};
  ASSERT_TRUE(verify_published(published_in(files), trust).findings().empty());
  std::map<std::string, std::size_t> verdicts;
  std::size_t flips = 0;
  for (auto& [path, bytes] : files) {
    const std::size_t stride = !is_full() && path.starts_with("tile/entries/") ? 8 : 1;
    for (std::size_t at = stride == 1 ? 0 : generator.below(stride); at < bytes.size();
         at += stride) {
      const char before = bytes[at];
      bytes[at] = static_cast<char>(before ^ static_cast<char>(1U << generator.below(8)));
      const v1::VerifyReport report = verify_published(published_in(files), trust);
      ++flips;
      ++verdicts[report.verdict()];
      EXPECT_GT(report.findings_size(), 0) << path << " at " << at;
      bytes[at] = before;
    }
  }
  std::cout << "flipped " << flips << " bytes of " << files.size() << " published files:";
  for (const auto& [verdict, count] : verdicts) std::cout << " " << count << " " << verdict << ";";
  std::cout << " " << verdicts[""] << " unseen, " << generator.seed_line() << "\n";
}

}  // namespace
}  // namespace muniment
