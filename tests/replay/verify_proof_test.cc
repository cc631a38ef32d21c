#include "replay/verify_proof.h"

#include <gtest/gtest.h>

#include "recorder/core/tlog/proof_file.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "tests/support/generator.h"
#include "tests/support/sample_runs.h"
#include "tests/support/signed_log.h"

namespace muniment {
namespace {

// A log that was signed at some sizes on its way.
class ProofFiles : public testing::Test {
 protected:
  void SetUp() override {
    for (unsigned run = 1; run <= 12; ++run) {
      notes_.push_back(log_.checkpoint({&log_.key}));
      sizes_.push_back(log_.log->state()->size());
      write_small_run(*log_.log, run);
    }
  }

  std::uint64_t size() const { return log_.log->state()->size(); }

  InclusionFile inclusion(std::uint64_t index) const {
    return {.extra = read_event(*log_.log, index)->bytes,
            .index = index,
            .hashes = *prove_inclusion(*log_.log, index, size()),
            .checkpoint = log_.checkpoint({&log_.key})};
  }

  ConsistencyFile consistency(std::uint64_t old_size) const {
    return {.old_size = old_size,
            .hashes = old_size == 0 ? std::vector<Digest>()
                                    : *prove_consistency(*log_.log, old_size, size()),
            .checkpoint = log_.checkpoint({&log_.key})};
  }

  std::string judged(const InclusionFile& file, std::optional<std::string_view> leaf = {}) const {
    return verify_inclusion_file(format_inclusion(file), log_.trust(), leaf).verdict();
  }
  std::string judged(const ConsistencyFile& file, std::string_view old) const {
    return verify_consistency_file(format_consistency(file), log_.trust(), old).verdict();
  }

  SignedLog log_;
  std::vector<std::string> notes_;
  std::vector<std::uint64_t> sizes_;
};

TEST_F(ProofFiles, ProveEachEventAndNoOther) {
  for (std::uint64_t index = 0; index < size(); ++index) {
    InclusionFile file = inclusion(index);
    EXPECT_EQ(judged(file), kIntact) << index;
    const std::string bytes = *file.extra;
    file.extra->back() ^= 1;
    EXPECT_EQ(judged(file), kTampered) << index;
    file.extra.reset();
    EXPECT_EQ(judged(file), kCannotRead) << index;
    EXPECT_EQ(judged(file, bytes), kIntact) << index;
    EXPECT_EQ(judged(file, bytes + "x"), kTampered) << index;
    file.extra = bytes;
    file.index = (index + 1) % size();
    EXPECT_EQ(judged(file), kTampered) << index;
    file.index = size();
    EXPECT_EQ(judged(file), kTampered) << index;
  }
}

TEST_F(ProofFiles, NameTheEventThatIsNotThere) {
  InclusionFile file = inclusion(7);
  *file.extra += "x";
  const v1::VerifyReport report =
      verify_inclusion_file(format_inclusion(file), log_.trust(), read_event(*log_.log, 7)->bytes);
  EXPECT_EQ(report.verdict(), kTampered);
  EXPECT_EQ(report.first_bad_sequence(), 7U);
  EXPECT_EQ(report.what(), "inclusion proof");
}

TEST_F(ProofFiles, ShowThatTheLogExtendsEachOlderOne) {
  for (std::size_t i = 0; i < notes_.size(); ++i) {
    const ConsistencyFile file = consistency(sizes_[i]);
    EXPECT_EQ(judged(file, notes_[i]), kIntact) << sizes_[i];
    for (std::size_t k = 0; k < notes_.size(); ++k) {
      if (k == i) continue;
      EXPECT_EQ(judged(file, notes_[k]), kTampered) << sizes_[i] << " " << sizes_[k];
    }
  }
}

TEST_F(ProofFiles, ShowThatAHistoryWasChanged) {
  SignedLog forked;
  write_small_run(*forked.log, 99);
  while (forked.log->state()->size() < sizes_[5]) write_small_run(*forked.log, 5);
  ASSERT_EQ(forked.log->state()->size(), sizes_[5]);
  EXPECT_EQ(judged(consistency(sizes_[5]), forked.checkpoint({&forked.key})), kTampered);
  SignedLog other('a', "other.example/muniment");
  while (other.log->state()->size() < sizes_[5]) write_small_run(*other.log, 1);
  EXPECT_EQ(judged(consistency(sizes_[5]), other.checkpoint({&other.key})), kTampered);
}

TEST_F(ProofFiles, ShowThatTheLogWasCut) {
  const std::string newer = log_.checkpoint({&log_.key});
  ConsistencyFile file{.old_size = size(), .hashes = {}, .checkpoint = notes_[3]};
  EXPECT_EQ(judged(file, newer), kOlder);
  file.checkpoint = newer;
  EXPECT_EQ(judged(file, newer), kIntact) << "the same log";
}

TEST_F(ProofFiles, AreWorthWhatTheirSignersAre) {
  const TestKey other(SignedLog::kOrigin, 'z');
  InclusionFile file = inclusion(3);
  file.checkpoint = log_.checkpoint({&other});
  EXPECT_EQ(judged(file), kUnknownSigner);
  const v1::VerifyReport report = verify_inclusion_file(format_inclusion(inclusion(3)), {});
  EXPECT_EQ(report.verdict(), kUnknownSigner);
  EXPECT_TRUE(report.findings().empty());
  ConsistencyFile since = consistency(sizes_[4]);
  EXPECT_EQ(verify_consistency_file(format_consistency(since), {}, notes_[4]).verdict(),
            kUnknownSigner);
  const std::string unsigned_by_us =
      notes_[4].substr(0, notes_[4].find("\n\n") + 2) +
      log_.checkpoint({&other}).substr(log_.checkpoint({&other}).find("\n\n") + 2);
  EXPECT_NE(judged(since, unsigned_by_us), kIntact);
  Trust trust = log_.trust();
  trust.min_size = size() + 1;
  EXPECT_EQ(verify_inclusion_file(format_inclusion(inclusion(3)), trust).verdict(), kOlder);
  trust.min_size = size();
  EXPECT_EQ(verify_consistency_file(format_consistency(since), trust, notes_[4]).verdict(), kIntact)
      << "the older one may be older";
}

TEST_F(ProofFiles, AreToldApartByTheirFirstLine) {
  const std::string one = format_inclusion(inclusion(1));
  const std::string two = format_consistency(consistency(sizes_[1]));
  EXPECT_TRUE(looks_like_inclusion_file(one));
  EXPECT_FALSE(looks_like_inclusion_file(two));
  EXPECT_TRUE(looks_like_consistency_file(two));
  EXPECT_FALSE(looks_like_consistency_file(one));
  EXPECT_EQ(verify_inclusion_file(two, log_.trust()).verdict(), kCannotRead);
  EXPECT_EQ(verify_consistency_file(one, log_.trust(), notes_[1]).verdict(), kCannotRead);
}

// A byte that can be changed unseen would have to be in neither proof nor checkpoint.
TEST_F(ProofFiles, ShowEveryFlippedByte) {
  const auto flip_each = [&](std::string file, const auto& judge) {
    ASSERT_EQ(judge(file), kIntact);
    for (std::size_t at = 0; at < file.size(); ++at) {
      const char before = file[at];
      for (unsigned bit = 0; bit < 8; ++bit) {
        file[at] = static_cast<char>(before ^ static_cast<char>(1U << bit));
        EXPECT_NE(judge(file), kIntact) << "byte " << at << ", bit " << bit;
      }
      file[at] = before;
    }
  };
  flip_each(format_inclusion(inclusion(9)), [&](const std::string& file) {
    return verify_inclusion_file(file, log_.trust()).verdict();
  });
  flip_each(format_consistency(consistency(sizes_[6])), [&](const std::string& file) {
    return verify_consistency_file(file, log_.trust(), notes_[6]).verdict();
  });
}

}  // namespace
}  // namespace muniment
