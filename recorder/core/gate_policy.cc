#include "recorder/core/gate_policy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "recorder/core/check.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/lines.h"

namespace muniment {
namespace {

constexpr std::string_view kFirstLine = "muniment-gate-policy/1";
constexpr std::string_view kContainer = "container ";  // as identities_of() writes it
constexpr std::array<std::string_view, 3> kGuarded = {"backup", "exec", "restore"};

// The manifest's limits: a text beyond them was not written from one.
constexpr std::uint64_t kMostApprovals = 16;
constexpr std::uint64_t kLongestApproval = 86400;
constexpr std::uint64_t kLongestNeed = 1000ULL * 365 * 86400;

void line(std::string& out, std::string_view key, std::string_view value) {
  out += key;
  out += ' ';
  out += value;
  out += '\n';
}

std::string value_of(const Need& need) {
  if (need.within) return std::to_string(need.within->count());
  if (need.name == "check" || !need.value.empty()) return inert(need.value);
  return "true";
}

bool is_guarded(std::string_view word) {
  return std::find(kGuarded.begin(), kGuarded.end(), word) != kGuarded.end();
}

bool is_name(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return plain && !text.empty() && text.size() <= 255 && text.front() != '-' && text.front() != '.';
}

std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t most) {
  const Result<std::uint64_t> number = parse_decimal(text, "it");
  if (!number || *number == 0 || *number > most) return std::nullopt;
  return *number;
}

void append_utf8(unsigned long point, std::string& out) {
  const auto tail = [](unsigned long bits) { return static_cast<char>(0x80U | (bits & 0x3fU)); };
  if (point < 0x800) {
    out += static_cast<char>(0xc0U | (point >> 6U));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0U | (point >> 12U));
    out += tail(point >> 6U);
  } else {
    out += static_cast<char>(0xf0U | (point >> 18U));
    out += tail(point >> 12U);
    out += tail(point >> 6U);
  }
  out += tail(point);
}

std::optional<unsigned long> hex_number(std::string_view digits) {
  unsigned long number = 0;
  for (const char c : digits) {
    const std::size_t value = std::string_view("0123456789ABCDEF").find(c);
    if (value == std::string_view::npos) return std::nullopt;
    number = (number << 4U) | value;
  }
  return number;
}

// One escape at the front of `rest`, taken off. False: it is none that inert() writes.
bool take_escape(std::string_view& rest, std::string& out) {
  constexpr std::string_view kLetters = "\\ntr";
  const char letter = rest.size() < 2 ? '\0' : rest[1];
  if (const std::size_t at = kLetters.find(letter); at != std::string_view::npos) {
    out += "\\\n\t\r"[at];
    rest.remove_prefix(2);
    return true;
  }
  const std::size_t end = letter == 'x' ? 4 : rest.substr(0, 11).find('}') + 1;
  const std::size_t begin = letter == 'x' ? 2 : 3;
  if ((letter != 'x' && letter != 'u') || end <= begin || end > rest.size()) return false;
  const std::size_t size = end - begin - (letter == 'x' ? 0 : 1);
  const std::optional<unsigned long> number = hex_number(rest.substr(begin, size));
  if (!number || *number > 0x10ffff) return false;
  if (letter == 'x') {
    out += static_cast<char>(*number);
  } else {
    append_utf8(*number, out);
  }
  rest.remove_prefix(end);
  return true;
}

// What inert() made this of; absent: it did not.
std::optional<std::string> before_inert(std::string_view text) {
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    if (rest.front() != '\\') {
      out += rest.front();
      rest.remove_prefix(1);
    } else if (!take_escape(rest, out)) {
      return std::nullopt;
    }
  }
  if (inert(out) != text) return std::nullopt;
  return out;
}

// Conditions that a later program knows are read too: what is not known keeps a gate shut.
std::optional<Need> parse_need(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 3> kAges = {"dry_run", "verified_backup", "restore_test"};
  constexpr std::array<std::string_view, 2> kFlags = {"no_drift", "clean_release"};
  if (!is_name(name)) return std::nullopt;
  Need out{.name = std::string(name), .within = {}, .value = {}};
  const bool is_age = std::find(kAges.begin(), kAges.end(), name) != kAges.end();
  const bool is_flag = std::find(kFlags.begin(), kFlags.end(), name) != kFlags.end();
  const std::optional<std::uint64_t> seconds = number_in(value, kLongestNeed);
  if (is_age && !seconds) return std::nullopt;
  if (seconds && name != "check" && !is_flag) {
    out.within = std::chrono::seconds(*seconds);
    return out;
  }
  if (value == "true" && name != "check") return out;
  std::optional<std::string> text = before_inert(value);
  if (is_flag || !text) return std::nullopt;
  if (name != "check" && text->empty()) return std::nullopt;
  out.value = *std::move(text);
  return out;
}

class PolicyReader {
 public:
  explicit PolicyReader(std::string_view text) : lines_("the gate policy", text) {}

  Result<GatePolicy> read() {
    const std::optional<std::string_view> first = lines_.next();
    if (first != kFirstLine) {
      const std::string why = "is to be `" + std::string(kFirstLine) + "`";
      return first ? lines_.wrong(why) : lines_.missing(why);
    }
    const bool whole =
        one("gate", "NAME", &PolicyReader::take_gate) &&
        all("guards", "backup, exec or restore, in order", &PolicyReader::take_guard) &&
        all("module", "NAME, in order", &PolicyReader::take_module) &&
        one("approvals", "1 to 16", &PolicyReader::take_approvals) &&
        one("no-self-approval", "true or false", &PolicyReader::take_self) &&
        one("expires", "seconds, at most 86400", &PolicyReader::take_expires) &&
        one("keys", "any or sk", &PolicyReader::take_keys) &&
        one("signers", "64 hexadecimal digits or -", &PolicyReader::take_signers) &&
        one("guard", "PATH or -", &PolicyReader::take_guard_folder) &&
        all("need", "GUARDED CONDITION VALUE, in order", &PolicyReader::take_need);
    if (!whole) return std::unexpected(error_);
    if (!lines_.rest().empty()) return lines_.missing("is not to be there");
    return policy_;
  }

 private:
  using Take = bool (PolicyReader::*)(std::string_view value);

  bool one(std::string_view key, std::string_view form, Take take) {
    const std::optional<std::string_view> line = lines_.next();
    const std::string head = std::string(key) + " ";
    if (line && line->starts_with(head) && (this->*take)(line->substr(head.size()))) return true;
    const std::string why = "is to be `" + head + "VALUE`, VALUE being " + std::string(form);
    error_ = line ? lines_.wrong(why + ", not `" + inert_short(*line, 100) + "`").error()
                  : lines_.missing(why).error();
    return false;
  }

  bool all(std::string_view key, std::string_view form, Take take) {
    while (lines_.next_starts_with(std::string(key) + " ")) {
      if (!one(key, form, take)) return false;
    }
    return true;
  }

  bool take_gate(std::string_view value) {
    policy_.gate = value;
    return is_name(value);
  }

  static bool take_next(std::vector<std::string>& list, std::string_view value) {
    const bool in_order = list.empty() || list.back() < value;
    list.emplace_back(value);
    return in_order;
  }
  bool take_guard(std::string_view value) {
    return take_next(policy_.guards, value) && is_guarded(value);
  }
  bool take_module(std::string_view value) {
    return take_next(policy_.modules, value) && is_name(value);
  }

  bool take_approvals(std::string_view value) {
    const std::optional<std::uint64_t> number = number_in(value, kMostApprovals);
    policy_.approvals = static_cast<std::uint32_t>(number.value_or(0));
    return number.has_value();
  }

  bool take_self(std::string_view value) {
    policy_.no_self_approval = value == "true";
    return value == "true" || value == "false";
  }

  bool take_expires(std::string_view value) {
    const std::optional<std::uint64_t> number = number_in(value, kLongestApproval);
    policy_.expires = std::chrono::seconds(number.value_or(0));
    return number.has_value();
  }

  bool take_keys(std::string_view value) {
    if (value == "sk") policy_.keys = value;
    return value == "sk" || value == "any";
  }

  bool take_signers(std::string_view value) {
    if (value == "-") return true;
    policy_.signers_sha256 = value;
    return is_hex_digest(value);
  }

  bool take_guard_folder(std::string_view value) {
    if (value != "-") policy_.guard_folder = value;
    return value == "-" || (value.starts_with('/') && before_inert(value));
  }

  bool take_need(std::string_view value) {
    const std::size_t first = value.find(' ');
    const std::size_t second = value.find(' ', std::min(first, value.size() - 1) + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return false;
    const std::string guarded(value.substr(0, first));
    const std::optional<Need> need =
        parse_need(value.substr(first + 1, second - first - 1), value.substr(second + 1));
    const bool in_order = policy_.needs.empty() || policy_.needs.rbegin()->first <= guarded;
    if (!is_guarded(guarded) || !need || !in_order) return false;
    policy_.needs[guarded].push_back(*need);
    return true;
  }

  Lines lines_;
  GatePolicy policy_;
  Error error_;
};

}  // namespace

GatePolicy policy_of(const Manifest& manifest, const std::string& name, std::string_view signers) {
  const auto found = manifest.gates.find(name);
  check(found != manifest.gates.end(), "a policy is stated of a gate of the manifest");
  const Gate& gate = found->second;
  const std::set<std::string> guarded(gate.guards.begin(), gate.guards.end());
  std::set<std::string> modules;
  for (const Module& module : manifest.modules) {
    if (module.gate == name) modules.insert(module.name);
  }
  GatePolicy out{.gate = name,
                 .guards = {guarded.begin(), guarded.end()},
                 .modules = {modules.begin(), modules.end()},
                 .approvals = gate.approvals,
                 .no_self_approval = gate.no_self_approval,
                 .expires = gate.expires,
                 .keys = gate.keys,
                 .needs = gate.needs,
                 .signers_sha256 = signers.empty() ? "" : to_hex(sha256(signers)),
                 .guard_folder = {}};
  std::erase_if(out.needs, [](const auto& needs) { return needs.second.empty(); });
  return out;
}

std::string format_policy(const GatePolicy& policy) {
  std::string out = std::string(kFirstLine) + "\n";
  line(out, "gate", policy.gate);
  for (const std::string& word : policy.guards) line(out, "guards", word);
  for (const std::string& module : policy.modules) line(out, "module", module);
  line(out, "approvals", std::to_string(policy.approvals));
  line(out, "no-self-approval", policy.no_self_approval ? "true" : "false");
  line(out, "expires", std::to_string(policy.expires.count()));
  line(out, "keys", policy.keys.empty() ? "any" : policy.keys);
  line(out, "signers", policy.signers_sha256.empty() ? "-" : policy.signers_sha256);
  line(out, "guard", policy.guard_folder.empty() ? "-" : policy.guard_folder);
  for (const auto& [guarded, needs] : policy.needs) {
    for (const Need& need : needs) {
      line(out, "need", guarded + " " + need.name + " " + value_of(need));
    }
  }
  return out;
}

std::string policy_digest(const GatePolicy& policy) {
  return to_hex(sha256(format_policy(policy)));
}

Result<GatePolicy> parse_policy(std::string_view text) {
  Result<GatePolicy> out = PolicyReader(text).read();
  if (out) return out;
  return fail(ErrorCode::kCorrupt,
              out.error().message + "; run `muniment verify` where it came out of a log");
}

bool guards(const GatePolicy& policy, std::string_view guarded) {
  return std::find(policy.guards.begin(), policy.guards.end(), guarded) != policy.guards.end();
}

PolicyRecord record_of(const GatePolicy& policy, const std::string& signers,
                       const std::vector<v1::GuardedTarget>& targets) {
  PolicyRecord out;
  out.blobs.push_back(format_policy(policy));
  out.body.set_gate(policy.gate);
  for (const std::string& word : policy.guards) out.body.add_guards(word);
  for (const std::string& module : policy.modules) out.body.add_modules(module);
  out.body.set_policy_sha256(std::string(as_bytes(sha256(out.blobs.front()))));
  out.body.set_approvals(policy.approvals);
  if (!signers.empty()) {
    out.body.set_signers_sha256(std::string(as_bytes(sha256(signers))));
    out.blobs.push_back(signers);
  }
  std::set<std::string> ids;
  for (const v1::GuardedTarget& target : targets) {
    *out.body.add_targets() = target;
    for (const std::string& identity : target.identities()) {
      if (identity.starts_with(kContainer)) ids.insert(identity.substr(kContainer.size()));
    }
  }
  for (const std::string& id : ids) out.body.add_container_ids(id);
  return out;
}

}  // namespace muniment
