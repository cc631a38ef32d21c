// The policy of a gate, as text under a digest: what the log holds, whatever a manifest says later.
// Pure. The text form and a worked example are in proto/GATES.md.
#ifndef MUNIMENT_RECORDER_CORE_GATE_POLICY_H_
#define MUNIMENT_RECORDER_CORE_GATE_POLICY_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "muniment/v1/gate.pb.h"
#include "recorder/core/backup_class.h"
#include "recorder/core/manifest.h"
#include "recorder/core/result.h"

namespace muniment {

struct GatePolicy {
  std::string gate;
  std::vector<std::string> guards;   // backup | exec | restore, sorted
  std::vector<std::string> modules;  // that name the gate, sorted
  std::uint32_t approvals = 1;       // distinct keys
  bool no_self_approval = false;
  std::chrono::seconds expires{24 * 3600};         // the longest life of an approval
  std::string keys;                                // "" | "sk"
  std::map<std::string, std::vector<Need>> needs;  // by guarded command
  std::string signers_sha256;                      // of the allowed_signers file, hexadecimal
  // The guard folder, as inert() shows it; empty: none. Part of the policy, since whoever could
  // choose another one could undo a consumption together with the store.
  std::string guard_folder;
};

// What the manifest says of its gate `name`. `signers` is the text of the allowed_signers file.
// REQUIRES: the manifest has that gate.
GatePolicy policy_of(const Manifest& manifest, const std::string& name, std::string_view signers);

// The canonical text, and its SHA-256 as 64 lower-case hexadecimal digits.
std::string format_policy(const GatePolicy& policy);
std::string policy_digest(const GatePolicy& policy);

// The one reading of a text that format_policy() wrote. kCorrupt for any other.
Result<GatePolicy> parse_policy(std::string_view text);

bool guards(const GatePolicy& policy, std::string_view guarded);

// The event that puts a policy on record, and the blobs that it refers to.
struct PolicyRecord {
  v1::GatePolicyRecorded body;
  std::vector<std::string> blobs;
};
PolicyRecord record_of(const GatePolicy& policy, const std::string& signers,
                       const std::vector<v1::GuardedTarget>& targets);

// What a target is in the world, whatever it is called: its container and compose identity, or its
// path and file. Strings as GuardedTarget.identities has them.
v1::GuardedTarget identities_of(const Target& target);

// Whether both can be the same data: an identity in common, or a path that holds the other.
bool is_same_target(const v1::GuardedTarget& a, const v1::GuardedTarget& b);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_GATE_POLICY_H_
