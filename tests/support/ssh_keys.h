// Keys of people, made by ssh-keygen while a test runs: no key lies in the tree.
#ifndef MUNIMENT_TESTS_SUPPORT_SSH_KEYS_H_
#define MUNIMENT_TESTS_SUPPORT_SSH_KEYS_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/comes_true.h"
#include "tests/support/read_file.h"
#include "tests/support/run_program.h"
#include "tests/support/sample_data.h"

namespace muniment {

// A key pair in two files, as OpenSSH keeps them.
struct SshKey {
  std::string file;         // the private half; ".pub" beside it is the public one
  std::string line;         // "ssh-ed25519 AAAA…", without a comment
  std::string fingerprint;  // "SHA256:…"
};

struct SshKind {
  std::vector<std::string> options = {"-t", "ed25519"};
  std::string passphrase;
};

inline SshKey make_ssh_key(const std::string& file, const SshKind& kind = {}) {
  std::vector<std::string> argv{"ssh-keygen", "-q", "-N", kind.passphrase, "-C", "", "-f", file};
  argv.insert(argv.end(), kind.options.begin(), kind.options.end());
  const Ran made = run_program(argv);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const Ran shown = run_program({"ssh-keygen", "-l", "-E", "sha256", "-f", file + ".pub"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  SshKey out;
  out.file = file;
  out.line = read_file(file + ".pub");
  while (!out.line.empty() && (out.line.back() == '\n' || out.line.back() == ' ')) {
    out.line.pop_back();
  }
  const std::size_t at = shown.out.find("SHA256:");
  out.fingerprint = shown.out.substr(at, shown.out.find(' ', at) - at);
  return out;
}

// One line of an allowed_signers file.
inline std::string signer_line(const std::string& principals, const SshKey& key,
                               const std::string& options = "") {
  return principals + " " + options + (options.empty() ? "" : " ") + key.line + "\n";
}

// The armour that `ssh-keygen -Y sign FILE` writes when somebody calls it by hand: FILE.sig.
inline std::string sign_by_hand(const SshKey& key, const std::string& file,
                                const std::string& space = "muniment-approval") {
  std::filesystem::remove(file + ".sig");
  const Ran ran = run_program({"ssh-keygen", "-Y", "sign", "-n", space, "-f", key.file, file});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return read_file(file + ".sig");
}

// A program that says a passphrase when ssh-keygen asks for it, and the words of an environment
// that make it ask there and not on the terminal.
inline std::vector<std::string> answer_with(const std::string& program,
                                            const std::string& passphrase) {
  write_text(program, "#!/bin/sh\necho '" + passphrase + "'\n");
  std::filesystem::permissions(program, std::filesystem::perms(0700));
  return {"SSH_ASKPASS=" + program, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0"};
}

// A real ssh-agent, ended with the object.
class SshAgent {
 public:
  explicit SshAgent(std::string socket)
      : socket_(std::move(socket)), agent_({"ssh-agent", "-D", "-a", socket_}, {}) {
    EXPECT_TRUE(comes_true([&] { return std::filesystem::exists(socket_); }));
  }

  void add(const SshKey& key) const {
    const Ran ran =
        run_program({"ssh-add", "-q", key.file},
                    {.environment = {{"SSH_AUTH_SOCK", socket_}}, .umask = {}, .cwd = {}});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
  const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
  RunningProgram agent_;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_SSH_KEYS_H_
