// The quick check of what came after a checkpoint.
#include <gtest/gtest.h>

#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "replay/audit.h"
#include "tests/support/audited.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

constexpr std::uint64_t kEvents = 330;

const RowsLog& intact() {
  static const RowsLog rows = [] {
    const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
    EXPECT_TRUE(log->append(sample_entries_with_blobs(0, kEvents), {}));
    RowsLog made(*log);
    for (const std::uint64_t size : {80U, 200U, 320U}) sign_rows(made, size, {SampleKey()});
    return made;
  }();
  return rows;
}

KnownCheckpoint at(std::uint64_t size) {
  return {"the file", signed_checkpoint(size, root_of_rows(intact(), size), {SampleKey()})};
}

v1::VerifyReport since(const LogReader& log, const KnownCheckpoint& start,
                       const AuditRequest& request = sample_request()) {
  v1::VerifyReport report;
  const Status done = audit_since(log, request, start, report);
  EXPECT_TRUE(done) << done.error().message;
  return report;
}

std::string shown(const v1::VerifyReport& report) {
  return report.verdict() + "\n" + to_text(rows_of(report));
}

TEST(AuditSince, FindsNothingBehindAnyGoodCheckpoint) {
  for (const std::uint64_t size : {0U, 1U, 64U, 80U, 127U, 200U, 329U, 330U}) {
    const v1::VerifyReport report = since(intact(), at(size));
    EXPECT_EQ(report.verdict(), kIntact) << size << shown(report);
    EXPECT_EQ(report.events(), kEvents);
    EXPECT_EQ(report.root_hash(), intact().state()->root());
    EXPECT_EQ(report.checkpoint_size(), std::max<std::uint64_t>(320, size));
    EXPECT_EQ(report.signers_size(), 1);
    // What was not read, and what is not signed.
    EXPECT_EQ(report.caveats_size(), size == kEvents ? 1 : 2);
  }
}

TEST(AuditSince, FindsWhatWasChangedBehindIt) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t start = generator.below(kEvents - 1);
    const std::uint64_t bad = generator.between(start, kEvents - 1);
    RowsLog log = intact();
    std::string& bytes = log.table(Table::kEvent).at(sequence_key(bad));
    std::string what;
    const std::vector<IndexRow> rows = index_rows(read_event(intact(), bad)->event, bad);
    switch (generator.below(5)) {
      case 0:
        bytes[generator.below(bytes.size())] ^= 1;
        what = "event";
        break;
      case 1:
        log.table(Table::kNode).at(node_key(0, bad))[5] ^= 1;
        what = "node";
        break;
      case 2:
        log.table(Table::kIndex).erase(rows[generator.below(rows.size())].first);
        what = "index row";
        break;
      case 3:
        log.table(Table::kEvent).erase(sequence_key(bad));
        what = "event gone";
        break;
      default:
        for (std::uint64_t i = bad; i < kEvents; ++i) {
          log.table(Table::kEvent).erase(sequence_key(i));
        }
        what = "cut";
    }
    const v1::VerifyReport report = since(log, at(start));
    EXPECT_EQ(report.verdict(), what == "cut" || (what == "event gone" && bad + 1 == kEvents)
                                    ? kTruncated
                                    : kTampered)
        << what << " " << bad << " since " << start << "\n"
        << shown(report);
    EXPECT_EQ(report.first_bad_sequence(), bad) << what << " since " << start << shown(report);
  }
}

TEST(AuditSince, FindsAForgedSummaryOfARunThatBeganBehindIt) {
  RowsLog log = intact();
  v1::RunState summary;
  std::string& row = log.table(Table::kRun).at(sample_run_id(240));
  ASSERT_TRUE(summary.ParseFromString(row));
  summary.set_purpose("another");
  row = summary.SerializeAsString();
  EXPECT_EQ(since(log, at(240)).verdict(), kTampered);
  EXPECT_EQ(since(log, at(241)).verdict(), kIntact);
}

TEST(AuditSince, DoesNotBeginWithNodesThatGiveAnotherRoot) {
  RowsLog log = intact();
  log.table(Table::kNode).at(node_key(7, 0))[0] ^= 1;
  EXPECT_EQ(since(log, at(200)).verdict(), kTampered);
  EXPECT_EQ(since(log, at(64)).verdict(), kTampered) << "made again and compared";
  log.table(Table::kNode).erase(node_key(7, 0));
  EXPECT_EQ(since(log, at(200)).verdict(), kTampered);
}

TEST(AuditSince, DoesNotBelieveAStartThatNobodySigned) {
  const Digest root = root_of_rows(intact(), 200);
  EXPECT_EQ(since(intact(), {"a file", signed_checkpoint(200, root, {SampleKey('x')})}).verdict(),
            kUnknownSigner);
  EXPECT_EQ(since(intact(), {"a file", "no note"}).verdict(), kCannotRead);
  EXPECT_EQ(since(intact(), {"a file", signed_checkpoint(200, Digest{}, {SampleKey()})}).verdict(),
            kTampered);
}

TEST(AuditSince, KnowsAnOlderCopy) {
  const KnownCheckpoint later = {"the file",
                                 signed_checkpoint(kEvents + 5, Digest{}, {SampleKey()})};
  EXPECT_EQ(since(intact(), later).verdict(), kOlder);
}

TEST(AuditSince, ComparesWhatIsKnownOnBothSidesOfIt) {
  for (const std::uint64_t size : {0U, 1U, 100U, 199U, 200U, 201U, 330U}) {
    AuditRequest request = sample_request();
    request.known = {at(size)};
    EXPECT_EQ(since(intact(), at(200), request).verdict(), kIntact) << size;
    if (size == 0) continue;
    Digest root = root_of_rows(intact(), size);
    root[0] ^= 1U;
    request.known = {{"the guard", signed_checkpoint(size, root, {SampleKey()})}};
    const v1::VerifyReport report = since(intact(), at(200), request);
    EXPECT_EQ(report.verdict(), kTampered) << size << shown(report);
  }
}

}  // namespace
}  // namespace muniment
