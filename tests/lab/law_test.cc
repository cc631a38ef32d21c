// The law of the two streams over real engines: under one mask, a rehearsal and an execution of the
// same manifest against the same containers record the same events.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/core/manifest.h"
#include "recorder/log/memory_log.h"
#include "tests/lab/lab_fixture.h"
#include "tests/support/read_file.h"
#include "tests/support/two_streams.h"

namespace muniment {
namespace {

struct TwoStreamsOf {
  Stream rehearsed;
  Stream done;
};

class LabLawTest : public LabTest {
 protected:
  // Both runs over all modules of `tables`, each with a log of its own.
  TwoStreamsOf run_both(const std::string& tables) {
    write_manifest(tables);
    const Result<Manifest> manifest =
        parse_manifest(world().manifest(), read_file(world().manifest()));
    EXPECT_TRUE(manifest) << manifest.error().message;
    if (!manifest) return {};
    RunInput input;
    input.manifest = &*manifest;
    for (const Module& module : manifest->modules) input.modules.push_back(&module);
    input.all = true;
    input.store = world().store();
    input.engine = EngineUse{};
    input.engine->selector = manifest->engine;
    input.engine->environment = [](const char*) { return std::optional<std::string>(); };
    TwoStreamsOf out;
    // The fixture has functions of these names, for the real binary.
    out.rehearsed = muniment::rehearse(input, *make_memory_log("testhost/muniment"));
    EXPECT_FALSE(std::filesystem::exists(world().root())) << "a rehearsal made the backup root";
    out.done = muniment::execute(input, *make_memory_log("testhost/muniment"));
    EXPECT_FALSE(has_taken(out.rehearsed));
    EXPECT_TRUE(each_settled(out.rehearsed, v1::STEP_RESULT_WITHHELD));
    return out;
  }

  static void expect_one(const TwoStreamsOf& both, const std::vector<FieldPath>& masked) {
    expect_same(masked_stream(both.rehearsed, kNothingTaken, masked),
                masked_stream(both.done, kTaken, masked));
  }
};

void expect_applied(const Stream& done, std::size_t modules, std::size_t artifacts) {
  EXPECT_EQ(done.state.outcome(), v1::RUN_OUTCOME_OK) << done.state.ShortDebugString();
  EXPECT_TRUE(each_settled(done, v1::STEP_RESULT_APPLIED));
  EXPECT_EQ(count_of(done, v1::Event::kModuleResolved), modules);
  EXPECT_EQ(count_of(done, v1::Event::kStepSettled), 3 * modules);
  EXPECT_EQ(count_of(done, v1::Event::kManifestWritten), modules);
  EXPECT_EQ(count_of(done, v1::Event::kBackupWritten), artifacts);
  EXPECT_EQ(count_of(done, v1::Event::kArtifactVerified), artifacts);
}

// The whole table's mask, and nothing more.
TEST_P(LabLawTest, HoldsOverServersAndFiles) {
  const TwoStreamsOf both = run_both(
      module_table("shop-db", "shop/db") + module_table("vault", "vault/db") +
      module_table("cache", "shop/cache") +
      module_table("sessions", "shop/sessions",
                   "class = \"redis\"\n"
                   "auth = { user = \"backup\", password = \"env:REDIS_BACKUP_PASSWORD\" }\n") +
      module_table("files", "shop/files",
                   "class = \"files\"\npaths = [\"/srv/files\", \"/srv/papers\"]\n"));
  // Globals and three databases; globals and two; one each.
  expect_applied(both.done, 5, 4 + 3 + 1 + 1 + 1);
  expect_one(both, kMasked);
}

// The database grows between the two looks at it, so the sizes of it and its log are space figures
// here, and so is what is expected of the copy. What kind of database it is, is not.
TEST_P(LabLawTest, HoldsOverADatabaseThatIsWrittenAllTheTime) {
  const TwoStreamsOf both = run_both(
      module_table("notes", "shop/notes", "class = \"sqlite\"\npaths = [\"/data/app.db\"]\n"));
  expect_applied(both.done, 1, 1);
  std::vector<FieldPath> masked = kMasked;
  for (const FieldPath path :
       {"path_observed.size_bytes", "path_observed.sqlite.page_count",
        "path_observed.sqlite.wal_bytes", "plan_step_proposed.expected_bytes",
        "plan_sealed.space_needed_bytes"}) {
    masked.push_back(path);
  }
  expect_one(both, masked);
}

// What resolves to nothing, or to more than one: neither run goes on, and both say the same of it.
TEST_P(LabLawTest, HoldsWhereNothingIsResolved) {
  const TwoStreamsOf both =
      run_both(module_table("stopped", "shop/stopped", "class = \"redis\"\n") +
               module_table("pair", "shop/pair", "class = \"files\"\npaths = [\"/srv\"]\n") +
               module_table("job", "shop/job", "class = \"files\"\npaths = [\"/srv\"]\n") +
               module_table("absent", "shop/absent") + module_table("cache", "shop/cache"));
  EXPECT_EQ(count_of(both.done, v1::Event::kModuleUnresolved), 4U);
  EXPECT_NE(both.done.state.outcome(), v1::RUN_OUTCOME_OK);
  EXPECT_FALSE(has_taken(both.done));
  EXPECT_FALSE(std::filesystem::exists(world().root()));
  expect_one(both, kMasked);
}

INSTANTIATE_TEST_SUITE_P(Lab, LabLawTest, engines(), engine_name);

}  // namespace
}  // namespace muniment
