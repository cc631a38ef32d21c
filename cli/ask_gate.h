// Asking the gates of a log without acting: what `gate`, `candidates` and `prompt` have in common.
#ifndef MUNIMENT_CLI_ASK_GATE_H_
#define MUNIMENT_CLI_ASK_GATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/app.h"
#include "muniment/v1/report.pb.h"
#include "recorder/gate_facts.h"

namespace muniment {

// The log that the settings name, and what it and the manifest say of gates. Without a manifest
// only the log is asked: gates are closed then, because nobody states their policy.
struct GateBooks {
  std::string store;  // its folder
  std::string guard;  // the guard folder
  std::string origin;
  Manifest manifest;
  std::map<std::string, RecordedPolicy> policies;  // by gate
  std::unique_ptr<LogReader> reader;
};
// Errors: as load_manifest(), open_log(), read_policies().
Result<GateBooks> open_gate_books(const Globals& globals, Redactor& secrets);

// What a person asks for is usage where it is not there.
// kInvalid for a gate that neither the manifest nor the log has, with the names of those there are.
Status check_gate_name(const GateBooks& books, const std::string& gate);

// Modules that name the gate in the manifest, and those of the policy on record; sorted.
std::vector<std::string> guarded_modules(const GateBooks& books, const std::string& gate);

// What a verdict is about.
struct GateSubject {
  std::string gate;
  std::string module;
  std::string guarded;  // backup | exec | restore
  std::string run_id;   // the candidate; empty: none
};

// Consumes nothing and records nothing. Who asks counts as who would execute: see
// no_self_approval.
// The verdict of now by `log`, which is the books' own reader or the store while it is held.
// Errors: as ask_log().
Result<v1::GateReport> judge_now(const GateBooks& books, const LogReader& log,
                                 const GateSubject& subject, const Globals& globals);

// Appends a body about a run as a fact outside any run. `judge` is asked while the store is held;
// its verdict is what is recorded. The sequence.
Result<std::uint64_t> record_outside(
    const GateBooks& books, const Globals& globals, const Redactor& secrets,
    const std::function<Result<v1::Event>(const LogReader& log, std::vector<std::string>& blobs)>&
        judge);

}  // namespace muniment

#endif  // MUNIMENT_CLI_ASK_GATE_H_
