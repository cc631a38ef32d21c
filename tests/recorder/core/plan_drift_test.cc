// Where two plans part, and whether a backup root can take one.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "recorder/core/plan.h"
#include "tests/support/generator.h"

namespace muniment {
namespace {

struct PlanText {
  std::vector<std::pair<std::string, std::vector<std::string>>> modules;  // name, exclusions

  std::string canonical() const {
    std::string out = "muniment-plan/1\nkind backup\n";
    for (const auto& [name, patterns] : modules) {
      out += "module " + name + "\n  class files\n  folder /" + name + "\n";
      for (const std::string& pattern : patterns) out += "  exclude " + pattern + "\n";
    }
    for (const auto& [name, patterns] : modules) out += "step capture " + name + "\n";
    return out;
  }
};

PlanText random_plan(Generator& draw) {
  PlanText plan;
  std::set<std::string> names;
  while (names.size() < draw.between(1, 3)) names.insert("m" + std::to_string(draw.below(4)));
  for (const std::string& name : names) {
    std::set<std::string> patterns;
    for (std::size_t i = draw.below(3); i > 0; --i) patterns.insert("/x" + draw.text(1, "123"));
    plan.modules.push_back({name, {patterns.begin(), patterns.end()}});
  }
  if (draw.one_in(3)) std::swap(plan.modules.front(), plan.modules.back());
  return plan;
}

// What a plan says, each thing with its module.
std::set<std::string> statements(const PlanText& plan) {
  std::set<std::string> out;
  for (const auto& [name, patterns] : plan.modules) {
    out.insert("module " + name);
    out.insert(name + ": class files");
    out.insert(name + ": folder /" + name);
    out.insert("step capture " + name);
    for (const std::string& pattern : patterns) out.insert(name + ": exclude " + pattern);
  }
  return out;
}

TEST(ComparePlans, NamesExactlyWhatOneSaysAndTheOtherDoesNot) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 1000; ++i) {
    const PlanText before = random_plan(draw);
    const PlanText after = draw.one_in(5) ? before : random_plan(draw);
    const std::set<std::string> had = statements(before);
    const std::set<std::string> has = statements(after);
    std::set<std::string> gone = had;
    std::set<std::string> added = has;
    for (const std::string& one : has) gone.erase(one);
    for (const std::string& one : had) added.erase(one);

    const auto differences = compare_plans(before.canonical(), after.canonical());
    EXPECT_EQ(differences.empty(), before.canonical() == after.canonical());
    for (const v1::Difference& difference : differences) {
      EXPECT_FALSE(difference.what().empty());
      ASSERT_TRUE(difference.before().empty() || gone.erase(difference.before()) == 1U);
      ASSERT_TRUE(difference.after().empty() || added.erase(difference.after()) == 1U);
    }
    EXPECT_TRUE(gone.empty()) << *gone.begin();
    EXPECT_TRUE(added.empty()) << *added.begin();
    if (HasFailure()) return;
  }
}

TEST(ComparePlans, SaysOfTwoModulesThatTheyWereExcludedByOtherRules) {
  const std::string head = "muniment-plan/1\nkind backup\n";
  const auto differences = compare_plans(head + "excluded a\n  rule X1\nexcluded b\n  rule X2\n",
                                         head + "excluded a\n  rule X2\nexcluded b\n  rule X1\n");
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0].what(), "changed");
  EXPECT_EQ(differences[0].before(), "a: rule X1");
  EXPECT_EQ(differences[0].after(), "a: rule X2");
  EXPECT_EQ(differences[1].before(), "b: rule X2");
}

TEST(ComparePlans, SaysThatTheOrderDiffersWhereNothingElseDoes) {
  const PlanText before{{{"a", {}}, {"b", {}}}};
  const PlanText after{{{"b", {}}, {"a", {}}}};
  const auto differences = compare_plans(before.canonical(), after.canonical());
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_EQ(differences[0].what(), "the order of modules or steps");
}

Plan needing(std::optional<std::uint64_t> bytes) {
  Plan plan;
  plan.space_needed_bytes = bytes;
  return plan;
}

v1::PathObserved good_root(std::uint64_t free_bytes) {
  v1::PathObserved root;
  root.set_path("/var/backups");
  root.set_kind(v1::PATH_KIND_DIRECTORY);
  root.set_writable(true);
  root.set_free_bytes(free_bytes);
  return root;
}

TEST(RefuseRoot, TakesExactlyTheSpaceThatIsNeededAndKept) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t needed = draw.below(50);
    const std::uint64_t kept = draw.below(50);
    const std::uint64_t free = draw.below(100);
    EXPECT_EQ(refuse_root(good_root(free), needing(needed), kept).has_value(), free < needed + kept)
        << free << " " << needed << " " << kept;
  }
}

// What is not known is no reason to refuse.
TEST(RefuseRoot, GuessesNothing) {
  EXPECT_FALSE(refuse_root(good_root(1), needing(std::nullopt), 100));
  v1::PathObserved root = good_root(0);
  root.clear_free_bytes();
  EXPECT_FALSE(refuse_root(root, needing(100), 100));
  root.set_kind(v1::PATH_KIND_MISSING);
  EXPECT_FALSE(refuse_root(root, needing(100), 100)) << "a missing root is made";
}

TEST(RefuseRoot, SaysWhatIsWrongAndNamesTheRootInertly) {
  const auto refusal = [](auto change) {
    v1::PathObserved root = good_root(1000);
    root.set_path("/b\n\x1b[31m");
    change(root);
    const auto why = refuse_root(root, needing(1), 0);
    EXPECT_TRUE(why);
    EXPECT_EQ(why.value_or("").find_first_of("\n\x1b"), std::string::npos);
    return why.value_or("");
  };
  EXPECT_NE(refusal([](v1::PathObserved& root) { root.set_error("no\nway"); }).find("no\\nway"),
            std::string::npos);
  for (const v1::PathKind kind : {v1::PATH_KIND_REGULAR, v1::PATH_KIND_SYMLINK, v1::PATH_KIND_OTHER,
                                  v1::PATH_KIND_UNREADABLE}) {
    EXPECT_NE(refusal([&](v1::PathObserved& root) { root.set_kind(kind); }).find("not a folder"),
              std::string::npos);
  }
  EXPECT_NE(refusal([](v1::PathObserved& root) {
              root.set_writable(false);
              root.set_nearest_parent("/mnt");
            }).find("/mnt"),
            std::string::npos);
}

TEST(HumanBytes, KeepOneDigitAndTheLargestUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(812), "812 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1288490189), "1.2 GiB");
  EXPECT_EQ(human_bytes(std::uint64_t{1} << 40U), "1.0 TiB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
}

}  // namespace
}  // namespace muniment
