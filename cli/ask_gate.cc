#include "cli/ask_gate.h"

#include <algorithm>
#include <set>

#include "cli/gate_rules.h"
#include "cli/outside_run.h"
#include "recorder/core/gate.h"
#include "recorder/core/text.h"
#include "recorder/world/host_source.h"
#include "replay/gate_evidence.h"

namespace muniment {
namespace {

std::set<std::string> names_of_asker(const Globals& globals) {
  std::string claim = globals.actor;
  if (claim.empty()) claim = environment("MUNIMENT_ACTOR").value_or("");
  if (claim.empty()) claim = environment("USER").value_or("");
  std::set<std::string> names = {person_of(claim), observe_user_name()};
  names.erase("");
  return names;
}

}  // namespace

Result<GateBooks> open_gate_books(const Globals& globals, Redactor& secrets) {
  GateBooks books;
  if (manifest_path(globals)) {
    Result<LoadedManifest> loaded = load_manifest(globals, secrets);
    if (!loaded) return pass(loaded);
    books.manifest = std::move(loaded->manifest);
  }
  Result<OpenLog> log = open_log(globals, secrets);
  if (!log) return pass(log);
  books.store = std::move(log->folder);
  books.reader = std::move(log->reader);
  Result<std::string> guard = guard_path(globals, secrets, books.store);
  if (!guard) return pass(guard);
  books.guard = std::move(*guard);
  Result<v1::StoreState> state = books.reader->state();
  if (!state) return pass(state);
  books.origin = state->origin();
  Result<std::map<std::string, RecordedPolicy>> policies = read_policies(*books.reader);
  if (!policies) return pass(policies);
  books.policies = std::move(*policies);
  return books;
}

Status check_gate_name(const GateBooks& books, const std::string& gate) {
  if (books.manifest.gates.contains(gate) || books.policies.contains(gate)) return {};
  std::set<std::string> known;
  for (const auto& [name, stated] : books.manifest.gates) known.insert(name);
  for (const auto& [name, recorded] : books.policies) known.insert(name);
  std::string names;
  for (const std::string& name : known)
    names += (names.empty() ? "" : ", ") + inert_short(name, 80);
  return fail(ErrorCode::kInvalid,
              "gate `" + inert_short(gate, 80) + "` is neither in the manifest nor on record" +
                  (names.empty() ? "; a gate is a table [gate.NAME] of the manifest"
                                 : "; there is: " + names));
}

std::vector<std::string> guarded_modules(const GateBooks& books, const std::string& gate) {
  std::set<std::string> names;
  for (const Module& module : books.manifest.modules) {
    if (module.gate == gate) names.insert(module.name);
  }
  if (const auto held = books.policies.find(gate); held != books.policies.end()) {
    names.insert(held->second.policy.modules.begin(), held->second.policy.modules.end());
  }
  return {names.begin(), names.end()};
}

Result<v1::GateReport> judge_now(const GateBooks& books, const LogReader& log,
                                 const GateSubject& subject, const Globals& globals) {
  Result<GateRules> rules = make_gate_rules(books.manifest, log, books.store, books.guard);
  if (!rules) return pass(rules);
  const GateAsk ask{.gate = subject.gate,
                    .module = subject.module,
                    .guarded = subject.guarded,
                    .candidate_run = subject.run_id,
                    .plan_digest = {},
                    .clean_release = {},
                    .selves = names_of_asker(globals),
                    .now_ns = make_host_clock()->now().wall_ns};
  Result<GateQuestion> question = ask_log(log, *rules, ask);
  if (!question) return pass(question);
  return gate_report(judge_gate(*question).verdict, subject.module);
}

Result<std::uint64_t> record_outside(
    const GateBooks& books, const Globals& globals, const Redactor& secrets,
    const std::function<Result<v1::Event>(const LogReader& log, std::vector<std::string>& blobs)>&
        judge) {
  Result<OutsideRun> outside = OutsideRun::begin(globals, secrets, books.origin);
  if (!outside) return pass(outside);
  Result<std::unique_ptr<Store>> store = outside->hold(globals, secrets, books.store);
  if (!store) return pass(store);
  std::vector<std::string> blobs;
  Result<v1::Event> body = judge(**store, blobs);
  if (!body) return pass(body);
  return outside->record(**store, std::move(*body), std::move(blobs));
}

}  // namespace muniment
