// A text that must go is gone from every file, and everything else is as it was.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "recorder/log/queries.h"
#include "recorder/log/store.h"
#include "tests/cli/expect.h"
#include "tests/support/files_holding.h"
#include "tests/support/generator.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

using Words = std::vector<std::string>;
using Names = std::vector<std::string>;

constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

class EraseCommand : public testing::Test {
 protected:
  EraseCommand() {
    here_.populate();
    here_.init();
    done({"backup", "--all"});
    canary_ = generator_.text(24, kLetters);
    note_ = note("named " + canary_ + " in passing");
  }

  std::string done(const Words& words) const {
    const Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
    return ran.out;
  }
  std::string ask(Words words, const std::string& filter) const {
    words.emplace_back("--json");
    const std::string json = done(words);
    EXPECT_TRUE(parse_json(json)) << json;
    return jq(here_, json, filter);
  }
  // The sequence of a new note.
  std::string note(const std::string& text) const {
    return ask({"note", "latest", text}, ".sequence");
  }
  std::string size() const { return ask({"verify"}, ".events"); }

  // The blob behind a text, salt and all; what the field's commitment names.
  std::string blob_of(const std::string& sequence) const {
    const auto reader = open_reader(here_.store());
    EXPECT_TRUE(reader) << reader.error().message;
    const Result<StoredEvent> stored = read_event(**reader, std::stoull(sequence));
    EXPECT_TRUE(stored) << stored.error().message;
    return read_blob(**reader, stored->event.note_added().text().commitment())->value_or("");
  }
  Names holding(const std::string& bytes) const { return files_holding(here_.store(), bytes); }

  Generator generator_;
  Workspace here_;
  std::string canary_;
  std::string note_;
};

TEST_F(EraseCommand, LeavesNothingOfANoteInAnyFile) {
  SCOPED_TRACE(generator_.seed_line());
  const std::string salt = blob_of(note_).substr(0, 32);
  ASSERT_EQ(salt.size(), 32U);
  ASSERT_FALSE(holding(canary_).empty());
  ASSERT_FALSE(holding(salt).empty());
  ASSERT_TRUE(contains(done({"report", "latest"}), canary_));
  const std::string leaf = ask({"show", note_}, ".leaf_hash");
  const std::string by = std::to_string(std::stoull(note_) + 1);

  EXPECT_EQ(done({"erase", note_, "--field", "note_added.text", "--reason", "named a customer"}),
            "#" + by + " erased note_added.text of #" + note_ + "\n");
  EXPECT_EQ(holding(canary_), Names());
  EXPECT_EQ(holding(salt), Names());

  done({"verify"});
  done({"checkpoint"});
  done({"verify"});
  EXPECT_EQ(ask({"show", note_}, ".leaf_hash"), leaf);
  EXPECT_EQ(ask({"show", note_}, ".event.note_added | has(\"text\"), .text"), "true\nnull");
  EXPECT_TRUE(contains(done({"show", note_}), "\"text\": \"[erased by #" + by + "]\""));
  EXPECT_TRUE(contains(done({"report", "latest"}), ": [erased by #" + by + "]\n"));
  EXPECT_TRUE(contains(done({"report", "latest", "--format", "markdown"}),
                       ": [erased by `#" + by + "`]\n"));
  EXPECT_TRUE(contains(done({"events", "--run", "latest"}),
                       "#" + by + " erased: note_added.text of #" + note_ + "\n"));
  EXPECT_EQ(ask({"show", by}, ".event.erased | .sequence, .field, .reason"),
            note_ + "\nnote_added.text\nnamed a customer");
  EXPECT_EQ(done({"reindex"}).empty(), false);
  EXPECT_EQ(holding(canary_), Names());
  done({"verify"});
}

TEST_F(EraseCommand, ASecondTimeAddsNothing) {
  const std::string first = ask({"erase", note_, "--field", "text", "--reason", "r"}, ".sequence");
  const std::string events = size();
  EXPECT_EQ(done({"erase", note_, "--field", "text", "--reason", "again"}),
            "note_added.text of #" + note_ + " was erased by #" + first + "\n");
  EXPECT_EQ(ask({"erase", "#" + note_, "--field", "note_added.text", "--reason", "again"},
                ".sequence, .erased_sequence, .field, .events, .is_new"),
            first + "\n" + note_ + "\nnote_added.text\n1\nfalse");
  EXPECT_EQ(size(), events);
}

TEST_F(EraseCommand, TakesTheActorFromAllEventsOfARun) {
  const std::string filter = "[.events[].event.actor.claimed] | map(select(. == null)) | length";
  ASSERT_EQ(ask({"events", "--run", "latest"}, filter), "0");
  const std::string run = ask({"show", "latest"}, ".run_id");
  const std::string own =
      ask({"events", "--run", "latest"},
          "[.events[].event.run_id] | map(select(. == \"" + run + "\")) | length");
  const std::string report = ask({"erase", "0", "--field", "claimed", "--reason", "left"},
                                 ".events, .field, .about_run != null");
  EXPECT_EQ(report, own + "\nactor.claimed\ntrue");
  EXPECT_EQ(ask({"events", "--run", "latest"}, filter), own);
  const std::string runs = done({"runs"});
  EXPECT_TRUE(contains(runs, "[erased by #" + std::to_string(std::stoull(note_) + 1) + "]"));
  done({"verify"});
  const std::string text = done({"erase", "0", "--field", "user_name", "--reason", "left"});
  EXPECT_TRUE(contains(text, " erased actor.user_name of #0, and with it the same text of " +
                                 std::to_string(std::stoull(own) - 1) + " other events\n"));
}

TEST_F(EraseCommand, TakesItsOwnReasonToo) {
  const std::string reason = generator_.text(24, kLetters);
  const std::string by = ask({"erase", note_, "--field", "text", "--reason", reason}, ".sequence");
  ASSERT_FALSE(holding(reason).empty());
  const std::string then = ask({"erase", by, "--field", "reason", "--reason", "r"}, ".sequence");
  EXPECT_EQ(holding(reason), Names());
  EXPECT_TRUE(contains(done({"show", by}), "\"reason\": \"[erased by #" + then + "]\""));
}

TEST_F(EraseCommand, HidesSecretsInItsReason) {
  const std::string token = generator_.text(24, kLetters);
  RunWith with = here_.surroundings();
  with.environment["SHOP_PASSWORD"] = token;
  const Ran ran =
      run_muniment({"erase", note_, "--field", "text", "--reason", "held " + token}, with);
  ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_EQ(holding(token), Names());
  const std::string by = std::to_string(std::stoull(note_) + 1);
  EXPECT_TRUE(contains(ask({"show", by}, ".event.erased.reason"), "held [redacted:"));
}

TEST_F(EraseCommand, SaysWhatThereIsToErase) {
  const std::string events = size();
  const auto refused = [&](const Words& words, int exit_code, const Words& parts) {
    expect_ended(here_.run(words), exit_code, parts);
  };
  refused({"erase", note_, "--field", "txt", "--reason", "r"}, 2,
          {"event #" + note_ +
           " (note_added) has no one text `txt`; it has: actor.claimed, "
           "actor.user_name, note_added.text"});
  refused({"erase", note_, "--field", "note_added", "--reason", "r"}, 2, {"it has: "});
  refused({"erase", note_, "--field", "", "--reason", "r"}, 2, {"no one text ``; it has: "});
  refused({"erase", note_, "--field", "text", "--reason", ""}, 2, {"--reason"});
  refused({"erase", note_, "--field", "text"}, 2, {"--reason"});
  refused({"erase", "latest", "--field", "text", "--reason", "r"}, 2, {"`latest` is no event"});
  refused({"erase", "99999", "--field", "text", "--reason", "r"}, 7, {"no event 99999"});
  refused({"-s", here_.path("none"), "erase", "0", "--field", "text", "--reason", "r"}, 2,
          {"there is no store at"});
  EXPECT_EQ(size(), events);
  EXPECT_TRUE(contains(done({"show", note_}), canary_));
}

TEST_F(EraseCommand, DoesNotWaitInTheInbox) {
  const auto holder = open_store(here_.store(), {.wait = {}, .command = "a long backup"});
  ASSERT_TRUE(holder) << holder.error().message;
  expect_ended(here_.run({"erase", note_, "--field", "text", "--reason", "r"}), 6,
               {"a long backup"});
  EXPECT_TRUE(std::filesystem::is_empty(here_.store() + "/inbox"));
}

// Whoever took the note in may have died before the file was removed.
TEST_F(EraseCommand, EmptiesTheInboxFirst) {
  const std::string id = ask({"show", note_}, ".event.event_id");
  v1::InboxItem item;
  {
    const auto reader = open_reader(here_.store());
    ASSERT_TRUE(reader) << reader.error().message;
    item.set_event(read_event(**reader, std::stoull(note_))->bytes);
  }
  item.add_blobs(blob_of(note_));
  const std::string file = here_.store() + "/inbox/" + id;
  write_text(file, item.SerializeAsString());
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  done({"erase", note_, "--field", "text", "--reason", "r"});
  EXPECT_EQ(holding(canary_), Names());
  done({"verify"});
}

}  // namespace
}  // namespace muniment
