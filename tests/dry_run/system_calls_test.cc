// What a rehearsal asks of the kernel: nothing that changes a file outside the store.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/release_root.h"
#include "tests/support/run_binary.h"
#include "tests/support/traced_calls.h"

namespace muniment {
namespace {

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// A thread's name: RocksDB sets it, the C library writes it there. No file of anybody.
bool is_thread_name(std::string_view path) {
  return path.starts_with("/proc/self/task/") && path.ends_with("/comm");
}

struct Finding {
  std::string name;
  std::string line;
};

std::vector<Finding> changes_outside(const std::vector<TracedCall>& calls,
                                     const std::string& store) {
  std::vector<Finding> out;
  for (const TracedCall& call : calls) {
    for (const std::string& path : paths_changed_by(call)) {
      if (is_within(path, store) || path == "/dev/null" || path == "/dev/tty") continue;
      if (is_thread_name(path)) continue;
      out.push_back({call.name, call.name + "(" + call.arguments + ") " + call.result});
    }
  }
  return out;
}

std::string lines_of(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) out += finding.line + "\n";
  return out;
}

std::set<std::string> names_of(const std::vector<Finding>& findings) {
  std::set<std::string> out;
  for (const Finding& finding : findings) out.insert(finding.name);
  return out;
}

class DryRunCalls : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = no_tracing_because(); !why.empty()) GTEST_SKIP() << why;
  }

  // The trace lies beside the workspace, so that it is no file of the program.
  std::vector<TracedCall> trace(const std::vector<std::string>& arguments, int exit_code) {
    const Ran ran = workspace_.run_under(strace_command(aside_ / "trace"), arguments);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    std::vector<TracedCall> calls = read_trace(aside_ / "trace");
    EXPECT_TRUE(std::any_of(calls.begin(), calls.end(), [&](const TracedCall& call) {
      return call.name == "openat" &&
             call.arguments.find(workspace_.store() + "/db") != std::string::npos;
    })) << "the trace does not show the store being opened";
    return calls;
  }

  TempDir aside_;
  Workspace workspace_;
};

TEST_F(DryRunCalls, ChangeNothingOutsideTheStore) {
  make_database_with_hot_wal(workspace_.database(), 100);
  make_tree(workspace_.files());
  add_release_root(workspace_, kMakeIndexStale);
  workspace_.init();
  const auto calls = trace({"backup", "--dry-run", "--all"}, 0);
  EXPECT_TRUE(std::any_of(calls.begin(), calls.end(), [](const TracedCall& call) {
    return call.name == "execve" && call.arguments.find("\"status\"") != std::string::npos;
  })) << "git was not asked";
  EXPECT_EQ(lines_of(changes_outside(calls, workspace_.store())), "");
}

TEST_F(DryRunCalls, ChangeNothingOutsideTheStoreWhenAModuleIsMissing) {
  make_tree(workspace_.files());
  workspace_.init();
  const auto calls = trace({"backup", "--dry-run", "--all"}, 1);
  EXPECT_EQ(lines_of(changes_outside(calls, workspace_.store())), "");
}

// Nothing is tried that the kernel would then forbid.
TEST_F(DryRunCalls, ChangeNothingOutsideTheStoreWithoutLandlock) {
  workspace_.populate();
  add_release_root(workspace_, kMakeIndexStale);
  workspace_.init();
  const Ran ran = workspace_.run_under(
      strace_command(aside_ / "trace", {"-e", "inject=landlock_create_ruleset:error=ENOSYS"}),
      {"backup", "--dry-run", "--all"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  const auto calls = read_trace(aside_ / "trace");
  EXPECT_GT(calls.size(), 100U);
  EXPECT_EQ(lines_of(changes_outside(calls, workspace_.store())), "");
}

// The checker can fail: it finds what an execution does …
TEST_F(DryRunCalls, AreToldFromThoseOfAnExecution) {
  workspace_.populate();
  workspace_.init();
  const auto found = changes_outside(trace({"backup", "--all"}, 0), workspace_.store());
  const std::set<std::string> names = names_of(found);
  for (const char* name : {"openat", "mkdirat", "renameat2", "fchmod", "chmod"}) {
    EXPECT_TRUE(names.contains(name)) << name << " is not among\n" << lines_of(found);
  }
  for (const Finding& finding : found) {
    EXPECT_EQ(finding.line.find(workspace_.store()), std::string::npos) << finding.line;
  }
}

// … and what other programs do, by relative paths and descriptors too.
TEST_F(DryRunCalls, OfOtherProgramsAreFoundByTheChecker) {
  const std::string script =
      "echo a > one; mkdir sub; ln one two; ln -s one three; mv two four; chmod 600 one; "
      "chown 0 one; touch -d yesterday one; truncate -s 3 one; mkfifo pipe; rm four; rmdir sub";
  std::vector<std::string> argv = strace_command(aside_ / "trace");
  argv.insert(argv.end(), {"sh", "-c", script});
  const Ran ran = run_program(argv, workspace_.surroundings());
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto found = changes_outside(read_trace(aside_ / "trace"), "/nowhere");
  const std::string lines = lines_of(found);
  const auto has = [&](const std::vector<std::string>& any) {
    return std::any_of(any.begin(), any.end(),
                       [&](const std::string& name) { return names_of(found).contains(name); });
  };
  EXPECT_TRUE(has({"openat", "open"})) << lines;
  EXPECT_TRUE(has({"mkdir", "mkdirat"})) << lines;
  EXPECT_TRUE(has({"link", "linkat"})) << lines;
  EXPECT_TRUE(has({"symlink", "symlinkat"})) << lines;
  EXPECT_TRUE(has({"rename", "renameat", "renameat2"})) << lines;
  EXPECT_TRUE(has({"chmod", "fchmodat"})) << lines;
  EXPECT_TRUE(has({"chown", "fchownat"})) << lines;
  EXPECT_TRUE(has({"utimensat"})) << lines;
  EXPECT_TRUE(has({"ftruncate", "truncate"})) << lines;
  EXPECT_TRUE(has({"mknod", "mknodat"})) << lines;
  EXPECT_TRUE(has({"unlink", "unlinkat"})) << lines;
  EXPECT_TRUE(has({"rmdir", "unlinkat"})) << lines;
  for (const Finding& finding : found) {
    EXPECT_EQ(finding.line.find("?/"), std::string::npos) << finding.line;
  }
}

TEST(TracedCalls, SayForEachChangingCallWhatItChanges) {
  for (const std::string& name : changing_calls()) {
    const std::string line =
        "7 " + name + "(AT_FDCWD</c>, \"/a/\\\"b\", O_WRONLY, 5</d>, \"e\") = 0\n";
    const auto calls = parse_trace(line);
    ASSERT_EQ(calls.size(), 1U) << name;
    EXPECT_EQ(calls[0].name, name);
    const std::vector<std::string> paths = paths_changed_by(calls[0]);
    ASSERT_FALSE(paths.empty()) << name;
    EXPECT_TRUE(paths[0] == "/a/\\\"b" || paths[0] == "/d/e") << name << " " << paths[0];
  }
  EXPECT_TRUE(
      paths_changed_by({"openat", "AT_FDCWD</c>, \"/a\", O_RDONLY|O_CLOEXEC", "= 3"}).empty());
  EXPECT_EQ(paths_changed_by({"fchmod", "3</a/b>, 0600", "= 0"}), std::vector<std::string>{"/a/b"});
}

TEST(TracedCalls, AreWholeWhenAThreadCameBetween) {
  const auto calls = parse_trace(
      "7 mkdir(\"/a\", 0700 <unfinished ...>\n8 unlink(\"/b\") = 0\n"
      "7 <... mkdir resumed>)    = -1 EACCES (Permission denied)\n7 +++ exited with 0 +++\n");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].name, "mkdir");
  EXPECT_EQ(paths_changed_by(calls[0]), std::vector<std::string>{"/a"});
  EXPECT_EQ(calls[0].result, "= -1 EACCES (Permission denied)");
  EXPECT_EQ(calls[1].name, "unlink");
}

}  // namespace
}  // namespace muniment
