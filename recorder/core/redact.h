// Secret values leave the text before anything is hashed, stored or shown.
#ifndef MUNIMENT_RECORDER_CORE_REDACT_H_
#define MUNIMENT_RECORDER_CORE_REDACT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/known_secrets.h"

namespace muniment {

// What is replaced, by `[redacted:RULE]`:
//   env:NAME     the value of an environment variable whose name says that it is a secret
//   secret:NAME  the content of a secret reference
//   url          user info in a URL (`scheme://user:password@host`), the whole
//   option       the value after --password, --token, --secret, --api-key … (`--x VALUE`,
//                `--x=VALUE`, and two strings of an array: `"--x", "VALUE"`); never after `-p`
//   header       the value after `Authorization:`, `Cookie:`, `X-Api-Key:` and the like, to the
//                quote that stands around name and value, else to the end of the line
//   assignment   the value in `NAME=VALUE` when NAME is such a variable's; the manifest's own words
//                (`password="env:X"`) are references and stay
// Known values (env, secret) are replaced from six bytes on, also where they stand in base64
// (standard and URL alphabet, at each of the three alignments) or percent-encoded (either case).
// A longer secret is replaced before one that lies inside it; secrets that overlap become one mask.
// A mask says nothing of the value's length, and is not replaced again by the other rules.
// A value type; const methods are safe from many threads.
class Redactor {
 public:
  Redactor() = default;

  // `rule` is shown; `value` shorter than six bytes is not kept. A trailing newline of a secret
  // file is not part of the value.
  void add_secret(std::string rule, std::string value);

  // Takes each variable of `environment` ("NAME=value") whose name matches
  // PASS|PWD|SECRET|TOKEN|KEY|AUTH|CREDENTIAL, in any case. PWD, OLDPWD and SSH_AUTH_SOCK are paths
  // that the shell sets, not secrets: taking them would blot out every path.
  void add_environment(const std::vector<std::string>& environment);

  std::string redact(std::string_view text) const;

  // argv with each argument redacted; an option's value in the next argument is seen.
  std::vector<std::string> redact_arguments(const std::vector<std::string>& arguments) const;

  // The longest text that one known secret can take in any of its forms: what a stream must hold
  // back so that no secret is cut in two by a buffer's edge.
  std::size_t longest_form() const { return known_.longest_form(); }

 private:
  friend class RedactedTail;
  friend class RedactedLines;  // redacted_lines.h

  std::string replace_known(std::string_view text) const;

  KnownSecrets known_;
};

// Redacts a stream piece by piece, with the same result as redact() on the whole for known values
// (the other rules look at one line at a time), and keeps only the last `keep_bytes` of it. For
// standard error of commands. `redactor` must outlive it. Not thread-safe.
class RedactedTail {
 public:
  RedactedTail(const Redactor& redactor, std::size_t keep_bytes);
  void write(std::string_view piece);
  // The tail; nothing may be written afterwards.
  std::string finish();

 private:
  void settle(std::size_t decided);
  void keep(std::size_t line_bytes);

  const Redactor& redactor_;
  std::size_t keep_bytes_;
  std::string pending_;      // not redacted yet, may end inside a secret
  std::size_t covered_ = 0;  // bytes of pending_ whose mask stands in line_
  std::string line_;         // without known values, may end inside a line
  std::string tail_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_REDACT_H_
