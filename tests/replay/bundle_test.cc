#include "replay/bundle.h"

#include <gtest/gtest.h>

#include "recorder/core/tlog/proof_file.h"
#include "recorder/core/tlog/tree_proof.h"
#include "recorder/log/queries.h"
#include "replay/verify_bundle.h"
#include "tests/support/bundle_forger.h"
#include "tests/support/poison.h"
#include "tests/support/rows_log.h"
#include "tests/support/sample_runs.h"
#include "tests/support/signed_log.h"

namespace muniment {
namespace {

class Bundles : public testing::Test {
 protected:
  Result<std::string> made(const std::string& run_id) const { return made(*log_.log, run_id); }
  Result<std::string> made(const LogReader& log, const std::string& run_id) const {
    return make_bundle(log, run_id, {.key = log_.key.verifier, .version = "0.1.0"});
  }

  std::string bundle_of(const std::string& run_id) const {
    Result<std::string> bundle = made(run_id);
    EXPECT_TRUE(bundle) << bundle.error().message;
    return bundle ? *bundle : "";
  }

  void add_about(const std::string& run_id, v1::Event event, std::vector<std::string> blobs = {}) {
    LogScript script{*log_.log, 1'795'900'000'000'000'000, 500'000 + log_.log->state()->size()};
    RunWriter writer(script, sample_uuid(7000, 2), v1::MODE_OBSERVATION, "operator:berta");
    event.set_about_run(run_id);
    writer.add(std::move(event), std::move(blobs));
  }

  SignedLog log_;
  SampleRuns runs_ = write_sample_runs(*log_.log);
};

std::vector<std::uint64_t> sequences_in(const BundleForger& bundle) {
  const v1::BundleIndex index = *parse_bundle_index(bundle.entries.front().second);
  return {index.sequences().begin(), index.sequences().end()};
}

TEST_F(Bundles, HoldWhatTheirIndexSaysInTheOrderOfTheFormat) {
  log_.state(runs_.executed);
  log_.sign();
  BundleForger bundle(bundle_of(runs_.executed));
  std::vector<std::string> expected = {"bundle.json", "checkpoint", "vkey"};
  const std::vector<std::uint64_t> sequences = sequences_in(bundle);
  for (const std::uint64_t n : sequences) expected.push_back("events/" + std::to_string(n));
  for (const std::uint64_t n : sequences) {
    expected.push_back("proofs/" + std::to_string(n) + ".tlog-proof");
  }
  std::vector<std::string> blobs;
  for (const auto& [name, bytes] : bundle.entries) {
    if (name.starts_with("blobs/")) blobs.push_back(name);
  }
  EXPECT_TRUE(std::is_sorted(blobs.begin(), blobs.end()));
  EXPECT_GE(blobs.size(), 5U) << "manifest, context, plan, actors, a note";
  expected.insert(expected.end(), blobs.begin(), blobs.end());
  expected.insert(expected.end(), {"statement.intoto.json", "report.md", "report.json"});
  std::vector<std::string> found;
  for (const auto& [name, bytes] : bundle.entries) found.push_back(name);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(bundle.at("vkey"), vkey_of(log_.key.verifier) + "\n");
}

// By the standard's own words, without the judge of bundles.
TEST_F(Bundles, ProveEachEventAsStored) {
  log_.sign();
  BundleForger bundle(bundle_of(runs_.rehearsed));
  const std::vector<std::uint64_t> sequences = sequences_in(bundle);
  EXPECT_GE(sequences.size(), 20U);
  for (const std::uint64_t sequence : sequences) {
    const std::string& bytes = bundle.at(event_entry(sequence));
    EXPECT_EQ(bytes, read_event(*log_.log, sequence)->bytes);
    const Result<InclusionFile> proof = parse_inclusion(bundle.at(proof_entry(sequence)));
    ASSERT_TRUE(proof) << proof.error().message;
    EXPECT_EQ(proof->index, sequence);
    EXPECT_EQ(proof->checkpoint, bundle.at("checkpoint"));
    const v1::StoreState state = *log_.log->state();
    EXPECT_TRUE(verify_inclusion(leaf_hash(bytes), sequence, state.size(), proof->hashes,
                                 digest_from_bytes(state.root())));
  }
}

TEST_F(Bundles, AreTheSameBytesEachTime) {
  log_.sign();
  for (const auto& [name, run_id] : runs_.by_name()) {
    EXPECT_EQ(bundle_of(run_id), bundle_of(run_id)) << name;
  }
}

TEST_F(Bundles, OfEveryKindOfRunHold) {
  for (const std::string& run_id :
       {runs_.executed, runs_.failed, runs_.drifted, runs_.gated, runs_.interrupted, runs_.closed,
        runs_.opened, runs_.commanded}) {
    log_.state(run_id);
  }
  log_.sign();
  for (const auto& [name, run_id] : runs_.by_name()) {
    const v1::VerifyReport report = verify_bundle(bundle_of(run_id), log_.trust());
    EXPECT_EQ(report.verdict(), kIntact) << name << "\n" << report.DebugString();
  }
}

TEST_F(Bundles, NeedACheckpointThatCoversAllOfTheRun) {
  const Result<std::string> without = made(runs_.executed);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::kNotFound);
  EXPECT_NE(without.error().message.find("muniment checkpoint"), std::string::npos);
  log_.sign();
  EXPECT_TRUE(made(runs_.executed));
  v1::Event note;
  *note.mutable_note_added()->mutable_text() = erasable("later");
  add_about(runs_.executed, note, {erasable_blob("later")});
  const Result<std::string> after = made(runs_.executed);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::kInvalid);
  EXPECT_NE(after.error().message.find("muniment checkpoint"), std::string::npos);
  EXPECT_TRUE(made(runs_.failed)) << "the note is about another run";
  log_.sign();
  EXPECT_TRUE(made(runs_.executed));
}

TEST_F(Bundles, TakeRotationsAndErasuresOfTheirTextsAlong) {
  v1::Event rotated;
  rotated.mutable_key_rotated()->set_old_vkey(vkey_of(log_.key.verifier));
  rotated.mutable_key_rotated()->set_new_vkey(vkey_of(TestKey(SignedLog::kOrigin, 'b').verifier));
  add_about("", rotated);
  const std::uint64_t rotation = log_.log->state()->size() - 1;
  const auto erase = [&](const std::string& text, const std::string& reason) {
    v1::Event event;
    event.mutable_erased()->set_commitment(erasable(text).commitment());
    *event.mutable_erased()->mutable_reason() = erasable(reason);
    add_about("", event, {erasable_blob(reason)});
    return log_.log->state()->size() - 1;
  };
  const std::uint64_t other = erase("somebody else's text", "not of this run");
  const std::uint64_t first = erase("The canary was green for an hour.", "she asked for it");
  const std::uint64_t second = erase("she asked for it", "that too");
  log_.sign();
  BundleForger bundle(bundle_of(runs_.executed));
  EXPECT_TRUE(bundle.has(event_entry(rotation)));
  EXPECT_TRUE(bundle.has(event_entry(first)));
  EXPECT_TRUE(bundle.has(event_entry(second))) << "its text is in the bundle by the first";
  EXPECT_FALSE(bundle.has(event_entry(other)));
  EXPECT_FALSE(BundleForger(bundle_of(runs_.failed)).has(event_entry(first)));
}

TEST_F(Bundles, LeaveOutErasedTextsAndNoOthers) {
  log_.sign();
  RowsLog rows(*log_.log);
  const std::string commitment = erasable("The canary was green for an hour.").commitment();
  ASSERT_EQ(rows.table(Table::kBlob).erase(commitment), 1U);
  const Result<std::string> unexplained = made(rows, runs_.executed);
  ASSERT_FALSE(unexplained);
  EXPECT_EQ(unexplained.error().code, ErrorCode::kCorrupt);

  v1::Event event;
  event.mutable_erased()->set_commitment(commitment);
  add_about("", event);
  log_.sign();
  RowsLog explained(*log_.log);
  explained.table(Table::kBlob).erase(commitment);
  const Result<std::string> bundle = made(explained, runs_.executed);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_FALSE(BundleForger(*bundle).has(blob_entry(commitment)));

  const std::string plan = run_state(*log_.log, runs_.executed)->plan_digest();
  ASSERT_EQ(std::erase_if(explained.table(Table::kBlob),
                          [&](const auto& row) { return to_hex(row.first) == plan; }),
            1U);
  EXPECT_EQ(made(explained, runs_.executed).error().code, ErrorCode::kCorrupt);
}

TEST_F(Bundles, AreNotMadeOfARunThatIsNotThereOrOfADamagedTree) {
  log_.sign();
  EXPECT_EQ(made(sample_uuid(9, 9)).error().code, ErrorCode::kNotFound);
  RowsLog rows(*log_.log);
  rows.table(Table::kNode).clear();
  EXPECT_EQ(made(rows, runs_.unheld).error().code, ErrorCode::kCorrupt);
}

TEST(BundleIndex, IsReadInItsOneSpelling) {
  v1::BundleIndex index;
  index.set_format(std::string(kBundleFormat));
  index.set_run_id("01900000-0000-7000-8000-0000000000aa");
  index.set_origin("rs2000.example/muniment");
  index.set_checkpoint_size(18'446'744'073'709'551'615U);
  index.set_program_version("0.1.0");
  index.add_sequences(0);
  index.add_sequences(9'007'199'254'740'993);
  const std::string json = format_bundle_index(index);
  const Result<v1::BundleIndex> read = parse_bundle_index(json);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->SerializeAsString(), index.SerializeAsString());
  EXPECT_FALSE(parse_bundle_index(json + "\n"));
  EXPECT_FALSE(parse_bundle_index(json.substr(1)));
  index.set_format("muniment-bundle/2");
  EXPECT_FALSE(parse_bundle_index(format_bundle_index(index)));
  index.set_format(std::string(kBundleFormat));
  for (const char* version : {"", "1 0", "1\n0", "\xc3\xa9"}) {
    index.set_program_version(version);
    EXPECT_FALSE(parse_bundle_index(format_bundle_index(index))) << version;
  }
}

}  // namespace
}  // namespace muniment
