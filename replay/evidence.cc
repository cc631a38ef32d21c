#include "replay/evidence.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "recorder/core/plan.h"
#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/prover.h"
#include "recorder/log/queries.h"
#include "replay/blockers.h"
#include "replay/gate_evidence.h"

namespace muniment {
namespace {

std::uint64_t count_redactions(std::string_view bytes) {
  static constexpr std::string_view kMark = "[redacted:";
  std::uint64_t n = 0;
  for (std::size_t at = bytes.find(kMark); at != std::string_view::npos;
       at = bytes.find(kMark, at + kMark.size())) {
    ++n;
  }
  return n;
}

void add_statement(google::protobuf::RepeatedPtrField<v1::Statement>& list, std::string text,
                   std::initializer_list<std::uint64_t> sequences) {
  v1::Statement& statement = *list.Add();
  statement.set_text(std::move(text));
  for (const std::uint64_t sequence : sequences) statement.add_sequences(sequence);
}

bool is_open(const v1::StepState& step) {
  return step.status() == "unknown" || step.status() == "started";
}

// "Step 4 (uploads capture)"; a step that no plan holds has no number.
std::string name_of(const v1::StepState& step) {
  const auto* kind = v1::StepKind_descriptor()->FindValueByNumber(step.kind());
  const std::string what = inert(step.module()) + " " +
                           (kind == nullptr ? "unknown" : kind->options().GetExtension(v1::word));
  return step.planned() ? "Step " + std::to_string(step.index()) + " (" + what + ")"
                        : "An unplanned step (" + what + ")";
}

class Builder {
 public:
  Builder(const LogReader& log, const std::optional<SignedTree>& signed_tree)
      : log_(log), signed_tree_(signed_tree) {}

  Result<v1::Evidence> build(const std::string& run_id) {
    Result<v1::RunState> run = run_state(log_, run_id);
    if (!run) return pass(run);
    *out_.mutable_run() = std::move(*run);
    const Status read = read_indexed(log_, IndexTag::kByRun, run_id, 0, Direction::kForward,
                                     [&](const StoredEvent& stored) {
                                       take(stored);
                                       return true;
                                     });
    if (!read) return std::unexpected(read.error());
    if (Status status = take_context(); !status) return pass(status);
    if (Status status = add_approvals(log_, out_); !status) return pass(status);
    say_what_was_done();
    say_what_was_not_done();
    add_blockers(out_);
    out_.set_verdict(verdict_line(out_.run()));
    if (Status status = find_successor(); !status) return pass(status);
    if (Status status = add_integrity(); !status) return pass(status);
    return std::move(out_);
  }

 private:
  void take(const StoredEvent& stored) {
    const v1::Event& event = stored.event;
    redactions_ += count_redactions(stored.bytes);
    if (event.has_run_started()) take_start(event);
    if (event.has_note_added()) {
      v1::Note& note = *out_.add_notes();
      note.set_sequence(stored.sequence);
      *note.mutable_recorded_at() = event.recorded_at();
      *note.mutable_actor() = event.actor().claimed();
      *note.mutable_text() = event.note_added().text();
    }
    asked_engine_ = asked_engine_ || event.has_engine_observed() || event.has_container_observed();
    used_container_ = used_container_ || event.has_container_quiesced() ||
                      event.has_container_resumed() || event.has_command_executed();
    if (event.has_gate_evaluated()) {
      keep_newest(*out_.mutable_gates(), gate_report(event.gate_evaluated(), event.module()),
                  stored.sequence);
    }
    tested_restore_ = tested_restore_ || event.has_restore_tested();
    if (event.has_drift_detected()) take_drift(stored);
    if (event.run_id() != out_.run().run_id()) return take_later(stored);
    if (event.has_engine_observed()) take_engine(event.engine_observed());
    if (event.has_path_observed()) seen_[event.module()] = event.path_observed().tree();
    if (event.has_backup_written()) take_artifact(stored);
    if (event.has_module_resolved() || event.has_module_unresolved() ||
        event.has_module_excluded()) {
      take_resolution(stored);
    }
  }

  void take_engine(const v1::EngineObserved& seen) {
    const std::string selector = out_.engine().selector();
    *out_.mutable_engine() = seen.engine();
    if (seen.engine().selector().empty()) out_.mutable_engine()->set_selector(selector);
  }

  void take_drift(const StoredEvent& stored) {
    constexpr int kMost = 32;
    const v1::DriftDetected& body = stored.event.drift_detected();
    for (int i = 0; i < std::min(body.differences_size(), kMost); ++i) {
      const v1::Difference& row = body.differences(i);
      std::string text = "Drift, " + inert_short(row.what(), 200) + ": ";
      text += inert_short(row.before(), 400);
      if (!row.before().empty() && !row.after().empty()) text += " -> ";
      add_statement(*out_.mutable_divergences(), text + inert_short(row.after(), 400),
                    {stored.sequence});
    }
    if (body.differences_size() > kMost) {
      add_statement(*out_.mutable_divergences(),
                    "Drift: " + std::to_string(body.differences_size() - kMost) + " more.",
                    {stored.sequence});
    }
  }

  // Files that did not hold still.
  void take_artifact(const StoredEvent& stored) {
    const v1::BackupWritten& body = stored.event.backup_written();
    const auto tell = [&](const auto& paths, std::uint64_t count, const std::string& what) {
      if (count == 0) return;
      std::string text = inert(stored.event.module()) + ": " + std::to_string(count) + " " + what;
      for (const std::string& path : paths) text += " " + inert_short(path, 400);
      if (count > static_cast<std::uint64_t>(paths.size())) text += " …";
      add_statement(*out_.mutable_divergences(), text, {stored.sequence});
    };
    tell(body.changed(), body.changed_count(), "changed while read:");
    tell(body.vanished(), body.vanished_count(), "gone before read:");
    tell(body.not_archived(), body.not_archived_count(), "that tar has no form for:");
  }

  // What other invocations found or did about this run.
  void take_later(const StoredEvent& stored) {
    const v1::Event& event = stored.event;
    std::string text;
    if (event.has_run_abandoned()) {
      text = "Found dead by a later invocation";
      for (const std::string& path : event.run_abandoned().left_behind()) {
        text += "; left behind: " + inert_short(path, 400);
      }
    } else if (event.has_artifact_removed()) {
      text = "A later run removed " + inert_short(event.artifact_removed().path(), 400);
    } else {
      return;
    }
    v1::Statement& statement = later_.emplace_back();
    statement.set_text(text + ".");
    statement.add_sequences(stored.sequence);
  }

  void take_start(const v1::Event& event) {
    if (event.run_id() != out_.run().run_id()) return;
    const v1::RunStarted& body = event.run_started();
    *out_.mutable_actor() = event.actor();
    *out_.mutable_command_line() = body.command_line();
    out_.set_manifest_path(body.manifest_path());
    out_.set_manifest_sha256(body.manifest_sha256());
    out_.set_program_version(body.program_version());
    out_.set_program_sha256(body.program_sha256());
    if (body.has_release_root()) *out_.mutable_release_root() = body.release_root();
    *out_.mutable_host_facts() = body.host_facts();
    *out_.mutable_engine() = body.engine();
    context_sha256_ = body.context_sha256();
  }

  void take_resolution(const StoredEvent& stored) {
    const v1::Event& event = stored.event;
    v1::ResolutionRow& row = *out_.add_resolution();
    row.set_module(event.module());
    row.set_sequence(stored.sequence);
    const v1::TreeFacts& tree = seen_[event.module()];
    row.set_links(tree.links());
    row.set_specials(tree.specials());
    row.set_excluded(tree.excluded());
    *row.mutable_listed() = tree.listed();
    for (const v1::ModuleState& module : out_.run().modules()) {
      if (module.module() == event.module()) *row.mutable_containers() = module.containers();
    }
    if (event.has_module_resolved()) {
      const v1::ModuleResolved& body = event.module_resolved();
      row.set_status("resolved");
      row.set_backup_class(body.backup_class());
      row.set_rung(body.rung());
      row.set_detail(body.evidence());
      *row.mutable_paths() = body.paths();
      *row.mutable_considered() = body.considered();
    } else if (event.has_module_unresolved()) {
      row.set_status("unresolved");
      row.set_detail(event.module_unresolved().detail());
      *row.mutable_considered() = event.module_unresolved().near_misses();
    } else {
      row.set_status("excluded");
      row.set_detail(event.module_excluded().rule() + ": " + event.module_excluded().reason());
    }
  }

  Status take_context() {
    for (const std::string& digest : {context_sha256_, out_.manifest_sha256()}) {
      if (digest.empty()) continue;
      Result<std::optional<std::string>> blob = read_blob(log_, digest);
      if (!blob) return pass(blob);
      if (!blob->has_value()) continue;
      redactions_ += count_redactions(**blob);
      if (digest == context_sha256_) out_.mutable_context()->ParseFromString(**blob);
    }
    return {};
  }

  void say_what_was_done() {
    for (const v1::StepState& step : out_.run().steps()) {
      if (step.status() == "applied" && step.kind() != v1::STEP_KIND_VERIFY) {
        add_statement(*out_.mutable_done(), what_it_did(step) + ".",
                      {step.started_sequence(), step.settled_sequence()});
      } else if (step.status() == "failed") {
        const std::string text =
            name_of(step) + " was started and failed: " + inert_short(step.detail(), 400) + ".";
        add_statement(*out_.mutable_done(), text,
                      {step.started_sequence(), step.settled_sequence()});
        add_statement(*out_.mutable_divergences(), name_of(step) + " failed.",
                      {step.settled_sequence()});
      } else if (is_open(step)) {
        const std::string text = name_of(step) + " was started; what it did is unknown.";
        add_statement(*out_.mutable_done(), text, {step.started_sequence()});
        add_statement(*out_.mutable_divergences(), text, {step.started_sequence()});
      }
    }
    add_commands(out_);
    for (v1::Statement& statement : later_) *out_.add_done() = std::move(statement);
  }

  std::string what_it_did(const v1::StepState& step) const {
    if (step.kind() == v1::STEP_KIND_COMMIT)
      return "Committed the artifacts of " + inert(step.module());
    if (step.kind() == v1::STEP_KIND_CAPTURE) {
      return "Captured " + inert(step.module()) + " (" + class_word(step.backup_class()) +
             ") on host " + inert(out_.run().host());
    }
    if (step.kind() == v1::STEP_KIND_DISCARD) {
      return "Removed the partial folder " + inert(step.partial_folder());
    }
    return name_of(step) + " was carried out";
  }

  // Says only what the absence of events shows: a start is recorded before anything happens.
  void say_what_was_not_done() {
    const v1::RunState& run = out_.run();
    auto& list = *out_.mutable_not_done();
    const bool acted = std::any_of(run.steps().begin(), run.steps().end(), [](const auto& step) {
      return step.status() != "withheld" && step.status() != "proposed";
    });
    if (!used_container_ && (!asked_engine_ || !acted)) {
      add_statement(list,
                    std::string("No command was run in a container; ") +
                        (asked_engine_ ? "the engine was asked by GET and HEAD alone."
                                       : "no engine was asked."),
                    {run.first_sequence(), run.last_sequence()});
    }
    say_that_nothing_was_written();
    std::vector<const v1::StepState*> waiting;
    for (const v1::StepState& step : run.steps()) {
      if (step.status() == "proposed") waiting.push_back(&step);
    }
    for (const v1::StepState* step : waiting) {
      add_statement(list, name_of(*step) + " was not started.", {step->proposed_sequence()});
    }
    if (run.steps().empty()) {
      add_statement(list, "No step was planned.", {run.first_sequence(), run.last_sequence()});
    }
    if (!tested_restore_) {
      add_statement(list, "No restore was tested.", {run.first_sequence(), run.last_sequence()});
    }
  }

  void say_that_nothing_was_written() {
    const v1::RunState& run = out_.run();
    const bool none = run.artifacts().empty() &&
                      std::all_of(run.steps().begin(), run.steps().end(), [](const auto& step) {
                        return step.status() == "withheld" || step.status() == "proposed";
                      });
    if (!none) return;
    const v1::Enforcement& held = run.enforcement();
    std::string text = "No backup file or folder was created";
    if (count(run).withheld() > 0) text += "; each step that was started was withheld";
    if (held.enforced()) {
      text += "; Landlock ABI " + std::to_string(held.abi()) + " forbade: " + inert(held.forbids());
    } else if (!held.mechanism().empty()) {
      text += "; the kernel did not enforce it: " + inert(held.not_because());
    }
    add_statement(*out_.mutable_not_done(), text + ".",
                  {run.first_sequence(), run.last_sequence()});
  }

  // A rehearsal is superseded by a newer one of a module of its own.
  Status find_successor() {
    const v1::RunState& run = out_.run();
    if (run.mode() != v1::MODE_DRY_RUN) return {};
    std::set<std::string> modules;
    for (const v1::ModuleState& row : run.modules()) modules.insert(row.module());
    std::optional<Error> failure;
    Status listed =
        list_runs(log_, std::numeric_limits<std::uint64_t>::max(),
                  [&](std::string_view run_id, std::uint64_t sequence) {
                    if (sequence <= run.first_sequence()) return false;
                    Result<v1::RunState> other = run_state(log_, run_id);
                    if (!other) failure = other.error();
                    if (!other || other->mode() != v1::MODE_DRY_RUN) return other.has_value();
                    const bool shared = std::any_of(
                        other->modules().begin(), other->modules().end(),
                        [&](const v1::ModuleState& row) { return modules.contains(row.module()); });
                    if (shared) out_.set_superseded_by(std::string(run_id));
                    return !shared;
                  });
    if (failure) return std::unexpected(*failure);
    return listed;
  }

  Status add_integrity() {
    v1::Integrity& integrity = *out_.mutable_integrity();
    const v1::RunState& run = out_.run();
    integrity.set_first_sequence(run.first_sequence());
    integrity.set_last_sequence(run.last_sequence());
    integrity.set_redactions(redactions_);
    if (signed_tree_) {
      integrity.set_log_size(signed_tree_->size);
      integrity.set_root_hash(std::string(as_bytes(signed_tree_->root)));
      integrity.set_checkpoint(signed_tree_->checkpoint);
      integrity.set_verify_command(signed_tree_->verify_command);
      return {};
    }
    integrity.set_log_size(run.last_sequence() + 1);
    Result<Digest> root = root_at(log_, run.last_sequence() + 1);
    if (!root) return pass(root);
    integrity.set_root_hash(std::string(as_bytes(*root)));
    integrity.set_verify_command("muniment verify");
    return {};
  }

  const LogReader& log_;
  const std::optional<SignedTree>& signed_tree_;
  v1::Evidence out_;
  std::string context_sha256_;
  std::map<std::string, v1::TreeFacts> seen_;  // by module
  std::vector<v1::Statement> later_;
  bool asked_engine_ = false;
  bool used_container_ = false;
  bool tested_restore_ = false;
  std::uint64_t redactions_ = 0;
};

}  // namespace

Result<v1::Evidence> make_evidence(const LogReader& log, const std::string& run_id,
                                   const std::optional<SignedTree>& signed_tree) {
  return Builder(log, signed_tree).build(run_id);
}

}  // namespace muniment
