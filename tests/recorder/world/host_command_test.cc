// Which file a command is, and that nothing else is run in its place.
#include "recorder/world/host_command.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recorder/world/command_process.h"
#include "tests/support/read_file.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

const auto kNever = [] { return false; };
const auto kNothing = [](const char*) -> std::optional<std::string> { return std::nullopt; };

class HostCommand : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text, bool executable = false) const {
    std::ofstream(dir_ / name, std::ios::binary) << text;
    fs::permissions(dir_ / name, fs::perms(executable ? 0700 : 0600));
  }
  void script(const std::string& name, const std::string& text) const {
    write(name, "#!/bin/sh\n" + text, true);
  }
  CommandLine line(std::vector<std::string> argv) {
    CommandLine out;
    const Result<std::string> program = find_program(argv[0], "/usr/bin:/bin", dir_.path);
    EXPECT_TRUE(program) << program.error().message;
    out.program = program.value_or("");
    out.argv = std::move(argv);
    out.working_folder = dir_.path;
    out.environment = make_environment({}, kNothing, secrets_).value_or(std::vector<std::string>());
    return out;
  }
  v1::HostCommand observe(const CommandLine& line) const {
    const Result<v1::HostCommand> seen = observe_command(line, secrets_, kNever);
    EXPECT_TRUE(seen) << seen.error().message;
    return seen.value_or(v1::HostCommand());
  }
  // Refused, for this reason, and the marker that the command would leave is not there.
  void expect_not_started(const CommandLine& line, const v1::HostCommand& planned,
                          const std::string& part) {
    const Result<CommandEnd> end = run_command(line, planned, secrets_, kNever);
    ASSERT_FALSE(end) << "it was run";
    EXPECT_EQ(end.error().code, ErrorCode::kRefused) << end.error().message;
    EXPECT_NE(end.error().message.find(part), std::string::npos) << end.error().message;
    EXPECT_FALSE(fs::exists(dir_ / "marker"));
  }

  TempDir dir_;
  Redactor secrets_;
};

TEST_F(HostCommand, IsFoundInTheFoldersOfPathInTheirOrder) {
  fs::create_directory(dir_ / "a");
  fs::create_directory(dir_ / "b");
  script("b/tool", "true\n");
  write("a/tool", "not to be executed\n");
  const std::string path = ":relative:" + (dir_ / "a") + ":" + (dir_ / "b") + "::";
  EXPECT_EQ(find_program("tool", path, dir_.path).value_or(""), dir_ / "b/tool");
  script("a/tool", "true\n");
  EXPECT_EQ(find_program("tool", path, dir_.path).value_or(""), dir_ / "a/tool");
  EXPECT_EQ(find_program("b/tool", "", dir_.path).value_or(""), dir_ / "b/tool");
  script("here", "true\n");
  for (const char* word : {"here", "nowhere", "", "a", "./a", "./nowhere"}) {
    const Result<std::string> found = find_program(word, path, dir_.path);
    ASSERT_FALSE(found) << word;
    EXPECT_EQ(found.error().code, ErrorCode::kInvalid);
  }
}

TEST_F(HostCommand, IsBoundToItsProgramAndToTheFilesAmongItsWords) {
  write("data.txt", "abc");
  fs::create_directory(dir_ / "folder");
  ASSERT_EQ(::mkfifo((dir_ / "fifo").c_str(), 0600), 0);
  const v1::HostCommand seen =
      observe(line({"sh", "-c", "data.txt", "folder", "fifo", "missing", "", dir_ / "data.txt"}));
  ASSERT_EQ(seen.files_size(), 3);
  EXPECT_EQ(seen.files(0).argument(), 0U);
  EXPECT_TRUE(seen.files(0).path() == "/usr/bin/sh" || seen.files(0).path() == "/bin/sh");
  EXPECT_EQ(to_hex(seen.files(0).sha256()), to_hex(sha256(read_file("/bin/sh"))));
  EXPECT_EQ(seen.files(1).argument(), 2U);
  EXPECT_EQ(seen.files(1).path(), dir_ / "data.txt");
  EXPECT_EQ(to_hex(seen.files(1).sha256()), to_hex(sha256("abc")));
  EXPECT_EQ(seen.files(2).argument(), 7U);
  EXPECT_EQ(seen.timeout_seconds(), 600U);
  const std::vector<std::string> names(seen.environment_names().begin(),
                                       seen.environment_names().end());
  EXPECT_EQ(names, (std::vector<std::string>{"HOME", "LANG", "PATH", "TZ", "USER"}));
}

TEST_F(HostCommand, IsRecordedWithoutItsSecrets) {
  secrets_.add_secret("env:DB", "s3cr3t-value");
  write("s3cr3t-value", "x");
  const v1::HostCommand seen =
      observe(line({"sh", "--password", "hunter2hunter2", "x-s3cr3t-value", "s3cr3t-value"}));
  const std::string bytes = seen.SerializeAsString();
  EXPECT_EQ(bytes.find("hunter2"), bytes.npos) << seen.DebugString();
  EXPECT_EQ(bytes.find("s3cr3t"), bytes.npos) << seen.DebugString();
  EXPECT_EQ(seen.files_size(), 2);
}

TEST_F(HostCommand, TooLongToBeRecordedIsRefused) {
  const Result<v1::HostCommand> seen =
      observe_command(line({"sh", std::string(40'000, 'x')}), secrets_, kNever);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, ErrorCode::kInvalid);
  EXPECT_NE(seen.error().message.find("script"), std::string::npos);
}

TEST_F(HostCommand, GetsTheVariablesThatWereAskedForAndTheUsualOnes) {
  const Lookup ours = [](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "HOME") return "/home/anna";
    if (std::string_view(name) == "MINE") return "kept";
    return std::nullopt;
  };
  const auto got =
      make_environment({"MINE", "TOKEN=a=b-long-enough", "EMPTY=", "LANG=C"}, ours, secrets_);
  ASSERT_TRUE(got) << got.error().message;
  ASSERT_EQ(got->size(), 8U);
  EXPECT_EQ(got->at(0), "EMPTY=");
  EXPECT_EQ(got->at(1), "HOME=/home/anna");
  EXPECT_EQ(got->at(2), "LANG=C");
  EXPECT_EQ(got->at(3), "MINE=kept");
  EXPECT_TRUE(got->at(4).starts_with("PATH=/"));
  EXPECT_EQ(got->at(5), "TOKEN=a=b-long-enough");
  EXPECT_TRUE(got->at(6).starts_with("TZ="));
  EXPECT_TRUE(got->at(7).starts_with("USER="));
  EXPECT_EQ(secrets_.redact("a=b-long-enough"), "[redacted:env:TOKEN]");
  for (const char* word : {"", "=x", "A-B=1", "1A=1", "A B", "NOT_SET", "\xff=1"}) {
    EXPECT_FALSE(make_environment({word}, ours, secrets_)) << word;
  }
  EXPECT_FALSE(make_environment({"A=1", "A=2"}, ours, secrets_));
}

TEST_F(HostCommand, IsNotStartedOnceItsScriptWasEdited) {
  script("smoke.sh", "true\n");
  const CommandLine smoke = line({"./smoke.sh"});
  const v1::HostCommand planned = observe(smoke);
  ASSERT_TRUE(run_command(smoke, planned, secrets_, kNever));
  script("smoke.sh", "touch marker\n");
  expect_not_started(smoke, planned, "the program");
  // Nor where another file took its place, with the time of the first.
  const auto time = fs::last_write_time(dir_ / "smoke.sh");
  script("other.sh", "touch marker #\n");
  fs::last_write_time(dir_ / "other.sh", time);
  fs::rename(dir_ / "other.sh", dir_ / "smoke.sh");
  expect_not_started(smoke, planned, "the program");
}

TEST_F(HostCommand, IsNotStartedOnceAFileAmongItsWordsChanged) {
  write("data.txt", "touch marker\n");
  const CommandLine with_data = line({"sh", "-c", "touch marker", "data.txt", "later.txt"});
  const v1::HostCommand planned = observe(with_data);
  write("data.txt", "touch markeR\n");
  expect_not_started(with_data, planned, "argument 3");
  fs::remove(dir_ / "data.txt");
  expect_not_started(with_data, planned, "argument 3");
  write("data.txt", "touch marker\n");
  write("later.txt", "");
  expect_not_started(with_data, planned, "argument 4");
  fs::remove(dir_ / "later.txt");
  EXPECT_TRUE(run_command(with_data, planned, secrets_, kNever)) << "all is as it was";
  EXPECT_TRUE(fs::exists(dir_ / "marker"));
}

// A link that leads elsewhere is another program.
TEST_F(HostCommand, IsNotStartedOnceItsProgramWasReplaced) {
  fs::create_symlink("/bin/true", dir_ / "tool");
  const CommandLine tool = line({"./tool"});
  const v1::HostCommand planned = observe(tool);
  fs::remove(dir_ / "tool");
  fs::create_symlink("/bin/sh", dir_ / "tool");
  expect_not_started(tool, planned, "the program");
}

TEST_F(HostCommand, SeesAChangeBehindTheHash) {
  write("data.txt", "abc");
  const CommandLine sh = line({"sh", "data.txt"});
  const v1::HostCommand planned = observe(sh);
  const Result<std::vector<CommandFile>> files = hold_files(sh, kNever);
  ASSERT_TRUE(files);
  EXPECT_TRUE(check_held(*files, planned));
  write("data.txt", "abd");
  const Status edited = check_held(*files, planned);
  ASSERT_FALSE(edited);
  EXPECT_NE(edited.error().message.find("changed while"), std::string::npos);
  write("new.txt", "abc");
  fs::rename(dir_ / "new.txt", dir_ / "data.txt");
  EXPECT_FALSE(check_held(*files, planned)) << "another file with the same content";
}

// The shell reads on while it runs: what it reads is what was checked.
TEST_F(HostCommand, RunsAScriptToItsEndAsItWasWhenItWasChecked) {
  std::string text = "printf 'echo edited\\n' >> slow.sh\n";
  while (text.size() < 200'000) text += "# far more than a shell reads at once\n";
  script("slow.sh", text + "echo end\nreadlink $0\n");
  const CommandLine slow = line({"./slow.sh"});
  const Result<CommandEnd> end = run_command(slow, observe(slow), secrets_, kNever);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->transcript, "out| end\nout| /memfd:command (deleted)\n");
  EXPECT_TRUE(read_file(dir_ / "slow.sh").ends_with("echo edited\n"));
}

TEST_F(HostCommand, StopsHashingWhenAPersonAsks) {
  const Result<v1::HostCommand> seen = observe_command(line({"sh"}), secrets_, [] { return true; });
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, ErrorCode::kInterrupted);
}

TEST_F(HostCommand, CanHaveAnyName) {
  const std::string name = "it's a \"tool\"\n--\x1b[31m\xff; touch marker";
  script(name, "printf '%s' \"$1\"\n");
  const CommandLine odd = line({"./" + name, "$(touch marker) `touch marker` * \n\xff"});
  const Result<CommandEnd> end = run_command(odd, observe(odd), secrets_, kNever);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->out.tail, odd.argv[1]);
  EXPECT_FALSE(fs::exists(dir_ / "marker"));
}

}  // namespace
}  // namespace muniment
