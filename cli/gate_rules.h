// What the command line brings to the gates of a log: the manifest's policies, the log's keys, and
// ssh-keygen's judgement.
#ifndef MUNIMENT_CLI_GATE_RULES_H_
#define MUNIMENT_CLI_GATE_RULES_H_

#include <string>

#include "cli/settings.h"
#include "recorder/gatekeeper.h"
#include "recorder/log/store.h"

namespace muniment {

// Reads the allowed_signers file of each gate of the manifest; what is wrong with one is said in
// StatedPolicy::fault, and its gate stays closed. `guard` is the guard folder that is in use: it is
// part of the policy, since whoever may choose another one could undo the consumption of an
// approval together with the store.
Result<GateRules> make_gate_rules(const Manifest& manifest, const LogReader& log,
                                  const std::string& store_folder, const std::string& guard);

// Whether the store is older than, or another than, what the guard folder knows: kCorrupt, with
// what to do. Asked before anything is done under a gate: a restored store would give consumed
// approvals back.
Status check_store_against_guard(const LogReader& log, const std::string& store_folder,
                                 const std::string& guard);

// Signs the log as it is, so that the guard folder knows of what was just recorded.
Status keep_in_guard(Store& store, const std::string& guard);

// The gates of a run in `store`, which must outlive it. Where the run `acts` and gates can matter,
// the store is first held against the guard.
Result<GateDoor> make_gate_door(const Manifest& manifest, Store& store, const std::string& guard,
                                bool acts);

}  // namespace muniment

#endif  // MUNIMENT_CLI_GATE_RULES_H_
