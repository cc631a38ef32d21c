// Two programs that want the same store: who waits, who is told what, and what becomes of facts
// that come while it is held.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/trial.h"
#include "tests/support/comes_true.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// Keeps a database to itself, so that who wants to copy it waits.
class DatabaseLock {
 public:
  explicit DatabaseLock(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK);
    EXPECT_TRUE(execute("PRAGMA journal_mode=DELETE"));
    EXPECT_TRUE(execute("BEGIN EXCLUSIVE"));
  }
  ~DatabaseLock() { sqlite3_close(database_); }
  DatabaseLock(const DatabaseLock&) = delete;
  DatabaseLock& operator=(const DatabaseLock&) = delete;

 private:
  bool execute(const char* sql) {
    return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  sqlite3* database_ = nullptr;
};

// A store whose lock is held by an execution that has begun to capture and waits for the database.
class HeldStore {
 public:
  HeldStore() {
    trial_.init();
    lock_ = std::make_unique<DatabaseLock>(trial_.here().database());
    holder_ = std::make_unique<RunningProgram>(muniment_argv({"-v", "backup", "notes"}),
                                               trial_.here().surroundings());
    EXPECT_TRUE(comes_true([&] {
      return holder_->err().find("step_started") != std::string::npos &&
             trial_.partial_folders().size() == 1;
    })) << holder_->err();
  }

  const Trial& trial() const { return trial_; }
  RunningProgram& holder() { return *holder_; }

  void release() { lock_.reset(); }
  // It keeps the lock and does nothing.
  void freeze() {
    holder_->send(SIGSTOP);
    EXPECT_TRUE(comes_true([&] {
      std::ifstream file("/proc/" + std::to_string(holder_->pid()) + "/stat");
      std::string stat;
      std::getline(file, stat);
      return stat.find(") T ") != std::string::npos;
    }));
  }
  void kill_holder() {
    holder_->send(SIGKILL);
    EXPECT_EQ(holder_->wait().signal, SIGKILL);
  }

  std::vector<std::string> inbox() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(trial_.here().store() + "/inbox")) {
      files.push_back(entry.path().string());
    }
    return files;
  }
  std::vector<std::string> notes() const {
    return lines_of(trial_.expect_done({"events", "--jsonl", "--type", "note_added"}).out);
  }

 private:
  Trial trial_;
  std::unique_ptr<DatabaseLock> lock_;
  std::unique_ptr<RunningProgram> holder_;
};

bool has_open(pid_t pid, const std::string& path) {
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
    if (fs::read_symlink(entry.path(), gone) == path) return true;
  }
  return false;
}

TEST(TwoWriters, TheSecondExecutionExits6AndNamesTheFirst) {
  HeldStore store;
  const auto runs = store.trial().outcomes();
  for (const bool waits : {false, true}) {
    std::vector<std::string> arguments{"backup", "photos"};
    if (waits) arguments.insert(arguments.begin(), {"--lock-wait", "0.5"});
    const auto begin = std::chrono::steady_clock::now();
    const Ran ran = store.trial().run(arguments);
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(ran.exit_code, 6) << ran.err;
    EXPECT_NE(ran.err.find("pid " + std::to_string(store.holder().pid()) + " ("), ran.err.npos)
        << ran.err;
    EXPECT_NE(ran.err.find("muniment -v backup notes) since 20"), ran.err.npos) << ran.err;
    EXPECT_NE(ran.err.find("--lock-wait"), ran.err.npos) << "what to do next: " << ran.err;
    EXPECT_EQ(took >= std::chrono::milliseconds(500), waits);
  }
  EXPECT_EQ(store.trial().outcomes(), runs);
  store.release();
  EXPECT_EQ(store.holder().wait().exit_code, 0);
}

TEST(TwoWriters, LockWaitGetsTheStoreOnceItIsFree) {
  HeldStore store;
  RunningProgram second(muniment_argv({"-v", "--lock-wait", "60", "backup", "photos"}),
                        store.trial().here().surroundings());
  ASSERT_TRUE(
      comes_true([&] { return has_open(second.pid(), store.trial().here().store() + "/lock"); }));
  EXPECT_FALSE(store.holder().has_ended());
  store.release();
  const Ran first_ran = store.holder().wait();
  const Ran second_ran = second.wait();
  EXPECT_EQ(first_ran.exit_code, 0) << first_ran.err;
  EXPECT_EQ(second_ran.exit_code, 0) << second_ran.err;
  const auto sequence = [](const std::string& line) { return std::stoull(line.substr(1)); };
  const auto first_said = acknowledged(first_ran.err);
  const auto second_said = acknowledged(second_ran.err);
  ASSERT_FALSE(first_said.empty());
  ASSERT_FALSE(second_said.empty());
  EXPECT_EQ(sequence(first_said.back()) + 1, sequence(second_said.front()));
  store.trial().expect_intact();
}

TEST(TwoWriters, ANoteComesBackFromTheInboxWithItsSequence) {
  HeldStore store;
  const Ran ran = store.trial().run({"note", "latest", "seen meanwhile"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_FALSE(store.holder().has_ended());
  const std::vector<std::string> notes = store.notes();
  ASSERT_EQ(notes.size(), 1U);
  ASSERT_TRUE(ran.out.starts_with('#')) << ran.out;
  const std::string sequence = ran.out.substr(1, ran.out.find(' ') - 1);
  EXPECT_NE(notes[0].find("\"sequence\":" + sequence + ","), notes[0].npos) << ran.out << notes[0];
  EXPECT_NE(notes[0].find("seen meanwhile"), notes[0].npos) << notes[0];
  // The file goes after its event is durable.
  EXPECT_TRUE(comes_true([&] { return store.inbox().empty(); }));
  store.release();
  EXPECT_EQ(store.holder().wait().exit_code, 0);
  store.trial().expect_intact();
}

// A holder that does not answer, and is killed then; `next` is the command that comes after it.
void leave_a_note_for(const std::vector<std::string>& next, std::size_t notes_then) {
  HeldStore store;
  store.freeze();
  const Ran ran = store.trial().run({"note", "latest", "left behind"});
  EXPECT_EQ(ran.exit_code, 6) << ran.out << ran.err;
  EXPECT_NE(ran.err.find(store.trial().here().store() + "/inbox"), ran.err.npos) << ran.err;
  const std::vector<std::string> left = store.inbox();
  ASSERT_EQ(left.size(), 1U);
  struct stat facts{};
  ASSERT_EQ(::stat(left[0].c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode, S_IFREG | 0600U);
  EXPECT_EQ(store.notes().size(), 0U);
  store.kill_holder();
  store.release();
  store.trial().expect_done(next);
  const std::vector<std::string> notes = store.notes();
  ASSERT_EQ(notes.size(), notes_then);
  EXPECT_NE(notes[0].find("left behind"), notes[0].npos) << notes[0];
  EXPECT_NE(notes[0].find(fs::path(left[0]).filename().string()), notes[0].npos) << notes[0];
  EXPECT_EQ(store.inbox().size(), 0U);
  store.trial().expect_recovery();
}

TEST(TwoWriters, ANoteThatIsNotTakenExits6AndWaitsForTheNextWriter) {
  in_two_lanes(2, [](std::size_t i) {
    if (i == 0) leave_a_note_for({"note", "latest", "another"}, 2);
    if (i == 1) leave_a_note_for({"backup", "photos"}, 1);
  });
}

TEST(TwoWriters, KillingTheHolderFreesTheStore) {
  HeldStore store;
  store.kill_holder();
  store.release();
  EXPECT_EQ(store.trial().runs_with("running").size(), 1U);
  EXPECT_EQ(store.trial().partial_folders().size(), 1U);
  store.trial().expect_recovery();
  EXPECT_EQ(store.trial().runs_with("abandoned").size(), 1U);
}

TEST(TwoWriters, ReadersWorkBesideAWriterAliveOrFrozen) {
  HeldStore store;
  for (const bool frozen : {false, true}) {
    if (frozen) store.freeze();
    EXPECT_EQ(store.trial().runs_with("running").size(), 1U);
    const auto events = store.trial().event_lines();
    for (const std::string& event : acknowledged(store.holder().err())) {
      EXPECT_TRUE(events.contains(event)) << event;
    }
    store.trial().expect_intact();
    store.trial().expect_done({"show", "latest"});
    store.trial().expect_done({"report", "latest", "--format", "text"});
  }
  store.holder().send(SIGCONT);
  store.release();
  EXPECT_EQ(store.holder().wait().exit_code, 0);
}

}  // namespace
}  // namespace muniment
