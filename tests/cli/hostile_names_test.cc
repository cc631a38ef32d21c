// Names that are made to deceive, or that are no text at all, reach the reader as harmless text and
// a program as JSON that parses.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cli/expect.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// A terminal's escape, a line of its own, bytes that are no UTF-8, an override of the direction of
// writing, C1 control characters (as code point and as byte), a bell, a backspace, DEL.
const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> names{
      "\x1b[2J\x1b]0;owned\x07",
      "line\nEXECUTED: 9 modules",
      "\xff\xfe\x80 no UTF-8 \xc3",
      std::string("moc.\xE2\x80\xAE") + "gpj.exe",
      std::string("\xC2\x9B") + "31m \x9b" + "31m",
      "back\b\b\b\bspace\x7f\r",
      "zero\xE2\x80\x8Bwidth \xE2\x80\xA8 line",
      "\"quotes\" 'and' `ticks` \\ $(true)",
      std::string(255, 'n'),
      std::string(254, 'x') + "\xff",
  };
  return names;
}

// The same in three names, for what takes long.
std::vector<std::string> hostile_names_in_few() {
  std::string all;
  for (const std::string& name : hostile_names()) {
    if (name.size() < 100) all += name + " ";
  }
  const std::size_t last = hostile_names().size() - 1;
  return {all, hostile_names()[last - 1], hostile_names()[last]};
}

// What stands in a text for people that must not: nothing but printable UTF-8 and newlines may.
std::string fault_in(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((at(i) < 0x20 && at(i) != '\n') || at(i) == 0x7f) {
      return "the control character " + std::to_string(at(i)) + " at " + std::to_string(i);
    }
    if (at(i) == 0xC2 && i + 1 < text.size() && at(i + 1) < 0xA0) return "a C1 control character";
  }
  for (const char* sign : {"\xE2\x80\xAE", "\xE2\x80\x8B", "\xE2\x80\xA8"}) {
    if (text.find(sign) != text.npos) return "a format character";
  }
  // A JSON string takes valid UTF-8 alone.
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return parse_json(quoted + "\"") ? "" : "bytes that are no UTF-8";
}

class HostileNames : public testing::Test {
 protected:
  HostileNames() {
    here_.populate();
    for (const std::string& name : hostile_names()) {
      write_text(here_.files() + "/" + name, "content\n");
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string folder = here_.files() + "/" + std::to_string(i);
      fs::create_directory(folder);
      // What is not archived is listed by its name.
      EXPECT_EQ(::mkfifo((folder + "/" + hostile_names()[i]).c_str(), 0600), 0);
      fs::create_symlink(hostile_names()[i], folder + "/link " + hostile_names()[i]);
    }
  }

  // Both streams are fit to be read by people.
  Ran run(const Words& words, int exit_code) const {
    Ran ran = here_.run(words);
    EXPECT_EQ(ran.exit_code, exit_code) << words[0] << "\n" << shown(ran);
    EXPECT_EQ(fault_in(ran.out), "") << words[0] << "\n" << ran.out;
    EXPECT_EQ(fault_in(ran.err), "") << words[0] << "\n" << ran.err;
    return ran;
  }
  void read_back() const {
    for (const Words& words : {Words{"runs"},
                               {"show", "latest"},
                               {"report", "latest"},
                               {"events", "--limit", "100000"},
                               {"verify"},
                               {"resolve"}}) {
      run(words, 0);
      Words json = words;
      json.emplace_back("--json");
      EXPECT_TRUE(parse_json(run(json, 0).out)) << words[0];
    }
    run({"report", "latest", "--format", "markdown"}, 0);
    run({"report", "latest", "--template", "context-pack"}, 0);
    const std::string last = jq(here_, run({"show", "latest", "--json"}, 0).out, ".last_sequence");
    for (int sequence = 0; sequence <= std::stoi(last); ++sequence) {
      run({"show", std::to_string(sequence)}, 0);
    }
  }

  Workspace here_;
};

TEST_F(HostileNames, OfFilesAreArchivedAsTheyAreAndShownInert) {
  run({"init"}, 0);
  run({"-v", "backup", "--all", "--dry-run"}, 0);
  run({"-v", "backup", "--all"}, 0);
  read_back();
  const std::string artifact = jq(here_, here_.run({"show", "latest", "--json"}).out,
                                  ".artifacts[] | select(.module == \"photos\") | .path");
  const std::string out = here_.path("tmp/restored");
  fs::create_directory(out);
  const Ran tar = run_program({"tar", "-C", out, "-xf", artifact, "--zstd"});
  EXPECT_EQ(tar.exit_code, 0) << tar.err;
  for (const std::string& name : hostile_names()) {
    std::size_t found = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(out)) {
      if (entry.is_regular_file() && entry.path().filename().native() == name) ++found;
    }
    EXPECT_EQ(found, 1U) << name;
  }
  // The folder that says what the backup is speaks JSON.
  const std::string folder = fs::path(artifact).parent_path().string();
  EXPECT_TRUE(parse_json(run_program({"cat", folder + "/manifest.json"}).out));
}

TEST_F(HostileNames, OfActorsAndInNotesAreShownInert) {
  run({"init"}, 0);
  run({"backup", "photos", "--dry-run"}, 0);
  for (const std::string& name : hostile_names_in_few()) {
    if (name.size() < 200) run({"backup", "notes", "--dry-run", "--actor", "agent:" + name}, 0);
    run({"note", "latest", "remark " + name}, 0);
    run({"note", "latest", "--check", name + "=ok", "--url", "https://ci.example/" + name}, 0);
  }
  read_back();
}

TEST_F(HostileNames, OnTheCommandLineAreSaidInert) {
  run({"init"}, 0);
  run({"backup", "photos", "--dry-run"}, 0);
  for (const std::string& name : hostile_names()) {
    run({name}, 2);
    run({"--" + name}, 2);
    run({"runs", "--" + name + "=1"}, 2);
    run({"backup", name}, 2);
    run({"show", name}, 7);
    run({"report", "latest:" + name}, 7);
    run({"backup", "--plan", "latest:" + name}, 7);
    run({"runs", "--mode", name}, 2);
    run({"runs", "--module", name}, 0);
    run({"events", "--type", name}, 2);
    run({"events", "--since", name}, 2);
    run({"note", "latest", "--check", "a=" + name}, 2);
    run({"backup", "notes", "--actor", name}, 2);
    run({"-s", here_.path(name), "runs"}, 2);
    run({"-m", here_.path(name), "runs"}, 2);
    run({"init", "--group", name}, 0);
  }
}

TEST_F(HostileNames, OfStoreAndManifestAreShownInert) {
  for (const std::string& name : hostile_names_in_few()) {
    const std::string store = here_.path(name);
    run({"-s", store, "init"}, 0);
    run({"-s", store, "backup", "notes", "--dry-run"}, 0);
    run({"-s", store, "verify"}, 0);
    EXPECT_TRUE(parse_json(run({"-s", store, "verify", "--json"}, 0).out));
    run({"-s", store, "reindex"}, 0);
    run({"-s", store, "note", "latest", "x"}, 0);
    fs::remove(store + "/db/CURRENT");
    run({"-s", store, "runs"}, 5);
    run({"-s", store, "verify"}, 5);
    fs::remove_all(store);
    write_text(store, "no = manifest\n[\n");
    fs::permissions(store, fs::perms(0600));
    run({"-m", store, "backup", "notes"}, 2);
    fs::permissions(store, fs::perms(0666));
    run({"-m", store, "backup", "notes"}, 2);
    fs::remove(store);
  }
}

TEST_F(HostileNames, OfModulesPathsAreShownInertOrRefused) {
  run({"init"}, 0);
  // TOML writes what is text; the rest cannot stand in a manifest.
  for (const char* name : {"\\u001b[2J", "a\\nb", "moc.\\u202Egpj", "\\u009b31m", "\\u200b"}) {
    here_.write_manifest("[[module]]\nname = \"odd\"\nclass = \"files\"\nhost = { path = \"" +
                         here_.path("data") + "/" + name + "\" }\n");
    for (const Words& words : {Words{"resolve"}, {"backup", "odd"}, {"report", "latest"}}) {
      const Ran ran = here_.run(words);
      EXPECT_NE(ran.exit_code, 0) << "there is nothing: " << shown(ran);
      EXPECT_EQ(fault_in(ran.out), "") << ran.out;
      EXPECT_EQ(fault_in(ran.err), "") << ran.err;
      if (words[0] == "backup") break;
    }
    here_.write_manifest("[[module]]\nname = \"" + std::string(name) +
                         "\"\nclass = \"files\"\nhost = { path = \"" + here_.files() + "\" }\n");
    EXPECT_TRUE(contains(run({"resolve"}, 2).err, here_.manifest() + ":"));
  }
  here_.write_manifest("# \xff\n" + here_.modules());
  run({"resolve"}, 2);
}

}  // namespace
}  // namespace muniment
