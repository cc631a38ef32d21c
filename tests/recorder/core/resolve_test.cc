#include "recorder/core/resolve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/generator.h"

namespace muniment {
namespace {

// One module with what is seen of it, made so that its end is known.
struct Subject {
  Module module;
  v1::PathObserved seen;
};

Subject sqlite_file() {
  Subject subject;
  subject.module.backup_class = v1::BACKUP_CLASS_SQLITE;
  subject.seen.set_kind(v1::PATH_KIND_REGULAR);
  subject.seen.mutable_sqlite()->set_header_ok(true);
  return subject;
}

Subject folder(std::uint64_t files) {
  Subject subject;
  subject.module.backup_class = v1::BACKUP_CLASS_FILES;
  subject.seen.set_kind(v1::PATH_KIND_DIRECTORY);
  subject.seen.mutable_tree()->set_files(files);
  return subject;
}

template <class Change>
Subject with(Subject subject, Change change) {
  change(subject);
  return subject;
}

constexpr auto kResolved = v1::UNRESOLVED_REASON_UNSPECIFIED;

struct Fate {
  std::string name;
  Subject subject;
  v1::UnresolvedReason reason;  // kResolved: none
  v1::BackupClass backup_class = v1::BACKUP_CLASS_UNSPECIFIED;
  v1::Rung rung = v1::RUNG_MANIFEST;
};

std::vector<Fate> good_fates() {
  const auto automatic = [](Subject& s) { s.module.backup_class = v1::BACKUP_CLASS_UNSPECIFIED; };
  const auto regular = [](Subject& s) { s.seen.set_kind(v1::PATH_KIND_REGULAR); };
  const auto may_be_empty = [](Subject& s) { s.module.allow_empty = true; };
  return {
      {"sqlite", sqlite_file(), kResolved, v1::BACKUP_CLASS_SQLITE},
      {"header", with(sqlite_file(), automatic), kResolved, v1::BACKUP_CLASS_SQLITE,
       v1::RUNG_HEADER},
      {"files", folder(3), kResolved, v1::BACKUP_CLASS_FILES},
      {"one-file", with(folder(0), regular), kResolved, v1::BACKUP_CLASS_FILES},
      {"empty-allowed", with(folder(0), may_be_empty), kResolved, v1::BACKUP_CLASS_FILES},
  };
}

std::vector<Fate> bad_fates() {
  const auto kind = [](v1::PathKind is) { return [is](Subject& s) { s.seen.set_kind(is); }; };
  const auto in_class = [](v1::BackupClass id) {
    return [id](Subject& s) { s.module.backup_class = id; };
  };
  const auto automatic = in_class(v1::BACKUP_CLASS_UNSPECIFIED);
  return {
      {"missing", with(sqlite_file(), kind(v1::PATH_KIND_MISSING)), v1::UNRESOLVED_REASON_MISSING},
      {"unreadable", with(folder(1), kind(v1::PATH_KIND_UNREADABLE)),
       v1::UNRESOLVED_REASON_UNREADABLE},
      {"postgres", with(sqlite_file(), in_class(v1::BACKUP_CLASS_POSTGRES)),
       v1::UNRESOLVED_REASON_UNSUPPORTED},
      {"composite", with(sqlite_file(), in_class(v1::BACKUP_CLASS_COMPOSITE)),
       v1::UNRESOLVED_REASON_UNSUPPORTED},
      {"container",
       with(sqlite_file(),
            [](Subject& s) {
              s.module.host_path.clear();
              s.module.container.name = "c";
            }),
       v1::UNRESOLVED_REASON_MISSING},
      {"guess", with(folder(3), automatic), v1::UNRESOLVED_REASON_UNKNOWN_CLASS},
      {"db-folder", with(sqlite_file(), kind(v1::PATH_KIND_DIRECTORY)),
       v1::UNRESOLVED_REASON_WRONG_KIND},
      {"db-link", with(sqlite_file(), kind(v1::PATH_KIND_SYMLINK)),
       v1::UNRESOLVED_REASON_WRONG_KIND},
      {"db-text", with(sqlite_file(), [](Subject& s) { s.seen.clear_sqlite(); }),
       v1::UNRESOLVED_REASON_WRONG_KIND},
      {"link", with(folder(1), kind(v1::PATH_KIND_SYMLINK)), v1::UNRESOLVED_REASON_WRONG_KIND},
      {"fifo", with(folder(1), kind(v1::PATH_KIND_OTHER)), v1::UNRESOLVED_REASON_WRONG_KIND},
      {"closed", with(folder(1), [](Subject& s) { s.seen.mutable_tree()->set_unreadable(2); }),
       v1::UNRESOLVED_REASON_UNREADABLE},
      {"empty", folder(0), v1::UNRESOLVED_REASON_EMPTIED},
      {"emptied",
       with(folder(0),
            [](Subject& s) {
              s.module.allow_empty = true;
              s.seen.mutable_tree()->set_excluded(4);
            }),
       v1::UNRESOLVED_REASON_EMPTIED},
      {"overlap", with(folder(1), [](Subject& s) { s.module.host_path = "/var/backups"; }),
       v1::UNRESOLVED_REASON_OVERLAPS},
  };
}

// A manifest of these subjects, in their order, with all of them asked for.
class Case {
 public:
  void add(const std::string& name, Subject subject) {
    Module& module = subject.module;
    module.name = name;
    const bool is_contained = !module.container.empty();
    if (module.host_path.empty() && !is_contained) module.host_path = "/data/" + name;
    subject.seen.set_path(module.host_path);
    seen_[name] = subject.seen;
    manifest.modules.push_back(module);
  }

  Resolution run(bool all) const {
    ResolveInput input{.manifest = manifest,
                       .modules = {},
                       .all = all,
                       .seen = seen_,
                       .protected_paths = {"/var/lib/muniment", "/var/backups/muniment", ""}};
    for (const Module& module : manifest.modules) input.modules.push_back(&module);
    return resolve(input);
  }

  Manifest manifest;

 private:
  std::map<std::string, v1::PathObserved> seen_;
};

void expect_fate(const v1::Event& event, const Fate& fate) {
  SCOPED_TRACE(fate.name);
  if (fate.reason != kResolved) {
    ASSERT_TRUE(event.has_module_unresolved()) << event.ShortDebugString();
    EXPECT_EQ(event.module_unresolved().reason(), fate.reason);
    EXPECT_FALSE(event.module_unresolved().detail().empty());
    return;
  }
  ASSERT_TRUE(event.has_module_resolved()) << event.ShortDebugString();
  const v1::ModuleResolved& body = event.module_resolved();
  EXPECT_EQ(body.backup_class(), fate.backup_class);
  EXPECT_EQ(body.rung(), fate.rung);
  EXPECT_FALSE(body.evidence().empty());
  ASSERT_EQ(body.paths_size(), 1);
  EXPECT_EQ(body.paths(0), fate.subject.seen.path());
}

// Any mixture of modules: one event each, in order, and each has the end it was made for.
TEST(Resolve, GivesEachModuleOfAMixtureItsFate) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  std::vector<Fate> fates = good_fates();
  for (Fate& fate : bad_fates()) fates.push_back(std::move(fate));
  for (int round = 0; round < 200; ++round) {
    Case mixture;
    std::vector<Fate> chosen;
    for (std::size_t i = draw.between(1, 8); i > 0; --i) {
      Fate fate = fates[draw.below(round % 2 == 0 ? fates.size() : good_fates().size())];
      const std::string name = fate.name + std::to_string(i);
      mixture.add(name, fate.subject);
      fate.name = name;
      fate.subject.seen.set_path(mixture.manifest.modules.back().host_path);
      chosen.push_back(std::move(fate));
    }
    const Resolution resolution = mixture.run(draw.one_in(2));
    ASSERT_EQ(resolution.events.size(), chosen.size());
    std::vector<std::string> resolved;
    std::size_t problems = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      EXPECT_EQ(resolution.events[i].module(), chosen[i].name);
      expect_fate(resolution.events[i], chosen[i]);
      if (chosen[i].reason == kResolved) {
        resolved.push_back(chosen[i].name);
        continue;
      }
      ASSERT_LT(problems, resolution.problems.size());
      EXPECT_TRUE(resolution.problems[problems].starts_with(chosen[i].name + ": "));
      ++problems;
    }
    EXPECT_EQ(resolution.problems.size(), problems);
    ASSERT_EQ(resolution.targets.size(), resolved.size());
    for (std::size_t i = 0; i < resolved.size(); ++i) {
      EXPECT_EQ(resolution.targets[i].module, resolved[i]);
    }
    if (HasFailure()) return;
  }
}

TEST(Resolve, KnowsEveryReasonThatAHostPathCanHave) {
  std::set<v1::UnresolvedReason> reasons;
  for (const Fate& fate : bad_fates()) {
    Case one;
    one.add(fate.name, fate.subject);
    const Resolution resolution = one.run(false);
    ASSERT_EQ(resolution.events.size(), 1U);
    expect_fate(resolution.events[0], fate);
    EXPECT_TRUE(resolution.targets.empty()) << fate.name;
    reasons.insert(fate.reason);
  }
  EXPECT_EQ(reasons.size(), 7U);
}

// What a guess was made from is kept, also where it led nowhere.
TEST(Resolve, NamesTheClassesItConsidered) {
  Case one;
  Subject guess = folder(3);
  guess.module.backup_class = v1::BACKUP_CLASS_UNSPECIFIED;
  one.add("guess", guess);
  const Resolution resolution = one.run(false);
  const v1::ModuleUnresolved& body = resolution.events.at(0).module_unresolved();
  const auto of_the_host =
      std::count_if(all_classes().begin(), all_classes().end(),
                    [](const BackupClassRules* rules) { return rules->refuse != nullptr; });
  ASSERT_EQ(body.near_misses_size(), of_the_host);
  for (const v1::Considered& considered : body.near_misses()) {
    EXPECT_FALSE(considered.what().empty());
    EXPECT_FALSE(considered.why_not().empty());
  }
}

// Oracle: the path library's own idea of "inside".
TEST(Resolve, RefusesAPathThatHoldsWhereMunimentWrites) {
  namespace fs = std::filesystem;
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  const std::vector<std::string> ours = {"/var/lib/muniment", "/var/backups/muniment"};
  std::vector<std::string> paths = {"/",
                                    "/var",
                                    "/var/lib",
                                    "/va",
                                    "/var/lib/muniment",
                                    "/var/lib/munimen",
                                    "/var/lib/muniment2",
                                    "/var/backups/muniment/forgejo",
                                    "/srv"};
  for (int i = 0; i < 200; ++i) {
    const std::string& base = ours[draw.below(2)];
    paths.push_back(base.substr(0, draw.between(2, base.size())) + draw.text(draw.below(3), "a/m"));
  }
  for (std::string path : paths) {
    path = fs::path(path).lexically_normal().string();
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    Case one;
    Subject subject = folder(1);
    subject.module.host_path = path;
    one.add("m", subject);
    const Resolution resolution = one.run(false);
    bool holds = false;
    for (const std::string& mine : ours) {
      const std::string relative = fs::path(mine).lexically_relative(path).string();
      holds = holds || !relative.starts_with("..");
    }
    EXPECT_EQ(resolution.targets.empty(), holds) << path;
    EXPECT_EQ(
        resolution.events.at(0).module_unresolved().reason() == v1::UNRESOLVED_REASON_OVERLAPS,
        holds)
        << path;
  }
}

Exclude rule(const std::string& id, const std::string& kind, const std::string& pattern) {
  Exclude rule;
  rule.id = id;
  rule.kind = kind;
  rule.pattern = pattern;
  rule.reason = "because of " + id;
  return rule;
}

TEST(Resolve, ShowsWhatIsExcludedAndWhy) {
  Case one;
  for (const char* const name : {"kept", "by-name", "by-path", "stateless", "member"}) {
    one.add(name, sqlite_file());
  }
  one.manifest.modules[2].host_path = "/srv/deploy/state.db";
  one.manifest.modules[3].backup_class = v1::BACKUP_CLASS_NONE;
  one.manifest.modules[3].reason = "rebuilt";
  one.manifest.modules[0].members.emplace_back().module = "member";
  one.manifest.excludes = {rule("X1", "module", "by-name"), rule("X2", "path", "/srv/deploy/**")};
  const Resolution all = one.run(true);
  EXPECT_TRUE(all.problems.empty()) << all.problems[0];
  ASSERT_EQ(all.events.size(), 5U);
  EXPECT_TRUE(all.events[0].has_module_resolved());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"X1", "because of X1"},
      {"X2", "because of X2"},
      {"class none", "rebuilt"},
      {"member", "captured as a member of kept"}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const v1::Event& event = all.events[i + 1];
    EXPECT_EQ(event.module_excluded().rule(), expected[i].first) << event.module();
    EXPECT_EQ(event.module_excluded().reason(), expected[i].second) << event.module();
    EXPECT_FALSE(event.module_excluded().match().empty()) << event.module();
  }
  // A member that is named by itself is captured.
  const Resolution named = one.run(false);
  EXPECT_TRUE(named.events[4].has_module_resolved());
}

TEST(Resolve, HasNothingToDoWhereAllIsExcluded) {
  Case one;
  one.add("m", sqlite_file());
  one.manifest.excludes = {rule("X1", "module", "m")};
  const Resolution resolution = one.run(true);
  EXPECT_TRUE(resolution.targets.empty());
  EXPECT_EQ(resolution.problems.size(), 1U);
}

// With --all, an exclusion that matches nothing is a mistake; without, it may be another module's.
TEST(Resolve, FindsAnExclusionThatMatchesNothing) {
  for (const bool all : {false, true}) {
    for (const std::uint64_t own_hits : {0U, 3U}) {
      for (const std::uint64_t rule_hits : {0U, 2U}) {
        Case one;
        Subject subject = folder(5);
        subject.module.exclude = {"/data/m/*.tmp"};
        subject.seen.mutable_tree()->add_exclusion_hits(own_hits);
        subject.seen.mutable_tree()->add_exclusion_hits(rule_hits);
        one.add("m", subject);
        one.manifest.excludes = {rule("X1", "path", "/data/**/cache")};
        const Resolution resolution = one.run(all);
        const std::size_t mistakes =
            all ? static_cast<std::size_t>(own_hits == 0) + (own_hits == 0 || rule_hits == 0) : 0U;
        EXPECT_EQ(resolution.problems.size(), mistakes) << all << own_hits << rule_hits;
      }
    }
  }
}

TEST(ExclusionsOf, AreTheModulesOwnThenThoseOfTheManifest) {
  Manifest manifest;
  manifest.excludes = {rule("X1", "path", "/a"), rule("X2", "module", "m"),
                       rule("X3", "path", "/b")};
  Module module;
  module.exclude = {"/own"};
  EXPECT_EQ(exclusions_of(manifest, module), (std::vector<std::string>{"/own", "/a", "/b"}));
}

TEST(SelectModules, KeepsTheManifestsOrderAndTakesEachOnce) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  Manifest manifest;
  for (int i = 0; i < 6; ++i) manifest.modules.emplace_back().name = "m" + std::to_string(i);
  for (int round = 0; round < 100; ++round) {
    Selection selection;
    std::set<std::string> wanted;
    for (std::size_t i = draw.between(1, 8); i > 0; --i) {
      selection.modules.push_back("m" + std::to_string(draw.below(6)));
      wanted.insert(selection.modules.back());
    }
    const auto selected = select_modules(manifest, selection);
    ASSERT_TRUE(selected);
    std::vector<std::string> names;
    for (const Module* const module : *selected) names.push_back(module->name);
    EXPECT_EQ(names, std::vector<std::string>(wanted.begin(), wanted.end()));
  }
  const auto all = select_modules(manifest, {.modules = {}, .all = true});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 6U);
}

TEST(SelectModules, RefusesAnUnknownNameWithTheNearestOne) {
  Manifest manifest;
  manifest.modules.emplace_back().name = "forgejo";
  const auto wrong = select_modules(manifest, {.modules = {"forgeio"}, .all = false});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kInvalid);
  EXPECT_NE(wrong.error().message.find("did you mean `forgejo`?"), std::string::npos);
  const auto far = select_modules(manifest, {.modules = {"xyz\n\x1b[31m"}, .all = false});
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().message.find('\x1b'), std::string::npos);
  EXPECT_NE(far.error().message.find("muniment resolve"), std::string::npos);
}

TEST(SelectModules, RefusesNothingAtAll) {
  Manifest manifest;
  EXPECT_FALSE(select_modules(manifest, {.modules = {}, .all = true}));
  manifest.modules.emplace_back().name = "m";
  EXPECT_FALSE(select_modules(manifest, {.modules = {}, .all = false}));
  EXPECT_TRUE(select_modules(manifest, {.modules = {}, .all = true}));
}

}  // namespace
}  // namespace muniment
