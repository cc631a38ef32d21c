#include "replay/erasure.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "recorder/log/memory_log.h"
#include "replay/render_text.h"
#include "tests/support/generator.h"
#include "tests/support/run_writer.h"
#include "tests/support/sample_runs.h"

namespace muniment {
namespace {

StoredEvent stored(v1::Event event) {
  std::string bytes = event.SerializeAsString();
  return {7, std::move(bytes), std::move(event)};
}

std::string field_named(const v1::Event& event, std::string_view name) {
  const Result<BlobRef> found = find_erasable(stored(event), name);
  return found ? found->field : found.error().message;
}

v1::Event approval() {
  v1::Event event;
  *event.mutable_actor()->mutable_claimed() = erasable("operator:anna");
  *event.mutable_approval_accepted()->mutable_principal() = erasable("anna@example.org");
  *event.mutable_approval_accepted()->mutable_reason() = erasable("tested");
  return event;
}

TEST(FindErasable, KnowsAFieldByItsPathAndByItsEnd) {
  const v1::Event event = approval();
  EXPECT_EQ(field_named(event, "approval_accepted.reason"), "approval_accepted.reason");
  EXPECT_EQ(field_named(event, "reason"), "approval_accepted.reason");
  EXPECT_EQ(field_named(event, "principal"), "approval_accepted.principal");
  EXPECT_EQ(field_named(event, "actor.claimed"), "actor.claimed");
  EXPECT_EQ(field_named(event, "claimed"), "actor.claimed");
  EXPECT_EQ(find_erasable(stored(event), "reason")->sha256, erasable("tested").commitment());
}

TEST(FindErasable, ListsWhatThereIsWhenItKnowsNone) {
  const std::string there =
      "it has: actor.claimed, approval_accepted.principal, "
      "approval_accepted.reason";
  for (const char* name : {"", "eason", "approval_accepted", "actor", "actor.user_name",
                           "reason.commitment", "x\x1b[2J"}) {
    const std::string said = field_named(approval(), name);
    EXPECT_EQ(said.substr(0, 45), "event #7 (approval_accepted) has no one text ") << said;
    EXPECT_TRUE(said.ends_with(there)) << said;
    EXPECT_EQ(said.find('\x1b'), said.npos);
    EXPECT_EQ(find_erasable(stored(approval()), name).error().code, ErrorCode::kInvalid);
  }
  v1::Event bare;
  bare.mutable_run_started();
  EXPECT_TRUE(field_named(bare, "text").ends_with("; nothing in it can be erased"));
}

TEST(FindErasable, PassesOverWhatIsNoCommitment) {
  v1::Event event = approval();
  event.mutable_approval_accepted()->mutable_reason()->set_commitment("short");
  EXPECT_EQ(find_erasable(stored(event), "reason").error().code, ErrorCode::kInvalid);
}

class Erasures : public testing::Test {
 protected:
  Erasures() : runs_(write_sample_runs(*log_)) {}

  std::uint64_t erase(const v1::Erasable& text, std::uint64_t sequence) {
    v1::Event event;
    event.set_event_id(sample_uuid(++number_, 7));
    event.mutable_erased()->set_sequence(sequence);
    event.mutable_erased()->set_field("actor.claimed");
    event.mutable_erased()->set_commitment(text.commitment());
    const Result<std::uint64_t> erased =
        log_->erase({event.SerializeAsString(), {}}, text.commitment());
    EXPECT_TRUE(erased) << erased.error().message;
    return erased ? *erased : 0;
  }

  std::unique_ptr<Store> log_ = make_memory_log("rs2000.example/muniment");
  SampleRuns runs_;
  std::uint64_t number_ = 900;
};

TEST_F(Erasures, AreFoundByWhatTheyErased) {
  const v1::Erasable anna = erasable("operator:anna");
  ASSERT_TRUE(resolver_of(*log_)(anna));
  EXPECT_FALSE(find_erasure(*log_, anna.commitment())->has_value());
  const std::uint64_t other = erase(erasable("anna"), 0);
  const std::uint64_t first = erase(anna, 0);
  erase(anna, 1);
  EXPECT_EQ((*find_erasure(*log_, anna.commitment()))->sequence, first);
  const Resolver resolve = resolver_of(*log_);
  EXPECT_FALSE(resolve(anna));
  EXPECT_EQ(resolve.words_for_gone(anna), "[erased by #" + std::to_string(first) + "]");
  EXPECT_EQ(resolve.erased_by(erasable("anna")), other);
  EXPECT_EQ(resolve.words_for_gone(erasable("never there")), "[erased]");
}

TEST_F(Erasures, AreNamedWhereTheTextStood) {
  const std::uint64_t by = erase(erasable("operator:anna"), 0);
  const std::string words = "[erased by #" + std::to_string(by) + "]";
  const v1::EventView view = [&] {
    v1::EventView out;
    out.set_sequence(0);
    *out.mutable_event() = read_event(*log_, 0)->event;
    return out;
  }();
  const Resolver resolve = resolver_of(*log_);
  EXPECT_NE(render_event(view, resolve).find("\"claimed\": \"" + words + "\""), std::string::npos);
  EXPECT_NE(to_json(view, {.resolve = resolve, .pretty = false}).find("\"claimed\":null"),
            std::string::npos);
  EXPECT_NE(render_run(*run_state(*log_, runs_.executed), resolve).find("by " + words),
            std::string::npos);
}

// The oracle parses every event and asks each of its fields.
TEST_F(Erasures, CountTheEventsThatCarryAText) {
  std::map<std::string, std::uint64_t> expected;
  ASSERT_TRUE(read_events(*log_, 0, [&](const StoredEvent& event) {
    std::map<std::string, bool> here;
    for (const BlobRef& blob : blobs_named_by(event.event)) {
      if (blob.erasable) here[blob.sha256] = true;
    }
    for (const auto& [commitment, there] : here) ++expected[commitment];
    return true;
  }));
  ASSERT_GT(expected.size(), 3U);
  for (const auto& [commitment, count] : expected) {
    EXPECT_EQ(*count_carriers(*log_, commitment), count);
  }
  const std::string anna = erasable("operator:anna").commitment();
  ASSERT_GT(expected[anna], 1U);
  erase(erasable("operator:anna"), 0);
  EXPECT_EQ(*count_carriers(*log_, anna), expected[anna]) << "an Erased only names it";
  EXPECT_EQ(*count_carriers(*log_, std::string(32, 'x')), 0U);
}

}  // namespace
}  // namespace muniment
