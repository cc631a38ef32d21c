// Attacks on a bundle: whoever makes one may change everything in it, and has not the key.
#include "replay/verify_bundle.h"

#include <gtest/gtest.h>

#include "recorder/core/tlog/proof_file.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "replay/bundle.h"
#include "tests/support/bundle_forger.h"
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

class AttackedBundle : public testing::Test {
 protected:
  void SetUp() override {
    log_.state(runs_.executed);
    log_.sign();
    forger_ = BundleForger(bundle_from(*log_.log, runs_.executed, log_.key.verifier));
    first_ = run_state(*log_.log, runs_.executed)->first_sequence();
  }

  v1::VerifyReport judged() const { return verify_bundle(forger_.bundle(), log_.trust()); }

  SignedLog log_;
  SampleRuns runs_ = write_sample_runs(*log_.log);
  BundleForger forger_;
  std::uint64_t first_ = 0;
};

TEST_F(AttackedBundle, HoldsAsLongAsNobodyAttacksIt) {
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kIntact) << report.DebugString();
  EXPECT_EQ(report.what(), "bundle");
  EXPECT_EQ(report.origin(), SignedLog::kOrigin);
  ASSERT_EQ(report.signers_size(), 1);
  EXPECT_EQ(report.signers(0), vkey_of(log_.key.verifier));
  EXPECT_GT(report.events(), 30U);
  EXPECT_GT(report.blobs(), 4U);
  EXPECT_EQ(report.root_hash(), log_.log->state()->root());
  forger_.make_consistent();
  EXPECT_EQ(judged().verdict(), kIntact) << "the forger writes what the maker writes";
}

TEST_F(AttackedBundle, IsFoundWhereAnEventWasEdited) {
  const std::string at = event_entry(first_ + 3);
  v1::Event event;
  ASSERT_TRUE(event.ParseFromString(forger_.at(at)));
  event.set_module("another");
  forger_.at(at) = event.SerializeAsString();
  forger_.make_consistent();
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_EQ(report.first_bad_sequence(), first_ + 3);
}

// Each one in turn, with everything else made to fit.
TEST_F(AttackedBundle, IsFoundWhereAnyEventOfTheRunWasRemoved) {
  const BundleForger whole = forger_;
  const v1::RunState run = *run_state(*log_.log, runs_.executed);
  const std::uint64_t end = first_ + run.event_count();
  for (std::uint64_t sequence = first_; sequence < end; ++sequence) {
    forger_ = whole;
    forger_.remove_event(sequence);
    forger_.make_consistent();
    const v1::VerifyReport report = judged();
    EXPECT_NE(report.verdict(), kIntact) << sequence;
    const bool says_how_many = says(report, "has not the events that the run says it has");
    const bool is_an_end = sequence == first_ || sequence + 1 == end;
    EXPECT_EQ(says_how_many, !is_an_end) << sequence << "\n" << report.DebugString();
  }
}

TEST_F(AttackedBundle, IsFoundWhereTheRunWasMadeToLookUnfinished) {
  const v1::RunState run = *run_state(*log_.log, runs_.executed);
  forger_.remove_event(first_ + run.event_count() - 1);
  forger_.make_consistent();
  EXPECT_TRUE(says(judged(), "a statement about a run that has none")) << judged().DebugString();
  forger_.remove(kStatementEntry);
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kIntact);
  EXPECT_TRUE(says(report, "the run was not over")) << "it claims no end: a caveat says so";
  EXPECT_NE(forger_.at(kReportEntry).find("RUNNING"), std::string::npos);
}

TEST_F(AttackedBundle, IsFoundWhereAnEventOfADeadRunWasRemoved) {
  const v1::RunState run = *run_state(*log_.log, runs_.abandoned);
  const BundleForger whole(bundle_from(*log_.log, runs_.abandoned, log_.key.verifier));
  for (std::uint64_t i = 1; i < run.event_count(); ++i) {
    forger_ = whole;
    forger_.remove_event(run.first_sequence() + i);
    forger_.make_consistent();
    const v1::VerifyReport report = judged();
    EXPECT_EQ(report.verdict(), kTruncated) << i << "\n" << report.DebugString();
    EXPECT_EQ(report.findings_size(), 1);
  }
}

TEST_F(AttackedBundle, IsFoundWhereEventsWereSwapped) {
  std::swap(forger_.at(event_entry(first_ + 1)), forger_.at(event_entry(first_ + 2)));
  EXPECT_EQ(judged().verdict(), kTampered);
  EXPECT_EQ(judged().findings_size(), 2);
  std::swap(forger_.at(proof_entry(first_ + 1)), forger_.at(proof_entry(first_ + 2)));
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_TRUE(says(report, "about another event")) << report.DebugString();
}

// A true event with a true proof, of another run of the same log.
TEST_F(AttackedBundle, IsFoundWhereAnEventOfAnotherRunWasAdded) {
  BundleForger other(bundle_from(*log_.log, runs_.failed, log_.key.verifier));
  const std::uint64_t alien = run_state(*log_.log, runs_.failed)->first_sequence();
  forger_.insert("proofs/", event_entry(alien), other.at(event_entry(alien)));
  forger_.insert("blobs/", proof_entry(alien), other.at(proof_entry(alien)));
  forger_.make_consistent();
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_EQ(report.first_bad_sequence(), alien);
  EXPECT_TRUE(says(report, "does not belong into this bundle")) << report.DebugString();
}

TEST_F(AttackedBundle, IsFoundWhereAnInventedEventWasAdded) {
  const std::uint64_t size = log_.log->state()->size();
  v1::Event event;
  event.set_event_id(sample_uuid(8, 8));
  event.set_run_id(runs_.executed);
  event.mutable_check_recorded()->set_name("ci");
  event.mutable_check_recorded()->set_verdict(v1::VERDICT_OK);
  forger_.insert("proofs/", event_entry(size - 1), event.SerializeAsString());
  InclusionFile proof = *parse_inclusion(forger_.at(proof_entry(first_)));
  proof.index = size - 1;
  forger_.insert("blobs/", proof_entry(size - 1), format_inclusion(proof));
  forger_.make_consistent();
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_EQ(report.first_bad_sequence(), size - 1);
}

TEST_F(AttackedBundle, IsFoundWhereTheKeyInsideWasReplaced) {
  const TestKey other(SignedLog::kOrigin, 'z');
  forger_.at(kKeysEntry) = vkey_of(other.verifier) + "\n";
  EXPECT_EQ(judged().verdict(), kTampered);
  EXPECT_EQ(verify_bundle(forger_.bundle(), {}).verdict(), kTampered);
  // The whole bundle made anew under another key of the same name: right in itself, and not ours.
  SignedLog theirs('z');
  const SampleRuns runs = write_sample_runs(*theirs.log);
  theirs.state(runs.executed);
  theirs.sign();
  const std::string bundle = bundle_from(*theirs.log, runs.executed, theirs.key.verifier);
  EXPECT_EQ(verify_bundle(bundle, theirs.trust()).verdict(), kIntact);
  EXPECT_EQ(verify_bundle(bundle, log_.trust()).verdict(), kUnknownSigner);
  EXPECT_EQ(verify_bundle(bundle, log_.trust()).signers_size(), 0);
}

TEST_F(AttackedBundle, IsFoundWhereItNamesKeysOfNobody) {
  for (char seed = 'b'; seed < 'f'; ++seed) {
    forger_.at(kKeysEntry) += vkey_of(TestKey(SignedLog::kOrigin, seed).verifier) + "\n";
    EXPECT_TRUE(says(judged(), "names a key that signed nothing here"));
  }
  forger_.at(kKeysEntry) = vkey_of(log_.key.verifier);
  EXPECT_EQ(judged().verdict(), kTampered) << "a line without its end";
  std::string& keys = forger_.at(kKeysEntry);
  keys.clear();
  for (unsigned i = 0; i < 1100; ++i) {
    keys += vkey_of(note_key("n", std::string(as_bytes(sha256(std::to_string(i)))))) + "\n";
  }
  EXPECT_TRUE(says(judged(), "more keys than a log can have"));
}

TEST_F(AttackedBundle, IsFoundWhereTheCheckpointIsOfAnotherLog) {
  SignedLog other('a', "other.example/muniment");
  write_sample_runs(*other.log);
  forger_.at(kCheckpointEntry) = other.checkpoint({&other.key});
  EXPECT_EQ(judged().verdict(), kTampered);
  // Signed by the same key, and of another history.
  SignedLog forked;
  write_small_run(*forked.log);
  write_sample_runs(*forked.log);
  forger_.at(kCheckpointEntry) = forked.checkpoint({&forked.key});
  EXPECT_TRUE(says(judged(), "has another checkpoint than the bundle"));
  for (auto& [name, bytes] : forger_.entries) {
    if (!name.starts_with("proofs/")) continue;
    InclusionFile proof = *parse_inclusion(bytes);
    proof.checkpoint = forger_.at(kCheckpointEntry);
    bytes = format_inclusion(proof);
  }
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_TRUE(says(report, "the event is not in the log")) << report.DebugString();
}

TEST_F(AttackedBundle, IsFoundWhereAProofIsOfAnotherLeaf) {
  const InclusionFile proof{
      .extra = {},
      .index = first_,
      .hashes = *prove_inclusion(*log_.log, first_ + 1, log_.log->state()->size()),
      .checkpoint = forger_.at(kCheckpointEntry)};
  forger_.at(proof_entry(first_)) = format_inclusion(proof);
  EXPECT_EQ(judged().verdict(), kTampered);
  EXPECT_EQ(judged().first_bad_sequence(), first_);
}

TEST_F(AttackedBundle, IsFoundWhereAReportWasEdited) {
  const BundleForger whole = forger_;
  for (const std::string_view name : {kReportEntry, kReportJsonEntry}) {
    forger_ = whole;
    std::string& text = forger_.at(name);
    const std::size_t at = text.find("0600");
    ASSERT_NE(at, std::string::npos);
    text.replace(at, 4, "0644");
    const v1::VerifyReport report = judged();
    EXPECT_EQ(report.verdict(), kTampered);
    ASSERT_EQ(report.findings_size(), 1);
    EXPECT_TRUE(says(report, "made by muniment 0.1.0")) << report.DebugString();
  }
}

TEST_F(AttackedBundle, IsFoundWhereTheMakersVersionWasChanged) {
  std::string& json = forger_.at(kIndexEntry);
  json.replace(json.find("0.1.0"), 5, "0.1.1");
  EXPECT_EQ(judged().verdict(), kTampered);
}

TEST_F(AttackedBundle, IsFoundWhereTheStatementIsMissingOrAnother) {
  const std::string good = forger_.at(kStatementEntry);
  forger_.at(kStatementEntry) = log_.envelope(runs_.executed, TestKey(SignedLog::kOrigin, 'z'));
  EXPECT_EQ(judged().verdict(), kUnknownSigner);
  forger_.at(kStatementEntry) = log_.envelope(runs_.failed, log_.key);
  EXPECT_EQ(judged().verdict(), kTampered);
  EXPECT_TRUE(says(judged(), "does not say what the events say"));
  DsseEnvelope envelope = *parse_dsse(good);
  envelope.signatures[0].key_id = "00000000";
  forger_.at(kStatementEntry) = format_dsse(envelope);
  EXPECT_EQ(judged().verdict(), kTampered);
  envelope.signatures.clear();
  forger_.at(kStatementEntry) = format_dsse(envelope);
  EXPECT_EQ(judged().verdict(), kUnsigned);
  forger_.at(kStatementEntry) = good + "\n";
  EXPECT_EQ(judged().verdict(), kTampered);
  envelope = *parse_dsse(good);
  envelope.payload.replace(envelope.payload.find("\"ok\""), 4, "\"no\"");
  forger_.at(kStatementEntry) = format_dsse(envelope);
  EXPECT_EQ(judged().verdict(), kTampered);
  forger_.at(kStatementEntry) = format_dsse(
      sign_dsse("text/plain", parse_dsse(good)->payload, log_.key.verifier, log_.key.secret));
  EXPECT_EQ(judged().verdict(), kTampered);
  forger_.remove(kStatementEntry);
  const v1::VerifyReport report = judged();
  EXPECT_EQ(report.verdict(), kUnsigned);
  EXPECT_EQ(report.findings_size(), 1);
}

TEST_F(AttackedBundle, IsFoundWhereABlobIsMissingChangedOrAdded) {
  const BundleForger whole = forger_;
  int blobs = 0;
  for (const auto& [name, bytes] : whole.entries) {
    if (!name.starts_with("blobs/")) continue;
    ++blobs;
    forger_ = whole;
    forger_.remove(name);
    EXPECT_NE(judged().verdict(), kIntact);
    EXPECT_TRUE(says(judged(), "is missing"));
    forger_ = whole;
    forger_.at(name) += "x";
    EXPECT_EQ(judged().verdict(), kTampered);
  }
  EXPECT_GE(blobs, 5);
  forger_ = whole;
  forger_.insert("statement", blob_entry(std::string(32, '\xff')), "more");
  EXPECT_EQ(judged().verdict(), kTampered);
  EXPECT_TRUE(says(judged(), "no event names the blob"));
}

TEST_F(AttackedBundle, IsFoundWhereItsEntriesAreInAnotherOrder) {
  const BundleForger whole = forger_;
  for (std::size_t i = 0; i + 1 < whole.entries.size(); ++i) {
    forger_ = whole;
    std::swap(forger_.entries[i], forger_.entries[i + 1]);
    EXPECT_NE(judged().verdict(), kIntact) << i;
    forger_ = whole;
    forger_.entries.insert(forger_.entries.begin() + static_cast<std::ptrdiff_t>(i),
                           forger_.entries[i]);
    EXPECT_NE(judged().verdict(), kIntact) << i << " twice";
    forger_ = whole;
    forger_.entries.erase(forger_.entries.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(judged().verdict(), kIntact) << i << " missing";
  }
  forger_ = whole;
  forger_.entries.emplace_back("more", "and more");
  EXPECT_EQ(judged().verdict(), kTampered);
}

TEST_F(AttackedBundle, IsOlderThanWhatTheVerifierHasSeen) {
  Trust trust = log_.trust();
  trust.min_size = log_.log->state()->size();
  EXPECT_EQ(verify_bundle(forger_.bundle(), trust).verdict(), kIntact);
  ++trust.min_size;
  EXPECT_EQ(verify_bundle(forger_.bundle(), trust).verdict(), kOlder);
}

TEST_F(AttackedBundle, IsOfAnUnknownSignerWithoutATrustedKey) {
  const v1::VerifyReport report = verify_bundle(forger_.bundle(), {});
  EXPECT_EQ(report.verdict(), kUnknownSigner);
  EXPECT_EQ(report.findings_size(), 0) << report.DebugString();
  EXPECT_EQ(report.signers_size(), 0);
  forger_.remove(kStatementEntry);
  EXPECT_EQ(verify_bundle(forger_.bundle(), {}).verdict(), kUnsigned);
  std::string& text = forger_.at(kReportEntry);
  text += "and all is well\n";
  EXPECT_EQ(verify_bundle(forger_.bundle(), {}).verdict(), kTampered);
}

TEST_F(AttackedBundle, CannotBeReadWhereItIsNone) {
  EXPECT_EQ(verify_bundle("", log_.trust()).verdict(), kCannotRead);
  EXPECT_EQ(verify_bundle("muniment", log_.trust()).verdict(), kCannotRead);
  EXPECT_EQ(verify_bundle(std::string(kMostBundleBytes + 1, 'x'), log_.trust()).verdict(),
            kCannotRead);
  const std::string bundle = forger_.bundle();
  EXPECT_TRUE(looks_like_bundle(bundle));
  EXPECT_FALSE(looks_like_bundle("bundle.json"));
  EXPECT_FALSE(looks_like_bundle("{}"));
  EXPECT_EQ(verify_bundle(bundle.substr(0, bundle.size() / 2), log_.trust()).verdict(), kTruncated);
}

}  // namespace
}  // namespace muniment
