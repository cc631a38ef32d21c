#include "recorder/core/manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/generator.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

const char* const kFolder = MUNIMENT_SOURCE_DIR "/tests/recorder/core/";

std::string read_file(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::set<fs::path> manifests_in(const std::string& folder) {
  std::set<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kFolder + folder)) out.insert(entry.path());
  return out;
}

// The lines `#= LINE:COL: what` at the end of a broken manifest, as the parser prints them.
std::string expected_message(const std::string& text) {
  std::string out;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#= ")) continue;
    out += (out.empty() ? "" : "\n") + ("F:" + line.substr(3));
  }
  return out;
}

Manifest parse_good(const std::string& text) {
  Result<Manifest> manifest = parse_manifest("F", text);
  EXPECT_TRUE(manifest) << manifest.error().message;
  return manifest ? *manifest : Manifest();
}

TEST(Manifest, SaysWhatIsWrongWhereAndWhatWasExpected) {
  const std::set<fs::path> files = manifests_in("broken_manifests");
  EXPECT_GE(files.size(), 40U);
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename());
    const std::string text = read_file(file);
    const Result<Manifest> manifest = parse_manifest("F", text);
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(manifest.error().message, expected_message(text));
  }
}

TEST(Manifest, TakesEveryGoodOne) {
  for (const fs::path& file : manifests_in("good_manifests")) {
    const Result<Manifest> manifest = parse_manifest("F", read_file(file));
    EXPECT_TRUE(manifest) << file << ": " << manifest.error().message;
  }
}

TEST(Manifest, ReadsEveryWordOfTheExample) {
  const Manifest example =
      parse_good(read_file(std::string(kFolder) + "good_manifests/example.toml"));
  EXPECT_EQ(example.host_name, "rs2000");
  EXPECT_EQ(example.origin, "rs2000.example.org/muniment");
  EXPECT_EQ(example.engine, "auto");
  EXPECT_EQ(example.release_root, "/srv/platform");
  EXPECT_EQ(example.secrets_folder, "/etc/muniment/secrets");
  EXPECT_EQ(example.store_path, "/var/lib/muniment");
  EXPECT_EQ(example.backup_root, "/var/backups/muniment");
  EXPECT_EQ(example.compression, "zstd");
  EXPECT_EQ(example.zstd_level, 3);
  EXPECT_EQ(example.min_free_bytes, 2ULL << 30U);
  ASSERT_EQ(example.modules.size(), 5U);
  EXPECT_EQ(example.find("nothing"), nullptr);

  const Module& db = *example.find("forgejo-db");
  EXPECT_EQ(db.at.line, 18);
  EXPECT_EQ(db.container.compose_project, "plat");
  EXPECT_EQ(db.container.compose_service, "db");
  EXPECT_EQ(db.backup_class, v1::BACKUP_CLASS_POSTGRES);
  EXPECT_EQ(db.databases, std::vector<std::string>{"forgejo"});
  EXPECT_EQ(db.gate, "F3");
  ASSERT_EQ(db.auth.user.size(), 1U);
  EXPECT_EQ(db.auth.user[0].kind, AuthWord::Kind::kEnv);
  EXPECT_EQ(db.auth.user[0].name, "POSTGRES_USER");
  ASSERT_EQ(db.auth.password.size(), 3U);
  EXPECT_EQ(db.auth.password[0].kind, AuthWord::Kind::kTrust);
  EXPECT_EQ(db.auth.password[2].kind, AuthWord::Kind::kFileEnv);
  EXPECT_EQ(db.auth.password[2].name, "POSTGRES_PASSWORD_FILE");

  const Module& forgejo = *example.find("forgejo");
  EXPECT_EQ(forgejo.backup_class, v1::BACKUP_CLASS_COMPOSITE);
  EXPECT_EQ(forgejo.quiesce->method, "pause");
  EXPECT_EQ(forgejo.quiesce->timeout, std::chrono::seconds(60));
  ASSERT_EQ(forgejo.members.size(), 3U);
  EXPECT_EQ(forgejo.members[0].module, "forgejo-db");
  EXPECT_EQ(forgejo.members[2].id, "repos");
  EXPECT_EQ(forgejo.members[2].backup_class, v1::BACKUP_CLASS_FILES);
  EXPECT_EQ(forgejo.members[2].exclude, std::vector<std::string>{"/data/git/**/tmp_*"});

  EXPECT_EQ(example.find("cache")->auth.user[0].kind, AuthWord::Kind::kLiteral);
  EXPECT_EQ(example.find("cache")->auth.password[0].kind, AuthWord::Kind::kSecret);
  EXPECT_EQ(example.find("notes")->host_path, "/srv/notes/notes.db");
  EXPECT_EQ(example.find("proxy")->reason, "rebuilt from the release root");
}

TEST(Manifest, ReadsExclusionsGatesAndEvidence) {
  const Manifest example =
      parse_good(read_file(std::string(kFolder) + "good_manifests/example.toml"));
  ASSERT_EQ(example.excludes.size(), 1U);
  EXPECT_EQ(example.excludes[0].id, "X1");
  EXPECT_EQ(example.excludes[0].kind, "path");
  EXPECT_EQ(example.excludes[0].pattern, "/srv/deploy/**");
  ASSERT_EQ(example.gates.size(), 1U);
  const Gate& gate = example.gates.at("F3");
  EXPECT_EQ(gate.guards, (std::vector<std::string>{"backup", "exec", "restore"}));
  EXPECT_EQ(gate.signers, "/etc/muniment/allowed_signers");
  EXPECT_EQ(gate.expires, std::chrono::hours(24));
  ASSERT_EQ(gate.needs.at("backup").size(), 3U);
  EXPECT_EQ(gate.needs.at("backup")[0].name, "dry_run");
  EXPECT_EQ(gate.needs.at("backup")[0].within, std::chrono::hours(24));
  EXPECT_EQ(gate.needs.at("exec")[1].name, "verified_backup");

  const Manifest prose =
      parse_good(read_file(std::string(kFolder) + "good_manifests/evidence.toml"));
  EXPECT_FALSE(prose.context.story().empty());
  EXPECT_EQ(prose.context.out_of_scope_size(), 3);
}

TEST(Manifest, APlainListOfNeedsHoldsForAllThatIsGuarded) {
  const Manifest manifest = parse_good(
      "schema = 1\n[gate.F3]\nguards = [\"exec\", \"restore\"]\nneeds = [{ check = \"canary\" "
      "}]\n");
  const auto& needs = manifest.gates.at("F3").needs;
  ASSERT_EQ(needs.size(), 2U);
  EXPECT_EQ(needs.at("restore")[0].value, "canary");
}

TEST(Manifest, NeverRepeatsWhatMayBeAPassword) {
  for (const std::string value : {"hunter2-hunter2", "env-hunter2-hunter2:X", "hunter2-hunter2:"}) {
    const Result<Manifest> manifest = parse_manifest(
        "F",
        "schema = 1\n[[module]]\nname = \"c\"\ncontainer = { name = \"r\" }\nclass = "
        "\"redis\"\nauth = { password = \"" +
            value + "\" }\n");
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().message.find("hunter2"), std::string::npos);
  }
}

TEST(Manifest, TakesASlashOffTheEndOfAPath) {
  const Manifest manifest = parse_good(
      "schema = 1\n[backup]\nroot = \"/b/\"\n[[module]]\nname = \"a\"\nclass = \"files\"\nhost = "
      "{ path = \"/srv/a/\" }\n");
  EXPECT_EQ(manifest.backup_root, "/b");
  EXPECT_EQ(manifest.modules[0].host_path, "/srv/a");
}

// Whatever is cut out of, doubled in or put into a manifest: an answer, and a place in the file.
TEST(Manifest, SurvivesWhateverIsDoneToIt) {
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  const std::string example = read_file(std::string(kFolder) + "good_manifests/example.toml");
  for (int i = 0; i < 400; ++i) {
    std::string text = example;
    for (std::size_t edits = generator.between(1, 4); edits > 0; --edits) {
      const std::size_t at = generator.below(text.size());
      const std::size_t size = std::min(generator.below(40), text.size() - at);
      if (generator.one_in(3))
        text.erase(at, size);
      else if (generator.one_in(2))
        text.insert(at, text.substr(at, size));
      else
        text.insert(at, generator.bytes(3));
    }
    const Result<Manifest> manifest = parse_manifest("F", text);
    if (manifest) continue;
    std::stringstream lines(manifest.error().message);
    for (std::string line; std::getline(lines, line);) {
      ASSERT_TRUE(line.starts_with("F:") && line.find_first_of("123456789") == 2) << line;
    }
  }
}

TEST(Manifest, RefusesDeepNestingWithoutFallingOver) {
  const Result<Manifest> manifest = parse_manifest("F", "a = " + std::string(200'000, '['));
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().message.starts_with("F:1:")) << manifest.error().message;
}

TEST(Manifest, ReadsDurations) {
  EXPECT_EQ(parse_duration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("10m"), std::chrono::minutes(10));
  EXPECT_EQ(parse_duration("24h"), std::chrono::hours(24));
  EXPECT_EQ(parse_duration("7d"), std::chrono::hours(168));
  for (const char* wrong : {"", "s", "0s", "-1s", "+1s", "1", "1 s", "1S", "1.5h", "1h30m", " 1s",
                            "99999999999999999999s", "9999999999999999d"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(Manifest, ReadsSizes) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("7B"), 7U);
  EXPECT_EQ(parse_size("512KiB"), 512U << 10U);
  EXPECT_EQ(parse_size("2GiB"), 2ULL << 30U);
  EXPECT_EQ(parse_size("8388607TiB"), 8388607ULL << 40U);
  for (const char* wrong : {"", "B", "-1B", "1", "1KB", "1 KiB", "1kib", "1.5GiB", "8388608TiB",
                            "99999999999999999999B"}) {
    EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace muniment
