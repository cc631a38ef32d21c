#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/exit_code.h"
#include "cli/gate_rules.h"
#include "cli/present.h"
#include "recorder/clock.h"
#include "recorder/core/container_match.h"
#include "recorder/core/plan.h"
#include "recorder/core/text.h"
#include "recorder/core/timestamp.h"
#include "recorder/log/guard.h"
#include "recorder/log/log_key.h"
#include "recorder/log/queries.h"
#include "recorder/log/sign.h"
#include "recorder/world/host_source.h"
#include "recorder/world/landlock.h"
#include "replay/text_table.h"

namespace muniment {
namespace {

// Opening replays the WAL: 4 MiB is what the writer keeps it to.
constexpr std::uint64_t kUsualWalBytes = 16U << 20U;
constexpr std::int64_t kClockSlackNs = 2'000'000'000;

class Doctor {
 public:
  Doctor(const Globals& globals, Redactor& secrets) : globals_(globals), secrets_(secrets) {
    report_.set_version(MUNIMENT_VERSION);
  }

  v1::DoctorReport examine() {
    const Result<LoadedManifest> loaded = load_manifest(globals_, secrets_);
    if (loaded) {
      add("manifest", "ok",
          inert(loaded->path) + ": " + std::to_string(loaded->manifest.modules.size()) +
              " modules");
    } else {
      fail("manifest", loaded.error().message);
    }
    look_at_store();
    if (loaded) {
      look_at_root(loaded->manifest);
      look_at_engine(loaded->manifest);
      look_at_gates(loaded->manifest);
    }
    look_at_landlock();
    return report_;
  }

 private:
  void add(const std::string& name, const std::string& verdict, const std::string& detail) {
    v1::DoctorCheck& check = *report_.add_checks();
    check.set_name(name);
    check.set_verdict(verdict);
    check.set_detail(secrets_.redact(detail));
  }
  void fail(const std::string& name, const std::string& detail) {
    add(name, "failed", detail);
    report_.set_failed(report_.failed() + 1);
  }

  void look_at_store() {
    const Result<std::string> folder = store_path(globals_, secrets_);
    if (!folder) return fail("store", folder.error().message);
    if (probe_store(*folder) != StoreKind::kPresent) {
      return fail("store", "there is no store at " + inert(*folder) + "; make one with init");
    }
    const bool writable = ::access(folder->c_str(), W_OK) == 0;
    add("store", writable ? "ok" : "warning",
        inert(*folder) + (writable ? "" : " cannot be written by this user: it can be read alone"));
    const Result<std::unique_ptr<LogReader>> reader = open_reader(*folder);
    if (!reader) return fail("log", reader.error().message);
    const Result<v1::StoreState> state = (*reader)->state();
    if (!state) return fail("log", state.error().message);
    add("log", "ok", std::to_string(state->size()) + " events of " + inert(state->origin()));
    look_at_key(*folder, **reader, state->origin());
    look_at_wal(*folder);
    if (state->size() > 0) look_at_clock(**reader, state->size() - 1);
  }

  void look_at_key(const std::string& folder, const LogReader& log, const std::string& origin) {
    const Result<NoteKey> key = read_verifier_key(folder, origin);
    if (!key) return fail("key", key.error().message);
    add("key", "ok", vkey_of(*key));
    const Result<std::string> guard = guard_path(globals_, secrets_, folder);
    if (!guard) return fail("guard", guard.error().message);
    look_at_guard(folder, log, *key, *guard);
  }

  void look_at_guard(const std::string& folder, const LogReader& log, const NoteKey& key,
                     const std::string& guard) {
    const Result<std::optional<Fork>> fork = find_fork(log, folder, key, guard);
    if (!fork) return fail("guard", fork.error().message);
    if (fork->has_value()) return fail("guard", (*fork)->why);
    const Result<std::vector<Guarded>> known = read_guard(guard);
    if (!known) return fail("guard", known.error().message);
    const bool is_known = std::any_of(known->begin(), known->end(), [&](const Guarded& entry) {
      return entry.key == key && !entry.checkpoint.empty();
    });
    const Result<std::optional<StoredCheckpoint>> newest = newest_checkpoint(log);
    if (!newest) return fail("guard", newest.error().message);
    if (is_known || !newest->has_value()) return add("guard", "ok", inert(guard));
    add("guard", "warning",
        inert(guard) +
            " knows no checkpoint of this log: an older copy of the store would not be "
            "noticed; `muniment checkpoint` makes it known");
  }

  void look_at_wal(const std::string& folder) {
    std::uint64_t bytes = 0;
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(folder + "/db", ignored)) {
      if (file.path().extension() == ".log") bytes += file.file_size(ignored);
    }
    add("wal", bytes <= kUsualWalBytes ? "ok" : "warning",
        human_bytes(bytes) + (bytes <= kUsualWalBytes
                                  ? " to replay at the next opening"
                                  : " to replay, more than a writer keeps; open it by a note"));
  }

  void look_at_clock(const LogReader& reader, std::uint64_t head) {
    const Result<StoredEvent> last = read_event(reader, head);
    if (!last) return fail("clock", last.error().message);
    const std::int64_t behind =
        nanoseconds_of(last->event.recorded_at()) - make_host_clock()->now().wall_ns;
    if (behind <= kClockSlackNs) return add("clock", "ok", "not behind the last event");
    add("clock", "warning",
        std::to_string(behind / 1'000'000'000) +
            " s behind the last event: order is by sequence, but ages will be wrong; set the "
            "clock");
  }

  void look_at_root(const Manifest& manifest) {
    if (manifest.backup_root.empty()) return add("root", "warning", "[backup] root is not set");
    const auto seen = make_host_source()->observe(RootQuery{manifest.backup_root});
    if (!seen) return fail("root", seen.error().message);
    const v1::PathObserved& root = seen->at(0).path_observed();
    if (const auto refused = refuse_root(root, Plan(), manifest.min_free_bytes)) {
      return fail("root", *refused);
    }
    const bool scarce = root.free_bytes() < manifest.min_free_bytes;
    const std::string detail = inert(root.path()) + ": " + human_bytes(root.free_bytes()) +
                               " free, min_free " + human_bytes(manifest.min_free_bytes);
    if (scarce) return fail("root", detail + "; free space");
    add("root", "ok", detail);
  }

  void look_at_engine(const Manifest& manifest) {
    const bool needed = std::any_of(manifest.modules.begin(), manifest.modules.end(),
                                    [](const Module& one) { return is_container_module(one); });
    if (!needed) return add("engine", "ok", "no module lies in a container");
    const EngineChoice choice{manifest.engine, environment, {}};
    const auto seen = make_engine_source(choice, secrets_)->observe(EngineQuery{});
    if (!seen) return fail("engine", seen.error().message);
    const v1::EngineObserved& engine = seen->at(0).engine_observed();
    if (!engine.reachable()) return fail("engine", inert(engine.error()));
    add("engine", "ok",
        engine.engine().name() + " " + engine.engine().version() + ", API " +
            engine.engine().api_version());
  }

  void look_at_gates(const Manifest& manifest) {
    if (manifest.gates.empty()) return;
    const Result<OpenLog> log = open_log(globals_, secrets_);
    if (!log) return;  // said already
    const Result<std::string> guard = guard_path(globals_, secrets_, log->folder);
    if (!guard) return fail("gates", guard.error().message);
    const Result<GateRules> rules = make_gate_rules(manifest, *log->reader, log->folder, *guard);
    if (!rules) return fail("gates", rules.error().message);
    const auto held = read_policies(*log->reader);
    if (!held) return fail("gates", held.error().message);
    for (const auto& [name, stated] : rules->stated) {
      const std::string gate = "gate " + inert(name);
      const auto on_record = held->find(name);
      if (!stated.fault.empty()) {
        fail(gate, stated.fault);
      } else if (on_record == held->end()) {
        add(gate, "ok", "not on record yet: the first rehearsal of a module that names it does it");
      } else if (on_record->second.digest != policy_digest(stated.policy)) {
        add(gate, "warning",
            "the manifest states another policy than the log holds: closed until its signers "
            "approve the change (`muniment approve --policy --gate " +
                inert(name) + "`)");
      } else {
        add(gate, "ok",
            "policy " + on_record->second.digest.substr(0, 8) + ", as the log holds it");
      }
    }
  }

  // Last of all: what the kernel is asked for holds for the rest of the process.
  void look_at_landlock() {
    const v1::Enforcement held = forbid_writes_outside({"/"});
    if (held.enforced()) {
      return add("landlock", "ok", "ABI " + std::to_string(held.abi()) + ": " + held.forbids());
    }
    add("landlock", "warning",
        "a dry run is not held to its word by the kernel: " + held.not_because());
  }

  const Globals& globals_;
  Redactor& secrets_;
  v1::DoctorReport report_;
};

std::string text_of(const v1::DoctorReport& report) {
  std::vector<std::vector<std::string>> rows = {{"check", "verdict", "what"}};
  for (const v1::DoctorCheck& check : report.checks()) {
    rows.push_back({check.name(), check.verdict(), check.detail()});
  }
  return text_table(rows, 0) + "\nmuniment " + report.version() + ": " +
         (report.failed() == 0 ? "nothing stands in the way of a run"
                               : std::to_string(report.failed()) + " checks failed") +
         "\n";
}

}  // namespace

void declare_doctor(CLI::App& root, Action& chosen) {
  CLI::App* command = root.add_subcommand(
      "doctor", "Check manifest, store, log, space, clock, kernel and engine; change nothing");
  command->footer(
      "Example:\n  muniment doctor\n\n"
      "Exit: 0 nothing stands in the way of a run, 1 a check failed");
  command->callback([&chosen] {
    chosen = [](const Globals& globals, Redactor& secrets) -> Result<int> {
      const v1::DoctorReport report = Doctor(globals, secrets).examine();
      return present(globals, report, {}, text_of(report),
                     report.failed() == 0 ? kExitDone : kExitFailed);
    };
  });
}

}  // namespace muniment
