// Shows each rule a tree that breaks it and one that does not, so that no rule passes for ever.
#include "tests/support/tree_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace muniment {
namespace {

using Rule = Violations (*)(const Tree&);

void expect_found(Rule rule, const std::string& path, const std::string& text,
                  const std::string& where_and_what) {
  const Violations violations = rule({{path, text}});
  ASSERT_EQ(violations.size(), 1U) << path << ": " << text;
  EXPECT_NE(violations[0].find(where_and_what), std::string::npos) << violations[0];
  EXPECT_TRUE(violations[0].starts_with(path + ":")) << violations[0];
}

void expect_allowed(Rule rule, const std::string& path, const std::string& text) {
  const Violations violations = rule({{path, text}});
  EXPECT_TRUE(violations.empty()) << violations.front();
}

std::string including(const std::string& header) {
  return "// x\n#include \"" + header + "\"\n";
}

TEST(TreeRules, KnowEveryWrongArrow) {
  struct Case {
    const char* file;
    const char* header;
    bool allowed;
  };
  for (const Case& c : {
           Case{"recorder/core/a.cc", "recorder/core/b.h", true},
           Case{"recorder/core/a.cc", "muniment/v1/event.pb.h", true},
           Case{"recorder/core/a.cc", "recorder/log/event_log.h", false},
           Case{"recorder/core/a.h", "recorder/clock.h", false},
           Case{"recorder/core/a.cc", "tests/support/temp_dir.h", false},
           Case{"recorder/log/a.cc", "recorder/core/b.h", true},
           Case{"recorder/log/a.cc", "recorder/log/rocks_log.h", true},
           Case{"recorder/log/a.cc", "recorder/world/sink.h", false},
           Case{"recorder/log/a.cc", "replay/fold.h", false},
           Case{"recorder/world/a.cc", "recorder/world/sink.h", true},
           Case{"recorder/world/a.cc", "recorder/log/event_log.h", false},
           Case{"recorder/a.cc", "recorder/clock.h", true},
           Case{"recorder/a.cc", "recorder/log/event_log.h", true},
           Case{"recorder/a.cc", "recorder/log/store.h", false},
           Case{"recorder/a.cc", "recorder/world/sink.h", true},
           Case{"recorder/a.cc", "recorder/world/sinks.h", false},
           Case{"recorder/a.cc", "recorder/world/host_source.h", false},
           Case{"recorder/a.cc", "recorder/world/landlock.h", false},
           Case{"recorder/a.cc", "replay/fold.h", false},
           Case{"replay/a.cc", "recorder/core/run_state.h", true},
           Case{"replay/a.cc", "recorder/log/queries.h", true},
           Case{"replay/a.cc", "recorder/log/rocks_log.h", false},
           Case{"replay/a.cc", "recorder/world/source.h", false},
           Case{"replay/a.cc", "recorder/recorder.h", false},
           Case{"cli/app.cc", "recorder/world/sinks.h", true},
           Case{"cli/app.cc", "recorder/log/store.h", true},
           Case{"cli/app.cc", "recorder/log/rocks_log.h", false},
       }) {
    SCOPED_TRACE(std::string(c.file) + " -> " + c.header);
    if (c.allowed) expect_allowed(find_wrong_arrows, c.file, including(c.header));
    if (!c.allowed) expect_found(find_wrong_arrows, c.file, including(c.header), ":2: includes ");
  }
  expect_allowed(find_wrong_arrows, "recorder/core/a.cc", "// #include \"replay/fold.h\"\n");
  expect_found(find_wrong_arrows, "recorder/core/a.cc", "#include <replay/fold.h>\n", ":1:");
  expect_found(find_wrong_arrows, "replay/a.cc", including("fold.h"), ":2: includes fold.h");
  expect_allowed(find_wrong_arrows, "replay/a.cc", including("google/protobuf/any.pb.h"));
  expect_found(find_wrong_arrows, "proto/a.proto", "import \"recorder/x.proto\";\n", ":1:");
  expect_allowed(find_wrong_arrows, "proto/a.proto", "import \"muniment/v1/run.proto\";\n");
}

TEST(TreeRules, KnowRocksDbOutsideTheLog) {
  const std::string text = "#include <rocksdb/db.h>\n";
  expect_found(find_foreign_rocksdb, "cli/app.cc", text, ":1:");
  expect_found(find_foreign_rocksdb, "recorder/recorder.h", "class rocksdb::DB;\n", ":1:");
  expect_allowed(find_foreign_rocksdb, "recorder/log/a.cc", text);
  expect_allowed(find_foreign_rocksdb, "tests/recorder/log/a_test.cc", text);
  expect_allowed(find_foreign_rocksdb, "cli/app.cc", "// rocksdb::DB is not here\n");
}

TEST(TreeRules, KnowStandardOutputOutsideTheView) {
  expect_found(find_foreign_output, "replay/a.cc", "\nstd::cout << 1;\n", ":2:");
  expect_found(find_foreign_output, "cli/app.cc", "  std::printf(\"x\");\n", ":1:");
  expect_found(find_foreign_output, "cli/app.cc", "  std::fputs(x, stdout);\n", ":1:");
  expect_found(find_foreign_output, "recorder/a.cc", "::write(STDOUT_FILENO, x, 1);\n", ":1:");
  expect_allowed(find_foreign_output, "recorder/a.cc", "::dup2(out, STDOUT_FILENO);\n");
  expect_allowed(find_foreign_output, "cli/view.cc", "std::cout << 1;\n");
  expect_allowed(find_foreign_output, "cli/view_table.cc", "std::fputs(x, stdout);\n");
  expect_allowed(find_foreign_output, "cli/app.cc",
                 "std::fprintf(stderr, \"stdout\");\nsnprintf(b, 1);\n");
}

TEST(TreeRules, KnowAWallClockInAnotherPlace) {
  for (const char* const read :
       {"std::chrono::system_clock::now()", "clock_gettime(CLOCK_REALTIME, &t)",
        "std::time(nullptr)", "time(NULL)", "gettimeofday(&t, nullptr)"}) {
    expect_found(find_foreign_clocks, "replay/a.cc", std::string("auto t = ") + read + ";\n",
                 ":1:");
    expect_allowed(find_foreign_clocks, "recorder/clock.cc",
                   std::string("auto t = ") + read + ";\n");
  }
  expect_allowed(find_foreign_clocks, "replay/a.cc",
                 "auto t = start_time(0 + 1);\nsteady_clock::now();\n");
}

TEST(TreeRules, KnowABranchOnTheMode) {
  for (const char* const branch : {"if (dry_run) return;", "if (mode == v1::MODE_DRY_RUN) return;",
                                   "if (word == \"dry-run\") return;", "if (is(kDryRun)) return;",
                                   "if (mode == v1::MODE_EXECUTION) return;"}) {
    expect_found(find_words_of_the_mode, "recorder/recorder.cc", branch, ":1:");
    expect_allowed(find_words_of_the_mode, "recorder/world/withholding_sink.cc", branch);
    expect_allowed(find_words_of_the_mode, "recorder/core/manifest_gates.cc", branch);
    expect_allowed(find_words_of_the_mode, "replay/render_text.cc", branch);
  }
  expect_allowed(find_words_of_the_mode, "recorder/recorder.cc",
                 "// a dry-run is told by its sink\nfail(\"use --dry-run first\");\n");
}

TEST(TreeRules, KnowALongFileAndALongFunction) {
  const auto lines = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "  f();\n";
    return text;
  };
  expect_found(find_long_files, "cli/a.cc", lines(kMostLinesPerFile + 1), ":401:");
  expect_allowed(find_long_files, "cli/a.cc", lines(kMostLinesPerFile));
  const std::string head = "\nvoid g() {\n";
  expect_found(find_long_functions, "cli/a.cc", head + lines(kMostLinesPerFunction - 1) + "}\n",
               ":2: `void g()` has 71 lines");
  expect_allowed(find_long_functions, "cli/a.cc", head + lines(kMostLinesPerFunction - 2) + "}\n");
}

TEST(TreeRules, KnowABareHeader) {
  const std::string bare = "// one\nint a;\nint b;\nint c;\nint d;\n";
  expect_found(find_bare_headers, "replay/a.h", bare, "20 %");
  expect_allowed(find_bare_headers, "replay/a.h", "// two\n" + bare);
  expect_allowed(find_bare_headers, "replay/a.cc", bare);
}

TEST(TreeRules, KnowWhatWasLeftForLater) {
  for (const std::string word : {"TO"
                                 "DO",
                                 "FIX"
                                 "ME",
                                 "X"
                                 "XX"}) {
    expect_found(find_leftovers, "README.md", "a\n" + word + ": b\n", ":2:");
  }
  expect_found(find_leftovers, "script/setup",
               "cd /wo"
               "rk/main\n",
               ":1:");
  expect_allowed(find_leftovers, "script/setup",
                 "mktemp muniment.X"
                 "XXXXX\ncd net"
                 "work/main\n");
}

TEST(TreeRules, KnowATestThatNothingBuilds) {
  const SourceFile cmake{"tests/CMakeLists.txt", "file(GLOB_RECURSE UNIT replay/*_test.cc)\n"};
  EXPECT_TRUE(find_tests_without_target({cmake, {"tests/replay/a/b_test.cc", ""}}).empty());
  EXPECT_EQ(find_tests_without_target({cmake, {"tests/replays/b_test.cc", ""}}).size(), 1U);
  EXPECT_EQ(find_tests_without_target({cmake, {"replay/b_test.cc", ""}}).size(), 1U);
}

TEST(TreeRules, KnowALongOrMissingReadme) {
  EXPECT_EQ(find_long_readme({}).size(), 1U);
  expect_found(find_long_readme, "README.md", std::string(kMostLinesOfReadme + 1, '\n'), ":151:");
  expect_allowed(find_long_readme, "README.md", std::string(kMostLinesOfReadme, '\n'));
}

TEST(TreeRules, KnowANewNameAtTheTop) {
  EXPECT_TRUE(find_new_names_at_top({"README.md", "recorder", ".ci"}).empty());
  EXPECT_EQ(find_new_names_at_top({"README.md", "docs"}),
            Violations{"docs:1: not one of the names at the top level"});
}

}  // namespace
}  // namespace muniment
