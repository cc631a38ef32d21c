#include "cli/rehearsal.h"

#include <algorithm>
#include <set>

#include "recorder/core/text.h"
#include "recorder/log/queries.h"
#include "replay/find_run.h"
#include "replay/query.h"

namespace muniment {

Result<Rehearsal> find_plan(const LogReader& log, const std::string& word,
                            const std::string& purpose, const std::vector<std::string>& asked) {
  Result<v1::RunState> run = find_rehearsal(log, word, purpose);
  if (!run) return pass(run);
  if (run->purpose() != purpose) {
    return fail(ErrorCode::kInvalid,
                "run " + run->run_id() + " rehearsed `" + inert_short(run->purpose(), 40) +
                    "`; execute it with `muniment " + inert_short(run->purpose(), 40) + " --plan`");
  }
  Rehearsal out{.run_id = run->run_id(), .canonical = {}, .selection = {}};
  out.selection.modules.assign(run->requested().begin(), run->requested().end());
  std::string digest;
  const Status read = read_indexed(log, IndexTag::kByRun, out.run_id, 0, Direction::kForward,
                                   [&](const StoredEvent& stored) {
                                     const v1::Event& event = stored.event;
                                     if (event.has_run_started()) {
                                       out.selection.all = event.run_started().all();
                                     }
                                     if (event.has_plan_sealed()) {
                                       digest = event.plan_sealed().canonical_sha256();
                                     }
                                     return digest.empty();
                                   });
  if (!read) return std::unexpected(read.error());
  Result<std::optional<std::string>> blob = read_blob(log, digest);
  if (!blob) return pass(blob);
  if (!blob->has_value()) {
    return fail(ErrorCode::kCorrupt,
                "the plan of run " + out.run_id + " is not in the store; run `muniment verify`");
  }
  out.canonical = std::move(**blob);
  for (const std::string& name : asked) {
    const auto& planned = out.selection.modules;
    if (std::find(planned.begin(), planned.end(), name) != planned.end()) continue;
    return fail(ErrorCode::kInvalid, "module `" + inert_short(name, 80) +
                                         "` is not in the plan of run " + out.run_id +
                                         "; a plan is executed whole");
  }
  // Not by their number: a name may stand there twice.
  const std::set<std::string> named(asked.begin(), asked.end());
  const std::set<std::string> planned(out.selection.modules.begin(), out.selection.modules.end());
  if (!named.empty() && named != planned) {
    return fail(ErrorCode::kInvalid, "the plan of run " + out.run_id + " has " +
                                         std::to_string(planned.size()) +
                                         " modules; a plan is executed whole: name all or none");
  }
  return out;
}

void drop_missing(const Manifest& manifest, std::vector<std::string>& modules) {
  std::vector<std::string> kept;
  for (const std::string& name : modules) {
    if (manifest.find(name) != nullptr) kept.push_back(name);
  }
  if (!kept.empty()) modules = std::move(kept);
}

}  // namespace muniment
