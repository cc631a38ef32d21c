#include "recorder/log/lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <chrono>
#include <regex>
#include <string>
#include <utility>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using Stay = std::function<void()>;

bool hold_exclusively(const std::string& store, const std::string& command, const Stay& stay) {
  const auto lock = StoreLock::exclusive(store, {milliseconds{0}, command});
  if (!lock) return false;
  stay();
  return true;
}

bool hold_shared(const std::string& store, const Stay& stay) {
  const auto lock = StoreLock::try_shared(store);
  if (!lock || !lock->has_value()) return false;
  stay();
  return true;
}

std::string busy_message(const std::string& store) {
  const auto lock = StoreLock::exclusive(store, {milliseconds{0}, "the second"});
  EXPECT_FALSE(lock.has_value());
  if (lock) return "";
  EXPECT_EQ(lock.error().code, ErrorCode::kBusy);
  return lock.error().message;
}

bool is_free(const std::string& store) {
  return StoreLock::exclusive(store, {}).has_value();
}

mode_t mode_of(const std::string& path) {
  struct stat facts{};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

TEST(StoreLock, ConflictsWithinOneProcessAndEndsWithTheObject) {
  const TempDir store;
  {
    auto first = StoreLock::exclusive(store.path, {milliseconds{0}, "first"});
    ASSERT_TRUE(first.has_value());
    EXPECT_NE(busy_message(store.path).find("pid " + std::to_string(::getpid()) + " (first)"),
              std::string::npos);
    const StoreLock moved = std::move(*first);
    EXPECT_FALSE(is_free(store.path));
  }
  EXPECT_TRUE(is_free(store.path));
}

TEST(StoreLock, NamesTheHolderByPidCommandAndStart) {
  const TempDir store;
  const HeldProcess holder([&](const Stay& stay) {
    return hold_exclusively(store.path, "muniment backup --all", stay);
  });
  ASSERT_TRUE(holder.started());
  const std::string message = busy_message(store.path);
  const std::regex expected(
      "store " + store.path + " is held by pid " + std::to_string(holder.pid()) +
      " \\(muniment backup --all\\) since 20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ; "
      "wait for it, or use --lock-wait SECONDS");
  EXPECT_TRUE(std::regex_match(message, expected)) << message;
}

TEST(StoreLock, IsFreeOnceItsHolderWasKilled) {
  const TempDir store;
  HeldProcess holder(
      [&](const Stay& stay) { return hold_exclusively(store.path, "doomed", stay); });
  ASSERT_TRUE(holder.started());
  EXPECT_FALSE(is_free(store.path));
  holder.kill_now();
  EXPECT_TRUE(is_free(store.path));
}

TEST(StoreLock, NeverShowsTheTextOfADeadHolder) {
  const TempDir store;
  HeldProcess dead([&](const Stay& stay) { return hold_exclusively(store.path, "ghost", stay); });
  dead.kill_now();
  // Took the lock and died, or has not yet come to writing its own text.
  const HeldProcess silent([&](const Stay& stay) {
    const int file = ::open((store / "lock").c_str(), O_RDWR | O_CLOEXEC);
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) return false;
    stay();
    return true;
  });
  ASSERT_TRUE(silent.started());
  const std::string message = busy_message(store.path);
  EXPECT_EQ(message.find("ghost"), std::string::npos) << message;
  EXPECT_NE(message.find("held by pid " + std::to_string(silent.pid()) + ";"), std::string::npos)
      << message;
}

TEST(StoreLock, ShowsForeignTextInert) {
  const TempDir store;
  const auto held = StoreLock::exclusive(
      store.path, {milliseconds{0}, "a\n\x1b[31mb " + std::string(5'000, 'x')});
  ASSERT_TRUE(held.has_value());
  const std::string message = busy_message(store.path);
  EXPECT_EQ(message.find_first_of("\n\x1b"), std::string::npos) << message;
  EXPECT_LT(message.size(), 500 + store.path.size());
  EXPECT_NE(message.find("(a\\n"), std::string::npos) << message;
}

TEST(StoreLock, WaitsForAHolderThatLetsGo) {
  const TempDir store;
  HeldProcess holder(
      [&](const Stay& stay) { return hold_exclusively(store.path, "for a while", stay); });
  ASSERT_TRUE(holder.started());
  holder.let_go();
  EXPECT_TRUE(StoreLock::exclusive(store.path, {std::chrono::seconds{20}, ""}).has_value());
}

TEST(StoreLock, WaitsAsLongAsItWasTold) {
  const TempDir store;
  const auto held = StoreLock::exclusive(store.path, {});
  const auto begin = steady_clock::now();
  EXPECT_FALSE(StoreLock::exclusive(store.path, {milliseconds{150}, ""}).has_value());
  EXPECT_GE(steady_clock::now() - begin, milliseconds{150});
}

TEST(StoreLock, IsSharedByReadersAndDeniedToThemByAWriter) {
  const TempDir store;
  ASSERT_TRUE(is_free(store.path));
  {
    const auto first = StoreLock::try_shared(store.path);
    const auto second = StoreLock::try_shared(store.path);
    ASSERT_TRUE(first.has_value() && second.has_value());
    EXPECT_TRUE(first->has_value() && second->has_value());
  }
  const auto writer = StoreLock::exclusive(store.path, {});
  ASSERT_TRUE(writer.has_value());
  const auto denied = StoreLock::try_shared(store.path);
  ASSERT_TRUE(denied.has_value());
  EXPECT_FALSE(denied->has_value());
}

TEST(StoreLock, OutwaitsAReaderThatIsOpening) {
  const TempDir store;
  ASSERT_TRUE(is_free(store.path));
  HeldProcess reader([&](const Stay& stay) { return hold_shared(store.path, stay); });
  ASSERT_TRUE(reader.started());
  reader.let_go();
  EXPECT_TRUE(StoreLock::exclusive(store.path, {}).has_value());
}

TEST(StoreLock, NamesAReaderThatNeverLetsGo) {
  const TempDir store;
  ASSERT_TRUE(is_free(store.path));
  const HeldProcess reader([&](const Stay& stay) { return hold_shared(store.path, stay); });
  ASSERT_TRUE(reader.started());
  const auto begin = steady_clock::now();
  EXPECT_NE(busy_message(store.path).find("is being read by pid " + std::to_string(reader.pid())),
            std::string::npos);
  EXPECT_GE(steady_clock::now() - begin, std::chrono::seconds{1});
}

TEST(StoreLock, IsNotInheritedByProgramsThatTheHolderStarts) {
  const TempDir store;
  pid_t child = -1;
  {
    const auto lock = StoreLock::exclusive(store.path, {});
    ASSERT_TRUE(lock.has_value());
    child = ::fork();
    if (child == 0) {
      ::execlp("sleep", "sleep", "60", nullptr);
      ::_exit(127);
    }
  }
  EXPECT_TRUE(StoreLock::exclusive(store.path, {std::chrono::seconds{10}, ""}).has_value());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(StoreLock, IsReadableByTheStoresGroupAlone) {
  const TempDir store;
  ASSERT_EQ(::chmod(store.path.c_str(), 0700), 0);
  ASSERT_TRUE(is_free(store.path));
  EXPECT_EQ(mode_of(store / "lock"), 0600U);
  ASSERT_EQ(::chmod(store.path.c_str(), 02750), 0);
  ASSERT_TRUE(is_free(store.path));
  EXPECT_EQ(mode_of(store / "lock"), 0640U);
}

TEST(StoreLock, IsTakenByAReaderThatMayNotWrite) {
  const TempDir store;
  ASSERT_TRUE(is_free(store.path));
  ASSERT_EQ(::chmod((store / "lock").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(store.path.c_str(), 0555), 0);
  const HeldProcess reader([&](const Stay& stay) {
    // Root may write anywhere: go on as somebody who may not.
    if (::geteuid() == 0 && ::setuid(65'534) != 0) return false;
    return ::access((store / "lock").c_str(), W_OK) != 0 && hold_shared(store.path, stay);
  });
  EXPECT_TRUE(reader.started());
  ASSERT_EQ(::chmod(store.path.c_str(), 0700), 0);
}

TEST(StoreLock, SaysThatThereIsNoStore) {
  const TempDir folder;
  for (const std::string& store : {folder / "nothing", folder.path}) {
    const auto reader = StoreLock::try_shared(store);
    ASSERT_FALSE(reader.has_value());
    EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
  }
  const auto writer = StoreLock::exclusive(folder / "nothing", {});
  ASSERT_FALSE(writer.has_value());
  EXPECT_EQ(writer.error().code, ErrorCode::kNotFound);
  EXPECT_NE(writer.error().message.find("muniment init"), std::string::npos);
}

}  // namespace
}  // namespace muniment
