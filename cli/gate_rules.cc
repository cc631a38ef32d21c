#include "cli/gate_rules.h"

#include "recorder/core/digest.h"
#include "recorder/core/signers.h"
#include "recorder/core/text.h"
#include "recorder/log/inbox.h"
#include "recorder/log/log_key.h"
#include "recorder/log/queries.h"
#include "recorder/log/sign.h"
#include "recorder/world/ssh_keygen.h"

namespace muniment {
namespace {

constexpr std::size_t kMostSignersBytes = 1U << 20U;

StatedPolicy state_policy(const Manifest& manifest, const Gate& gate, const std::string& guard) {
  StatedPolicy out;
  const std::string name = "gate " + inert(gate.name);
  if (gate.signers.empty()) {
    out.fault = name +
                " has no signers, so it never opens; name an allowed_signers file in the "
                "manifest (`signers`)";
  } else {
    Result<std::string> text = read_trusted_file(gate.signers, kMostSignersBytes);
    const Result<std::vector<Signer>> keys =
        text ? parse_signers(*text) : std::unexpected(text.error());
    if (keys) {
      out.signers = std::move(*text);
    } else {
      out.fault =
          "the signers of " + name + ": " + inert(gate.signers) + ": " + keys.error().message;
    }
  }
  out.policy = policy_of(manifest, gate.name, out.signers);
  out.policy.guard_folder = inert(guard);
  return out;
}

Result<std::set<std::string>> read_keys(const LogReader& log, const std::string& store_folder,
                                        const std::string& origin) {
  std::set<std::string> keys;
  const Result<NoteKey> current = read_verifier_key(store_folder, origin);
  if (current) keys.insert(vkey_of(*current));
  if (!current && current.error().code != ErrorCode::kNotFound) {
    return std::unexpected(current.error());
  }
  Status read = read_indexed(log, IndexTag::kByType, type_value(v1::Event::kKeyRotated), 0,
                             Direction::kForward, [&](const StoredEvent& stored) {
                               keys.insert(stored.event.key_rotated().old_vkey());
                               keys.insert(stored.event.key_rotated().new_vkey());
                               return true;
                             });
  if (!read) return pass(read);
  return keys;
}

}  // namespace

Result<GateRules> make_gate_rules(const Manifest& manifest, const LogReader& log,
                                  const std::string& store_folder, const std::string& guard) {
  const Result<v1::StoreState> state = log.state();
  if (!state) return std::unexpected(state.error());
  GateRules out;
  out.origin = state->origin();
  out.check_signature = check_ssh_signature;
  for (const auto& [name, gate] : manifest.gates) {
    out.stated[name] = state_policy(manifest, gate, guard);
  }
  Result<std::set<std::string>> keys = read_keys(log, store_folder, out.origin);
  if (!keys) return pass(keys);
  out.log_keys = std::move(*keys);
  return out;
}

Status check_store_against_guard(const LogReader& log, const std::string& store_folder,
                                 const std::string& guard) {
  const Result<v1::StoreState> state = log.state();
  if (!state) return std::unexpected(state.error());
  const Result<NoteKey> key = read_verifier_key(store_folder, state->origin());
  if (!key) return std::unexpected(key.error());
  Result<std::optional<Fork>> fork = find_fork(log, store_folder, *key, guard);
  if (!fork) return pass(fork);
  if (fork->has_value()) return fail(ErrorCode::kCorrupt, (*fork)->why);
  Result<std::optional<StoredCheckpoint>> newest = newest_checkpoint(log);
  if (!newest) return pass(newest);
  if (!newest->has_value()) return {};
  Result<std::vector<Guarded>> known = read_guard(guard);
  if (!known) return pass(known);
  for (const Guarded& entry : *known) {
    if (entry.key == *key) return {};
  }
  return fail(ErrorCode::kCorrupt,
              "the guard folder " + inert(guard) +
                  " does not know this log, which was signed before: nobody can tell whether the "
                  "store is an older copy; name the right folder with --guard");
}

namespace {

// Whether anything under a gate can happen at all.
Result<bool> has_gates(const Manifest& manifest, const LogReader& log) {
  if (!manifest.gates.empty()) return true;
  bool found = false;
  Status read = read_indexed(log, IndexTag::kByType, type_value(v1::Event::kGatePolicyRecorded), 0,
                             Direction::kForward, [&](const StoredEvent&) {
                               found = true;
                               return false;
                             });
  if (!read) return pass(read);
  return found;
}

}  // namespace

Status keep_in_guard(Store& store, const std::string& guard) {
  const Result<LogKeys> keys = read_log_keys(store.folder(), store);
  if (!keys) return std::unexpected(keys.error());
  const Result<SignedCheckpoint> made = sign_checkpoint(store, *keys, guard);
  if (!made) return std::unexpected(made.error());
  return {};
}

Result<GateDoor> make_gate_door(const Manifest& manifest, Store& store, const std::string& guard,
                                bool acts) {
  const std::string folder = store.folder();
  Result<bool> gated = has_gates(manifest, store);
  if (!gated) return pass(gated);
  if (*gated && acts) {
    if (Status status = check_store_against_guard(store, folder, guard); !status) {
      return pass(status);
    }
  }
  Result<GateRules> rules = make_gate_rules(manifest, store, folder, guard);
  if (!rules) return pass(rules);
  GateDoor out{.rules = std::move(*rules), .acts = acts};
  out.take_inbox = [folder, &store]() -> Status {
    Result<Drained> drained = drain_inbox(folder, store);
    if (!drained) return pass(drained);
    return {};
  };
  out.keep = [guard, &store] { return keep_in_guard(store, guard); };
  return out;
}

}  // namespace muniment
