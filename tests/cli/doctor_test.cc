// doctor and completion, by the real binary.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "tests/support/run_binary.h"

namespace muniment {
namespace {

// The line of a check: "store ok …".
std::string line_of(const std::string& text, const std::string& check) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.starts_with(check + " ")) return line;
    at = end + 1;
  }
  return "";
}

TEST(Doctor, FindsNothingInTheWayOfARunThatSucceeds) {
  const Workspace here;
  here.populate();
  here.init();
  ASSERT_EQ(here.run({"backup", "--all", "--dry-run"}).exit_code, 0);
  const Ran ran = here.run({"doctor"});
  EXPECT_EQ(ran.exit_code, 0) << ran.out;
  for (const char* check : {"manifest", "store", "log", "wal", "clock", "root", "engine"}) {
    EXPECT_TRUE(line_of(ran.out, check).contains(" ok ")) << check << "\n" << ran.out;
  }
  EXPECT_FALSE(line_of(ran.out, "landlock").empty());
}

TEST(Doctor, SaysWhatIsMissingAndWhatToDo) {
  const Workspace here;
  here.write_manifest(
      "[[module]]\nname = \"db\"\ncontainer = { name = \"db\" }\nclass = \"postgres\"\n");
  std::filesystem::create_directories(here.path("run"));
  RunWith with = here.surroundings();
  with.environment["DOCKER_HOST"] = "unix://" + here.path("run/none.sock");
  const Ran ran = run_muniment({"doctor"}, with);
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(line_of(ran.out, "store").contains("failed")) << ran.out;
  EXPECT_TRUE(line_of(ran.out, "store").contains("init"));
  EXPECT_TRUE(line_of(ran.out, "engine").contains("failed")) << ran.out;
  EXPECT_TRUE(line_of(ran.out, "engine").contains("none.sock"));
}

// What a gate would refuse, and a signature too, is said before anybody waits for either.
TEST(Doctor, FindsAStoreThatWasReplacedByAnOlderCopy) {
  const Workspace here;
  here.populate();
  here.init();
  ASSERT_EQ(here.run({"backup", "--all"}).exit_code, 0);
  const auto copy = [&](const char* from, const char* to) {
    return run_program({"cp", "-a", here.path(from), here.path(to)}).exit_code;
  };
  ASSERT_EQ(copy("store", "older"), 0);
  ASSERT_EQ(here.run({"note", "latest", "one more"}).exit_code, 0);
  ASSERT_EQ(here.run({"checkpoint"}).exit_code, 0);
  EXPECT_TRUE(line_of(here.run({"doctor"}).out, "guard").contains(" ok "));
  std::filesystem::rename(here.path("store"), here.path("newest"));
  ASSERT_EQ(copy("older", "store"), 0);
  const Ran ran = here.run({"doctor"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(line_of(ran.out, "guard").contains("failed")) << ran.out;
  EXPECT_TRUE(line_of(ran.out, "guard").contains("older copy")) << ran.out;
}

// An engine that is not there is exit 8, and the log says so.
TEST(Doctor, LetsARunEndWith8WhereTheEngineCannotBeReached) {
  const Workspace here;
  here.write_manifest(
      "[[module]]\nname = \"db\"\ncontainer = { name = \"db\" }\nclass = \"postgres\"\n");
  here.init();
  RunWith with = here.surroundings();
  with.environment["DOCKER_HOST"] = "unix://" + here.path("none.sock");
  const Ran rehearsed = run_muniment({"backup", "db", "--dry-run"}, with);
  EXPECT_EQ(rehearsed.exit_code, 8) << rehearsed.err;
  const Ran executed = run_muniment({"backup", "db"}, with);
  EXPECT_EQ(executed.exit_code, 8) << executed.err;
  EXPECT_TRUE(executed.err.contains("none.sock")) << executed.err;
  EXPECT_FALSE(std::filesystem::exists(here.root()));
}

TEST(Completion, OffersCommandsAndTheirOptions) {
  const Workspace here;
  const Ran script = here.run({"completion", "bash"});
  ASSERT_EQ(script.exit_code, 0) << script.err;
  const auto offered = [&](const std::string& words, const std::string& number) {
    return run_program({"bash", "-c",
                        script.out + "COMP_WORDS=(" + words + "); COMP_CWORD=" + number +
                            "; _muniment; echo \"${COMPREPLY[*]}\""})
        .out;
  };
  EXPECT_EQ(offered("muniment back", "1"), "backup\n");
  EXPECT_EQ(offered("muniment backup --dry", "2"), "--dry-run\n");
  EXPECT_EQ(offered("muniment -q report --templ", "3"), "--template\n");
  EXPECT_EQ(offered("muniment nosuch --dry", "2"), "\n");
  for (const char* shell : {"zsh", "fish"}) {
    const Ran ran = here.run({"completion", shell});
    EXPECT_EQ(ran.exit_code, 0);
    EXPECT_TRUE(ran.out.contains("dry-run")) << shell;
  }
  EXPECT_EQ(here.run({"completion", "tcsh"}).exit_code, 2);
}

}  // namespace
}  // namespace muniment
