// Go's own packages for such logs (those of the Go checksum database) read what is published here,
// and agree with every root, tile and proof. check_log.go is their side.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "recorder/core/tlog/proof_file.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/prover.h"
#include "replay/tiles.h"
#include "tests/cli/expect.h"
#include "tests/support/generator.h"
#include "tests/support/published_sample.h"
#include "tests/support/sample_events.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOrigin = "interop.example/muniment";
constexpr std::uint64_t kMostEvents = 600;

// Where Debian's packages put the sources of libraries.
constexpr const char* kLibraries = "/usr/share/gocode";

// The checker, built once; "" where there is no Go.
const std::string& checker() {
  static const TempDir folder;
  static const std::string kBinary = [] {
    if (run_program({"go", "version"}).exit_code == 127) return std::string();
    std::string binary = folder / "check_log";
    const Ran built = run_program(
        {"go", "build", "-o", binary, MUNIMENT_SOURCE_DIR "/tests/interop/check_log.go"},
        {.environment = {{"GO111MODULE", "off"},
                         {"GOPATH", kLibraries},
                         {"GOCACHE", folder / "cache"},
                         {"GOFLAGS", ""},
                         {"CGO_ENABLED", "0"}},
         .umask = {},
         .cwd = {}});
    EXPECT_EQ(built.exit_code, 0) << "is golang-golang-x-mod-dev installed?\n" << shown(built);
    return binary;
  }();
  return kBinary;
}

#define SKIP_WITHOUT_GO() \
  if (checker().empty()) GTEST_SKIP() << "there is no Go here; script/setup test installs it"

void write_file(const std::string& path, const std::string& bytes) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string json_text(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\\n") : std::string(1, c);
  return out;
}

// A log that is published at every size, as if a publisher had run after each event.
class GrowingLog {
 public:
  std::string log() const { return folder_ / "log"; }
  std::string notes() const { return folder_ / "notes"; }
  std::string proofs() const { return folder_ / "proofs"; }

  void grow() {
    ASSERT_TRUE(log_->append({sample_entry(size_)}, std::nullopt));
    ++size_;
    note_ = sample_checkpoint(kOrigin, size_, *root_at(*log_, size_));
    write_file(notes() + "/" + std::to_string(size_), note_);
    write_file(log() + "/checkpoint", note_);
    for (const Tile& tile : tiles_of(size_)) {
      const std::string path = log() + "/" + tile_path(tile);
      if (fs::exists(path)) continue;
      const Result<std::string> bytes = tile_bytes(*log_, tile);
      ASSERT_TRUE(bytes) << bytes.error().message;
      write_file(path, *bytes);
    }
  }

  void prove_inclusion_of(std::uint64_t index) {
    const InclusionFile file{.extra = *log_->get(Table::kEvent, sequence_key(index)),
                             .index = index,
                             .hashes = *prove_inclusion(*log_, index, size_),
                             .checkpoint = note_};
    add_line("\"index\":" + std::to_string(index), format_inclusion(file));
  }

  void prove_consistency_with(std::uint64_t old_size) {
    const ConsistencyFile file{.old_size = old_size,
                               .hashes = *prove_consistency(*log_, old_size, size_),
                               .checkpoint = note_};
    add_line("\"old\":" + std::to_string(old_size), format_consistency(file));
  }

  void write_proofs() const { write_file(proofs(), lines_); }

 private:
  void add_line(const std::string& about, const std::string& text) {
    lines_ += "{\"size\":" + std::to_string(size_) + "," + about + ",\"text\":\"" +
              json_text(text) + "\"}\n";
  }

  TempDir folder_{TempDir::fast_parent()};
  std::unique_ptr<Store> log_ = make_memory_log(kOrigin);
  std::uint64_t size_ = 0;
  std::string note_;
  std::string lines_;
};

std::string vkey() {
  return vkey_of(sample_note_key(kOrigin));
}

TEST(Go, AgreesWithEveryRootTileAndProofUpTo600Events) {
  SKIP_WITHOUT_GO();
  Generator generator;
  SCOPED_TRACE(generator.seed_line());
  GrowingLog log;
  std::size_t proofs = 0;
  for (std::uint64_t size = 1; size <= kMostEvents; ++size) {
    ASSERT_NO_FATAL_FAILURE(log.grow());
    // All of a small tree; of a larger one its ends and some in between.
    for (std::uint64_t i = 0; i < size; ++i) {
      const bool is_near_an_end = i < 2 || size - i < 3;
      if (size > 40 && !is_near_an_end && !generator.one_in(size / 8)) continue;
      log.prove_inclusion_of(i);
      log.prove_consistency_with(i + 1);
      ++proofs;
    }
  }
  log.write_proofs();
  const Ran ran = run_program({checker(), log.log(), vkey(), log.notes(), log.proofs()});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  const std::string counted = std::to_string(proofs);
  EXPECT_TRUE(contains(ran.out, "checkpoints 601\nentries 600\n")) << shown(ran);
  EXPECT_TRUE(
      contains(ran.out, "\ninclusion proofs " + counted + "\nconsistency proofs " + counted + "\n"))
      << shown(ran);
  EXPECT_GT(proofs, 5'000U);
}

// So that its silence means something.
TEST(Go, DoesNotAgreeWithWhatWasChanged) {
  SKIP_WITHOUT_GO();
  GrowingLog log;
  for (std::uint64_t size = 1; size <= 9; ++size) {
    ASSERT_NO_FATAL_FAILURE(log.grow());
    log.prove_inclusion_of(size / 2);
    log.prove_consistency_with((size + 1) / 2);
  }
  log.write_proofs();
  const std::vector<std::string> command{checker(), log.log(), vkey(), log.notes(), log.proofs()};
  ASSERT_EQ(run_program(command).exit_code, 0);
  for (const std::string& path :
       {log.log() + "/checkpoint", log.log() + "/tile/0/000.p/9",
        log.log() + "/tile/entries/000.p/5", log.notes() + "/3", log.proofs()}) {
    std::string bytes;
    {
      std::ifstream file(path, std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    std::string changed = bytes;
    char& one = changed[changed.size() * 2 / 3];
    one = one == 'A' ? 'B' : 'A';
    write_file(path, changed);
    const Ran ran = run_program(command);
    EXPECT_EQ(ran.exit_code, 1) << path << shown(ran);
    write_file(path, bytes);
  }
  std::vector<std::string> stranger = command;
  stranger[2] = vkey_of(note_key(kOrigin, SigningKey::generate().public_key()));
  EXPECT_EQ(run_program(stranger).exit_code, 1);
}

TEST(Go, AgreesWithWhatTheProgramPublishes) {
  SKIP_WITHOUT_GO();
  const Workspace here;
  here.populate();
  here.init();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"backup", "--all"},
                                             {"publish", here.path("www")},
                                             {"note", "latest", "all is well"},
                                             {"checkpoint"},
                                             {"publish", here.path("www")}}) {
    const Ran ran = here.run(command);
    ASSERT_EQ(ran.exit_code, 0) << shown(ran);
  }
  std::string key;
  std::getline(std::ifstream(here.store() + "/vkey"), key);
  const Ran ran = run_program({checker(), here.path("www"), key});
  EXPECT_EQ(ran.exit_code, 0) << shown(ran);
  EXPECT_TRUE(contains(ran.out, "checkpoints 1\n"));
}

// The signature without any format around it, by the tool that everybody has.
TEST(OpenSsl, VerifiesTheSignatureOfACheckpoint) {
  const TempDir folder;
  const std::string text =
      checkpoint_text({.origin = kOrigin, .size = 7, .root = sha256("seven"), .extensions = {}});
  const std::string signature = sign_note(text, sample_note_key(kOrigin), sample_key()).bytes;
  ASSERT_EQ(signature.size(), kEd25519SignatureBytes);
  write_file(folder / "text", text);
  write_file(folder / "signature", signature);
  write_file(folder / "key.pem", public_key_pem(sample_key().public_key()));
  const std::vector<std::string> command{
      "openssl",           "pkeyutl", "-verify", "-pubin",        "-inkey",
      folder / "key.pem",  "-rawin",  "-in",     folder / "text", "-sigfile",
      folder / "signature"};
  const Ran good = run_program(command);
  if (good.exit_code == 127) GTEST_SKIP() << "there is no openssl here; script/setup test";
  EXPECT_EQ(good.exit_code, 0) << shown(good);
  write_file(folder / "text", text + "\n");
  EXPECT_NE(run_program(command).exit_code, 0);
}

}  // namespace
}  // namespace muniment
