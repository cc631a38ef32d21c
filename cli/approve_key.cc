#include "cli/approve_key.h"

#include <algorithm>
#include <optional>

#include "cli/diagnostics.h"
#include "cli/output_file.h"
#include "cli/stop.h"
#include "recorder/core/signers.h"
#include "recorder/world/ssh_keygen.h"

namespace muniment {
namespace {

// A line of ssh-agent is one of an allowed_signers file but for the principal. A key of a kind that
// nobody can sign approvals with is none.
std::optional<Signer> signer_of(const std::string& agent_line) {
  const Result<std::vector<Signer>> read = parse_signers("agent " + agent_line + "\n");
  if (!read || read->size() != 1) return std::nullopt;
  return read->front();
}

// A key that waits for a finger says so by a light alone: ssh-keygen's words do not reach the
// person.
bool is_security_key(const ApproveKey& key) {
  constexpr std::size_t kMostBytes = 64U << 10U;
  if (key.file.empty()) return key.agent_line.starts_with("sk-");
  const std::string file = key.file.ends_with(".pub") ? key.file : key.file + ".pub";
  const Result<std::string> line = read_input(file, kMostBytes);
  return line && line->starts_with("sk-");
}

std::unexpected<Error> no_key(const std::string& why) {
  return fail(ErrorCode::kInvalid,
              why +
                  "; name your key with --key FILE, or write the statement for a key elsewhere "
                  "with --export FILE");
}

}  // namespace

Result<ApproveKey> choose_key(const std::string& file, const std::string& signers,
                              const std::vector<std::string>& environment) {
  if (!file.empty()) return ApproveKey{.file = file, .agent_line = {}};
  const Result<std::vector<Signer>> known = parse_signers(signers);
  if (!known) return std::unexpected(known.error());
  Result<std::vector<std::string>> held = list_agent_keys(environment);
  if (!held) return pass(held);
  ApproveKey out;
  std::string names;
  std::size_t count = 0;
  for (const std::string& line : *held) {
    const std::optional<Signer> key = signer_of(line);
    const auto is_this = [&](const Signer& signer) {
      return key && signer.fingerprint == key->fingerprint;
    };
    if (!std::any_of(known->begin(), known->end(), is_this)) continue;
    names += (count++ == 0 ? "" : ", ") + key->fingerprint;
    out.agent_line = line;
  }
  if (count == 1) return out;
  if (count == 0) return no_key("ssh-agent holds no key of the gate's signers");
  return no_key("ssh-agent holds " + std::to_string(count) + " keys of the gate's signers (" +
                names + ")");
}

Result<std::string> sign_approval(const ApproveKey& key, const std::string& text,
                                  const std::vector<std::string>& environment) {
  if (is_security_key(key)) say("touch the security key when it blinks");
  if (!key.file.empty()) return sign_with_ssh(key.file, text, environment, stop_requested);
  return sign_with_agent(key.agent_line, text, environment, stop_requested);
}

}  // namespace muniment
