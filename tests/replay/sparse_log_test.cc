#include "replay/sparse_log.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "replay/bundle_parts.h"
#include "replay/evidence.h"
#include "replay/json.h"
#include "replay/render_markdown.h"
#include "tests/support/sample_runs.h"

namespace muniment {
namespace {

class SparseLogs : public testing::Test {
 protected:
  // What a bundle takes along of the rehearsal that a run follows.
  void add_approvals_of(const std::string& run_id, SparseParts& parts) const {
    BundleEvents events;
    for (const auto& [sequence, bytes] : parts.events) {
      events.emplace(sequence, *read_event(*log_, sequence));
    }
    for (std::size_t before = 0; before != events.size();) {
      before = events.size();
      const BundleLinks links = links_of(events, run_id);
      EXPECT_TRUE(read_events(*log_, 0, [&](const StoredEvent& stored) {
        if (belongs_to_bundle(stored, run_id, links)) events.emplace(stored.sequence, stored);
        return true;
      }));
    }
    for (const auto& [sequence, stored] : events) parts.events.emplace(sequence, stored.bytes);
  }

  // The events that a bundle of the run has, and all blobs.
  SparseParts parts_of(const std::string& run_id) const {
    const v1::StoreState state = *log_->state();
    SparseParts parts{.checkpoint = {.origin = state.origin(),
                                     .size = state.size(),
                                     .root = digest_from_bytes(state.root()),
                                     .extensions = {}},
                      .checkpoint_note = "note\n",
                      .events = {},
                      .blobs = {},
                      .statements = {{run_id, "envelope"}}};
    EXPECT_TRUE(read_indexed(*log_, IndexTag::kByRun, run_id, 0, Direction::kForward,
                             [&](const StoredEvent& stored) {
                               parts.events.emplace(stored.sequence, stored.bytes);
                               return true;
                             }));
    add_approvals_of(run_id, parts);
    EXPECT_TRUE(log_->scan(Table::kBlob, "", Direction::kForward, [&](auto key, auto value) {
      parts.blobs.emplace(key, value);
      return true;
    }));
    return parts;
  }

  SignedTree tree() const {
    return {.size = log_->state()->size(),
            .root = digest_from_bytes(log_->state()->root()),
            .checkpoint = "note\n",
            .verify_command = "check it"};
  }

  std::unique_ptr<Store> log_ = make_memory_log("rs2000.example/muniment");
  SampleRuns runs_ = write_sample_runs(*log_);
};

TEST_F(SparseLogs, FoldRunsAsTheWholeLogDoes) {
  for (const auto& [name, run_id] : runs_.by_name()) {
    const Result<SparseLog> sparse = SparseLog::of(parts_of(run_id));
    ASSERT_TRUE(sparse) << sparse.error().message;
    const Result<v1::RunState> whole = run_state(*log_, run_id);
    const Result<v1::RunState> here = run_state(*sparse, run_id);
    ASSERT_TRUE(whole && here) << name;
    EXPECT_EQ(here->SerializeAsString(), whole->SerializeAsString()) << name;
  }
}

TEST_F(SparseLogs, HaveOnlyRowsOfTheWholeLog) {
  const Result<SparseLog> sparse = SparseLog::of(parts_of(runs_.executed));
  ASSERT_TRUE(sparse);
  for (const Table table : {Table::kEvent, Table::kBlob, Table::kIndex}) {
    int rows = 0;
    ASSERT_TRUE(sparse->scan(table, "", Direction::kForward, [&](auto key, auto value) {
      const Result<std::optional<std::string>> whole = log_->get(table, key);
      EXPECT_TRUE(whole && *whole == std::string(value)) << table_name(table);
      ++rows;
      return true;
    }));
    EXPECT_GT(rows, 4) << table_name(table);
  }
  EXPECT_EQ(sparse->state()->root(), log_->state()->root());
  EXPECT_EQ(sparse->state()->size(), log_->state()->size());
  EXPECT_EQ((*newest_checkpoint(*sparse))->note, "note\n");
  EXPECT_EQ(**read_statement(*sparse, runs_.executed), "envelope");
}

// What the report says of newer runs is all that a bundle cannot know.
TEST_F(SparseLogs, GiveTheReportThatTheWholeLogGives) {
  const Resolver resolve = [&](const v1::Erasable& field) -> std::optional<std::string> {
    return *read_erasable(*log_, field);
  };
  for (const auto& [name, run_id] : runs_.by_name()) {
    const Result<SparseLog> sparse = SparseLog::of(parts_of(run_id));
    ASSERT_TRUE(sparse) << sparse.error().message;
    Result<v1::Evidence> whole = make_evidence(*log_, run_id, tree());
    const Result<v1::Evidence> here = make_evidence(*sparse, run_id, tree());
    ASSERT_TRUE(whole && here) << name;
    whole->clear_superseded_by();
    EXPECT_EQ(render_markdown(*here, resolve), render_markdown(*whole, resolve)) << name;
  }
}

TEST_F(SparseLogs, ScanBothWaysFromAnyPlace) {
  const Result<SparseLog> sparse = SparseLog::of(parts_of(runs_.executed));
  ASSERT_TRUE(sparse);
  std::vector<std::string> all;
  const auto keys = [&](std::string_view from, Direction direction) {
    std::vector<std::string> out;
    EXPECT_TRUE(sparse->scan(Table::kEvent, from, direction, [&](auto key, auto) {
      out.emplace_back(key);
      return true;
    }));
    return out;
  };
  all = keys("", Direction::kForward);
  std::vector<std::string> back = keys("", Direction::kBackward);
  EXPECT_EQ(std::vector<std::string>(back.rbegin(), back.rend()), all);
  EXPECT_EQ(keys(all[2], Direction::kForward).front(), all[2]);
  EXPECT_EQ(keys(all[2], Direction::kBackward).size(), 3U);
  EXPECT_EQ(keys(all[2] + "\x01", Direction::kBackward).size(), 3U);
  EXPECT_EQ(keys(all[2] + "\x01", Direction::kForward).front(), all[3]);
}

TEST_F(SparseLogs, RefuseAnEventThatDoesNotParse) {
  SparseParts parts = parts_of(runs_.executed);
  parts.events.begin()->second = "\xff";
  const Result<SparseLog> sparse = SparseLog::of(std::move(parts));
  ASSERT_FALSE(sparse);
  EXPECT_EQ(sparse.error().code, ErrorCode::kCorrupt);
}

// An event about a run that is not here is not that run's beginning.
TEST_F(SparseLogs, StartARunByItsOwnEventAlone) {
  SparseParts parts = parts_of(runs_.executed);
  v1::Event event;
  event.set_run_id("01900000-0000-7000-8000-0000000000aa");
  event.set_about_run("01900000-0000-7000-8000-0000000000bb");
  event.mutable_run_started();
  parts.events.emplace(1000, event.SerializeAsString());
  const Result<SparseLog> sparse = SparseLog::of(std::move(parts));
  ASSERT_TRUE(sparse);
  EXPECT_TRUE(run_state(*sparse, event.run_id()));
  EXPECT_EQ(run_state(*sparse, event.about_run()).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace muniment
