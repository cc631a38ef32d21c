// What the audit says about signatures: of checkpoints, of statements, of keys that followed each
// other, and of what somebody keeps outside of the store.
#include <gtest/gtest.h>

#include "recorder/core/tlog/dsse.h"
#include "replay/audit.h"
#include "tests/support/audited.h"
#include "tests/support/generator.h"
#include "tests/support/signed_log.h"

namespace muniment {
namespace {

constexpr std::uint64_t kEvents = 330;

const SampleKey& own() {
  static const SampleKey key('s');
  return key;
}

// Without any checkpoint.
const RowsLog& plain() {
  static const RowsLog rows = [] {
    const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
    EXPECT_TRUE(log->append(sample_entries_with_blobs(0, kEvents), {}));
    return RowsLog(*log);
  }();
  return rows;
}

const RowsLog& intact() {
  static const RowsLog rows = [] {
    RowsLog made = plain();
    for (const std::uint64_t size : {80U, 200U, 330U}) sign_rows(made, size, {own()});
    return made;
  }();
  return rows;
}

void cut_events(RowsLog& log, std::uint64_t left) {
  for (std::uint64_t i = left; i < kEvents; ++i) log.table(Table::kEvent).erase(sequence_key(i));
}

// Makes all that is derived anew, as `reindex` does for whoever has changed events. Checkpoints are
// taken from `from`.
RowsLog rebuilt(const RowsLog& from, std::uint64_t events) {
  const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < events; ++i) {
    entries.push_back({from.table(Table::kEvent).at(sequence_key(i)), {}});
  }
  EXPECT_TRUE(log->append(std::move(entries), {}));
  RowsLog made(*log);
  made.table(Table::kBlob) = from.table(Table::kBlob);
  made.table(Table::kCheckpoint) = from.table(Table::kCheckpoint);
  v1::StoreState state = *made.state();
  RowCounts counts = row_counts(state);
  counts[slot(Table::kBlob)] = made.table(Table::kBlob).size();
  set_row_counts(state, counts);
  made.table(Table::kMeta).at(std::string(kStateKey)) = state.SerializeAsString();
  count_checkpoints(made);
  return made;
}

void edit(RowsLog& log, std::uint64_t sequence) {
  v1::Event event;
  std::string& bytes = log.table(Table::kEvent).at(sequence_key(sequence));
  ASSERT_TRUE(event.ParseFromString(bytes));
  event.mutable_host()->set_name("another");
  bytes = event.SerializeAsString();
}

std::string shown(const v1::VerifyReport& report) {
  return report.verdict() + "\n" + to_text(rows_of(report));
}

KnownCheckpoint known(std::uint64_t size, const Digest& root) {
  return {"the guard", signed_checkpoint(size, root, {own()})};
}

TEST(AuditOfCheckpoints, FindsNothingAgainstGoodOnesOfAnyThreads) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    const v1::VerifyReport report = audited(intact(), sample_request(threads));
    EXPECT_EQ(report.verdict(), kIntact) << shown(report);
    EXPECT_EQ(report.checkpoint_size(), kEvents);
    EXPECT_EQ(report.caveats_size(), 0);
  }
}

TEST(AuditOfCheckpoints, WantsOneWhereExecutionsHaveFinished) {
  const v1::VerifyReport report = audited(plain());
  EXPECT_EQ(report.verdict(), kUnsigned) << shown(report);
  EXPECT_NE(report.findings(0).what().find("`muniment checkpoint`"), std::string::npos);
  const std::unique_ptr<Store> rehearsed = make_memory_log(kSampleOrigin);
  ASSERT_TRUE(rehearsed->append(sample_entries_with_blobs(0, kEventsPerRun), {}));
  const v1::VerifyReport none = audited(*rehearsed);
  EXPECT_EQ(none.verdict(), kIntact) << shown(none);
  EXPECT_EQ(none.caveats_size(), 1);
}

TEST(AuditOfCheckpoints, FindsAnEditThatWasFollowedByAReindex) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  for (int round = 0; round < 5; ++round) {
    const std::uint64_t edited = generator.below(kEvents);
    RowsLog log = intact();
    edit(log, edited);
    const v1::VerifyReport report = audited(rebuilt(log, kEvents));
    EXPECT_EQ(report.verdict(), kTampered) << edited << shown(report);
    // Nobody can know which event it was, but between which two checkpoints.
    const std::uint64_t from = edited < 80 ? 0 : edited < 200 ? 80 : 200;
    ASSERT_TRUE(report.has_first_bad_sequence()) << shown(report);
    EXPECT_EQ(report.first_bad_sequence(), from) << edited << shown(report);
  }
}

TEST(AuditOfCheckpoints, FindsACutThatWasFollowedByAReindex) {
  const v1::VerifyReport report = audited(rebuilt(intact(), 250));
  EXPECT_EQ(report.verdict(), kTruncated) << shown(report);
  EXPECT_EQ(report.first_bad_sequence(), 250U);
}

TEST(AuditOfCheckpoints, TellsACutFromAnEdit) {
  for (const std::uint64_t left : {0U, 1U, 79U, 80U, 81U, 200U, 329U}) {
    RowsLog log = intact();
    cut_events(log, left);
    const v1::VerifyReport report = audited(log, sample_request(2));
    EXPECT_EQ(report.verdict(), kTruncated) << left << shown(report);
    EXPECT_EQ(report.first_bad_sequence(), left) << shown(report);
    if (left < 80) continue;
    edit(log, 17);
    const v1::VerifyReport both = audited(log);
    EXPECT_EQ(both.verdict(), kTampered) << left << shown(both);
    EXPECT_EQ(both.first_bad_sequence(), 17U) << shown(both);
  }
}

TEST(AuditOfCheckpoints, FindsEachThatIsForged) {
  const SampleKey stranger('x');
  const SampleKey elsewhere('s', "else.example");
  const Digest root = root_of_rows(plain(), 200);
  Note wrong = *parse_note(signed_checkpoint(200, root, {own()}));
  wrong.signatures[0].bytes = stranger.secret.sign(wrong.text);
  const std::string key = sequence_key(200);
  const std::tuple<std::string, std::string, std::string_view> forged[] = {
      {"of no note", "forged", kCannotRead},
      {"of a stranger", signed_checkpoint(200, root, {stranger}), kUnknownSigner},
      {"of another name", signed_checkpoint(200, root, {elsewhere}), kUnsigned},
      {"with a wrong signature", format_note(wrong), kTampered},
      {"of another log", signed_checkpoint(200, root, {own()}, "else.example"), kTampered},
      {"of another size", signed_checkpoint(199, root_of_rows(plain(), 199), {own()}), kTampered},
      {"with another root", signed_checkpoint(200, Digest{}, {own()}), kTampered},
  };
  for (const auto& [what, note, verdict] : forged) {
    RowsLog log = intact();
    log.table(Table::kCheckpoint).at(key) = note;
    for (const unsigned threads : {1U, 2U}) {
      const v1::VerifyReport report = audited(log, sample_request(threads));
      EXPECT_EQ(report.verdict(), verdict) << what << shown(report);
    }
  }
}

TEST(AuditOfCheckpoints, KnowsNoSignerWithoutAKey) {
  AuditRequest request = sample_request();
  request.trust.keys.clear();
  const v1::VerifyReport report = audited(intact(), request);
  EXPECT_EQ(report.verdict(), kUnknownSigner) << shown(report);
  EXPECT_EQ(report.findings_size(), 0);
  EXPECT_EQ(report.caveats_size(), 1);
}

TEST(AuditOfCheckpoints, WantsTheSizeThatWasSeenBefore) {
  AuditRequest request = sample_request();
  request.trust.min_size = kEvents;
  EXPECT_EQ(audited(intact(), request).verdict(), kIntact);
  request.trust.min_size = kEvents + 1;
  EXPECT_EQ(audited(intact(), request).verdict(), kOlder);
  EXPECT_EQ(audited(plain(), request).verdict(), kUnsigned);
}

TEST(AuditOfKnownCheckpoints, LetsTheLogExtendThem) {
  AuditRequest request = sample_request(2);
  for (const std::uint64_t size : {0U, 1U, 64U, 200U, 329U, 330U}) {
    request.known.push_back(known(size, root_of_rows(plain(), size)));
  }
  const v1::VerifyReport report = audited(intact(), request);
  EXPECT_EQ(report.verdict(), kIntact) << shown(report);
}

TEST(AuditOfKnownCheckpoints, FindsAnotherHistoryAndSaysFromWhere) {
  for (const std::uint64_t size : {1U, 64U, 200U, 329U, 330U}) {
    AuditRequest request = sample_request();
    Digest root = root_of_rows(plain(), size);
    root[31] ^= 1U;
    request.known = {known(size, root)};
    const v1::VerifyReport report = audited(intact(), request);
    EXPECT_EQ(report.verdict(), kTampered) << shown(report);
    EXPECT_NE(report.findings(0).what().find("the guard"), std::string::npos) << shown(report);
  }
}

TEST(AuditOfKnownCheckpoints, TellsAnOlderCopyFromACut) {
  AuditRequest request = sample_request();
  request.known = {known(kEvents, root_of_rows(plain(), kEvents))};
  // A copy of an earlier day: all in it agrees.
  RowsLog older = rebuilt(plain(), 200);
  sign_rows(older, 200, {own()});
  const v1::VerifyReport report = audited(older, request);
  EXPECT_EQ(report.verdict(), kOlder) << shown(report);
  EXPECT_FALSE(report.has_first_bad_sequence()) << shown(report);

  RowsLog cut = intact();
  cut_events(cut, 200);
  EXPECT_EQ(audited(cut, request).verdict(), kTruncated);
}

TEST(AuditOfKnownCheckpoints, MustBeSignedByThisLog) {
  const Digest root = root_of_rows(plain(), 200);
  AuditRequest request = sample_request();
  request.known = {{"a file", signed_checkpoint(200, root, {SampleKey('x')})}};
  EXPECT_EQ(audited(intact(), request).verdict(), kUnknownSigner);
  request.known = {{"a file", "no note at all"}};
  EXPECT_EQ(audited(intact(), request).verdict(), kCannotRead);
}

// A log of two keys: events 0 to 79, the change of key, 160 more events.
class AuditOfAKeyChange : public testing::Test {
 protected:
  AuditOfAKeyChange() {
    const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
    EXPECT_TRUE(log->append(sample_entries_with_blobs(0, 80), {}));
    v1::Event change = sample_event(100'000);
    change.clear_run_id();
    change.clear_actor();
    change.mutable_key_rotated()->set_old_vkey(vkey_of(old_.verifier));
    change.mutable_key_rotated()->set_new_vkey(vkey_of(new_.verifier));
    EXPECT_TRUE(log->append({{change.SerializeAsString(), {}}}, {}));
    EXPECT_TRUE(log->append(sample_entries_with_blobs(80, 160), {}));
    log_ = std::make_unique<RowsLog>(*log);
    sign_rows(*log_, 40, {old_});
    sign_rows(*log_, 80, {old_});
    sign_rows(*log_, 81, {old_, new_});
    sign_rows(*log_, 240, {new_});
  }

  std::string verdict(const std::vector<SampleKey>& trusted) const {
    AuditRequest request = sample_request();
    request.trust.keys.clear();
    for (const SampleKey& key : trusted) request.trust.keys.push_back(key.verifier);
    const v1::VerifyReport report = audited(*log_, request);
    return report.verdict();
  }

  SampleKey old_{'o'};
  SampleKey new_{'n'};
  std::unique_ptr<RowsLog> log_;
};

TEST_F(AuditOfAKeyChange, BelievesBothKeysToWhoeverTrustsOne) {
  EXPECT_EQ(verdict({new_}), kIntact);
  EXPECT_EQ(verdict({old_}), kIntact);
  EXPECT_EQ(verdict({old_, new_}), kIntact);
  EXPECT_EQ(verdict({SampleKey('x')}), kUnknownSigner);
}

TEST_F(AuditOfAKeyChange, WantsBothSignaturesOnTheFirstCheckpointBehindIt) {
  sign_rows(*log_, 81, {new_});
  EXPECT_EQ(verdict({new_}), kTampered);
  EXPECT_EQ(verdict({old_}), kTampered);
  sign_rows(*log_, 81, {old_});
  EXPECT_NE(verdict({new_}), kIntact);
}

TEST_F(AuditOfAKeyChange, TakesEachKeyForItsTimeAlone) {
  sign_rows(*log_, 240, {old_});
  EXPECT_NE(verdict({new_}), kIntact);
  EXPECT_NE(verdict({old_}), kIntact);
  sign_rows(*log_, 240, {new_});
  ASSERT_EQ(verdict({new_}), kIntact);
  sign_rows(*log_, 40, {new_});
  EXPECT_NE(verdict({new_}), kIntact);
}

// Whoever has the store and no key can append what he likes, and sign with a key of his own.
TEST_F(AuditOfAKeyChange, DoesNotLetAStrangerTakeOver) {
  const SampleKey stranger('x');
  const std::unique_ptr<Store> log = make_memory_log(kSampleOrigin);
  ASSERT_TRUE(log->append(sample_entries_with_blobs(0, 80), {}));
  v1::Event change = sample_event(100'000);
  change.clear_actor();
  change.mutable_key_rotated()->set_old_vkey(vkey_of(old_.verifier));
  change.mutable_key_rotated()->set_new_vkey(vkey_of(stranger.verifier));
  ASSERT_TRUE(log->append({{change.SerializeAsString(), {}}}, {}));
  log_ = std::make_unique<RowsLog>(*log);
  sign_rows(*log_, 80, {old_});
  sign_rows(*log_, 81, {stranger});
  EXPECT_EQ(verdict({old_}), kTampered);
  EXPECT_EQ(verdict({stranger}), kTampered);
}

// A log with an execution, its checkpoint and its statement.
class AuditOfAStatement : public testing::Test {
 protected:
  AuditOfAStatement() : run_(write_small_run(*signed_.log)) {
    signed_.sign();
    signed_.state(run_);
  }

  v1::VerifyReport audited_with(const std::string& key, const std::string& value) const {
    RowsLog log(*signed_.log);
    log.table(Table::kCheckpoint)[key] = value;
    count_checkpoints(log);
    return muniment::audited(log, request());
  }

  AuditRequest request() const {
    AuditRequest request;
    request.trust.keys = {signed_.key.verifier};
    request.seed = 0x5eed;
    return request;
  }

  SignedLog signed_;
  std::string run_;
};

TEST_F(AuditOfAStatement, FindsNothingAgainstAGoodOne) {
  const v1::VerifyReport report = audited(*signed_.log, request());
  EXPECT_EQ(report.verdict(), kIntact) << shown(report);
}

TEST_F(AuditOfAStatement, FindsOneThatIsForged) {
  const TestKey stranger(SignedLog::kOrigin, 'x');
  EXPECT_EQ(audited_with(run_, "{}").verdict(), kTampered);
  EXPECT_EQ(audited_with(run_, signed_.envelope(run_, stranger)).verdict(), kTampered);
  const DsseEnvelope other =
      sign_dsse("text/plain", "hello", signed_.key.verifier, signed_.key.secret);
  EXPECT_EQ(audited_with(run_, format_dsse(other)).verdict(), kTampered);
  const std::string elsewhere = sample_uuid(9, 2);
  const v1::VerifyReport moved = audited_with(elsewhere, signed_.envelope(run_, signed_.key));
  EXPECT_EQ(moved.verdict(), kTampered) << shown(moved);
  EXPECT_EQ(audited_with("x", "y").verdict(), kTampered);

  SignedLog another('a', "else.example");
  const std::string same_run = write_small_run(*another.log);
  ASSERT_EQ(same_run, run_);
  const TestKey ours(SignedLog::kOrigin, 'a');
  EXPECT_EQ(audited_with(run_, another.envelope(run_, ours)).verdict(), kTampered);
}

}  // namespace
}  // namespace muniment
