// Bundles and what may befall them without an attacker: rotated keys, erased texts, newer programs,
// bad disks.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>

#include "recorder/log/queries.h"
#include "replay/bundle.h"
#include "replay/verify_bundle.h"
#include "tests/support/bundle_forger.h"
#include "tests/support/read_file.h"
#include "tests/support/rows_log.h"
#include "tests/support/sample_runs.h"
#include "tests/support/signed_log.h"

namespace muniment {
namespace {

std::string bundle_from(const LogReader& log, const std::string& run_id, const NoteKey& key) {
  Result<std::string> bundle = make_bundle(log, run_id, {.key = key, .version = "0.1.0"});
  EXPECT_TRUE(bundle) << bundle.error().message;
  return bundle ? *bundle : "";
}

bool says(const v1::VerifyReport& report, std::string_view what) {
  return report.DebugString().find(what) != std::string::npos;
}

TEST(BundleUnderARotatedKey, HasAStatementOfTheKeyBefore) {
  SignedLog log;
  const TestKey after(SignedLog::kOrigin, 'b');
  const TestKey last(SignedLog::kOrigin, 'c');
  const std::string early = write_small_run(*log.log, 1);
  log.state(early);
  LogScript script{*log.log, 1'795'900'000'000'000'000, 900'000};
  RunWriter writer(script, sample_uuid(7000, 2), v1::MODE_OBSERVATION, "operator:anna");
  const auto rotate = [&](const TestKey& from, const TestKey& to) {
    v1::Event event;
    event.mutable_key_rotated()->set_old_vkey(vkey_of(from.verifier));
    event.mutable_key_rotated()->set_new_vkey(vkey_of(to.verifier));
    writer.add(event);
  };
  rotate(log.key, after);
  rotate(after, last);
  const std::string late = write_small_run(*log.log, 2);
  log.state(late, log.key);  // by who still has the key that was given up
  log.sign({&last});
  Trust trust;
  trust.keys = {last.verifier};
  const std::string bundle = bundle_from(*log.log, early, last.verifier);
  EXPECT_EQ(verify_bundle(bundle, trust).verdict(), kIntact)
      << verify_bundle(bundle, trust).DebugString();
  EXPECT_EQ(verify_bundle(bundle, {}).verdict(), kUnknownSigner);
  EXPECT_EQ(verify_bundle(bundle, {}).findings_size(), 0);
  EXPECT_EQ(verify_bundle(bundle_from(*log.log, late, last.verifier), trust).verdict(),
            kUnknownSigner);
  log.state(late, last);
  EXPECT_EQ(verify_bundle(bundle_from(*log.log, late, last.verifier), trust).verdict(), kIntact);
  // Who trusts the first key alone is not led on by the log: the rotation is what a thief would
  // write.
  EXPECT_EQ(verify_bundle(bundle, log.trust()).verdict(), kUnknownSigner);
}

TEST(BundleWithAnErasedText, HoldsAndSaysSo) {
  SignedLog log;
  const SampleRuns runs = write_sample_runs(*log.log);
  log.state(runs.executed);
  const std::string note = "The canary was green for an hour.";
  v1::Event erased;
  erased.mutable_erased()->set_commitment(erasable(note).commitment());
  LogScript script{*log.log, 1'795'900'000'000'000'000, 900'000};
  RunWriter(script, sample_uuid(7000, 2), v1::MODE_OBSERVATION, "operator:anna").add(erased);
  log.sign();
  RowsLog rows(*log.log);
  rows.table(Table::kBlob).erase(erasable(note).commitment());
  const std::string bundle = bundle_from(rows, runs.executed, log.key.verifier);
  EXPECT_EQ(bundle.find(note), std::string::npos);
  EXPECT_EQ(verify_bundle(bundle, log.trust()).verdict(), kIntact);
  BundleForger forger(bundle);
  forger.remove_event(log.log->state()->size() - 1);
  forger.make_consistent();
  EXPECT_EQ(verify_bundle(forger.bundle(), log.trust()).verdict(), kTruncated)
      << "nothing says why the text is missing";
}

// A bundle that an earlier version made. Its reports may have become others since: then the finding
// says which version to ask.
TEST(BundleOfAnEarlierVersion, IsReadForEver) {
  const std::string file = std::string(MUNIMENT_SOURCE_DIR) + "/tests/proto/fixtures/bundle-1.tar";
  SignedLog log;
  const std::string run_id = write_small_run(*log.log);
  log.state(run_id);
  log.sign();
  if (std::getenv("MUNIMENT_WRITE_FIXTURES") != nullptr && !std::ifstream(file)) {
    std::ofstream(file, std::ios::binary) << bundle_from(*log.log, run_id, log.key.verifier);
  }
  const v1::VerifyReport report = verify_bundle(read_file(file), log.trust());
  EXPECT_EQ(report.events(), 3U);
  EXPECT_EQ(report.blobs(), 3U);
  for (const v1::VerifyFinding& row : report.findings()) {
    EXPECT_TRUE(row.what().starts_with("report.") && says(report, "made by muniment 0.1.0"))
        << row.what();
  }
}

// Accident, not malice: no byte can change unseen.
TEST(SmallBundle, ShowsEveryFlippedByte) {
  SignedLog log;
  const std::string run_id = write_small_run(*log.log);
  log.state(run_id);
  log.sign();
  std::string bundle = bundle_from(*log.log, run_id, log.key.verifier);
  const Trust trust = log.trust();
  ASSERT_EQ(verify_bundle(bundle, trust).verdict(), kIntact)
      << verify_bundle(bundle, trust).DebugString();
  std::map<std::string, std::size_t> verdicts;
  for (std::size_t at = 0; at < bundle.size(); ++at) {
    const char before = bundle[at];
    bundle[at] = static_cast<char>(before ^ static_cast<char>(1U << (at % 8)));
    const std::string verdict = verify_bundle(bundle, trust).verdict();
    ++verdicts[verdict];
    EXPECT_NE(verdict, kIntact) << "byte " << at;
    bundle[at] = before;
  }
  std::cout << "flipped " << bundle.size() << " bytes:";
  for (const auto& [verdict, count] : verdicts) std::cout << " " << count << " " << verdict << ";";
  std::cout << "\n";
  EXPECT_GT(bundle.size(), 10'000U);
}

}  // namespace
}  // namespace muniment
