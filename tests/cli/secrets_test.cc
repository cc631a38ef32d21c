// No secret value reaches the store, an answer or a folder of backups, in whatever form it is
// written.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/log/store.h"
#include "tests/cli/expect.h"
#include "tests/support/generator.h"
#include "tests/support/log_rows.h"
#include "tests/support/read_file.h"
#include "tests/support/strict_json.h"

namespace muniment {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

std::string percent_encoded(std::string_view text, const char* digits) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::string base64(std::string_view text) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int have = 0;
  for (const char c : text) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    for (have += 8; have >= 6; have -= 6) out += kDigits[(bits >> (have - 6)) & 63U];
  }
  if (have > 0) out += kDigits[(bits << (6 - have)) & 63U];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

// Secrets and the forms in which they may leak, by a name for the failure's message.
class Canaries {
 public:
  // A value that stands nowhere else.
  std::string make(const std::string& name) {
    const std::string value = generator_.text(24, kLetters);
    forms_[name] = value;
    forms_[name + " in base64"] = base64(value).substr(0, 30);
    forms_[name + " in base64, inside of more"] = base64("user:" + value).substr(8, 22);
    forms_[name + " percent-encoded"] = percent_encoded(value, "0123456789ABCDEF");
    forms_[name + " percent-encoded in small letters"] = percent_encoded(value, "0123456789abcdef");
    return value;
  }
  std::string seed_line() const { return generator_.seed_line(); }

  void expect_none_in(std::string_view text, const std::string& where) const {
    for (const auto& [name, form] : forms_) {
      EXPECT_EQ(text.find(form), text.npos) << name << " (" << form << ") is in " << where;
    }
  }
  // Keys and values of all rows, as they are without the compression of the files.
  void expect_none_in_rows(const std::string& store) const {
    const auto reader = open_reader(store);
    ASSERT_TRUE(reader) << reader.error().message;
    const std::vector<LogRow> rows = rows_of(**reader);
    EXPECT_GT(rows.size(), 100U);
    for (const LogRow& row : rows) {
      const std::string table(table_name(row.table));
      expect_none_in(row.key, "a key of " + table);
      expect_none_in(row.value, "a value of " + table);
    }
  }
  // Names and contents of all files.
  void expect_none_below(const std::string& folder) const {
    std::size_t files = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      expect_none_in(entry.path().string(), "a name");
      if (!entry.is_regular_file()) continue;
      expect_none_in(read_file(entry.path().string()), entry.path().string());
      ++files;
    }
    EXPECT_GT(files, 3U) << folder;
  }

 private:
  Generator generator_;
  std::map<std::string, std::string> forms_;
};

class Secrets : public testing::Test {
 protected:
  Secrets() {
    here_.populate();
    fs::create_directory(here_.path("secrets"));
    write_text(here_.path("secrets/redis_password"), in_file_ + "\n");
    fs::permissions(here_.path("secrets/redis_password"), fs::perms(0600));
    const std::string host = "name = \"testhost\"\n";
    std::string text = here_.head() + here_.modules() +
                       "[[module]]\nname = \"cache\"\ncontainer = { name = \"redis\" }\n"
                       "class = \"redis\"\nauth = { password = [\"secret:redis_password\"] }\n"
                       "[evidence]\nstory = \"see https://anna:" +
                       in_url_ + "@ci.example/42\"\nwhy = \"" + in_environment_ + " and " +
                       base64(in_file_) + "\"\n# " + percent_encoded(in_file_, "0123456789abcdef") +
                       "\n";
    text.insert(text.find(host) + host.size(), "secrets = \"" + here_.path("secrets") +
                                                   "\"\nengine = \"unix://" +
                                                   here_.path("none.sock") + "\"\n");
    write_text(here_.manifest(), text);
    with_ = here_.surroundings();
    with_.environment["DB_PASSWORD"] = in_environment_;
    with_.environment["CI_JOB_TOKEN"] = in_token_;
  }

  // Runs it, and looks at both streams.
  Ran run(const Words& words, int exit_code) const {
    Ran ran = run_muniment(words, with_);
    EXPECT_EQ(ran.exit_code, exit_code) << shown(ran);
    canaries_.expect_none_in(ran.out, "standard output of " + words[0]);
    canaries_.expect_none_in(ran.err, "standard error of " + words[0]);
    return ran;
  }
  std::string all_forms() const {
    std::string text;
    for (const std::string& value : {in_environment_, in_token_, in_file_}) {
      text += value + " " + base64(value) + " " + base64("user:" + value) + " " +
              percent_encoded(value, "0123456789ABCDEF") + " " +
              percent_encoded(value, "0123456789abcdef") + "\n";
    }
    return text;
  }

  Workspace here_;
  Canaries canaries_;
  std::string in_environment_ = canaries_.make("the environment's");
  std::string in_token_ = canaries_.make("the token's");
  std::string in_file_ = canaries_.make("the secret file's");
  std::string in_argument_ = canaries_.make("the argument's");
  std::string in_url_ = canaries_.make("the URL's");
  RunWith with_;
};

TEST_F(Secrets, LeaveNoTraceInStoreAnswersOrBackups) {
  SCOPED_TRACE(canaries_.seed_line());
  run({"init"}, 0);
  run({"-v", "backup", "notes", "photos", "--dry-run"}, 0);
  run({"-v", "backup", "notes", "photos", "--actor", "agent:" + in_token_}, 0);
  run({"-v", "backup", "--all"}, 8);  // the engine of `cache` is not there
  run({"note", "latest", all_forms()}, 0);
  run({"note", "latest", "psql --password " + in_argument_ + " --token=" + in_argument_}, 0);
  run({"note", "latest", "from https://anna:" + in_url_ + "@ci.example/"}, 0);
  run({"note", "latest", "--check", "canary-" + in_token_ + "=ok", "--url",
       "https://anna:" + in_url_ + "@ci.example/?key=" + in_environment_},
      0);
  for (const char* run_name : {"latest", "latest:notes", "latest:dry-run"}) {
    for (const Words& words : {Words{"show", run_name},
                               {"show", run_name, "--json"},
                               {"report", run_name},
                               {"report", run_name, "--json"}}) {
      run(words, 0);
    }
  }
  for (const Words& words : {Words{"runs"},
                             {"runs", "--json"},
                             {"resolve", "notes"},
                             {"events", "--limit", "100000"},
                             {"events", "--limit", "100000", "--json"},
                             {"verify"},
                             {"reindex"}}) {
    run(words, 0);
  }
  const Ran masked = run({"events", "--type", "note_added", "--json"}, 0);
  for (const char* rule : {"[redacted:env:DB_PASSWORD]", "[redacted:secret:redis_password]",
                           "[redacted:option]", "[redacted:url]"}) {
    EXPECT_TRUE(contains(masked.out, rule)) << "what was there is to be seen";
  }
  canaries_.expect_none_in_rows(here_.store());
  canaries_.expect_none_below(here_.store());
  canaries_.expect_none_below(here_.root());
}

TEST_F(Secrets, OnTheCommandLineAreNeitherSaidNorKept) {
  SCOPED_TRACE(canaries_.seed_line());
  run({"init"}, 0);
  run({"backup", "photos", "--dry-run"}, 0);
  run({"backup", "photos", "--password", in_argument_}, 2);
  run({"backup", "photos", "--token=" + in_argument_}, 2);
  run({"--api-key", in_argument_, "runs"}, 2);
  run({"runs", "--db-password=" + in_argument_}, 2);
  run({"note", "latest", "--check", in_environment_ + "=ok"}, 0);
  run({"backup", in_environment_}, 2);
  run({"show", in_environment_}, 7);
  run({"show", "latest:" + in_token_}, 7);
  run({"events", "--type", in_environment_}, 2);
  run({"events", "--since", in_environment_}, 2);
  run({"-s", here_.path(in_environment_), "runs"}, 2);
  run({"-m", here_.path(in_environment_), "runs"}, 2);
  canaries_.expect_none_below(here_.store());
}

TEST_F(Secrets, OfOtherPeoplesFilesAreRefused) {
  fs::permissions(here_.path("secrets/redis_password"), fs::perms(0620));
  run({"init"}, 2);
  expect_ended(run({"backup", "notes"}, 2), 2, {here_.path("secrets/redis_password"), "go-w"});
}

}  // namespace
}  // namespace muniment
