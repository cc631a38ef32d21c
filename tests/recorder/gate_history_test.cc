// Random histories of rehearsals, approvals, revocations and executions, judged afterwards from the
// events alone by code that shares nothing with the gate but the formats.
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "recorder/approvals.h"
#include "recorder/core/digest.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "recorder/recorder.h"
#include "recorder/world/host_source.h"
#include "tests/recorder/gate_witness.h"
#include "tests/support/generator.h"
#include "tests/support/sample_data.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr const char* kOrigin = "testhost/muniment";
constexpr const char* kLogKey = "testhost/muniment+00000000+AAAA";
constexpr const char* kSigners = "anna ssh-ed25519 AAAA\n";

// "good KEY" holds, everything else does not.
Result<SignatureCheck> check_by_word(std::string_view, std::string_view signature,
                                     std::string_view) {
  SignatureCheck out;
  out.good = signature.starts_with("good ");
  out.why = "not signed";
  out.fingerprint =
      "SHA256:" + std::string(signature.substr(std::min<std::size_t>(5, signature.size())));
  out.principal = out.fingerprint.substr(7);
  return out;
}

class HandClock : public Clock {
 public:
  Instant now() override {
    wall += 1'000'000;
    boot_ += 1'000'000;
    return {
        .wall_ns = wall, .boottime_ns = boot_, .boot_id = "7b0a7e5e-4d0f-4b1e-9d53-8f0f5c1f6a11"};
  }
  std::int64_t wall = 1'760'000'000 * kSecond;

 private:
  std::int64_t boot_ = kSecond;
};

// Says that it did each step, and lets something happen while it does.
class PretendingSink : public Sink {
 public:
  PretendingSink(bool acts, std::function<void()> meanwhile)
      : acts_(acts), meanwhile_(std::move(meanwhile)) {}
  Outcome perform(const v1::Step&, Facts&) override {
    meanwhile_();
    Outcome out;
    out.result = acts_ ? v1::STEP_RESULT_APPLIED : v1::STEP_RESULT_WITHHELD;
    return out;
  }

 private:
  bool acts_;
  std::function<void()> meanwhile_;
};

class History {
 public:
  explicit History(Generator& draw) : draw_(draw), log_(make_memory_log(kOrigin)) {
    manifest_.backup_root = dir_ / "backups";
    for (const char* name : {"a", "b"}) {
      Module& module = manifest_.modules.emplace_back();
      module.name = name;
      module.host_path = dir_ / name;
      module.backup_class = v1::BACKUP_CLASS_FILES;
      module.gate = "F3";
      std::filesystem::create_directory(module.host_path);
      write_text(module.host_path + "/file", "x");
    }
    Gate& gate = manifest_.gates["F3"];
    gate.name = "F3";
    gate.guards = {"backup"};
    gate.approvals = draw.one_in(3) ? 2 : 1;
    gate.expires = std::chrono::hours(1);
    if (draw.one_in(2)) gate.needs["backup"] = {{"no_drift", std::nullopt, ""}};
    rules_.stated["F3"] = {policy_of(manifest_, "F3", kSigners), kSigners, ""};
    rules_.check_signature = check_by_word;
    rules_.log_keys = {kLogKey};
    rules_.origin = kOrigin;
  }

  void play() {
    const std::uint64_t moves = 6 + draw_.below(14);
    for (std::uint64_t i = 0; i < moves; ++i) move();
  }

  // Approves by enough keys and executes at once, while others may meddle: most random moves end at
  // a closed gate, and what happens behind an open one is what matters.
  void take_the_right_way() {
    if (rehearsals_.empty()) return;
    for (const char* key : {"anna", "ben", "carla"}) submit(rehearsals_.back(), key, false);
    run(rehearsals_.back().module, rehearsals_.back().run_id);
  }

  const Store& log() const { return *log_; }
  std::uint32_t needed() const { return manifest_.gates.at("F3").approvals; }

 private:
  struct Rehearsed {
    std::string run_id;
    std::string module;
    std::string digest;
  };

  void move() {
    switch (draw_.below(7)) {
      case 0:
      case 1:
        return run(draw_.one_in(2) ? "a" : "b", "");
      case 2:
        if (!rehearsals_.empty()) submit(pick(), key(), draw_.one_in(3));
        return;
      case 3:
        return revoke();
      case 4:
        clock_.wall += static_cast<std::int64_t>(draw_.below(3000)) * kSecond - 200 * kSecond;
        return;
      case 5:
        if (!rehearsals_.empty()) {
          const Rehearsed chosen = pick();
          run(draw_.one_in(6) ? "a" : chosen.module, chosen.run_id);
        }
        return;
      default:
        return take_the_right_way();
    }
  }

  const Rehearsed& pick() const { return rehearsals_[draw_.below(rehearsals_.size())]; }
  std::string key() const {
    return std::vector<std::string>{"anna", "ben", "carla"}[draw_.below(3)];
  }

  // A rehearsal, or the execution of one.
  void run(const std::string& module, const std::string& follows) {
    const bool acts = !follows.empty();
    if (draw_.one_in(8)) write_text(dir_ / module + "/more", "drift is not of files");
    Envelope envelope;
    envelope.run_id = make_uuid7(clock_.now().wall_ns);
    envelope.mode = acts ? v1::MODE_EXECUTION : v1::MODE_DRY_RUN;
    envelope.actor.set_kind(v1::ACTOR_KIND_OPERATOR);
    RunRequest request;
    request.manifest = &manifest_;
    request.modules = {manifest_.find(module)};
    request.started.set_purpose("backup");
    request.started.set_follows_run(follows);
    request.gates.rules = rules_;
    request.gates.acts = acts;
    PretendingSink sink(acts, [&] { meddle(acts); });
    const std::unique_ptr<Source> source = make_host_source();
    Recorder recorder({*log_, *log_, *source, sink, clock_}, std::move(request), envelope);
    const Result<v1::RunState> state = recorder.run();
    ASSERT_TRUE(state) << state.error().message;
    if (!acts && state->outcome() == v1::RUN_OUTCOME_OK) {
      rehearsals_.push_back({state->run_id(), module, state->plan_digest()});
    }
  }

  // What another process leaves while a step runs.
  void meddle(bool acts) {
    if (!acts || !draw_.one_in(2)) return;
    if (draw_.one_in(2)) return revoke_used();
    submit(pick(), key(), draw_.one_in(3));
  }

  void submit(const Rehearsed& about, const std::string& by, bool wrong) {
    const std::int64_t now = clock_.now().wall_ns;
    ApprovalStatement said{
        .guarded = "backup",
        .gate = "F3",
        .module = about.module,
        .run_id = about.run_id,
        .plan_digest = about.digest,
        .policy_digest = policy_digest(rules_.stated.at("F3").policy),
        .log_key = kLogKey,
        .origin = kOrigin,
        .not_before_ns = now - kSecond,
        .expires_ns = now + static_cast<std::int64_t>(1 + draw_.below(3500)) * kSecond,
        .nonce = to_hex(as_bytes(sha256(std::to_string(++nonces_)))).substr(0, 32),
        .reason = "-"};
    std::string signature = "good " + by;
    if (wrong) spoil(said, signature);
    const std::string text = format_approval(said);
    v1::Event event;
    event.set_event_id(make_uuid7(now));
    *event.mutable_recorded_at() = timestamp_of(now);
    event.mutable_actor()->set_kind(wrong && draw_.one_in(6) ? v1::ACTOR_KIND_AGENT
                                                             : v1::ACTOR_KIND_OPERATOR);
    event.set_about_run(about.run_id);
    event.mutable_approval_submitted()->set_statement_sha256(std::string(as_bytes(sha256(text))));
    event.mutable_approval_submitted()->set_signature(signature);
    ASSERT_TRUE(log_->append({make_entry(event, {text})}, std::nullopt));
  }

  void spoil(ApprovalStatement& said, std::string& signature) {
    switch (draw_.below(8)) {
      case 0:
        said.module = said.module == "a" ? "b" : "a";
        return;
      case 1:
        said.plan_digest = std::string(64, '0');
        return;
      case 2:
        said.policy_digest = std::string(64, '1');
        return;
      case 3:
        said.guarded = "exec";
        return;
      case 4:
        said.nonce = std::string(32, '7');
        return;
      case 5:
        said.expires_ns = said.not_before_ns + 1;
        return;
      case 6:
        said.expires_ns = said.not_before_ns + 100 * 3600 * kSecond;
        return;
      default:
        signature = "bad";
        return;
    }
  }

  void revoke() {
    std::vector<StoredEvent> accepted;
    ASSERT_TRUE(read_indexed(*log_, IndexTag::kByType,
                             type_value(v1::Event::kApprovalAcceptedFieldNumber), 0,
                             Direction::kForward, [&](const StoredEvent& stored) {
                               accepted.push_back(stored);
                               return true;
                             }));
    if (accepted.empty()) return;
    const std::size_t at = draw_.one_in(4) ? draw_.below(accepted.size()) : accepted.size() - 1;
    revoke_one(accepted[at].sequence, accepted[at].event.about_run());
  }

  // One of those that the newest run consumed: it must stop at its next step.
  void revoke_used() {
    std::optional<StoredEvent> used;
    ASSERT_TRUE(read_indexed(*log_, IndexTag::kByType,
                             type_value(v1::Event::kApprovalConsumedFieldNumber),
                             std::numeric_limits<std::uint64_t>::max(), Direction::kBackward,
                             [&](const StoredEvent& stored) {
                               used = stored;
                               return false;
                             }));
    if (used)
      revoke_one(used->event.approval_consumed().accepted_sequences(0), used->event.about_run());
  }

  void revoke_one(std::uint64_t accepted, const std::string& about_run) {
    const std::int64_t now = clock_.now().wall_ns;
    v1::Event event;
    event.set_event_id(make_uuid7(now));
    *event.mutable_recorded_at() = timestamp_of(now);
    event.set_about_run(about_run);
    event.mutable_approval_revoked()->set_accepted_sequence(accepted);
    ASSERT_TRUE(log_->append({make_entry(event)}, std::nullopt));
  }

  TempDir dir_{TempDir::fast_parent()};
  Generator& draw_;
  HandClock clock_;
  Manifest manifest_;
  GateRules rules_;
  std::unique_ptr<Store> log_;
  std::vector<Rehearsed> rehearsals_;
  std::uint64_t nonces_ = 0;
};

TEST(GateHistory, HoldsNoGatedStepWithoutAGoodApproval) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  const std::size_t histories = std::getenv("MUNIMENT_FULL") != nullptr ? 4000 : 300;
  std::size_t applied = 0;
  std::size_t stopped_midway = 0;
  for (std::size_t i = 0; i < histories && !HasFailure(); ++i) {
    SCOPED_TRACE("history " + std::to_string(i));
    History history(draw);
    history.play();
    if (HasFatalFailure()) return;
    Witness witness(history.log(), history.needed());
    witness.read();
    for (const std::string& complaint : witness.complaints) ADD_FAILURE() << complaint;
    applied += witness.applied;
    stopped_midway += witness.stopped_midway;
  }
  EXPECT_GT(applied, histories / 2);
  EXPECT_GT(stopped_midway, histories / 50);
}

}  // namespace
}  // namespace muniment
