// Which names say that a secret follows.
#ifndef MUNIMENT_RECORDER_CORE_SECRET_NAMES_H_
#define MUNIMENT_RECORDER_CORE_SECRET_NAMES_H_

#include <string_view>

namespace muniment {

// A variable: PASS, PWD, SECRET, TOKEN, KEY, AUTH or CREDENTIAL stands in its name, in any case.
// PWD, OLDPWD and SSH_AUTH_SOCK hold paths and do not count.
bool is_secret_name(std::string_view name);

// An option with its dashes, `--password`, `--db-password`, `-token`, in any case. Not `-p` and its
// like, which mean another thing in each program, and not `--no-password` or `--password-file`.
bool is_secret_option(std::string_view dashed);

// A header: `Authorization`, `Proxy-Authorization`, `Cookie`, `Set-Cookie`, `X-Api-Key`,
// `Private-Token` and the like, in any case.
bool is_secret_header(std::string_view name);

// Whether `name=value…` is the manifest's own, which sounds like a secret and holds references:
// `password="env:X"`, `auth={…}`, `secrets="/…"`, `keys="sk"`. `value` is all text behind the `=`.
bool is_manifest_reference(std::string_view name, std::string_view value);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_SECRET_NAMES_H_
