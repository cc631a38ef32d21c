#include "cli/outside_run.h"

#include <optional>
#include <set>
#include <utility>

#include "cli/app.h"
#include "cli/diagnostics.h"
#include "recorder/abandoned.h"
#include "recorder/core/decide.h"
#include "recorder/log/inbox.h"
#include "recorder/world/host_source.h"

namespace muniment {
namespace {

// Only the holder of the lock may say that a run is dead. What it left is listed; the next
// execution removes it.
Status record_abandoned(Store& store, Stamper& stamper) {
  Result<std::vector<v1::RunState>> open = find_open_runs(store);
  if (!open) return pass(open);
  std::set<std::string> roots;
  std::vector<std::string> runs;
  for (const v1::RunState& run : *open) {
    if (!run.backup_root().empty()) roots.insert(run.backup_root());
    runs.push_back(run.run_id());
  }
  Result<std::vector<v1::PathObserved>> seen = find_left_behind(*make_host_source(), roots);
  if (!seen) return pass(seen);
  std::vector<Entry> entries;
  for (v1::Event& body : abandon(*open, discard_steps(*seen, runs))) {
    for (const v1::Event& event : stamper.stamp(std::move(body)))
      entries.push_back(make_entry(event));
  }
  if (entries.empty()) return {};
  const Result<Appended> appended = store.append(std::move(entries), std::nullopt);
  if (!appended) return std::unexpected(appended.error());
  return {};
}

}  // namespace

OutsideRun::OutsideRun(std::unique_ptr<Clock> clock, Envelope envelope,
                       std::vector<std::string> blobs)
    : clock_(std::move(clock)),
      stamper_(std::make_unique<Stamper>(*clock_, std::move(envelope), std::nullopt)),
      blobs_(std::move(blobs)) {}

Result<OutsideRun> OutsideRun::begin(const Globals& globals, const Redactor& secrets,
                                     const std::string& origin) {
  std::unique_ptr<Clock> clock = make_host_clock();
  std::vector<std::string> blobs;
  Result<Envelope> envelope = make_envelope(globals, secrets, observe_host_name(), origin,
                                            v1::MODE_OBSERVATION, *clock, blobs);
  if (!envelope) return pass(envelope);
  return OutsideRun(std::move(clock), *std::move(envelope), std::move(blobs));
}

Entry OutsideRun::stamp(v1::Event body, std::vector<std::string> blobs) {
  for (std::string& blob : std::exchange(blobs_, {})) blobs.push_back(std::move(blob));
  return make_entry(stamper_->stamp(std::move(body)).back(), std::move(blobs));
}

Result<std::uint64_t> OutsideRun::record(Store& store, v1::Event body,
                                         std::vector<std::string> blobs) {
  Result<Appended> appended =
      store.append({stamp(std::move(body), std::move(blobs))}, std::nullopt);
  if (!appended) return pass(appended);
  return appended->sequences.front();
}

Result<std::unique_ptr<Store>> OutsideRun::hold(const Globals& globals, const Redactor& secrets,
                                                const std::string& folder) {
  Result<std::unique_ptr<Store>> store = open_for_writing(folder, globals, secrets);
  if (!store) return store;
  if (Status status = record_abandoned(**store, *stamper_); !status) return pass(status);
  const Result<Drained> drained = drain_inbox(folder, **store);
  if (!drained) say_warning("inbox: " + drained.error().message);
  return store;
}

}  // namespace muniment
