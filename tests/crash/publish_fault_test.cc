// `publish` killed, or refused by the system, at each of its calls on the folder: whoever reads it
// finds what was published before, and the next publisher ends what was begun.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/crash/trial.h"
#include "tests/support/file_faults.h"
#include "tests/support/generator.h"
#include "tests/support/published_host.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

// Sizes between which all happens that can: tiles become full, a second level begins, partial tiles
// are replaced.
constexpr std::uint64_t kBefore = 200;
constexpr std::uint64_t kAfter = 600;

class PublishFault : public testing::Test {
 protected:
  // What was there before, none for an empty `published`, comes to a folder of its own.
  std::string prepare(const std::string& published, std::size_t number) const {
    const std::string folder = host_.here().path("case" + std::to_string(number));
    if (!published.empty()) fs::copy(published, folder, fs::copy_options::recursive);
    return folder;
  }

  FaultyRun strike(const std::string& folder, Fault fault, std::size_t at) const {
    return run_with_fault(muniment_argv({"publish", folder}), host_.here().surroundings(),
                          {.under = folder, .fault = fault, .at = at});
  }

  void expect_old_or_new(const std::string& folder, const std::string& published) const {
    const FileMap files = read_folder(folder);
    if (!files.contains("checkpoint")) {
      EXPECT_TRUE(published.empty()) << "the checkpoint is gone";
      return;
    }
    const v1::VerifyReport report = host_.judge(files);
    EXPECT_EQ(report.verdict(), kIntact) << report.DebugString();
    const bool is_old = !published.empty() && report.events() == kBefore;
    EXPECT_TRUE(is_old || report.events() == kAfter) << report.events();
  }

  void expect_mended(const std::string& folder, const FileMap& expected) const {
    const Ran ran = host_.publish_in(folder);
    EXPECT_EQ(ran.exit_code, 0) << shown(ran);
    EXPECT_TRUE(read_folder(folder) == expected) << "not what an undisturbed one leaves";
    EXPECT_FALSE(fs::exists(folder + "/.muniment-publishing"));
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const auto mode = fs::status(entry).permissions() & fs::perms::all;
      EXPECT_EQ(mode, fs::perms(entry.is_directory() ? 0755 : 0644)) << entry.path();
    }
  }

  void sweep(const std::string& published) {
    Generator generator;
    SCOPED_TRACE(generator.seed_line());
    const std::string undisturbed = prepare(published, 0);
    const FaultyRun whole = strike(undisturbed, Fault::kNone, 0);
    if (whole.refused) GTEST_SKIP() << "the kernel does not let this process trace another";
    ASSERT_EQ(whole.ran.exit_code, 0) << whole.ran.err;
    const FileMap expected = read_folder(undisturbed);
    std::size_t cases = 0;
    std::size_t struck = 0;
    for (const Fault fault : {Fault::kKill, Fault::kInterrupt, Fault::kIoError, Fault::kNoSpace}) {
      const std::size_t stride = is_full() ? 1 : 24;
      for (std::size_t at = generator.below(stride); at < whole.calls.size(); at += stride) {
        const std::string folder = prepare(published, ++cases);
        const FaultyRun run = strike(folder, fault, at);
        SCOPED_TRACE(fault_name(fault) + " at call " + std::to_string(at) + ", " +
                     whole.calls[at].name + " " + whole.calls[at].path + "\n" + shown(run.ran));
        if (run.struck) ++struck;
        EXPECT_FALSE(run.hung);
        expect_old_or_new(folder, published);
        if (fault != Fault::kKill && run.ran.exit_code != 0) {
          const bool was_asked = fault == Fault::kInterrupt;
          expect_ended(run.ran, was_asked ? 130 : 1,
                       {was_asked ? "run `muniment publish" : folder});
        }
        expect_mended(folder, expected);
        fs::remove_all(folder);
      }
    }
    EXPECT_EQ(struck, cases);
    EXPECT_GT(cases, 20U);
  }

  PublishedHost host_;
};

TEST_F(PublishFault, InAFirstPublicationLeavesNothingThatLooksLikeALog) {
  host_.grow_to(kAfter);
  sweep("");
}

TEST_F(PublishFault, InALaterOneLeavesTheOldOneOrTheNewOne) {
  host_.grow_to(kBefore);
  ASSERT_EQ(host_.publish().exit_code, 0);
  host_.grow_to(kAfter);
  sweep(host_.www());
}

}  // namespace
}  // namespace muniment
