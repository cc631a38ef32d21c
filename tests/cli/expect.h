// What tests of the command line say again and again.
#ifndef MUNIMENT_TESTS_CLI_EXPECT_H_
#define MUNIMENT_TESTS_CLI_EXPECT_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/run_binary.h"

namespace muniment {

inline std::string shown(const Ran& ran) {
  return "exit " + std::to_string(ran.exit_code) + ", signal " + std::to_string(ran.signal) +
         "\n--- out\n" + ran.out + "--- err\n" + ran.err;
}

inline testing::AssertionResult contains(std::string_view text, std::string_view part) {
  if (text.find(part) != text.npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << part << "\" in:\n" << text;
}

// That it ended so and said each of `parts` on standard error.
inline void expect_ended(const Ran& ran, int exit_code, const std::vector<std::string>& parts) {
  EXPECT_EQ(ran.exit_code, exit_code) << shown(ran);
  for (const std::string& part : parts) EXPECT_TRUE(contains(ran.err, part)) << shown(ran);
}

// What jq makes of a text, without the last newline; fails the test where the text is no JSON.
inline std::string jq(const Workspace& workspace, const std::string& json,
                      const std::string& filter) {
  const std::string file = workspace.path("tmp/jq.json");
  write_text(file, json);
  const Ran ran = run_program({"jq", "-cr", filter, file});
  EXPECT_EQ(ran.exit_code, 0) << ran.err << "\nin:\n" << json;
  return ran.out.substr(0, ran.out.find_last_not_of('\n') + 1);
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_CLI_EXPECT_H_
