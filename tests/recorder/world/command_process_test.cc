// What is known of a command when it has ended.
#include "recorder/world/command_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

const auto kNever = [] { return false; };

class CommandProcess : public testing::Test {
 protected:
  CommandLine shell(const std::string& text) {
    CommandLine line;
    line.argv = {"sh", "-c", text};
    line.program = "/bin/sh";
    line.working_folder = dir_.path;
    line.environment = make_environment(
                           variables_, [](const char*) { return std::nullopt; }, secrets_)
                           .value_or(std::vector<std::string>());
    return line;
  }
  CommandEnd run(const CommandLine& line, const std::function<bool()>& stop = kNever) {
    const Result<v1::HostCommand> planned = observe_command(line, secrets_, kNever);
    EXPECT_TRUE(planned) << planned.error().message;
    Result<CommandEnd> end = run_command(line, planned.value_or(v1::HostCommand()), secrets_, stop);
    EXPECT_TRUE(end) << end.error().message;
    return end ? std::move(*end) : CommandEnd();
  }
  CommandEnd run(const std::string& text) { return run(shell(text)); }

  // Whether the process whose id stands in a file is gone, within a second.
  bool is_gone(const std::string& file) const {
    const pid_t pid = std::stoi(read_file(dir_ / file));
    for (int i = 0; i < 100; ++i) {
      // One that nobody has waited for yet is gone as well.
      std::string state;
      std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
      if (!std::getline(stat, state) || state.find(") Z") != state.npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  TempDir dir_;
  Redactor secrets_;
  std::vector<std::string> variables_;
};

TEST_F(CommandProcess, TellsStatusAndBothStreams) {
  const CommandEnd end = run("printf 'to out\\n'; printf 'to err\\n' >&2; exit 3");
  EXPECT_EQ(end.exit_status, 3);
  EXPECT_FALSE(end.timed_out);
  EXPECT_FALSE(end.interrupted);
  EXPECT_EQ(end.out.tail, "to out\n");
  EXPECT_EQ(end.err.tail, "to err\n");
  EXPECT_EQ(end.out.bytes, 7U);
  EXPECT_EQ(to_hex(end.out.sha256), to_hex(sha256("to out\n")));
  EXPECT_EQ(to_hex(end.err.sha256), to_hex(sha256("to err\n")));
  EXPECT_GT(end.duration.count(), 0);
}

TEST_F(CommandProcess, PutsBothStreamsInTheOrderTheyCame) {
  const CommandEnd end = run(
      "echo 1; sleep 0.1; echo 2 >&2; sleep 0.1; echo 3; sleep 0.1; echo 4 >&2; sleep 0.1; echo 5");
  EXPECT_EQ(end.transcript, "out| 1\nerr| 2\nout| 3\nerr| 4\nout| 5\n");
  EXPECT_EQ(end.transcript_cut_bytes, 0U);
}

TEST_F(CommandProcess, TellsWhichSignalEndedIt) {
  EXPECT_EQ(run("kill -KILL $$").exit_status, 128 + SIGKILL);
}

TEST_F(CommandProcess, SaysNothingOfNothing) {
  const CommandEnd end = run("exec >&- 2>&-; exit 0");
  EXPECT_EQ(end.exit_status, 0);
  EXPECT_EQ(end.out.bytes + end.err.bytes, 0U);
  EXPECT_EQ(end.transcript, "");
  EXPECT_EQ(to_hex(end.out.sha256), to_hex(sha256("")));
}

TEST_F(CommandProcess, IsWaitedForAfterItClosedItsStreams) {
  const CommandEnd end = run("exec >&- 2>&-; sleep 0.3; exit 4");
  EXPECT_EQ(end.exit_status, 4);
}

TEST_F(CommandProcess, KeepsABoundedPartOfAHugeOutputAndHashesAll) {
  const CommandEnd end = run("head -c 6000000 /dev/zero | tr '\\0' 'x'; echo; echo last");
  EXPECT_EQ(end.out.bytes, 6'000'006U);
  EXPECT_EQ(to_hex(end.out.sha256), to_hex(sha256(std::string(6'000'000, 'x') + "\nlast\n")));
  EXPECT_EQ(end.out.tail.size(), 4096U);
  EXPECT_TRUE(end.out.tail.ends_with("xxx\nlast\n"));
  EXPECT_LE(end.transcript.size(), 1U << 20U);
  EXPECT_GT(end.transcript.size(), 1000U << 10U);
  EXPECT_GT(end.transcript_cut_bytes, 4'000'000U);
  EXPECT_TRUE(end.transcript.ends_with("xxx\nout| last\n"));
}

TEST_F(CommandProcess, TakesBytesThatAreNoText) {
  const CommandEnd end = run("printf '\\000\\377\\n\\033[31m\\000'");
  const std::string bytes("\0\xff\n\x1b[31m\0", 9);
  EXPECT_EQ(end.out.tail, bytes);
  EXPECT_EQ(to_hex(end.out.sha256), to_hex(sha256(bytes)));
}

TEST_F(CommandProcess, PrintsNoSecretInWhateverPiecesItComes) {
  const std::string secret = "correct-horse-battery-staple";
  variables_ = {"DB_WORD=" + secret};
  const CommandEnd end =
      run("echo a $DB_WORD; echo b $DB_WORD >&2; printf 'corr'; sleep 0.1; echo x >&2; sleep 0.1; "
          "printf 'ect-horse-battery-staple\\n'; printf %s $DB_WORD | base64; "
          "echo mysql --password hunter2hunter2");
  for (const std::string& text : {end.out.tail, end.err.tail, end.transcript}) {
    EXPECT_EQ(text.find("horse"), text.npos) << text;
    EXPECT_EQ(text.find("hunter2"), text.npos) << text;
    EXPECT_EQ(text.find("Y29ycmVjd"), text.npos) << text;
  }
  EXPECT_NE(end.transcript.find("out| a [redacted:env:DB_WORD]\n"), std::string::npos)
      << end.transcript;
  EXPECT_EQ(end.out.bytes, std::string("a \n\n\nmysql --password hunter2hunter2\n").size() +
                               2 * secret.size() + 40);
}

TEST_F(CommandProcess, GetsSurroundingsThatAreItsOwn) {
  variables_ = {"GIVEN=1"};
  // One of ours that was opened without a word of closing it.
  const int open_here = ::open("/dev/null", O_RDONLY);
  ASSERT_GE(open_here, 3);
  const CommandEnd end =
      run("env -u PWD -u OLDPWD -u SHLVL -u _ | sed 's/=.*//' | sort; umask; pwd; "
          "read line || echo no input; ls /proc/$$/fd | wc -l; "
          "(: < /dev/tty) 2>/dev/null || echo no terminal; "
          "ps -o pid=,pgid=,sid= -p $$ | tr -s ' '; echo $$");
  ::close(open_here);
  const std::string& out = end.out.tail;
  EXPECT_TRUE(out.starts_with("GIVEN\nHOME\nLANG\nPATH\nTZ\nUSER\n0077\n" + dir_.path +
                              "\nno input\n3\nno terminal\n"))
      << out;
}

TEST_F(CommandProcess, HasSignalsAsAShellGivesThem) {
  ::signal(SIGPIPE, SIG_IGN);
  const CommandEnd end = run("grep -E '^Sig(Ign|Blk)' /proc/self/status");
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(end.out.tail, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(CommandProcess, EndsItsWholeGroupWhenItsTimeIsOver) {
  CommandLine line = shell("echo begun; sh -c 'echo $$ > grandchild; sleep 60' & sleep 60");
  line.timeout = seconds(1);
  const auto began = std::chrono::steady_clock::now();
  const CommandEnd end = run(line);
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.exit_status, 128 + SIGTERM);
  EXPECT_EQ(end.out.tail, "begun\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(4));
  EXPECT_TRUE(is_gone("grandchild"));
}

TEST_F(CommandProcess, IsKilledWhenItTakesNoNoticeOfBeingAsked) {
  CommandLine line = shell(
      "trap 'echo asked' TERM; (trap '' TERM; echo $BASHPID; exec sh -c 'echo $$ > "
      "grandchild; while :; do sleep 1; done') & while :; do sleep 0.1; done");
  line.timeout = seconds(1);
  const auto began = std::chrono::steady_clock::now();
  const CommandEnd end = run(line);
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.exit_status, 128 + SIGKILL);
  EXPECT_NE(end.out.tail.find("asked\n"), std::string::npos);
  EXPECT_GE(took, seconds(6));
  EXPECT_LT(took, seconds(10));
  EXPECT_TRUE(is_gone("grandchild"));
}

// Whoever holds its streams open belongs to it.
TEST_F(CommandProcess, HasNotEndedWhileWhatItStartedStillPrints) {
  CommandLine line = shell("(sleep 0.3; echo late) & exit 5");
  const CommandEnd end = run(line);
  EXPECT_EQ(end.exit_status, 5);
  EXPECT_EQ(end.out.tail, "late\n");
  line = shell("sleep 60 & echo $! > grandchild; exit 0");
  line.timeout = seconds(1);
  EXPECT_TRUE(run(line).timed_out);
  EXPECT_TRUE(is_gone("grandchild"));
}

TEST_F(CommandProcess, EndsWhenAPersonAsks) {
  const CommandEnd end =
      run(shell("touch begun; sleep 60"), [this] { return fs::exists(dir_ / "begun"); });
  EXPECT_TRUE(end.interrupted);
  EXPECT_FALSE(end.timed_out);
  EXPECT_EQ(end.exit_status, 128 + SIGTERM);
}

TEST_F(CommandProcess, IsToldFromOneThatCouldNotBeStarted) {
  std::ofstream(dir_ / "bad") << "#!/no/such/interpreter\n";
  fs::permissions(dir_ / "bad", fs::perms(0700));
  CommandLine line = shell("");
  line.argv = {"./bad"};
  line.program = dir_ / "./bad";
  const Result<v1::HostCommand> planned = observe_command(line, secrets_, kNever);
  ASSERT_TRUE(planned);
  const Result<CommandEnd> end = run_command(line, *planned, secrets_, kNever);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kIo);
  EXPECT_NE(end.error().message.find("bad"), std::string::npos) << end.error().message;
}

TEST_F(CommandProcess, RunsAScriptFromWhatWasChecked) {
  std::ofstream(dir_ / "show") << "#!/bin/sh\necho \"$0\" \"$1\"\n";
  fs::permissions(dir_ / "show", fs::perms(0700));
  CommandLine line = shell("");
  line.argv = {"show", "given"};
  line.program = dir_ / "show";
  const CommandEnd end = run(line);
  EXPECT_TRUE(end.out.tail.starts_with("/dev/fd/")) << end.out.tail << end.err.tail;
  EXPECT_TRUE(end.out.tail.ends_with(" given\n")) << end.out.tail;
}

}  // namespace
}  // namespace muniment
