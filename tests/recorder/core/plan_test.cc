#include "recorder/core/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

const std::string kRun = "01900000-0000-7000-8000-000000000001";

// What a plan is made of.
struct World {
  Manifest manifest;
  Resolution resolution;

  Plan plan(const std::string& run_id = kRun) const {
    return make_plan(manifest, resolution, run_id);
  }
  void exclude(const std::string& module, const std::string& rule) {
    v1::Event& event = resolution.events.emplace_back();
    event.set_module(module);
    event.mutable_module_excluded()->set_rule(rule);
    event.mutable_module_excluded()->set_reason("not part of the plan");
  }
  Target& add(const std::string& module, v1::BackupClass id, const std::string& path) {
    Target& target = resolution.targets.emplace_back();
    target.module = module;
    target.backup_class = id;
    target.seen.set_path(path);
    target.seen.set_kind(id == v1::BACKUP_CLASS_FILES ? v1::PATH_KIND_DIRECTORY
                                                      : v1::PATH_KIND_REGULAR);
    return target;
  }
};

World example() {
  World world;
  world.manifest.backup_root = "/var/backups/muniment";
  world.add("notes", v1::BACKUP_CLASS_SQLITE, "/srv/notes/notes.db").gate = "F3";
  world.exclude("proxy", "class none");
  world.add("wiki", v1::BACKUP_CLASS_FILES, "/srv/wiki/pages\tof 2026").exclude = {
      "/srv/wiki/**/tmp_*", "/srv/deploy/**"};
  return world;
}

World random_world(Generator& draw) {
  // Bytes that would break lines, words and UTF-8, if they were let through.
  constexpr std::string_view kAlphabet("ab/ \n\t\\x\xff\xc2\x85\xe2\x80\xae", 14);
  World world;
  world.manifest.backup_root = "/b";
  for (std::size_t i = draw.below(3); i > 0; --i) {
    world.exclude("e" + std::to_string(i), draw.text(draw.between(1, 6), kAlphabet));
  }
  for (std::size_t i = draw.between(1, 4); i > 0; --i) {
    Target& target = world.add("m" + std::to_string(i),
                               draw.one_in(2) ? v1::BACKUP_CLASS_SQLITE : v1::BACKUP_CLASS_FILES,
                               "/" + draw.text(draw.below(12), kAlphabet));
    if (draw.one_in(3)) target.seen.set_kind(v1::PATH_KIND_REGULAR);
    for (std::size_t k = draw.below(3); k > 0; --k) {
      target.exclude.push_back("/" + draw.text(draw.below(8), kAlphabet));
    }
    if (draw.one_in(3)) target.gate = "F" + std::to_string(draw.below(3));
  }
  return world;
}

// The bytes that inert() made this of: the reader of a stranger.
std::string unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text[0] != '\\') {
      out += text[0];
      text.remove_prefix(1);
      continue;
    }
    const char kind = text.at(1);
    const std::map<char, char> simple = {{'\\', '\\'}, {'n', '\n'}, {'t', '\t'}, {'r', '\r'}};
    if (const auto found = simple.find(kind); found != simple.end()) {
      out += found->second;
      text.remove_prefix(2);
    } else if (kind == 'x') {
      out += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
      text.remove_prefix(4);
    } else {  // \u{202E}, the only code point of that kind in these tests
      EXPECT_EQ(text.substr(0, 8), "\\u{202E}");
      out += "\xe2\x80\xae";
      text.remove_prefix(8);
    }
  }
  return out;
}

using Lines = std::vector<std::pair<std::string, std::string>>;

// The canonical text as proto/README.md says it is read.
Lines read_canonical(std::string_view text) {
  Lines lines;
  EXPECT_TRUE(text.starts_with("muniment-plan/1\n"));
  text.remove_prefix(16);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    EXPECT_NE(end, text.npos) << "each line ends with a line feed";
    if (end == text.npos) break;
    const std::string_view line = text.substr(0, end);
    const std::size_t space = line.find(' ', line.starts_with("  ") ? 2 : 0);
    lines.emplace_back(line.substr(0, space), unescape(line.substr(space + 1)));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// What the canonical text of a world has to say.
Lines expected_lines(const World& world) {
  Lines lines = {{"kind", "backup"}};
  for (const v1::Event& event : world.resolution.events) {
    lines.emplace_back("excluded", event.module());
    lines.emplace_back("  rule", event.module_excluded().rule());
  }
  for (const Target& target : world.resolution.targets) {
    lines.emplace_back("module", target.module);
    lines.emplace_back("  class",
                       target.backup_class == v1::BACKUP_CLASS_SQLITE ? "sqlite" : "files");
    const bool folder = target.seen.kind() == v1::PATH_KIND_DIRECTORY;
    lines.emplace_back(folder ? "  folder" : "  file", target.seen.path());
    for (const std::string& pattern : target.exclude) lines.emplace_back("  exclude", pattern);
    if (!target.gate.empty()) lines.emplace_back("  gate", target.gate);
  }
  for (const Target& target : world.resolution.targets) {
    for (const char* const kind : {"capture ", "verify ", "commit "}) {
      lines.emplace_back("step", kind + target.module);
    }
  }
  return lines;
}

TEST(PlanDigest, IsThatOfTheFormatDocumentsExample) {
  const std::string readme = read_file(std::string(MUNIMENT_SOURCE_DIR) + "/proto/README.md");
  const std::string canonical = fenced(readme, "plan-canonical");
  const std::string digest = fenced(readme, "plan-digest");
  EXPECT_EQ(to_hex(sha256(canonical)) + "\n", digest);
  const Plan plan = example().plan();
  EXPECT_EQ(plan.canonical, canonical);
  EXPECT_EQ(plan.digest + "\n", digest);
}

TEST(PlanDigest, IsOverTextThatAStrangerCanRead) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 500; ++i) {
    const World world = random_world(draw);
    const Plan plan = world.plan();
    ASSERT_EQ(read_canonical(plan.canonical), expected_lines(world)) << plan.canonical;
    ASSERT_EQ(plan.digest, to_hex(sha256(plan.canonical)));
  }
}

TEST(PlanDigest, ChangesWithAllThatItCovers) {
  const std::vector<std::pair<std::string, std::function<void(World&)>>> changes = {
      {"a module's name", [](World& w) { w.resolution.targets[0].module = "n0tes"; }},
      {"its class",
       [](World& w) { w.resolution.targets[0].backup_class = v1::BACKUP_CLASS_FILES; }},
      {"its path", [](World& w) { w.resolution.targets[0].seen.set_path("/srv/notes.db"); }},
      {"a folder where a file was",
       [](World& w) { w.resolution.targets[0].seen.set_kind(v1::PATH_KIND_DIRECTORY); }},
      {"its gate", [](World& w) { w.resolution.targets[0].gate = "F4"; }},
      {"no gate", [](World& w) { w.resolution.targets[0].gate.clear(); }},
      {"an exclusion", [](World& w) { w.resolution.targets[1].exclude[0] += "x"; }},
      {"no exclusion", [](World& w) { w.resolution.targets[1].exclude.pop_back(); }},
      {"their order", [](World& w) { std::ranges::reverse(w.resolution.targets[1].exclude); }},
      {"the order of modules", [](World& w) { std::ranges::reverse(w.resolution.targets); }},
      {"one module less", [](World& w) { w.resolution.targets.pop_back(); }},
      {"who is excluded", [](World& w) { w.resolution.events[0].set_module("p"); }},
      {"by which rule",
       [](World& w) { w.resolution.events[0].mutable_module_excluded()->set_rule("X1"); }},
      {"nobody excluded", [](World& w) { w.resolution.events.clear(); }},
  };
  const std::string before = example().plan().digest;
  for (const auto& [what, change] : changes) {
    World world = example();
    change(world);
    EXPECT_NE(world.plan().digest, before) << what;
  }
}

TEST(PlanDigest, StaysWithAllThatItDoesNotCover) {
  const std::vector<std::pair<std::string, std::function<void(World&)>>> changes = {
      {"the backup root", [](World& w) { w.manifest.backup_root = "/mnt"; }},
      {"compression", [](World& w) { w.manifest.compression = "none"; }},
      {"its level", [](World& w) { w.manifest.zstd_level = 19; }},
      {"space to keep", [](World& w) { w.manifest.min_free_bytes = 1U << 30U; }},
      {"sizes", [](World& w) { w.resolution.targets[0].seen.set_size_bytes(1U << 30U); }},
      {"owner", [](World& w) { w.resolution.targets[0].seen.set_uid(7); }},
      {"the tree", [](World& w) { w.resolution.targets[1].seen.mutable_tree()->set_files(9); }},
      {"why it is excluded",
       [](World& w) { w.resolution.events[0].mutable_module_excluded()->set_reason("x"); }},
  };
  const Plan before = example().plan();
  for (const auto& [what, change] : changes) {
    World world = example();
    change(world);
    EXPECT_EQ(world.plan().digest, before.digest) << what;
  }
  EXPECT_EQ(example().plan("01900000-0000-7000-8000-000000000002").digest, before.digest);
}

TEST(MakePlan, CapturesVerifiesAndCommitsEachModuleInOrder) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int round = 0; round < 100; ++round) {
    World world = random_world(draw);
    if (draw.one_in(2)) world.manifest.compression = "none";
    const Plan plan = world.plan();
    ASSERT_EQ(plan.steps.size(), 3 * world.resolution.targets.size());
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      const Target& target = world.resolution.targets[i / 3];
      const v1::Step& step = plan.steps[i].step;
      EXPECT_EQ(step.kind(), (std::array{v1::STEP_KIND_CAPTURE, v1::STEP_KIND_VERIFY,
                                         v1::STEP_KIND_COMMIT}[i % 3]));
      EXPECT_EQ(step.module(), target.module);
      EXPECT_EQ(step.gate(), target.gate);
      EXPECT_EQ(step.final_folder(), "/b/" + target.module + "/" + kRun);
      EXPECT_EQ(step.partial_folder(), "/b/" + target.module + "/." + kRun + ".partial");
      const bool is_sqlite = target.backup_class == v1::BACKUP_CLASS_SQLITE;
      const bool is_plain = world.manifest.compression == "none";
      EXPECT_EQ(step.artifact(),
                target.module + (is_sqlite ? ".db" : ".tar") + (is_plain ? "" : ".zst"));
      EXPECT_EQ(step.compression(), is_plain ? "none" : "zstd:3");
      EXPECT_EQ(is_sqlite ? step.sqlite().path() : step.files().paths(0), target.seen.path());
      EXPECT_EQ(plan.steps[i].expected_bytes.has_value(), i % 3 == 0);
    }
  }
}

// Space for all artifacts at once, and for the largest raw copy beside the one being compressed.
TEST(MakePlan, NeedsSpaceForArtifactsAndOneRawCopy) {
  World world;
  world.manifest.backup_root = "/b";
  for (const std::uint64_t bytes : {4096U, 65536U, 8192U}) {
    Target& target = world.add("m" + std::to_string(bytes), v1::BACKUP_CLASS_SQLITE, "/d");
    target.seen.set_size_bytes(bytes);
    target.seen.mutable_sqlite()->set_wal_bytes(100);
  }
  EXPECT_EQ(world.plan().space_needed_bytes, 4096U + 65536U + 8192U + 300U + 65536U + 100U);
  world.manifest.compression = "none";
  EXPECT_EQ(world.plan().space_needed_bytes, 4096U + 65536U + 8192U + 300U);
}

TEST(PlanEvents, HoldTheStepsAndTheSeal) {
  const Plan plan = example().plan();
  const std::vector<v1::Event> events = plan_events(plan);
  ASSERT_EQ(events.size(), 7U);
  for (std::uint32_t i = 0; i < 6; ++i) {
    const v1::PlanStepProposed& body = events[i].plan_step_proposed();
    EXPECT_EQ(body.index(), i + 1);
    EXPECT_EQ(body.step().SerializeAsString(), plan.steps[i].step.SerializeAsString());
    EXPECT_EQ(events[i].module(), plan.steps[i].step.module());
    EXPECT_NE(body.fidelity(), v1::FIDELITY_UNSPECIFIED);
  }
  const v1::PlanSealed& sealed = events[6].plan_sealed();
  EXPECT_EQ(sealed.digest(), plan.digest);
  EXPECT_EQ(sealed.step_count(), 6U);
  EXPECT_EQ(to_hex(sealed.canonical_sha256()), plan.digest);
  EXPECT_EQ(sealed.space_needed_bytes(), plan.space_needed_bytes.value());
}

}  // namespace
}  // namespace muniment
