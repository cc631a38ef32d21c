#include "cli/seal_command.h"

#include <algorithm>

#include "cli/stop.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/log/log_key.h"

namespace muniment {

Result<SealedCommand> seal_command(const CommandLine& line, const Redactor& secrets,
                                   const std::string& store_folder, const LogReader& log) {
  Result<v1::HostCommand> command = observe_command(line, secrets, stop_requested);
  if (!command) return pass(command);
  SealedCommand out{.command = std::move(*command), .masked = {}};
  std::optional<SigningKey> key;
  for (std::size_t i = 0; i < line.argv.size(); ++i) {
    if (out.command.argv(static_cast<int>(i)) == line.argv[i]) continue;
    if (!key) {
      Result<LogKeys> keys = read_log_keys(store_folder, log);
      if (!keys) return pass(keys);
      key = keys->current.secret;
    }
    const std::string signature = key->sign("muniment-argument/1\n" + line.argv[i]);
    out.masked.push_back({static_cast<std::uint32_t>(i), to_hex(sha256(signature))});
  }
  return out;
}

Status check_masks(const Manifest& manifest, const Module& module,
                   const std::vector<MaskedArgument>& masked) {
  const auto gate = manifest.gates.find(module.gate);
  if (masked.empty() || gate == manifest.gates.end()) return {};
  const std::vector<std::string>& guards = gate->second.guards;
  if (std::find(guards.begin(), guards.end(), "exec") == guards.end()) return {};
  return fail(ErrorCode::kInvalid,
              "argument " + std::to_string(masked.front().argument) +
                  " of the command holds what looks like a secret and is masked, so nobody who "
                  "approves under gate " +
                  inert(module.gate) +
                  " could see what is run; hand secrets over by --env NAME or in a file");
}

}  // namespace muniment
