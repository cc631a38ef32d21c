#include "replay/prove.h"

#include <gtest/gtest.h>

#include "recorder/log/queries.h"
#include "replay/verify_proof.h"
#include "tests/support/rows_log.h"
#include "tests/support/signed_log.h"

namespace muniment {
namespace {

class Proving : public testing::Test {
 protected:
  void SetUp() override {
    for (unsigned run = 1; run <= 5; ++run) {
      old_.push_back(log_.checkpoint({&log_.key}));
      write_small_run(*log_.log, run);
    }
    log_.sign();
  }

  SignedLog log_;
  std::vector<std::string> old_;
};

TEST_F(Proving, MakesProofsThatHold) {
  for (std::uint64_t i = 0; i < log_.log->state()->size(); ++i) {
    const Result<InclusionFile> file = make_inclusion_file(*log_.log, i);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->extra, read_event(*log_.log, i)->bytes);
    EXPECT_EQ(verify_inclusion_file(format_inclusion(*file), log_.trust()).verdict(), kIntact);
  }
  for (const std::string& note : old_) {
    const Result<ConsistencyFile> file = make_consistency_file(*log_.log, note);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(verify_consistency_file(format_consistency(*file), log_.trust(), note).verdict(),
              kIntact);
  }
}

TEST_F(Proving, NeedsACheckpointThatCoversTheEvent) {
  const std::uint64_t size = log_.log->state()->size();
  EXPECT_EQ(make_inclusion_file(*log_.log, size).error().code, ErrorCode::kNotFound);
  write_small_run(*log_.log, 6);
  const Result<InclusionFile> later = make_inclusion_file(*log_.log, size);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::kInvalid);
  EXPECT_NE(later.error().message.find("`muniment checkpoint`"), std::string::npos);
  EXPECT_TRUE(make_inclusion_file(*log_.log, size - 1));
  const Result<ConsistencyFile> newer =
      make_consistency_file(*log_.log, log_.checkpoint({&log_.key}));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::kInvalid);
  const SignedLog unsigned_log;
  write_small_run(*unsigned_log.log);
  const Result<InclusionFile> nothing = make_inclusion_file(*unsigned_log.log, 0);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(nothing.error().message.find("`muniment checkpoint`"), std::string::npos);
}

TEST_F(Proving, RefusesAnOlderCheckpointThatIsNotOfThisLog) {
  const auto code = [&](const SignedLog& other) {
    const Result<ConsistencyFile> file =
        make_consistency_file(*log_.log, other.checkpoint({&other.key}));
    EXPECT_FALSE(file);
    return file ? ErrorCode::kIo : file.error().code;
  };
  SignedLog other('a', "other.example/muniment");
  write_small_run(*other.log, 1);
  EXPECT_EQ(code(other), ErrorCode::kCorrupt);
  SignedLog forked;
  write_small_run(*forked.log, 9);
  EXPECT_EQ(code(forked), ErrorCode::kCorrupt);
  SignedLog longer;
  for (unsigned run = 1; run <= 7; ++run) write_small_run(*longer.log, run);
  EXPECT_EQ(code(longer), ErrorCode::kCorrupt) << "this log is an older copy of that";
  EXPECT_EQ(make_consistency_file(*log_.log, "no checkpoint").error().code, ErrorCode::kInvalid);
}

TEST_F(Proving, RefusesALogThatIsNotWhatWasSigned) {
  RowsLog rows(*log_.log);
  rows.table(Table::kEvent).at(sequence_key(4)) += std::string("\x62\x01x", 3);
  EXPECT_EQ(make_inclusion_file(rows, 4).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(make_inclusion_file(rows, 5));
  for (auto& [key, hash] : rows.table(Table::kNode)) hash.back() ^= 1;
  EXPECT_EQ(make_inclusion_file(rows, 5).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(make_consistency_file(rows, old_[2]).error().code, ErrorCode::kCorrupt);
  RowsLog unreadable(*log_.log);
  for (auto& [key, note] : unreadable.table(Table::kCheckpoint)) note = "nothing";
  EXPECT_EQ(read_signed_head(unreadable).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace muniment
