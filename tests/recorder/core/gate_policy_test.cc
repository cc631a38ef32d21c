#include "recorder/core/gate_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/digest.h"
#include "tests/support/gate_samples.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"

namespace muniment {
namespace {

const std::string& document() {
  static const std::string text = read_file(std::string(MUNIMENT_SOURCE_DIR) + "/proto/GATES.md");
  return text;
}

Manifest manifest_of(const std::string& text) {
  const auto read = parse_manifest("muniment.toml", text);
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read.value_or(Manifest{});
}

TEST(GatePolicy, IsTheExampleOfTheDocument) {
  GatePolicy stated =
      policy_of(manifest_of(fenced(document(), "manifest")), "F3", fenced(document(), "signers"));
  stated.guard_folder = "/var/lib/muniment-guard";
  EXPECT_EQ(fenced(document(), "signers"), sample_signers());
  EXPECT_EQ(fenced(document(), "policy"), format_policy(stated));
  EXPECT_EQ(fenced(document(), "policy-digest"), policy_digest(stated) + "\n");
  EXPECT_EQ(format_policy(stated), format_policy(sample_policy()));
  EXPECT_EQ(policy_digest(stated), to_hex(sha256(format_policy(stated))));
}

TEST(GatePolicy, CanBeReadAgainAsItWasWritten) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 2000; ++i) {
    const GatePolicy policy = random_policy(draw);
    const std::string text = format_policy(policy);
    auto read = parse_policy(text);
    ASSERT_TRUE(read) << read.error().message << "\n" << text;
    ASSERT_EQ(format_policy(*read), text);
    ASSERT_EQ(read->modules, policy.modules);
    ASSERT_EQ(read->expires, policy.expires);
    ASSERT_EQ(read->guard_folder, policy.guard_folder);
    ASSERT_EQ(read->needs.size(), policy.needs.size());
    for (const auto& [guarded, needs] : policy.needs) {
      ASSERT_EQ(read->needs[guarded].size(), needs.size());
      for (std::size_t k = 0; k < needs.size(); ++k) {
        ASSERT_EQ(read->needs[guarded][k].name, needs[k].name);
        ASSERT_EQ(read->needs[guarded][k].within, needs[k].within);
        ASSERT_EQ(read->needs[guarded][k].value, needs[k].value);
      }
    }
  }
}

void expect_one_reading(const std::string& changed) {
  const auto read = parse_policy(changed);
  if (read) {
    ASSERT_EQ(format_policy(*read), changed);
  } else {
    ASSERT_EQ(read.error().code, ErrorCode::kCorrupt);
    ASSERT_NE(read.error().message.find(" of the gate policy "), std::string::npos);
  }
}

TEST(GatePolicy, HasOneReadingWithAnyByteChanged) {
  const std::string text = format_policy(sample_policy());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    for (const char byte : other_bytes(text[at])) {
      changed[at] = byte;
      expect_one_reading(changed);
      if (HasFatalFailure()) FAIL() << "byte " << at << " as " << static_cast<int>(byte);
    }
  }
}

TEST(GatePolicy, HasOneReadingWithBytesAddedTakenOrMoved) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  for (int i = 0; i < 3000; ++i) {
    const std::string text = format_policy(random_policy(draw));
    std::string changed = text;
    const std::size_t at = draw.below(text.size());
    const std::size_t count = draw.between(1, 30);
    if (draw.one_in(3)) {
      changed.insert(at, text.substr(draw.below(text.size()), count));
    } else if (draw.one_in(2)) {
      changed.erase(at, count);
    } else {
      std::rotate(changed.begin(), changed.begin() + static_cast<std::ptrdiff_t>(at),
                  changed.end());
    }
    expect_one_reading(changed);
    if (HasFatalFailure()) FAIL() << changed;
  }
}

struct Broken {
  const char* from;
  const char* to;
  const char* why;
};

constexpr Broken kBroken[] = {
    {"muniment-gate-policy/1", "muniment-gate-policy/2", "line 1 of the gate policy is to be"},
    {"gate F3", "gate F 3", "line 2 of the gate policy is to be `gate VALUE`"},
    {"gate F3\n", "", "line 2 of the gate policy"},
    {"guards backup\nguards exec", "guards exec\nguards backup", "line 4 of the gate policy"},
    {"guards backup", "guards backup\nguards backup", "line 4 of the gate policy"},
    {"guards exec", "guards exec ", "backup, exec or restore"},
    {"module forgejo\nmodule notes", "module notes\nmodule forgejo", "line 6 of the gate policy"},
    {"module notes", "module no\\x41tes", "line 6 of the gate policy"},
    {"approvals 2", "approvals 0", "1 to 16"},
    {"approvals 2", "approvals 02", "1 to 16"},
    {"approvals 2", "approvals +2", "1 to 16"},
    {"approvals 2", "approvals 17", "1 to 16"},
    {"approvals 2", "approvals 4294967297", "1 to 16"},
    {"no-self-approval true", "no-self-approval yes", "true or false"},
    {"expires 43200", "expires 86401", "at most 86400"},
    {"expires 43200", "expires 0", "at most 86400"},
    {"keys any", "keys ", "any or sk"},
    {"signers ", "signers x", "64 hexadecimal digits or -"},
    {"signers ", "signers -", "64 hexadecimal digits or -"},
    {"guard /var/lib/", "guard var/lib/", "line 12 of the gate policy"},
    {"guard /var/lib/", "guard /var\tlib/", "line 12 of the gate policy"},
    {"guard /var/lib/", "guard /var\\qlib/", "line 12 of the gate policy"},
    {"guard /var/lib/muniment-guard", "guard ", "line 12 of the gate policy"},
    {"need backup dry_run 86400", "need backup dry_run 0", "GUARDED CONDITION VALUE"},
    {"need backup dry_run 86400", "need backup dry_run 24h", "GUARDED CONDITION VALUE"},
    {"need backup dry_run 86400", "need backup dry_run true", "GUARDED CONDITION VALUE"},
    {"need backup dry_run 86400", "need backup dry_run 31536000001", "GUARDED CONDITION VALUE"},
    {"need backup dry_run 86400", "need copy dry_run 86400", "GUARDED CONDITION VALUE"},
    {"need backup dry_run 86400", "need restore dry_run 86400", "GUARDED CONDITION VALUE"},
    {"need backup dry_run 86400", "need backup  86400", "GUARDED CONDITION VALUE"},
    {"need backup dry_run 86400", "need backup dry_run", "GUARDED CONDITION VALUE"},
    {"need backup no_drift true", "need backup no_drift false", "GUARDED CONDITION VALUE"},
    {"need backup no_drift true", "need backup no_drift 1", "GUARDED CONDITION VALUE"},
    {"smoke\\tof", "smoke\tof", "GUARDED CONDITION VALUE"},
    {"smoke\\tof", "smoke\\of", "GUARDED CONDITION VALUE"},
    {"smoke\\tof", "smoke\\x09of", "GUARDED CONDITION VALUE"},
    {"smoke\\tof", "smoke\\x41of", "GUARDED CONDITION VALUE"},
    {"smoke\\tof", "smoke\\u{200b}of", "GUARDED CONDITION VALUE"},
    {"smoke\\tof", "smoke\\u{41}of", "GUARDED CONDITION VALUE"},
    {"smoke\\tof", "smoke\\", "GUARDED CONDITION VALUE"},
    {"canary\n", "canary", "line 16 of the gate policy is to be"},
    {"canary\n", "canary\n\n", "line 17 of the gate policy is not to be there"},
    {"canary\n", "canary\nkeys any\n", "line 17 of the gate policy is not to be there"},
};

TEST(GatePolicy, RefusesEverySpellingButItsOwnAndSaysWhere) {
  const std::string text = format_policy(sample_policy());
  for (const Broken& broken : kBroken) {
    const std::size_t at = text.find(broken.from);
    ASSERT_NE(at, std::string::npos) << broken.from;
    std::string changed = text;
    const auto read =
        parse_policy(changed.replace(at, std::string_view(broken.from).size(), broken.to));
    ASSERT_FALSE(read) << broken.to;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(read.error().message.find(broken.why), std::string::npos)
        << broken.to << ": " << read.error().message;
  }
}

TEST(GatePolicy, ReadsConditionsOfALaterProgram) {
  GatePolicy policy = sample_policy();
  policy.needs["exec"] = {{.name = "moon", .within = {}, .value = "full\nmoon"},
                          {.name = "tide", .within = std::chrono::seconds(7), .value = {}},
                          {.name = "sun", .within = {}, .value = {}}};
  auto read = parse_policy(format_policy(policy));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->needs["exec"][0].value, "full\nmoon");
  EXPECT_EQ(read->needs["exec"][1].within, std::chrono::seconds(7));
  EXPECT_EQ(format_policy(*read), format_policy(policy));
}

TEST(GatePolicy, IsStatedOfTheModulesThatNameTheGate) {
  const Manifest manifest = manifest_of(R"(
schema = 1
[[module]]
name = "wiki"
host = { path = "/srv/wiki" }
class = "files"
gate = "F4"
[[module]]
name = "notes"
host = { path = "/srv/notes.db" }
class = "sqlite"
gate = "F3"
[[module]]
name = "free"
host = { path = "/srv/free" }
class = "files"
[[module]]
name = "ledger"
host = { path = "/srv/ledger.db" }
class = "sqlite"
gate = "F3"
[gate.F3]
guards = ["restore", "exec"]
signers = "/etc/muniment/allowed_signers"
[gate.F4]
guards = ["backup"]
)");
  const GatePolicy policy = policy_of(manifest, "F3", "anna ssh-ed25519 …\n");
  EXPECT_EQ(policy.modules, (std::vector<std::string>{"ledger", "notes"}));
  EXPECT_EQ(policy.guards, (std::vector<std::string>{"exec", "restore"}));
  EXPECT_EQ(policy.signers_sha256, to_hex(sha256("anna ssh-ed25519 …\n")));
  EXPECT_TRUE(policy.needs.empty());
  EXPECT_TRUE(guards(policy, "exec") && guards(policy, "restore"));
  EXPECT_FALSE(guards(policy, "backup") || guards(policy, ""));
  EXPECT_EQ(policy_of(manifest, "F4", "").signers_sha256, "");
  EXPECT_NE(format_policy(policy_of(manifest, "F4", "")).find("\nsigners -\n"), std::string::npos);
}

TEST(GatePolicy, IsPutOnRecordWithItsBlobs) {
  v1::GuardedTarget one;
  one.set_module("notes");
  one.add_identities("container " + std::string(64, 'b'));
  one.add_identities("compose plat/notes");
  v1::GuardedTarget two;
  two.set_module("forgejo");
  two.add_identities("path /srv/forgejo");
  two.add_identities("container " + std::string(64, 'a'));
  const GatePolicy policy = sample_policy();
  const PolicyRecord record = record_of(policy, sample_signers(), {one, two});
  EXPECT_EQ(record.blobs, (std::vector<std::string>{format_policy(policy), sample_signers()}));
  EXPECT_EQ(to_hex(record.body.policy_sha256()), policy_digest(policy));
  EXPECT_EQ(to_hex(record.body.signers_sha256()), policy.signers_sha256);
  EXPECT_EQ(record.body.gate(), "F3");
  EXPECT_EQ(record.body.guards_size(), 2);
  EXPECT_EQ(record.body.modules(1), "notes");
  EXPECT_EQ(record.body.approvals(), 2U);
  ASSERT_EQ(record.body.container_ids_size(), 2);
  EXPECT_EQ(record.body.container_ids(0), std::string(64, 'a'));
  ASSERT_EQ(record.body.targets_size(), 2);
  EXPECT_EQ(record.body.targets(0).SerializeAsString(), one.SerializeAsString());
  EXPECT_EQ(record.body.approved_by_size(), 0);
}

TEST(GatePolicy, WithoutSignersRefersToNoFileOfThem) {
  GatePolicy policy = sample_policy();
  policy.signers_sha256.clear();
  const PolicyRecord record = record_of(policy, "", {});
  EXPECT_TRUE(record.body.signers_sha256().empty());
  EXPECT_EQ(record.blobs.size(), 1U);
}

std::vector<std::string> words_of(const v1::GuardedTarget& target) {
  return {target.identities().begin(), target.identities().end()};
}

void add_mount(v1::ContainerObserved& container, const char* kind, const char* source,
               bool read_only = false) {
  v1::Mount& mount = *container.add_mounts();
  mount.set_kind(kind);
  mount.set_source(source);
  mount.set_destination("/data");
  mount.set_read_only(read_only);
}

TEST(GuardedTarget, OfAContainerIsItsIdItsComposeNameAndItsData) {
  Target target;
  target.module = "forgejo";
  target.inside = ContainerSight{};
  v1::ContainerObserved& container = target.inside->container;
  container.set_container_id(std::string(64, 'c'));
  add_mount(container, "volume", "/var/lib/docker/volumes/git/_data");
  add_mount(container, "bind", "/srv/git/");
  add_mount(container, "bind", "/etc/hosts", true);
  add_mount(container, "tmpfs", "");
  add_mount(container, "volume", "");
  add_mount(container, "npipe", "/run/pipe");
  target.inside->paths.emplace_back().set_path("/data/git");
  EXPECT_EQ(identities_of(target).module(), "forgejo");
  EXPECT_EQ(words_of(identities_of(target)),
            (std::vector<std::string>{"container " + std::string(64, 'c'), "path /srv/git",
                                      "path /var/lib/docker/volumes/git/_data"}));
  container.set_compose_project("plat");
  container.set_compose_service("forgejo");
  EXPECT_EQ(words_of(identities_of(target))[1], "compose plat/forgejo");
}

TEST(GuardedTarget, OnTheHostIsItsPathsAndItsFile) {
  Target target;
  target.seen.set_path("/srv/notes.db");
  EXPECT_EQ(words_of(identities_of(target)), (std::vector<std::string>{"path /srv/notes.db"}));
  target.seen.set_real_path("/mnt/notes.db");
  target.seen.set_file_identity("2049:77");
  EXPECT_EQ(words_of(identities_of(target)),
            (std::vector<std::string>{"path /mnt/notes.db", "path /srv/notes.db", "file 2049:77"}));
  target.seen.set_real_path("/srv/notes.db");
  EXPECT_EQ(words_of(identities_of(target)),
            (std::vector<std::string>{"path /srv/notes.db", "file 2049:77"}));
}

v1::GuardedTarget target_of(const std::vector<std::string>& identities) {
  v1::GuardedTarget out;
  for (const std::string& identity : identities) out.add_identities(identity);
  return out;
}

struct Pair {
  std::vector<std::string> a;
  std::vector<std::string> b;
  bool same;
};

TEST(GuardedTarget, IsTheSameByAnIdentityOrAPathThatHoldsTheOther) {
  const std::vector<Pair> pairs = {
      {{}, {}, false},
      {{"path /srv/a"}, {}, false},
      {{"container a"}, {"container a"}, true},
      {{"container a"}, {"container b"}, false},
      {{"container a"}, {"container ab"}, false},
      {{"container a", "compose p/s"}, {"container b", "compose p/s"}, true},
      {{"container a", "compose p/s"}, {"container b", "compose p/t"}, false},
      {{"file 1:2"}, {"file 1:2"}, true},
      {{"path /srv/x", "file 1:2"}, {"path /mnt/y", "file 1:2"}, true},
      {{"file 1:2"}, {"file 1:23"}, false},
      {{"path /srv/a"}, {"path /srv/a"}, true},
      {{"path /srv/a"}, {"path /srv/a/b/c"}, true},
      {{"path /srv/a"}, {"path /srv/ab"}, false},
      {{"path /srv/a"}, {"path /srv/b"}, false},
      {{"path /"}, {"path /srv/b"}, true},
      {{"path /srv/a"}, {"container a"}, false},
      {{"path a"}, {"container a"}, false},
      // A container's data under its path on the host.
      {{"container a", "path /srv/a"}, {"path /srv/a/data.db"}, true},
      {{"container a", "path /srv/a"}, {"path /srv"}, true},
      {{"container a", "path /srv/a"}, {"path /srv/b"}, false},
      // Two containers that share a folder.
      {{"container a", "path /srv/a"}, {"container b", "path /srv/a"}, false},
      {{"container a", "path /srv/a"}, {"container b", "path /srv/a/b"}, false},
      {{"container a", "path /srv/a"}, {"container b", "path /"}, false},
  };
  for (const Pair& pair : pairs) {
    const v1::GuardedTarget a = target_of(pair.a);
    const v1::GuardedTarget b = target_of(pair.b);
    EXPECT_EQ(is_same_target(a, b), pair.same) << a.DebugString() << b.DebugString();
    EXPECT_EQ(is_same_target(b, a), pair.same) << a.DebugString() << b.DebugString();
  }
}

}  // namespace
}  // namespace muniment
