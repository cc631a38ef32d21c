#include "recorder/world/ssh_keygen.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <sstream>
#include <utility>

#include "recorder/core/signers.h"
#include "recorder/core/text.h"
#include "recorder/world/child.h"
#include "recorder/world/os.h"

namespace muniment {
namespace {

constexpr const char* kKeygen = "/usr/bin/ssh-keygen";
constexpr const char* kAdd = "/usr/bin/ssh-add";
constexpr std::chrono::seconds kLimit{10};
constexpr std::size_t kMostShown = 400;
constexpr std::string_view kSafePath = "PATH=/usr/bin:/bin";

// What reaches the agent, the terminal and the window that asks for a passphrase. Nothing that the
// loader of libraries obeys, and no provider of keys.
constexpr std::array<std::string_view, 12> kPassedOn{"SSH_AUTH_SOCK",
                                                     "SSH_ASKPASS",
                                                     "SSH_ASKPASS_REQUIRE",
                                                     "DISPLAY",
                                                     "WAYLAND_DISPLAY",
                                                     "XAUTHORITY",
                                                     "XDG_RUNTIME_DIR",
                                                     "TERM",
                                                     "HOME",
                                                     "USER",
                                                     "LANG",
                                                     "LC_ALL"};

std::vector<std::string> environment_to_sign(const std::vector<std::string>& environment) {
  std::vector<std::string> out{std::string(kSafePath)};
  for (const std::string& variable : environment) {
    const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
    if (std::find(kPassedOn.begin(), kPassedOn.end(), name) != kPassedOn.end()) {
      out.push_back(variable);
    }
  }
  return out;
}

// It is never looked for elsewhere, so that what is missing has to be installed.
template <class T>
Result<T> named(Result<T> ran) {
  if (!ran && ran.error().code == ErrorCode::kUnavailable) {
    ran.error().message += " (it comes with the package openssh-client)";
  }
  return ran;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) out.push_back(line);
  }
  return out;
}

// A file in memory has another name each time: a message is the same whoever judges.
std::string without_numbers(std::string line) {
  constexpr std::string_view kFolder = "/proc/self/fd/";
  for (std::size_t at = line.find(kFolder); at != std::string::npos; at = line.find(kFolder)) {
    const std::size_t end = line.find_first_not_of("0123456789", at + kFolder.size());
    line.replace(at, end == std::string::npos ? end : end - at, "the file");
  }
  return line;
}

// The last lines say why; "Signing data on standard input" stands before them.
std::string words_of(const ChildResult& ran) {
  std::string out;
  for (const std::string& line : lines_of(ran.err + "\n" + ran.out)) {
    if (line.starts_with("Signing ") || line.starts_with("Signature verification failed")) continue;
    if (!out.empty()) out += "; ";
    out += without_numbers(line);
  }
  if (out.empty()) out = "exit " + std::to_string(ran.exit_status);
  return inert_short(out, kMostShown);
}

Result<std::string> sign(const std::string& key, const std::string& shown, const ChildTerms& terms,
                         const std::vector<std::string>& environment) {
  const std::vector<std::string> argv{kKeygen, "-Y", "sign", "-n", std::string(kApprovalNamespace),
                                      "-f",    key};
  Result<ChildResult> ran = named(run_child_with(argv, environment_to_sign(environment), terms));
  if (!ran) return pass(ran);
  constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----\n";
  if (ran->exit_status == 0 && ran->out.starts_with(kBegin)) return std::move(ran->out);
  return fail(ErrorCode::kInvalid, "ssh-keygen cannot sign with " + shown + ": " + words_of(*ran));
}

ChildTerms terms_to_sign(std::string_view text, const std::function<bool()>& stop) {
  ChildTerms terms;
  terms.input = std::string(text);
  terms.stop = stop;
  return terms;
}

// One question about one signature.
class Asked {
 public:
  Asked(std::string_view text, std::string_view signature, std::string_view signers) {
    terms_.input = std::string(text);
    terms_.files = {std::string(signature), std::string(signers)};
    terms_.limit = kLimit;
  }

  Result<ChildResult> find_principals() const {
    return ask({"-Y", "find-principals", "-s", "{0}", "-f", "{1}"});
  }
  Result<ChildResult> verify(const std::string& principal) const {
    return ask({"-Y", "verify", "-n", std::string(kApprovalNamespace), "-I", principal, "-s", "{0}",
                "-f", "{1}"});
  }
  // Whatever the signers are.
  Result<ChildResult> check_alone() const {
    return ask({"-Y", "check-novalidate", "-n", std::string(kApprovalNamespace), "-s", "{0}"});
  }

 private:
  Result<ChildResult> ask(const std::vector<std::string>& words) const {
    std::vector<std::string> argv = {kKeygen};
    argv.insert(argv.end(), words.begin(), words.end());
    return named(run_child_with(argv, {std::string(kSafePath), "LC_ALL=C"}, terms_));
  }

  ChildTerms terms_;
};

bool is_fingerprint(std::string_view word) {
  constexpr std::size_t kDigits = 43;
  constexpr std::string_view kPrefix = "SHA256:";
  if (!word.starts_with(kPrefix) || word.size() != kPrefix.size() + kDigits) return false;
  return std::all_of(word.begin() + static_cast<std::ptrdiff_t>(kPrefix.size()), word.end(),
                     [](char c) {
                       return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                              (c >= '0' && c <= '9') || c == '+' || c == '/';
                     });
}

// `Good "NAMESPACE" signature for PRINCIPAL with ED25519-SK key SHA256:…`, or without "for
// PRINCIPAL". A principal can hold any words: what stands before and behind it is compared.
std::optional<std::string> fingerprint_of(const ChildResult& ran, const std::string& whose) {
  if (ran.exit_status != 0) return std::nullopt;
  const std::string start =
      "Good \"" + std::string(kApprovalNamespace) + "\" signature " + whose + "with ";
  for (const std::string& line : lines_of(ran.out)) {
    if (!line.starts_with(start)) continue;
    std::istringstream rest(line.substr(start.size()));
    std::string type;
    std::string key;
    std::string fingerprint;
    std::string more;
    rest >> type >> key >> fingerprint;
    if (key == "key" && is_fingerprint(fingerprint) && !(rest >> more)) return fingerprint;
  }
  return std::nullopt;
}

SignatureCheck bad(std::string why) {
  SignatureCheck out;
  out.why = std::move(why);
  return out;
}

SignatureCheck good(const std::string& principal, const std::string& fingerprint,
                    std::string_view signers) {
  const Result<std::vector<Signer>> known = parse_signers(signers);
  if (!known) return bad(known.error().message);
  const auto signer = std::find_if(known->begin(), known->end(), [&](const Signer& one) {
    return one.fingerprint == fingerprint;
  });
  if (signer == known->end()) return bad("key " + fingerprint + " is in no line of the signers");
  SignatureCheck out;
  out.good = true;
  out.principal = principal;
  out.fingerprint = fingerprint;
  out.security_key = is_security_key(*signer);
  return out;
}

// No principal has made it: because it is broken, or because of who made it.
Result<SignatureCheck> explain(const Asked& asked, const std::string& words) {
  Result<ChildResult> alone = asked.check_alone();
  if (!alone) return pass(alone);
  const std::optional<std::string> fingerprint = fingerprint_of(*alone, "");
  if (!fingerprint) return bad("the signature does not hold: " + words_of(*alone));
  SignatureCheck out =
      bad("key " + *fingerprint + " is no signer that may sign approvals now: " + words);
  out.fingerprint = *fingerprint;
  return out;
}

}  // namespace

Result<std::string> sign_with_ssh(const std::string& key_file, std::string_view text,
                                  const std::vector<std::string>& environment,
                                  const std::function<bool()>& stop) {
  struct stat facts{};
  if (::stat(key_file.c_str(), &facts) != 0) {
    Error missing = system_error("read the key", key_file, errno);
    missing.code = ErrorCode::kInvalid;
    return std::unexpected(std::move(missing));
  }
  return sign(key_file, shown_path(key_file), terms_to_sign(text, stop), environment);
}

Result<std::string> sign_with_agent(const std::string& public_key, std::string_view text,
                                    const std::vector<std::string>& environment,
                                    const std::function<bool()>& stop) {
  ChildTerms terms = terms_to_sign(text, stop);
  terms.files = {public_key + "\n"};
  return sign("{0}", "the key of ssh-agent", terms, environment);
}

Result<std::vector<std::string>> list_agent_keys(const std::vector<std::string>& environment) {
  ChildTerms terms;
  terms.limit = kLimit;
  Result<ChildResult> ran =
      named(run_child_with({kAdd, "-L"}, environment_to_sign(environment), terms));
  if (!ran) return pass(ran);
  // 1: it holds no key; 2: there is no agent.
  if (ran->exit_status != 0) return std::vector<std::string>{};
  return lines_of(ran->out);
}

Result<SignatureCheck> check_ssh_signature(std::string_view text, std::string_view signature,
                                           std::string_view signers) {
  const Asked asked(text, signature, signers);
  Result<ChildResult> found = asked.find_principals();
  if (!found) return pass(found);
  if (found->exit_status != 0) return explain(asked, words_of(*found));
  std::string words = "ssh-keygen names no principal";
  for (const std::string& principal : lines_of(found->out)) {
    Result<ChildResult> ran = asked.verify(principal);
    if (!ran) return pass(ran);
    const std::optional<std::string> fingerprint = fingerprint_of(*ran, "for " + principal + " ");
    if (fingerprint) return good(principal, *fingerprint, signers);
    words = words_of(*ran);
  }
  return explain(asked, words);
}

}  // namespace muniment
