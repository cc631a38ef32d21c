#include "cli/app.h"

#include <unistd.h>

#include <algorithm>

#include "cli/diagnostics.h"
#include "cli/gate_rules.h"
#include "cli/progress_view.h"
#include "cli/rehearsal.h"
#include "cli/seal.h"
#include "cli/seal_command.h"
#include "cli/stop.h"
#include "recorder/core/container_match.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/inbox_poller.h"
#include "recorder/log/memory_log.h"
#include "recorder/log/queries.h"
#include "recorder/world/host_source.h"
#include "recorder/world/landlock.h"
#include "recorder/world/sinks.h"
#include "replay/erasure.h"
#include "replay/query.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

constexpr std::size_t kMostArgumentBytes = 16U << 10U;

std::unexpected<Error> no_store(const std::string& folder) {
  return fail(ErrorCode::kInvalid,
              "there is no store at " + inert(folder) + "; make one with `muniment init`");
}

// The command line may be as long as the system allows; an event may not.
void set_command_line(v1::RunStarted& started, const Globals& globals, const Redactor& secrets) {
  std::size_t room = kMostArgumentBytes;
  for (const std::string& word : secrets.redact_arguments(globals.command_line)) {
    if (word.size() > room) {
      started.add_command_line("[cut: the command line is longer than " +
                               std::to_string(kMostArgumentBytes) + " bytes]");
      return;
    }
    room -= word.size();
    started.add_command_line(word);
  }
}

// All of it is text.
v1::Context redacted(v1::Context context, const Redactor& secrets) {
  const google::protobuf::Reflection& at = *context.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  at.ListFields(context, &fields);
  for (const auto* field : fields) {
    if (!field->is_repeated()) {
      at.SetString(&context, field, secrets.redact(at.GetString(context, field)));
      continue;
    }
    for (int i = 0; i < at.FieldSize(context, field); ++i) {
      at.SetRepeatedString(&context, field, i,
                           secrets.redact(at.GetRepeatedString(context, field, i)));
    }
  }
  return context;
}

v1::RunStarted make_start(const Globals& globals, const RunOptions& options,
                          const LoadedManifest& loaded, const Redactor& secrets,
                          std::vector<std::string>& blobs) {
  v1::RunStarted started;
  started.set_purpose(options.purpose);
  set_command_line(started, globals, secrets);
  started.set_manifest_path(loaded.path);
  blobs.push_back(secrets.redact(loaded.text));
  started.set_manifest_sha256(std::string(as_bytes(sha256(blobs.back()))));
  blobs.push_back(redacted(loaded.manifest.context, secrets).SerializeAsString());
  started.set_context_sha256(std::string(as_bytes(sha256(blobs.back()))));
  started.set_program_version(MUNIMENT_VERSION);
  started.set_program_sha256(observe_program_sha256());
  *started.mutable_host_facts() = observe_host();
  started.mutable_engine()->set_selector(loaded.manifest.engine);
  if (!loaded.manifest.release_root.empty()) {
    *started.mutable_release_root() = observe_release_root(loaded.manifest.release_root);
  }
  return started;
}

// What lies there instead of a store is named wrongly by whoever calls: usage.
template <class T>
Result<T> as_usage(Result<T> opened) {
  if (!opened && opened.error().code == ErrorCode::kNotFound) {
    opened.error().code = ErrorCode::kInvalid;
  }
  return opened;
}

void tell(const v1::Event& event, std::uint64_t sequence) {
  const bool milestone = event.has_step_settled() || event.has_module_unresolved() ||
                         event.has_run_abandoned() || event.has_gate_evaluated() ||
                         event.has_drift_detected() || event.has_clock_stepped();
  if (milestone) return say(event_line(sequence, event));
  say_detail(event_line(sequence, event));
}

Result<std::unique_ptr<Store>> open_log_for(const RunOptions& options, const std::string& folder,
                                            const std::string& origin, const Globals& globals,
                                            const Redactor& secrets) {
  if (!options.keep) return make_memory_log(origin);
  return open_for_writing(folder, globals, secrets);
}

EngineUse use_of(const Manifest& manifest) {
  EngineUse use{manifest.engine, environment, manifest.secrets_folder};
  const std::optional<std::string> stall = environment("MUNIMENT_STALL");
  const auto limit = stall ? parse_duration(*stall) : std::nullopt;
  if (limit) use.stall = *limit;
  return use;
}

std::unique_ptr<Sink> acting_sink(const RunOptions& options, Progress& progress, Redactor& secrets,
                                  const Manifest& manifest) {
  std::unique_ptr<Sink> artifacts = make_artifact_sink(progress, secrets, use_of(manifest));
  if (!options.command) return artifacts;
  return make_command_sink(*options.command, secrets, stop_requested, std::move(artifacts));
}

Status check_landlock(const RunOptions& options, const v1::Enforcement& held) {
  if (options.mode != v1::MODE_DRY_RUN || held.enforced()) return {};
  if (options.require_landlock) {
    return fail(ErrorCode::kIo, "the kernel does not enforce the dry run (" + held.not_because() +
                                    "); leave out --require-landlock to rehearse without it");
  }
  say_warning("the kernel does not enforce this dry run: " + held.not_because());
  return {};
}

// What is to be done: the modules that are asked for or were rehearsed, and what `exec` runs.
Status choose(const RunOptions& options, const Manifest& manifest, const std::string& folder,
              const LogReader& log, const Redactor& secrets, RunRequest& request) {
  Selection selection = options.selection;
  if (!options.plan.empty()) {
    Result<Rehearsal> plan = find_plan(log, options.plan, options.purpose, selection.modules);
    if (!plan) return pass(plan);
    selection = plan->selection;
    drop_missing(manifest, selection.modules);
    request.rehearsed_plan = plan->canonical;
    request.started.set_follows_run(plan->run_id);
  }
  Result<std::vector<const Module*>> modules = select_modules(manifest, selection);
  if (!modules) return pass(modules);
  request.manifest = &manifest;
  request.modules = std::move(*modules);
  request.all = selection.all;
  if (!options.command) return {};
  Result<SealedCommand> command = seal_command(*options.command, secrets, folder, log);
  if (!command) return pass(command);
  if (Status shown = check_masks(manifest, *request.modules.front(), command->masked); !shown) {
    return shown;
  }
  request.command = std::move(command->command);
  request.masked = std::move(command->masked);
  return {};
}

// What cannot be signed is durable all the same.
Result<v1::RunState> sealed(Result<v1::RunState> ended, Store& store, const std::string& guard) {
  if (!ended) return ended;
  if (Status signed_over = seal_execution(store, *ended, guard); !signed_over) {
    say_warning("the run is durable, but not checkpointed: " + signed_over.error().message);
  }
  return ended;
}

}  // namespace

Result<v1::RunState> record_run(const Globals& globals, const RunOptions& options,
                                Redactor& secrets) {
  Result<LoadedManifest> loaded = load_manifest(globals, secrets);
  if (!loaded) return pass(loaded);
  const Manifest& manifest = loaded->manifest;
  if (!options.resolve_only && !options.command && manifest.backup_root.empty()) {
    return fail(ErrorCode::kInvalid,
                inert(loaded->path) + ": [backup] root is missing: where should artifacts go?");
  }
  Result<std::string> folder = store_path(globals, secrets);
  if (!folder) return pass(folder);
  if (options.keep && probe_store(*folder) == StoreKind::kAbsent) return no_store(*folder);
  Result<std::string> guard = guard_path(globals, secrets, *folder);
  if (!guard) return pass(guard);

  // Before the store is opened and before any thread exists: see landlock.h.
  const bool rehearsal = options.mode == v1::MODE_DRY_RUN;
  const v1::Enforcement held = rehearsal ? forbid_writes_outside({*folder}) : v1::Enforcement();
  if (Status status = check_landlock(options, held); !status) return pass(status);

  const std::string host = manifest.host_name.empty() ? observe_host_name() : manifest.host_name;
  const std::string origin = manifest.origin.empty() ? host + "/muniment" : manifest.origin;
  auto log = open_log_for(options, *folder, origin, globals, secrets);
  if (!log) return pass(log);
  Store& store = **log;

  RunRequest request;
  if (Status chosen = choose(options, manifest, *folder, store, secrets, request); !chosen) {
    return pass(chosen);
  }

  const std::unique_ptr<Clock> clock = make_host_clock();
  Result<Envelope> envelope =
      make_envelope(globals, secrets, host, origin, options.mode, *clock, request.blobs);
  if (!envelope) return pass(envelope);
  const std::string follows = request.started.follows_run();
  request.started = make_start(globals, options, *loaded, secrets, request.blobs);
  request.started.set_follows_run(follows);
  *request.started.mutable_enforcement() = held;
  request.protected_paths = {*folder, manifest.backup_root};
  request.resolve_only = options.resolve_only;
  if (options.keep && !options.resolve_only) {
    Result<GateDoor> gates = make_gate_door(manifest, store, *guard, !rehearsal);
    if (!gates) return pass(gates);
    request.gates = std::move(*gates);
  }
  request.redactor = &secrets;
  request.stop_requested = stop_requested;
  request.on_recorded = tell;

  ProgressView progress(globals);
  // The one line in which a rehearsal and the deed differ.
  const auto sink =
      rehearsal ? make_withholding_sink() : acting_sink(options, progress, secrets, manifest);
  const EngineChoice engine{manifest.engine, environment, labels_named(manifest)};
  const std::unique_ptr<Source> source = make_engine_source(engine, secrets);
  std::optional<InboxPoller> inbox;
  if (options.keep) inbox.emplace(*folder, store, say_warning);
  Recorder recorder({store, store, *source, *sink, *clock}, std::move(request), *envelope);
  return rehearsal || options.resolve_only ? recorder.run() : sealed(recorder.run(), store, *guard);
}

Result<std::unique_ptr<Store>> open_for_writing(const std::string& folder, const Globals& globals,
                                                const Redactor& secrets) {
  if (probe_store(folder) == StoreKind::kAbsent) return no_store(folder);
  return as_usage(open_store(folder, lock_request(globals, secrets)));
}

Result<OpenLog> open_log(const Globals& globals, Redactor& secrets) {
  Result<std::string> folder = store_path(globals, secrets);
  if (!folder) return pass(folder);
  if (probe_store(*folder) == StoreKind::kAbsent) return no_store(*folder);
  Result<std::unique_ptr<LogReader>> reader = as_usage(open_reader(*folder));
  if (!reader) return pass(reader);
  return OpenLog{.folder = *folder, .reader = std::move(*reader)};
}

LockRequest lock_request(const Globals& globals, const Redactor& secrets) {
  LockRequest request;
  request.wait =
      std::chrono::milliseconds(static_cast<std::int64_t>(globals.lock_wait_seconds * 1000));
  for (const std::string& word : secrets.redact_arguments(globals.command_line)) {
    request.command += (request.command.empty() ? "" : " ") + word;
  }
  return request;
}

Resolver resolver_for(const LogReader& log) {
  return resolver_of(log);
}

}  // namespace muniment
