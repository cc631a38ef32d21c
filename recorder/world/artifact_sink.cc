#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "recorder/world/capture.h"
#include "recorder/world/captured.h"
#include "recorder/world/engine/capture_inside.h"
#include "recorder/world/engine/container_commands.h"
#include "recorder/world/engine/engine_control.h"
#include "recorder/world/folders.h"
#include "recorder/world/place.h"
#include "recorder/world/settle_folder.h"
#include "recorder/world/sinks.h"
#include "recorder/world/verify_artifact.h"

namespace muniment {
namespace {

// What a step did when it went well.
struct Applied {
  std::uint64_t bytes = 0;
  std::string detail;
};

class ArtifactSink : public Sink {
 public:
  ArtifactSink(Progress& progress, Redactor& redactor, EngineUse engine)
      : progress_(progress), redactor_(redactor), use_(std::move(engine)) {}

  Outcome perform(const v1::Step& step, Facts& facts) override;

 private:
  Result<Applied> carry_out(const v1::Step& step, Facts& facts);
  Result<Applied> capture(const v1::Step& step, const Place& place, Facts& facts);
  Result<Applied> verify(const v1::Step& step, const Place& place, Facts& facts);
  Result<Applied> commit(const Place& place, Facts& facts);
  Result<Applied> discard(const Place& place, Facts& facts);

  // The partial folder: made by this sink's first capture in it, else opened.
  Result<Folder> enter_partial(const Place& place);
  Result<std::vector<Captured>> capture_all(const v1::Step& step, const Folder& partial,
                                            const Place& place, Facts& facts);
  Result<Captured> capture_here(const v1::Step& step, const CaptureTarget& target);
  // Reads one artifact again; false: it is not what was captured, and the fact says so.
  Result<Verification> verify_one(const v1::Step& step, const Folder& partial, Captured& artifact,
                                  Facts& facts);
  // In the step's container; the engine is connected by the first step that needs it.
  Result<ContainerCommands> commands_for(const v1::Step& step, Facts& facts);

  Progress& progress_;
  Redactor& redactor_;
  EngineUse use_;
  std::unique_ptr<EngineControl> engine_;
  CommandTrouble trouble_;  // of the step that is carried out
  // By partial folder: those that this sink has made, with their artifacts by name.
  std::map<std::string, std::map<std::string, Captured>> made_;
};

Outcome ArtifactSink::perform(const v1::Step& step, Facts& facts) {
  Result<Applied> done = fail(ErrorCode::kIo, "nothing was done");
  trouble_ = {};
  try {
    const Status valid = validate_step(step);
    done = valid ? carry_out(step, facts) : std::unexpected(valid.error());
  } catch (const std::exception& e) {
    done = fail(ErrorCode::kIo,
                std::string("the step broke off: ") + e.what() + "; free memory and run again");
  }
  Outcome outcome;
  if (done) {
    outcome.result = v1::STEP_RESULT_APPLIED;
    outcome.bytes = done->bytes;
    outcome.detail = done->detail;
    return outcome;
  }
  outcome.detail = redactor_.redact(done.error().message);
  outcome.exit_status = trouble_.exit_status;
  outcome.error_tail = trouble_.error_tail;
  outcome.interrupted = done.error().code == ErrorCode::kInterrupted;
  return outcome;
}

Result<Applied> ArtifactSink::carry_out(const v1::Step& step, Facts& facts) {
  Result<Place> place = place_of_partial(step.partial_folder());
  if (!place) return pass(place);
  if (step.kind() == v1::STEP_KIND_CAPTURE) return capture(step, *place, facts);
  if (step.kind() == v1::STEP_KIND_VERIFY) return verify(step, *place, facts);
  if (step.kind() == v1::STEP_KIND_COMMIT) return commit(*place, facts);
  return discard(*place, facts);
}

Result<Folder> ArtifactSink::enter_partial(const Place& place) {
  Result<Folder> module_folder = make_module_folder(place);
  if (!module_folder) return module_folder;
  if (made_.contains(place.partial_folder())) return open_partial_folder(*module_folder, place);
  Result<Folder> partial = make_partial_folder(*module_folder, place);
  if (partial) made_[place.partial_folder()];
  return partial;
}

Result<ContainerCommands> ArtifactSink::commands_for(const v1::Step& step, Facts& facts) {
  if (!engine_) {
    Result<EngineAddress> address = find_engine(use_.selector, use_.environment);
    if (!address) return pass(address);
    Result<std::unique_ptr<EngineControl>> connected = EngineControl::connect(*address);
    if (!connected) return pass(connected);
    engine_ = std::move(*connected);
  }
  return ContainerCommands(*engine_, step.container(), redactor_, progress_, facts, use_.stall);
}

Result<Captured> ArtifactSink::capture_here(const v1::Step& step, const CaptureTarget& target) {
  Result<Capture> captured = step.has_sqlite() ? capture_sqlite(step.sqlite(), target, progress_)
                                               : capture_files(step.files(), target, progress_);
  if (!captured) return pass(captured);
  return Captured{step.artifact(), step.compression(), step.backup_class(), std::move(*captured)};
}

Result<std::vector<Captured>> ArtifactSink::capture_all(const v1::Step& step, const Folder& partial,
                                                        const Place& place, Facts& facts) {
  struct stat root{};
  if (::stat(place.root.c_str(), &root) != 0) return system_failure("stat", place.root, errno);
  const FolderIdentity backup_root{root.st_dev, root.st_ino};
  if (step.has_container()) {
    Result<ContainerCommands> commands = commands_for(step, facts);
    if (!commands) return pass(commands);
    const InsideTarget target{step, partial, backup_root, use_.secrets_folder};
    Result<std::vector<Captured>> captured = capture_inside(target, *commands);
    if (!captured) trouble_ = commands->trouble();
    return captured;
  }
  Result<Captured> captured = capture_here(
      step, {partial, step.artifact(), *parse_compression(step.compression()), backup_root});
  if (!captured) return pass(captured);
  std::vector<Captured> out;
  out.push_back(std::move(*captured));
  return out;
}

Result<Applied> ArtifactSink::capture(const v1::Step& step, const Place& place, Facts& facts) {
  Result<Folder> partial = enter_partial(place);
  if (!partial) return pass(partial);
  Result<std::vector<Captured>> captured = capture_all(step, *partial, place, facts);
  if (!captured) return pass(captured);
  if (Status synced = sync_fd(partial->fd.get(), partial->path); !synced) return pass(synced);
  std::uint64_t bytes = 0;
  for (Captured& artifact : *captured) {
    v1::Event event;
    *event.mutable_backup_written() = to_fact(artifact, place.final_folder() + "/" + artifact.name);
    if (Status recorded = facts.record(std::move(event)); !recorded) return pass(recorded);
    bytes += artifact.capture.file.size_bytes;
    const std::string name = artifact.name;
    made_[place.partial_folder()].insert_or_assign(name, std::move(artifact));
  }
  return Applied{bytes, {}};
}

Result<Verification> ArtifactSink::verify_one(const v1::Step& step, const Folder& partial,
                                              Captured& artifact, Facts& facts) {
  Result<Verification> seen = verify_artifact(partial, artifact, progress_);
  if (!seen) return seen;
  if (seen->ok && step.has_postgres() && artifact.name.ends_with(".dump")) {
    Result<ContainerCommands> commands = commands_for(step, facts);
    if (!commands) return pass(commands);
    const Fd file(open_to_read(partial.fd.get(), artifact.name.c_str(), O_NOFOLLOW));
    if (!file.open()) return system_failure("open", partial.path + "/" + artifact.name, errno);
    const Status read = check_dump(file.get(), artifact.name, *commands);
    if (!read) trouble_ = commands->trouble();
    if (!read && read.error().code == ErrorCode::kInterrupted) return std::unexpected(read.error());
    seen->method += ", pg_restore of all of it";
    seen->ok = read.has_value();
    if (!read) seen->detail = redactor_.redact(read.error().message);
  }
  v1::Event event;
  v1::ArtifactVerified& fact = *event.mutable_artifact_verified();
  fact.set_path(step.final_folder() + "/" + artifact.name);
  fact.set_method(seen->method);
  fact.set_verdict(seen->ok ? v1::VERDICT_OK : v1::VERDICT_FAILED);
  fact.set_detail(seen->detail);
  fact.set_size_bytes(seen->size_bytes);
  fact.set_sha256(std::string(as_bytes(seen->sha256)));
  artifact.verified = seen->ok;
  if (Status recorded = facts.record(std::move(event)); !recorded) return pass(recorded);
  return seen;
}

// A step whose artifact has a `*` in its name is about all that its capture made.
Result<Applied> ArtifactSink::verify(const v1::Step& step, const Place& place, Facts& facts) {
  std::map<std::string, Captured>& artifacts = made_[place.partial_folder()];
  std::vector<Captured*> wanted;
  const bool all = step.artifact().find('*') != std::string::npos;
  for (auto& [name, artifact] : artifacts) {
    if (all || name == step.artifact()) wanted.push_back(&artifact);
  }
  if (wanted.empty()) {
    return fail(ErrorCode::kInvalid, "artifact " + inert(step.artifact()) + " of module " +
                                         place.module + " was not captured by this run; run again");
  }
  Result<Folder> module_folder = open_module_folder(place);
  if (!module_folder) return pass(module_folder);
  Result<Folder> partial = open_partial_folder(*module_folder, place);
  if (!partial) return pass(partial);
  std::uint64_t bytes = 0;
  for (Captured* artifact : wanted) {
    const Result<Verification> seen = verify_one(step, *partial, *artifact, facts);
    if (!seen) return std::unexpected(seen.error());
    bytes += seen->size_bytes;
    if (seen->ok) continue;
    return fail(ErrorCode::kCorrupt, "artifact " + partial->path + "/" + inert(artifact->name) +
                                         ": " + seen->detail +
                                         "; check disk and memory, then run again");
  }
  return Applied{bytes, {}};
}

Result<Applied> ArtifactSink::commit(const Place& place, Facts& facts) {
  std::vector<const Captured*> artifacts;
  for (const auto& [name, artifact] : made_[place.partial_folder()]) {
    if (!artifact.verified) {
      return fail(ErrorCode::kRefused, "artifact " + inert(name) + " of module " + place.module +
                                           " is not verified; a commit follows a verification");
    }
    artifacts.push_back(&artifact);
  }
  if (artifacts.empty()) {
    return fail(ErrorCode::kRefused,
                "module " + place.module + " has no artifact of this run to commit; run again");
  }
  Result<Folder> module_folder = open_module_folder(place);
  if (!module_folder) return pass(module_folder);
  Result<Folder> partial = open_partial_folder(*module_folder, place);
  if (!partial) return pass(partial);
  const Result<StoredFile> written = write_run_manifest(*partial, place, artifacts);
  if (!written) return std::unexpected(written.error());
  v1::Event event;
  v1::ManifestWritten& fact = *event.mutable_manifest_written();
  fact.set_path(place.final_folder() + "/" + std::string(kRunManifestName));
  fact.set_size_bytes(written->size_bytes);
  fact.set_sha256(std::string(as_bytes(written->sha256)));
  fact.set_file_mode(written->mode);
  if (Status recorded = facts.record(std::move(event)); !recorded) return pass(recorded);
  if (Status committed = commit_folder(*module_folder, place); !committed) return pass(committed);
  made_.erase(place.partial_folder());
  return Applied{written->size_bytes, {}};
}

Result<Applied> ArtifactSink::discard(const Place& place, Facts& facts) {
  made_.erase(place.partial_folder());
  Result<Folder> module_folder = open_module_folder(place);
  Result<Folder> partial =
      module_folder ? open_partial_folder(*module_folder, place) : pass(module_folder);
  if (!partial && partial.error().code == ErrorCode::kNotFound) {
    return Applied{0, "partial folder " + inert(place.partial_folder()) + " was not there"};
  }
  if (!partial) return pass(partial);
  const Result<std::uint64_t> removed = discard_folder(*module_folder, *partial, place);
  if (!removed) return std::unexpected(removed.error());
  v1::Event event;
  event.mutable_artifact_removed()->set_path(place.partial_folder());
  event.mutable_artifact_removed()->set_why("partial folder of a run that did not commit it");
  if (Status recorded = facts.record(std::move(event)); !recorded) return pass(recorded);
  return Applied{*removed, {}};
}

}  // namespace

std::unique_ptr<Sink> make_artifact_sink(Progress& progress, Redactor& redactor, EngineUse engine) {
  return std::make_unique<ArtifactSink>(progress, redactor, std::move(engine));
}

}  // namespace muniment
