// Secret values leave the text before anything is hashed, stored or shown.
#ifndef MUNIMENT_RECORDER_CORE_REDACT_H_
#define MUNIMENT_RECORDER_CORE_REDACT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace muniment {

// What is replaced, by `[redacted:RULE]`:
//   RULE = env:NAME      the value of an environment variable whose name says that it is a secret
//          secret:NAME   the content of a secret reference
//          url           user info in a URL (`scheme://user:password@host`), the whole
//          `user:password` option        the value after --password, --token, --secret, --api-key …
//          (`--x VALUE`, `--x=VALUE`) header        the value after `Authorization:` and the like,
//          to the end of the line
// Known values (env, secret) are replaced from six bytes on, also where they stand in base64
// (standard and URL alphabet, at each of the three alignments) or percent-encoded (either case).
// A longer secret is replaced before one that lies inside it.
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
  std::size_t longest_form() const;

 private:
  struct Form {
    std::string text;
    std::string rule;
  };
  std::vector<Form> forms_;  // longest first
};

// Redacts a stream piece by piece, with the same result as redact() on the whole for known values,
// and keeps only the last `keep_bytes` of it. For standard error of commands.
class RedactedTail {
 public:
  RedactedTail(const Redactor& redactor, std::size_t keep_bytes);
  void write(std::string_view piece);
  // The tail; nothing may be written afterwards.
  std::string finish();

 private:
  const Redactor& redactor_;
  std::size_t keep_bytes_;
  std::string pending_;  // not redacted yet, may end inside a secret
  std::string tail_;
};

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_REDACT_H_
