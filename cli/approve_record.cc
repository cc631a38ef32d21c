#include "cli/approve_record.h"

#include <chrono>

#include "cli/diagnostics.h"
#include "cli/gate_rules.h"
#include "cli/outside_run.h"
#include "recorder/core/check.h"
#include "recorder/log/inbox.h"

namespace muniment {
namespace {

constexpr auto kInboxPatience = std::chrono::seconds(10);

Result<std::uint64_t> leave(const std::string& folder, const Entry& entry,
                            const std::string& event_id) {
  if (Status status = leave_in_inbox(folder, entry); !status) return pass(status);
  say("another process holds the store: left in its inbox, waiting for it");
  return wait_for_event(folder, event_id, kInboxPatience);
}

Result<std::string> origin_of(const std::string& folder) {
  Result<std::unique_ptr<LogReader>> reader = open_reader(folder);
  if (!reader) return pass(reader);
  Result<v1::StoreState> state = (*reader)->state();
  if (!state) return pass(state);
  return state->origin();
}

bool tell_guard(Store& store, const std::string& guard) {
  const Status kept = keep_in_guard(store, guard);
  if (!kept) say_warning("it is durable, but not checkpointed: " + kept.error().message);
  return kept.has_value();
}

}  // namespace

Result<Added> add_decision(const Globals& globals, Redactor& secrets, const std::string& folder,
                           Decision decision, const WhileHeld& behind) {
  Result<std::string> guard = guard_path(globals, secrets, folder);
  if (!guard) return pass(guard);
  Result<std::string> origin = origin_of(folder);
  if (!origin) return pass(origin);
  Result<OutsideRun> outside = OutsideRun::begin(globals, secrets, *origin);
  if (!outside) return pass(outside);
  Result<std::unique_ptr<Store>> store = outside->hold(globals, secrets, folder);
  Entry entry = outside->stamp(std::move(decision.event), std::move(decision.blobs));
  v1::Event stamped;
  check(stamped.ParseFromString(entry.bytes), "an event that was just serialized parses");
  Added out;
  out.event_id = stamped.event_id();
  if (!store && store.error().code == ErrorCode::kBusy) {
    Result<std::uint64_t> taken = leave(folder, entry, out.event_id);
    if (!taken) return pass(taken);
    out.sequence = *taken;
    return out;
  }
  if (!store) return pass(store);
  // On an older copy of the store a decision would be about what has changed since.
  Status extends = check_store_against_guard(**store, folder, *guard);
  if (!extends) return pass(extends);
  Result<Appended> appended = (*store)->append({std::move(entry)}, std::nullopt);
  if (!appended) return pass(appended);
  out.sequence = appended->sequences.front();
  out.held = true;
  Status done = behind ? behind(**store, outside->stamper()) : Status();
  out.checkpointed = tell_guard(**store, *guard);
  if (!done) return pass(done);
  return out;
}

v1::Erasable hide_reason(const std::string& reason, const Redactor& secrets,
                         std::vector<std::string>& blobs) {
  Hidden hidden = hide(secrets.redact(reason));
  blobs.push_back(std::move(hidden.blob));
  return hidden.field;
}

}  // namespace muniment
