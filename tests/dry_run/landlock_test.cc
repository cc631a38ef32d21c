// The kernel holds a rehearsal to its word, and the evidence says so, or says that it does not.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "recorder/world/landlock.h"
#include "tests/support/read_file.h"
#include "tests/support/release_root.h"
#include "tests/support/run_binary.h"
#include "tests/support/traced_calls.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// 0: this kernel has none.
int landlock_abi() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

int opened(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

int error_of(int result) {
  return result == 0 ? 0 : errno;
}

int bound(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int error =
      error_of(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  ::close(fd);
  return error;
}

// A place that each way of writing finds something to work on in.
void prepare(const std::string& folder) {
  fs::create_directories(folder + "/empty");
  fs::create_directories(folder + "/other");
  for (const char* name : {"kept", "gone", "moved", "linked"}) {
    write_text(folder + "/" + name, "before");
  }
}

// Every way of writing, by name: the error number that it got, 0 for none.
std::map<std::string, int> try_everything(const std::string& in, int abi) {
  const auto at = [&](const char* name) { return in + "/" + name; };
  std::map<std::string, int> out;
  out["open to write"] = opened(at("kept"), O_WRONLY);
  out["open to read and write"] = opened(at("kept"), O_RDWR);
  out["open to append"] = opened(at("kept"), O_WRONLY | O_APPEND);
  out["open and truncate"] = opened(at("kept"), O_WRONLY | O_TRUNC);
  out["create"] = opened(at("new"), O_WRONLY | O_CREAT | O_EXCL);
  out["create to read"] = opened(at("new2"), O_RDONLY | O_CREAT);
  out["create without a name"] = opened(in, O_TMPFILE | O_RDWR);
  if (abi >= 3) out["truncate"] = error_of(::truncate(at("kept").c_str(), 1));
  out["mkdir"] = error_of(::mkdir(at("folder").c_str(), 0700));
  out["rmdir"] = error_of(::rmdir(at("empty").c_str()));
  out["unlink"] = error_of(::unlink(at("gone").c_str()));
  out["rename"] = error_of(::rename(at("moved").c_str(), at("renamed").c_str()));
  if (abi >= 2) out["link"] = error_of(::link(at("linked").c_str(), at("other/hard").c_str()));
  out["symlink"] = error_of(::symlink("kept", at("soft").c_str()));
  out["mknod of a file"] = error_of(::mknod(at("node").c_str(), S_IFREG | 0600, 0));
  out["mknod of a FIFO"] = error_of(::mkfifo(at("fifo").c_str(), 0600));
  out["bind"] = bound(at("sock"));
  return out;
}

// In a child, which is restricted to `allowed` first unless that is empty. The answer comes back
// through a pipe, which no rule of Landlock is about.
std::map<std::string, int> try_in_child(const std::string& in, const std::string& allowed,
                                        int abi) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!allowed.empty() && !forbid_writes_outside({allowed}).enforced()) ::_exit(2);
    std::string answer;
    for (const auto& [name, error] : try_everything(in, abi)) {
      answer += name + "=" + std::to_string(error) + "\n";
    }
    const ssize_t written = ::write(ends[1], answer.data(), answer.size());
    ::_exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 3);
  }
  ::close(ends[1]);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0) << "the child did not get to the end";
  std::array<char, 4096> bytes{};
  const ssize_t got = ::read(ends[0], bytes.data(), bytes.size());
  ::close(ends[0]);
  std::map<std::string, int> out;
  std::string text(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0U);
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    const std::size_t sign = text.find('=');
    out[text.substr(0, sign)] = std::stoi(text.substr(sign + 1, end - sign - 1));
    text.erase(0, end + 1);
  }
  return out;
}

TEST(Landlock, GivesEveryWayOfWritingOutsideTheStoreEacces) {
  const int abi = landlock_abi();
  if (abi == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const TempDir dir;
  for (const char* name : {"free", "store", "outside"}) prepare(dir / name);
  const auto unrestricted = try_in_child(dir / "free", "", abi);
  const auto inside = try_in_child(dir / "store", dir / "store", abi);
  const auto outside = try_in_child(dir / "outside", dir / "store", abi);
  EXPECT_GE(unrestricted.size(), 15U);
  for (const auto& [name, error] : unrestricted) {
    if (error == EOPNOTSUPP) continue;  // O_TMPFILE is not in every file system
    EXPECT_EQ(error, 0) << name << ": " << std::strerror(error);
    EXPECT_EQ(inside.at(name), 0) << name << " in the store: " << std::strerror(inside.at(name));
    EXPECT_EQ(outside.at(name), EACCES) << name << " outside the store";
  }
  EXPECT_EQ(read_file(dir / "outside/kept"), "before");
}

class DryRunEnforcement : public testing::Test {
 protected:
  void SetUp() override {
    workspace_.populate();
    workspace_.init();
  }

  std::string start_of_latest_run() const {
    return workspace_.run({"events", "--type", "run_started", "--limit", "1", "--jsonl"}).out;
  }

  std::size_t count_runs() const {
    const std::string text = workspace_.run({"runs", "--json"}).out;
    std::size_t count = 0;
    for (std::size_t at = text.find("\"run_id\""); at != text.npos;
         at = text.find("\"run_id\"", at + 1)) {
      ++count;
    }
    return count;
  }

  Ran run_without_landlock(const std::string& injected, const std::vector<std::string>& more) {
    std::vector<std::string> words{"backup", "--dry-run", "--all"};
    words.insert(words.end(), more.begin(), more.end());
    return workspace_.run_under({"strace", "-f", "-o", "/dev/null", "-e", "inject=" + injected},
                                words);
  }

  Workspace workspace_;
};

TEST_F(DryRunEnforcement, GivesAProgramThatGitRunsEaccesOutsideTheStore) {
  if (landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const std::string written = workspace_.path("written");
  const std::string answer = workspace_.store() + "/answer";
  // A clean filter is a program that `git status` runs on a file that has changed.
  add_release_root(workspace_,
                   "echo '* filter=own' > .gitattributes; git config filter.own.clean "
                   "\"sh -c ': > " +
                       written + "' 2> " + answer + "; cat\"; echo 2 > deployed");
  const Ran ran = workspace_.run({"backup", "--dry-run", "--all"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  ASSERT_TRUE(fs::exists(answer)) << "the filter did not run: this test proves nothing";
  EXPECT_NE(read_file(answer).find("Permission denied"), std::string::npos) << read_file(answer);
  EXPECT_FALSE(fs::exists(written));
  ASSERT_EQ(workspace_.run({"backup", "--all"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(written)) << "nothing held the filter back in an execution";
}

TEST_F(DryRunEnforcement, IsRecordedAndReportedWithItsAbi) {
  const int abi = landlock_abi();
  if (abi == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const Ran ran = workspace_.run({"backup", "--dry-run", "--all", "--require-landlock"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const std::string start = start_of_latest_run();
  EXPECT_NE(start.find("\"mechanism\":\"landlock\""), std::string::npos) << start;
  EXPECT_NE(start.find("\"abi\":" + std::to_string(abi) + ","), std::string::npos) << start;
  EXPECT_NE(start.find("\"enforced\":true"), std::string::npos) << start;
  const std::string report = workspace_.run({"report", "latest:dry-run"}).out;
  EXPECT_NE(report.find("outside the store"), std::string::npos) << report;
  EXPECT_NE(report.find("Landlock ABI " + std::to_string(abi) + " forbade: create, write, rename"),
            std::string::npos)
      << report;
}

TEST_F(DryRunEnforcement, BeginsBeforeTheStoreIsOpenedAndBeforeAnyThreadExists) {
  if (landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  if (const std::string why = no_tracing_because(); !why.empty()) GTEST_SKIP() << why;
  const TempDir aside;
  const Ran ran =
      workspace_.run_under(strace_command(aside / "trace"), {"backup", "--dry-run", "--all"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const std::vector<TracedCall> calls = read_trace(aside / "trace");
  const auto restricted = std::find_if(calls.begin(), calls.end(), [](const TracedCall& call) {
    return call.name == "landlock_restrict_self";
  });
  ASSERT_NE(restricted, calls.end());
  EXPECT_EQ(restricted->result, "= 0");
  const auto in_store = [&](const TracedCall& call) {
    return call.arguments.find(workspace_.store() + "/") != std::string::npos;
  };
  for (auto call = calls.begin(); call != restricted; ++call) {
    EXPECT_FALSE(is_birth(*call)) << call->name << "(" << call->arguments << ")";
    EXPECT_FALSE(in_store(*call)) << call->name << "(" << call->arguments << ")";
    EXPECT_TRUE(paths_changed_by(*call).empty()) << call->name << "(" << call->arguments << ")";
  }
  EXPECT_TRUE(std::any_of(restricted, calls.end(), is_birth));
  EXPECT_TRUE(std::any_of(restricted, calls.end(), in_store));
}

TEST_F(DryRunEnforcement, IsNotClaimedWhereTheKernelRefusesLandlock) {
  if (const std::string why = no_tracing_because(); !why.empty()) GTEST_SKIP() << why;
  for (const std::string injected :
       {"landlock_create_ruleset:error=ENOSYS", "landlock_create_ruleset:error=EOPNOTSUPP",
        "landlock_add_rule:error=EPERM", "landlock_restrict_self:error=E2BIG"}) {
    // Behind the first call only a kernel that has Landlock is asked.
    if (landlock_abi() == 0 && !injected.starts_with("landlock_create")) continue;
    SCOPED_TRACE(injected);
    const Ran ran = run_without_landlock(injected, {});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.err.find("does not enforce"), std::string::npos) << ran.err;
    const std::string start = start_of_latest_run();
    EXPECT_NE(start.find("\"enforced\":false"), std::string::npos) << start;
    EXPECT_EQ(start.find("\"not_because\":null"), std::string::npos) << start;
    const std::string report = workspace_.run({"report", "latest:dry-run"}).out;
    EXPECT_NE(report.find("not enforced by the kernel"), std::string::npos) << report;
    EXPECT_EQ(report.find("forbidden by Landlock"), std::string::npos) << report;
  }
}

TEST_F(DryRunEnforcement, ThatIsRequiredAndRefusedIsExitOneWithNothingRecorded) {
  if (const std::string why = no_tracing_because(); !why.empty()) GTEST_SKIP() << why;
  ASSERT_EQ(count_runs(), 0U);
  const Ran ran =
      run_without_landlock("landlock_create_ruleset:error=ENOSYS", {"--require-landlock"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.err.find("--require-landlock"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(count_runs(), 0U);
  EXPECT_EQ(run_without_landlock("landlock_create_ruleset:error=ENOSYS", {}).exit_code, 0);
  EXPECT_EQ(count_runs(), 1U) << "the count does not count";
}

}  // namespace
}  // namespace muniment
