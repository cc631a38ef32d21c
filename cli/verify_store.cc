#include <cstring>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "cli/progress_view.h"
#include "cli/stop.h"
#include "cli/verify.h"
#include "recorder/clock.h"
#include "recorder/core/text.h"
#include "recorder/log/guard.h"
#include "recorder/log/log_key.h"
#include "recorder/log/store.h"
#include "replay/audit.h"
#include "replay/audit_checkpoints.h"

namespace muniment {
namespace {

using Files = Result<std::vector<FileFinding>>;

void add_file(v1::VerifyReport& report, const FileFinding& finding) {
  worsen(report, kTampered);
  v1::VerifyFinding& row = *report.add_findings();
  row.set_what(valid_utf8(finding.what));
  row.set_file(valid_utf8(finding.file));
  row.set_offset(finding.offset);
  if (finding.any_good_sequence) report.set_last_good_sequence(finding.last_good_sequence);
}

// Where a damaged block ends the reading of the events; absent when all of them can be read.
std::optional<std::uint64_t> first_unreadable(const LogReader& log) {
  std::uint64_t next = 0;
  const Status scanned = log.scan(Table::kEvent, "", Direction::kForward, [&](auto, auto) {
    ++next;
    return true;
  });
  return scanned ? std::nullopt : std::optional(next);
}

std::uint64_t fresh_seed() {
  std::uint64_t seed = 0;
  const auto chance = random_bytes();
  std::memcpy(&seed, chance.data(), sizeof seed);
  return seed;
}

// A store that does not open may still say which event is the first bad one. Absent: nothing can
// be read any more.
Result<std::unique_ptr<LogReader>> open_whatever_is_left(const std::string& folder,
                                                         v1::VerifyReport& report) {
  Result<std::unique_ptr<LogReader>> reader = open_reader(folder);
  if (reader) return reader;
  if (reader.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kInvalid, reader.error().message);
  }
  if (reader.error().code != ErrorCode::kCorrupt) return reader;
  add_finding(report, kCannotRead, reader.error().message);
  reader = open_damaged(folder);
  if (!reader) return std::unique_ptr<LogReader>();
  return reader;
}

Result<Trust> trust_for(const VerifyOptions& options, const std::string& folder,
                        const LogReader& log, const Globals& globals, Redactor& secrets,
                        v1::VerifyReport& report) {
  Trust trust = options.trust;
  if (!trust.origin && trust.keys.empty()) {
    if (manifest_path(globals)) {
      Result<LoadedManifest> loaded = load_manifest(globals, secrets);
      if (!loaded) return pass(loaded);
      if (!loaded->manifest.origin.empty()) trust.origin = loaded->manifest.origin;
    }
    const Result<v1::StoreState> state = log.state();
    if (!trust.origin && state) trust.origin = state->origin();
  }
  if (!trust.keys.empty()) return trust;
  Result<NoteKey> own = read_verifier_key(folder, trust.origin.value_or(""));
  if (own) {
    trust.keys.push_back(*std::move(own));
  } else if (own.error().code == ErrorCode::kNotFound) {
    add_caveat(report, "the store has no key of its own: " + own.error().message);
  } else {
    add_finding(report, kUnknownSigner,
                "the store's own key cannot be used: " + own.error().message);
  }
  return trust;
}

Result<KnownCheckpoint> read_known(const std::string& path) {
  Result<std::string> note = read_evidence(path);
  if (!note) return pass(note);
  return KnownCheckpoint{"checkpoint " + inert(path), *std::move(note)};
}

// What a guard says. Read before the store is opened: a writer keeps a checkpoint in the guard
// first, and what was signed then must be there now.
struct GuardView {
  std::string folder;
  Result<std::vector<Guarded>> entries;
};

// Those entries count that are of a key of this log; and nothing else may have lain in its place.
void compare_guard(const GuardView& guard, const std::string& folder, const LogReader& log,
                   AuditRequest& request, v1::VerifyReport& report) {
  const std::string name = "the guard " + inert(guard.folder);
  if (!guard.entries) {
    const bool is_missing = guard.entries.error().code == ErrorCode::kIo;
    if (!is_missing) return add_finding(report, kTampered, guard.entries.error().message);
    return add_caveat(report, name + " was not compared: " + guard.entries.error().message);
  }
  v1::VerifyReport unused;
  const Result<SignedBy> signed_by = SignedBy::read(log, request.trust, unused);
  if (!signed_by) return;  // the audit fails for the same reason
  const std::string place = place_of(folder);
  bool is_known = false;
  for (const Guarded& entry : *guard.entries) {
    const auto& keys = signed_by->keys();
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) {
      is_known = true;
      if (entry.checkpoint.empty()) continue;
      request.known.push_back({name, entry.checkpoint});
    } else if (entry.store == place) {
      add_finding(report, kTampered, name + " knows another log in the place of this one",
                  vkey_of(entry.key),
                  keys.empty() ? "no key that is trusted" : vkey_of(keys.back()));
    }
  }
  if (is_known || signed_by->keys().empty()) return;
  add_caveat(report, name +
                         " does not know this log: an older copy in its place would not be "
                         "noticed");
}

Status check_rows(const std::string& folder, const GuardView& guard, const VerifyOptions& options,
                  const Globals& globals, Redactor& secrets, v1::VerifyReport& report) {
  Result<std::unique_ptr<LogReader>> reader = open_whatever_is_left(folder, report);
  if (!reader) return pass(reader);
  if (*reader == nullptr) return {};
  const LogReader& log = **reader;
  Result<Trust> trust = trust_for(options, folder, log, globals, secrets, report);
  if (!trust) return pass(trust);
  CountView view(globals, "events");
  AuditRequest request{.trust = *std::move(trust),
                       .known = {},
                       .seed = fresh_seed(),
                       .threads = std::max(1U, std::thread::hardware_concurrency()),
                       .progress = [&](std::uint64_t done, std::uint64_t of) {
                         view.show(done, of);
                         return !stop_requested();
                       }};
  compare_guard(guard, folder, log, request, report);
  if (!options.against.empty()) {
    Result<KnownCheckpoint> known = read_known(options.against);
    if (!known) return pass(known);
    request.known.push_back(*std::move(known));
  }
  Status audited;
  if (options.since.empty()) {
    audited = audit(log, request, report);
  } else {
    Result<KnownCheckpoint> since = read_known(options.since);
    if (!since) return pass(since);
    audited = audit_since(log, request, *since, report);
  }
  if (!audited && audited.error().code != ErrorCode::kCorrupt) return audited;
  if (!audited) {
    add_finding(report, kCannotRead, audited.error().message, {}, {}, first_unreadable(log));
    return {};
  }
  return options.artifacts ? verify_artifacts(log, globals, report) : Status();
}

}  // namespace

Result<v1::VerifyReport> verify_store(const VerifyOptions& options, const Globals& globals,
                                      Redactor& secrets) {
  Result<std::string> folder = store_path(globals, secrets);
  if (!folder) return pass(folder);
  if (probe_store(*folder) == StoreKind::kAbsent) {
    return fail(ErrorCode::kInvalid, "there is no store at " + inert(*folder) +
                                         "; name one with -s, or make one with `muniment init`");
  }
  Result<std::string> guard_folder = guard_path(globals, secrets, *folder);
  if (!guard_folder) return pass(guard_folder);
  const GuardView guard{*guard_folder, read_guard(*guard_folder)};
  v1::VerifyReport report;
  report.set_what("store");
  report.set_store(valid_utf8(*folder));
  std::future<Files> files;
  if (options.since.empty()) {
    files = std::async(std::launch::async, [&folder] { return check_files(*folder); });
  }
  Status rows = check_rows(*folder, guard, options, globals, secrets, report);
  if (files.valid()) {
    Files found = files.get();
    if (rows && !found) return pass(found);
    if (found) {
      for (const FileFinding& finding : *found) add_file(report, finding);
    }
  }
  if (!rows) return pass(rows);
  return report;
}

}  // namespace muniment
