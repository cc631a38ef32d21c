#include "recorder/core/signers.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/gate_samples.h"
#include "tests/support/generator.h"
#include "tests/support/read_file.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace muniment {
namespace {

const std::string kKey = sample_public_key('a');
using Names = std::vector<std::string>;

Names principals_of(const std::string& line) {
  const auto read = parse_signers(line);
  EXPECT_TRUE(read) << line << ": " << (read ? "" : read.error().message);
  return read ? read->at(0).principals : Names{};
}

TEST(Signers, ReadsPrincipalsAsOpenSshDoes) {
  EXPECT_EQ(principals_of("anna " + kKey), Names({"anna"}));
  EXPECT_EQ(principals_of("anna@example.org,ben " + kKey), Names({"anna@example.org", "ben"}));
  EXPECT_EQ(principals_of("\"anna of rs2000,ben\" " + kKey), Names({"anna of rs2000", "ben"}));
  EXPECT_EQ(principals_of(" \t anna \t" + kKey + " a comment, \"quoted\" # so\n"), Names({"anna"}));
}

TEST(Signers, PassesOverEmptyLinesAndComments) {
  const auto read =
      parse_signers("# anna * cert-authority\n\n \t \n  # ben\nanna " + kKey + "\n\n# end");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->size(), 1U);
}

TEST(Signers, ReadsOptionsWithBlanksInThem) {
  for (const char* const options :
       {R"(namespaces="muniment-approval")", R"(namespaces="git, muniment-approval file")",
        R"(valid-after="20260101",valid-before="20270101Z")",
        R"(Namespaces="a\"b c",VALID-BEFORE="20270101")", R"(namespaces="")"}) {
    const auto read = parse_signers("anna " + std::string(options) + "  " + kKey + " comment");
    ASSERT_TRUE(read) << options << ": " << read.error().message;
    EXPECT_EQ(read->at(0).key_type, "ssh-ed25519");
    EXPECT_EQ(read->at(0).fingerprint, parse_signers("x " + kKey)->at(0).fingerprint);
  }
}

TEST(Signers, GivesOneKeyOneFingerprintWhateverItsLine) {
  const auto read = parse_signers("anna " + kKey + "\nben namespaces=\"x\" " + kKey +
                                  " again\ncarla " + sample_public_key('c'));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ(read->at(0).fingerprint, read->at(1).fingerprint);
  EXPECT_NE(read->at(0).fingerprint, read->at(2).fingerprint);
}

TEST(Signers, KnowsASecurityKeyByItsType) {
  for (const auto& [type, hardware] :
       std::map<std::string, bool>{{"ssh-ed25519", false},
                                   {"ssh-rsa", false},
                                   {"ecdsa-sha2-nistp256", false},
                                   {"ecdsa-sha2-nistp384", false},
                                   {"ecdsa-sha2-nistp521", false},
                                   {"sk-ssh-ed25519@openssh.com", true},
                                   {"sk-ecdsa-sha2-nistp256@openssh.com", true}}) {
    const auto read = parse_signers("anna " + sample_public_key('a', type));
    ASSERT_TRUE(read) << type << ": " << read.error().message;
    EXPECT_EQ(read->at(0).key_type, type);
    EXPECT_EQ(is_security_key(read->at(0)), hardware) << type;
  }
}

struct BrokenLine {
  std::string line;
  std::string_view why;
};

std::vector<BrokenLine> broken_lines() {
  const std::string type = "ssh-ed25519 ";
  const std::string blob = kKey.substr(type.size());
  return {
      {"* " + kKey, "`*` is a pattern"},
      {"anna,*@example.org " + kKey, "is a pattern"},
      {"ann? " + kKey, "is a pattern"},
      {"anna,!ben " + kKey, "is a pattern"},
      {"\"anna *\" " + kKey, "is a pattern"},
      {"anna,,ben " + kKey, "without a name"},
      {"anna, " + kKey, "without a name"},
      {"\"\" " + kKey, "without a name"},
      {"\"anna " + kKey, "is not closed"},
      {"\"anna\"" + kKey, "is not closed before a blank"},
      {"an\"na, ben\" " + kKey, "a quote within"},
      {"anna\u200b " + kKey, "cannot be seen"},
      {"anna\xff " + kKey, "cannot be seen"},
      {"anna cert-authority " + kKey, "`cert-authority`"},
      {"anna Cert-Authority " + kKey, "`cert-authority`"},
      {"anna namespaces=\"x\",cert-authority " + kKey, "`cert-authority`"},
      {"anna no-touch-required " + kKey, "neither a known key type"},
      {"anna namespace=\"x\" " + kKey, "neither a known key type"},
      {"anna namespaces=x " + kKey, "without its value"},
      {"anna namespaces " + kKey, "without its value"},
      {"anna namespaces=\"x " + kKey, "without its value"},
      {"anna namespaces=\"x\\\" " + kKey, "without its value"},
      {"anna namespaces=\"x\"" + kKey, "expected a comma or a blank"},
      {"anna namespaces=\"x\", " + kKey, "neither a known key type"},
      {"anna namespaces=\"x\",NAMESPACES=\"y\" " + kKey, "twice"},
      {"anna", "no key"},
      {"anna \t ", "no key"},
      {kKey, "neither a known key type"},
      {"anna namespaces=\"x\"", "no key"},
      {"anna ssh-ed25519", "is no such key"},
      {"anna " + type + "AAAA", "is no such key"},
      {"anna " + type + blob.substr(0, 20), "is no such key"},
      {"anna " + type + blob + "=", "is no such key"},
      {"anna " + type + "\"" + blob + "\"", "is no such key"},
      {"anna ssh-rsa " + blob, "is no such key"},
      {"anna ssh-dss " + blob, "neither a known key type"},
      {"anna SSH-ED25519 " + blob, "neither a known key type"},
      {"anna namespaces=\"x\" ssh-dss " + blob, "is no known key type"},
      {"anna ssh-ed25519-cert-v01@openssh.com " + blob, "is a certificate"},
      {"anna namespaces=\"x\" ssh-rsa-cert-v01@openssh.com " + blob, "is a certificate"},
      {"anna " + kKey + "\r", "the character `\\r`"},
      {"anna\x01 " + kKey, "the character `\\x01`"},
  };
}

TEST(Signers, RefusesALineThatDoesNotNameKeysAndTheirOwners) {
  for (const BrokenLine& broken : broken_lines()) {
    const auto read = parse_signers("# first\nben " + kKey + "\n" + broken.line + "\n");
    ASSERT_FALSE(read) << broken.line;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalid) << broken.line;
    EXPECT_TRUE(read.error().message.starts_with("line 3: ")) << read.error().message;
    EXPECT_NE(read.error().message.find(broken.why), std::string::npos)
        << broken.line << ": " << read.error().message;
  }
}

TEST(Signers, RefusesAFileWithoutAKeyOrWithNulBytes) {
  for (const char* const text : {"", "\n", "# anna\n"}) {
    const auto read = parse_signers(text);
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().message.starts_with("no key in it")) << read.error().message;
  }
  const std::string nul(1, '\0');
  for (const std::string& text :
       {"anna " + kKey + nul, "# a" + nul + "b\nanna " + kKey, "anna " + kKey + "\n" + nul}) {
    const auto read = parse_signers(text);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find(": a NUL byte"), std::string::npos) << read.error().message;
  }
}

// Whatever a byte becomes: the file is refused, or it names the same number of keys, or a line of
// it has become a comment.
TEST(Signers, NeverFindsMoreKeysInAFileThatWasChanged) {
  Generator draw;
  SCOPED_TRACE(draw.seed_line());
  const std::string text = sample_signers();
  std::size_t accepted = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string changed = text;
    changed[draw.below(changed.size())] = draw.bytes(1)[0];
    const auto read = parse_signers(changed);
    if (!read) continue;
    ++accepted;
    ASSERT_LE(read->size(), 3U) << changed;
    for (const Signer& signer : *read) {
      ASSERT_FALSE(signer.principals.empty());
      for (const std::string& name : signer.principals) {
        ASSERT_EQ(name.find_first_of("*?!,\""), std::string::npos) << changed;
      }
    }
  }
  EXPECT_GT(accepted, 0U);
}

TEST(Signers, HasTheFingerprintsOfSshKeygen) {
  if (!std::filesystem::exists("/usr/bin/ssh-keygen")) GTEST_SKIP() << "no /usr/bin/ssh-keygen";
  const TempDir folder;
  const std::vector<Names> kinds = {
      {"ed25519", "256"}, {"rsa", "2048"}, {"ecdsa", "256"}, {"ecdsa", "384"}, {"ecdsa", "521"}};
  for (const Names& kind : kinds) {
    const std::string file = folder / (kind[0] + kind[1]);
    const Ran made = run_program({"/usr/bin/ssh-keygen", "-q", "-t", kind[0], "-b", kind[1], "-N",
                                  "", "-C", "key of anna", "-f", file});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    const Ran listed = run_program({"/usr/bin/ssh-keygen", "-lf", file + ".pub"});
    ASSERT_EQ(listed.exit_code, 0) << listed.err;
    const auto read = parse_signers("anna " + read_file(file + ".pub"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(listed.out.substr(listed.out.find(' ') + 1, 50), read->at(0).fingerprint)
        << listed.out;
  }
}

}  // namespace
}  // namespace muniment
