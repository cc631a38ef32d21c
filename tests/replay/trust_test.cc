#include "replay/trust.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "recorder/core/tlog/ed25519.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

constexpr const char* kOrigin = "shop.example/muniment";

struct Signer {
  SigningKey secret;
  NoteKey key;
};

Signer signer(char seed, std::string name = kOrigin) {
  SigningKey secret = SigningKey::from_seed(std::string(kEd25519SeedBytes, seed));
  NoteKey key = note_key(std::move(name), secret.public_key());
  return {std::move(secret), std::move(key)};
}

std::string note_of(const std::string& text, const std::vector<Signer>& signers) {
  Note note{.text = text, .signatures = {}};
  for (const Signer& by : signers) note.signatures.push_back(sign_note(text, by.key, by.secret));
  return format_note(note);
}

std::string checkpoint_note(std::uint64_t size, const std::vector<Signer>& signers,
                            std::string origin = kOrigin) {
  Checkpoint checkpoint{.origin = std::move(origin), .size = size, .root = {}, .extensions = {}};
  checkpoint.root.fill(0x42);
  return note_of(checkpoint_text(checkpoint), signers);
}

v1::VerifyReport judged(std::string_view note, const Trust& trust) {
  v1::VerifyReport report;
  judge_checkpoint(note, trust, report);
  return report;
}

Trust trusting(const Signer& signer) {
  return {.keys = {signer.key}, .origin = {}, .min_size = 0};
}

TEST(Trust, HasNothingAgainstACheckpointOfATrustedKey) {
  const Signer own = signer(1);
  v1::VerifyReport report;
  const std::optional<Checkpoint> checkpoint =
      judge_checkpoint(checkpoint_note(7, {own}), trusting(own), report);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->size, 7U);
  EXPECT_EQ(report.verdict(), "");
  EXPECT_EQ(report.findings_size(), 0);
  EXPECT_EQ(report.origin(), kOrigin);
  EXPECT_EQ(report.checkpoint_size(), 7U);
  ASSERT_EQ(report.signers_size(), 1);
  EXPECT_EQ(report.signers(0), vkey_of(own.key));
}

TEST(Trust, NamesEachTrustedSignerAndPassesOverStrangers) {
  const Signer old_key = signer(1);
  const Signer new_key = signer(2);
  const Signer witness = signer(3, "witness.example");
  const v1::VerifyReport report =
      judged(checkpoint_note(7, {old_key, witness, new_key}),
             {.keys = {old_key.key, new_key.key}, .origin = {}, .min_size = 0});
  EXPECT_EQ(report.verdict(), "");
  ASSERT_EQ(report.signers_size(), 2);
  EXPECT_EQ(report.signers(0), vkey_of(old_key.key));
  EXPECT_EQ(report.signers(1), vkey_of(new_key.key));
}

TEST(Trust, KnowsNoSignerWithoutAKey) {
  const v1::VerifyReport report = judged(checkpoint_note(7, {signer(1)}), {});
  EXPECT_EQ(report.verdict(), kUnknownSigner);
  EXPECT_EQ(report.signers_size(), 0);
  EXPECT_EQ(report.caveats_size(), 1);
}

TEST(Trust, MissesASignatureOfATrustedName) {
  const v1::VerifyReport report =
      judged(checkpoint_note(7, {signer(1, "other.example")}), trusting(signer(1)));
  EXPECT_EQ(report.verdict(), kUnsigned);
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).found(), "signatures of other.example");
}

TEST(Trust, DoesNotTakeATrustedNameForATrustedKey) {
  const v1::VerifyReport report = judged(checkpoint_note(7, {signer(2)}), trusting(signer(1)));
  EXPECT_EQ(report.verdict(), kUnknownSigner);
  EXPECT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.signers_size(), 0);
}

// Under the name and the key id of the trusted key stands another's signature.
TEST(Trust, CallsAWrongSignatureOfATrustedKeyTampering) {
  const Signer own = signer(1);
  const std::string good = checkpoint_note(7, {own});
  Note note = *parse_note(good);
  note.signatures[0].bytes = signer(2).secret.sign(note.text);
  EXPECT_EQ(judged(format_note(note), trusting(own)).verdict(), kTampered);

  // One good signature does not heal a wrong one.
  note.signatures.push_back(parse_note(good)->signatures[0]);
  EXPECT_EQ(judged(format_note(note), trusting(own)).verdict(), kTampered);
}

TEST(Trust, CallsEveryChangedByteOfASignedCheckpointWhatItIs) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const Signer own = signer(1);
  const std::string good = checkpoint_note(1234, {own});
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ (1U << generator.below(8)));
    const v1::VerifyReport report = judged(bad, trusting(own));
    EXPECT_NE(report.verdict(), "") << "byte " << at << " of\n" << bad;
    EXPECT_NE(report.verdict(), kIntact) << "byte " << at << " of\n" << bad;
    EXPECT_EQ(report.signers_size(), 0) << "byte " << at << " of\n" << bad;
  }
}

TEST(Trust, TakesTheOriginFromTheFirstKey) {
  const Signer own = signer(1);
  const v1::VerifyReport report =
      judged(checkpoint_note(7, {own}, "else.example/muniment"), trusting(own));
  EXPECT_EQ(report.verdict(), kTampered);
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).expected(), kOrigin);
  EXPECT_EQ(report.findings(0).found(), "else.example/muniment");
}

TEST(Trust, LetsTheVerifierNameAnotherOrigin) {
  const Signer own = signer(1);
  const std::string note = checkpoint_note(7, {own}, "else.example/muniment");
  Trust trust = trusting(own);
  trust.origin = "else.example/muniment";
  EXPECT_EQ(judged(note, trust).verdict(), "");
  trust.origin = kOrigin;
  EXPECT_EQ(judged(note, trust).verdict(), kTampered);
  EXPECT_EQ(judged(note, {.keys = {}, .origin = kOrigin, .min_size = 0}).verdict(), kTampered);
}

TEST(Trust, WantsAsManyEventsAsWereSeenBefore) {
  const Signer own = signer(1);
  const std::string note = checkpoint_note(7, {own});
  EXPECT_EQ(judged(note, {.keys = {own.key}, .origin = {}, .min_size = 7}).verdict(), "");
  const v1::VerifyReport report = judged(note, {.keys = {own.key}, .origin = {}, .min_size = 8});
  EXPECT_EQ(report.verdict(), kOlder);
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).expected(), "at least 8 events");
  EXPECT_EQ(report.findings(0).found(), "7 events");
}

TEST(Trust, CannotReadWhatIsNoSignedNoteOrNoCheckpoint) {
  const Signer own = signer(1);
  for (const std::string& bytes :
       {std::string(), std::string("hello\n"), checkpoint_note(7, {}), note_of("hello\n", {own}),
        note_of(std::string(kOrigin) + "\n007\n\n", {own}), checkpoint_note(7, {own}) + "more"}) {
    v1::VerifyReport report;
    EXPECT_FALSE(judge_checkpoint(bytes, trusting(own), report)) << bytes;
    EXPECT_EQ(report.verdict(), kCannotRead) << bytes;
    EXPECT_EQ(report.findings_size(), 1) << bytes;
  }
}

TEST(Trust, KeepsTheWorstVerdict) {
  constexpr std::array kWorstFirst = {kCannotRead, kTampered,      kTruncated, kOlder,
                                      kUnsigned,   kUnknownSigner, kIntact};
  for (std::size_t worse = 0; worse < kWorstFirst.size(); ++worse) {
    for (std::size_t better = worse; better < kWorstFirst.size(); ++better) {
      for (const bool worse_first : {false, true}) {
        v1::VerifyReport report;
        worsen(report, kWorstFirst[worse_first ? worse : better]);
        worsen(report, kWorstFirst[worse_first ? better : worse]);
        EXPECT_EQ(report.verdict(), kWorstFirst[worse]);
      }
    }
  }
}

TEST(Trust, KeepsTheFirstFindingsBySequence) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  v1::VerifyReport report;
  std::vector<std::uint64_t> sequences;
  for (int i = 0; i < 3 * kMostFindings; ++i) {
    if (generator.one_in(4)) {
      add_finding(report, kTampered, "somewhere");
      continue;
    }
    sequences.push_back(generator.below(1000));
    add_finding(report, kTampered, "here", "one", "other", sequences.back());
  }
  std::sort(sequences.begin(), sequences.end());
  ASSERT_EQ(report.findings_size(), kMostFindings);
  for (int i = 0; i < kMostFindings; ++i) {
    const std::size_t at = static_cast<std::size_t>(i);
    EXPECT_EQ(report.findings(i).has_sequence(), at < sequences.size());
    if (at < sequences.size()) {
      EXPECT_EQ(report.findings(i).sequence(), sequences[at]);
    }
  }
  if (!sequences.empty()) {
    EXPECT_EQ(report.first_bad_sequence(), sequences.front());
  }
}

}  // namespace
}  // namespace muniment
