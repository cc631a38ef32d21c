// Keys, guard and checkpoints over real stores on disk.
#include "recorder/log/sign.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "tests/support/read_file.h"
#include "tests/support/sample_store.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
  struct stat facts{};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

class Signing : public testing::Test {
 protected:
  void SetUp() override { make(store_); }

  void make(const std::string& folder) const {
    ASSERT_TRUE(create_store(folder, {kSampleOrigin, ""}));
    const Result<LogKey> key = make_log_key(folder, kSampleOrigin);
    ASSERT_TRUE(key) << key.error().message;
    ASSERT_TRUE(introduce_to_guard(folder, key->verifier, guard_));
  }

  std::unique_ptr<Store> open() const {
    Result<std::unique_ptr<Store>> log = open_store(store_, {});
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }

  // Appends events of the sample log.
  static void append(Store& log, std::uint64_t count) {
    const Result<v1::StoreState> state = log.state();
    ASSERT_TRUE(state);
    const Result<Appended> done =
        log.append(sample_entries_with_blobs(state->size(), count), std::nullopt);
    ASSERT_TRUE(done) << done.error().message;
  }

  Result<SignedCheckpoint> sign(Store& log, bool accept_fork = false) const {
    Result<LogKeys> keys = read_log_keys(store_, log);
    if (!keys) return pass(keys);
    return sign_checkpoint(log, *keys, guard_, accept_fork);
  }

  // Opens, appends, signs, closes. The key that signed.
  SignedCheckpoint grow(std::uint64_t count) const {
    const std::unique_ptr<Store> log = open();
    append(*log, count);
    const Result<SignedCheckpoint> made = sign(*log);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : SignedCheckpoint();
  }

  void copy(const std::string& from, const std::string& to) const {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
    for (const char* name : {"/key", "/vkey"}) {
      fs::permissions(to + name, fs::perms::owner_read | fs::perms::owner_write);
    }
  }

  void expect_refused(const std::string& part) const {
    const std::unique_ptr<Store> log = open();
    const Result<SignedCheckpoint> made = sign(*log);
    ASSERT_FALSE(made) << made->note;
    EXPECT_EQ(made.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(made.error().message.find(part), std::string::npos) << made.error().message;
  }

  TempDir folder_;
  std::string store_ = folder_ / "store";
  std::string guard_ = folder_ / "guard";
};

TEST_F(Signing, KeepsTheKeyPrivateAndItsPublicHalfReadable) {
  EXPECT_EQ(mode_of(store_ + "/key"), 0600U);
  EXPECT_EQ(mode_of(guard_), 0700U);
  const Result<NoteKey> shown = read_verifier_key(store_, kSampleOrigin);
  ASSERT_TRUE(shown);
  EXPECT_EQ(read_file(store_ + "/vkey"), vkey_of(*shown) + "\n");
  EXPECT_EQ(make_log_key(store_, kSampleOrigin).error().code, ErrorCode::kRefused);
}

TEST_F(Signing, RefusesAKeyThatOthersCanRead) {
  fs::permissions(store_ + "/key", fs::perms::owner_all | fs::perms::group_read);
  const std::unique_ptr<Store> log = open();
  const Result<SignedCheckpoint> made = sign(*log);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kRefused);
  EXPECT_NE(made.error().message.find(store_ + "/key"), std::string::npos) << made.error().message;
}

TEST_F(Signing, SignsTheSizeAndTheRootOfTheLog) {
  const SignedCheckpoint made = grow(70);
  const Result<Note> note = parse_note(made.note);
  ASSERT_TRUE(note) << note.error().message;
  const Result<Checkpoint> checkpoint = parse_checkpoint(note->text);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->origin, kSampleOrigin);
  EXPECT_EQ(checkpoint->size, 70U);
  const std::unique_ptr<Store> log = open();
  EXPECT_EQ(checkpoint->root, *root_at(*log, 70));
  const NoteKey keys[] = {*read_verifier_key(store_, kSampleOrigin)};
  EXPECT_EQ(signers_of(*note, keys)->size(), 1U);
  EXPECT_EQ((*newest_checkpoint(*log))->note, made.note);
  const Result<std::vector<Guarded>> known = read_guard(guard_);
  ASSERT_TRUE(known) << known.error().message;
  ASSERT_EQ(known->size(), 1U);
  EXPECT_EQ(known->front().checkpoint, made.note);
  EXPECT_EQ(known->front().store, fs::canonical(store_).string());
}

TEST_F(Signing, SignsNothingTwice) {
  const SignedCheckpoint first = grow(3);
  const SignedCheckpoint again = grow(0);
  EXPECT_TRUE(first.is_new);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(first.note, again.note);
}

TEST_F(Signing, CanSignAnEmptyLogAndGoOnFromIt) {
  EXPECT_EQ(grow(0).checkpoint.size, 0U);
  EXPECT_EQ(grow(5).checkpoint.size, 5U);
}

TEST_F(Signing, RefusesAnOlderCopyOfTheStore) {
  grow(10);
  copy(store_, folder_ / "older");
  grow(7);
  copy(folder_ / "older", store_);
  expect_refused("covers 17 events and this store has 10");
}

TEST_F(Signing, RefusesAnOlderCopyThatWentOnDifferently) {
  grow(10);
  copy(store_, folder_ / "older");
  grow(7);
  copy(folder_ / "older", store_);
  {
    const std::unique_ptr<Store> log = open();
    ASSERT_TRUE(log->append(sample_entries_with_blobs(40, 20), std::nullopt));
  }
  expect_refused("its first 17 events are other ones");
}

TEST_F(Signing, RefusesAnotherStoreWithAnotherKeyInTheSamePlace) {
  grow(10);
  const std::string guard = guard_;
  guard_ = folder_ / "elsewhere";
  make(folder_ / "other");
  guard_ = guard;
  copy(folder_ / "other", store_);
  expect_refused("knows another log at");
}

TEST_F(Signing, TakesANewLogThatInitMadeInThePlaceOfAnOldOne) {
  grow(10);
  fs::remove_all(store_);
  make(store_);
  EXPECT_EQ(grow(2).checkpoint.size, 2U);
}

TEST_F(Signing, RefusesAnExchangedKey) {
  grow(10);
  fs::remove(store_ + "/key");
  ASSERT_TRUE(make_log_key(store_, kSampleOrigin));
  expect_refused("");
}

TEST_F(Signing, GoesOnAfterAForkThatWasAccepted) {
  grow(10);
  copy(store_, folder_ / "older");
  grow(7);
  copy(folder_ / "older", store_);
  {
    const std::unique_ptr<Store> log = open();
    append(*log, 1);
    const Result<SignedCheckpoint> made = sign(*log, true);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->checkpoint.size, 11U);
  }
  EXPECT_EQ(grow(1).checkpoint.size, 12U);
}

TEST_F(Signing, RefusesToSignWhatTheGuardCannotKeep) {
  std::ofstream(folder_ / "file") << "x";
  guard_ = folder_ / "file/guard";
  const std::unique_ptr<Store> log = open();
  append(*log, 3);
  const Result<SignedCheckpoint> made = sign(*log);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kIo);
  EXPECT_FALSE((*newest_checkpoint(*log)).has_value());
}

TEST_F(Signing, DoesNotBelieveADamagedGuard) {
  grow(10);
  const std::string checkpoint = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(guard_)) {
      if (entry.path().filename() == "checkpoint") return entry.path().string();
    }
    return std::string();
  }();
  std::string note = read_file(checkpoint);
  note[note.find("\n10\n") + 1] = '9';
  std::ofstream(checkpoint) << note;
  expect_refused("cannot be believed");
}

// A rotation and the steps at which it may be killed.
class Rotation : public Signing {
 protected:
  void record(Store& log, const LogKey& next) const {
    const Result<NoteKey> current = read_verifier_key(store_, kSampleOrigin);
    ASSERT_TRUE(current);
    v1::Event event = sample_event((*log.state()).size());
    event.mutable_key_rotated()->set_old_vkey(vkey_of(*current));
    event.mutable_key_rotated()->set_new_vkey(vkey_of(next.verifier));
    ASSERT_TRUE(log.append({Entry{event.SerializeAsString(), {}}}, std::nullopt));
  }
};

TEST_F(Rotation, SignsOnceWithBothKeysAndThenWithTheNewOne) {
  grow(10);
  const NoteKey old_key = *read_verifier_key(store_, kSampleOrigin);
  NoteKey new_key;
  {
    const std::unique_ptr<Store> log = open();
    const Result<LogKey> next = make_next_key(store_, kSampleOrigin);
    ASSERT_TRUE(next);
    new_key = next->verifier;
    record(*log, *next);
    const Result<SignedCheckpoint> both = sign(*log);
    ASSERT_TRUE(both) << both.error().message;
    const NoteKey keys[] = {old_key, new_key};
    EXPECT_EQ(signers_of(*parse_note(both->note), keys)->size(), 2U);
  }
  EXPECT_EQ(*read_verifier_key(store_, kSampleOrigin), new_key);
  EXPECT_FALSE(fs::exists(store_ + "/key.next"));
  const SignedCheckpoint later = grow(1);
  const NoteKey only_old[] = {old_key};
  const NoteKey only_new[] = {new_key};
  EXPECT_TRUE(signers_of(*parse_note(later.note), only_old)->empty());
  EXPECT_EQ(signers_of(*parse_note(later.note), only_new)->size(), 1U);
}

TEST_F(Rotation, ThatWasNotRecordedIsForgotten) {
  grow(10);
  const NoteKey old_key = *read_verifier_key(store_, kSampleOrigin);
  ASSERT_TRUE(make_next_key(store_, kSampleOrigin));
  const SignedCheckpoint made = grow(1);
  const NoteKey keys[] = {old_key};
  EXPECT_EQ(signers_of(*parse_note(made.note), keys)->size(), 1U);
  EXPECT_EQ(parse_note(made.note)->signatures.size(), 1U);
  EXPECT_FALSE(fs::exists(store_ + "/key.next"));
}

TEST_F(Rotation, RefusesACopyOfTheStoreFromBeforeIt) {
  grow(10);
  copy(store_, folder_ / "older");
  {
    const std::unique_ptr<Store> log = open();
    const Result<LogKey> next = make_next_key(store_, kSampleOrigin);
    ASSERT_TRUE(next);
    record(*log, *next);
    ASSERT_TRUE(sign(*log));
  }
  copy(folder_ / "older", store_);
  expect_refused("covers 11 events and this store has 10");
}

}  // namespace
}  // namespace muniment
