// The law of the two streams under a gate that was opened by a real approval.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "recorder/approvals.h"
#include "recorder/core/digest.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/memory_log.h"
#include "tests/support/run_writer.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"
#include "tests/support/two_streams.h"

namespace muniment {
namespace {

constexpr const char* kOrigin = "testhost/muniment";
constexpr const char* kLogKey = "testhost/muniment+00000000+AAAA";
constexpr const char* kSigners = "anna ssh-ed25519 AAAA\n";

// Signs by naming the key: what ssh-keygen does has tests of its own.
Result<SignatureCheck> check_by_name(std::string_view, std::string_view signature,
                                     std::string_view) {
  return SignatureCheck{.good = true,
                        .principal = "anna",
                        .fingerprint = "SHA256:" + std::string(signature),
                        .security_key = false,
                        .why = {}};
}

class GatedWorld {
 public:
  GatedWorld() {
    manifest_.host_name = "testhost";
    manifest_.backup_root = dir_ / "backups";
    for (const char* name : {"notes", "photos"}) {
      Module& module = manifest_.modules.emplace_back();
      module.name = name;
      module.host_path = dir_ / name;
    }
    manifest_.modules[0].backup_class = v1::BACKUP_CLASS_SQLITE;
    manifest_.modules[1].backup_class = v1::BACKUP_CLASS_FILES;
    manifest_.modules[1].gate = "F3";
    Gate& gate = manifest_.gates["F3"];
    gate.name = "F3";
    gate.guards = {"backup"};
    gate.needs["backup"] = {{.name = "dry_run", .within = std::chrono::hours(24), .value = ""},
                            {.name = "no_drift", .within = {}, .value = ""}};
    make_database(manifest_.modules[0].host_path, {.wal = true, .rows = 200});
    make_tree(manifest_.modules[1].host_path);
    rules_.stated["F3"] = {
        .policy = policy_of(manifest_, "F3", kSigners), .signers = kSigners, .fault = {}};
    rules_.check_signature = check_by_name;
    rules_.log_keys = {kLogKey};
    rules_.origin = kOrigin;
  }

  RunInput input(const std::string& follows = {}) const {
    return {.manifest = &manifest_,
            .modules = {&manifest_.modules[0], &manifest_.modules[1]},
            .all = true,
            .store = dir_ / "store",
            .engine = std::nullopt,
            .gates = rules_,
            .follows = follows};
  }

  // Appended as a process beside the run does it; the run that needs it judges it.
  static void approve(Store& log, const v1::RunState& rehearsed, const std::string& policy) {
    const std::int64_t now = nanoseconds_of(rehearsed.finished_at());
    const std::string text = format_approval({.guarded = "backup",
                                              .gate = "F3",
                                              .module = "photos",
                                              .run_id = rehearsed.run_id(),
                                              .plan_digest = rehearsed.plan_digest(),
                                              .policy_digest = policy,
                                              .log_key = kLogKey,
                                              .origin = kOrigin,
                                              .not_before_ns = now - 3'600'000'000'000,
                                              .expires_ns = now + 3'600'000'000'000,
                                              .nonce = std::string(32, 'a'),
                                              .reason = "-"});
    v1::Event event;
    event.set_event_id(make_uuid7(now));
    *event.mutable_recorded_at() = timestamp_of(now);
    event.mutable_actor()->set_kind(v1::ACTOR_KIND_OPERATOR);
    event.mutable_approval_submitted()->set_statement_sha256(std::string(as_bytes(sha256(text))));
    event.mutable_approval_submitted()->set_signature("key of anna");
    ASSERT_TRUE(log.append({make_entry(event, {text})}, std::nullopt));
  }

  const std::string policy() const { return policy_digest(rules_.stated.at("F3").policy); }
  const std::string& root() const { return manifest_.backup_root; }

 private:
  TempDir dir_{TempDir::fast_parent()};
  Manifest manifest_;
  GateRules rules_;
};

TEST(TwoStreams, AreOneBehindAGateThatAnApprovalOpened) {
  const GatedWorld world;
  const std::unique_ptr<Store> log = make_memory_log(kOrigin);
  const Stream rehearsed = rehearse(world.input(), *log);
  GatedWorld::approve(*log, rehearsed.state, world.policy());
  const Stream done = execute(world.input(rehearsed.state.run_id()), *log);
  EXPECT_EQ(done.state.outcome(), v1::RUN_OUTCOME_OK) << done.state.reason();
  EXPECT_EQ(count_of(done, v1::Event::kApprovalConsumed), 1U);
  EXPECT_EQ(count_of(done, v1::Event::kGateEvaluated), 2U);
  EXPECT_EQ(count_of(rehearsed, v1::Event::kApprovalConsumed), 0U);
  EXPECT_TRUE(each_settled(done, v1::STEP_RESULT_APPLIED));
  expect_same(masked_stream(rehearsed, kNothingTaken, kMasked),
              masked_stream(done, kTaken, kMasked));
}

TEST(TwoStreams, LeaveNothingOfASecondExecutionUnderOneApproval) {
  const GatedWorld world;
  const std::unique_ptr<Store> log = make_memory_log(kOrigin);
  const Stream rehearsed = rehearse(world.input(), *log);
  GatedWorld::approve(*log, rehearsed.state, world.policy());
  const RunInput input = world.input(rehearsed.state.run_id());
  ASSERT_EQ(execute(input, *log).state.outcome(), v1::RUN_OUTCOME_OK);
  const Stream again = execute(input, *log);
  EXPECT_EQ(again.state.outcome(), v1::RUN_OUTCOME_REFUSED);
  EXPECT_NE(again.state.reason().find("consumed"), std::string::npos) << again.state.reason();
  EXPECT_FALSE(has_taken(again));
  EXPECT_EQ(count_of(again, v1::Event::kStepStarted), 0U);
}

}  // namespace
}  // namespace muniment
