#include <algorithm>
#include <cstdio>

#include "recorder/core/digest.h"
#include "recorder/core/plan.h"
#include "recorder/core/text.h"
#include "replay/query.h"
#include "replay/render_text.h"

namespace muniment {
namespace {

constexpr std::size_t kShort = 160;

template <class Enum>
std::string word(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? "unknown" : enum_word(*found);
}

// Ids and digests are checked where they are written; a line stays a line even so.
std::string id(const std::string& text) {
  return inert_short(text, kShort);
}

std::string say_step_of_clock(const v1::ClockStepped& body) {
  char text[48];
  std::snprintf(text, sizeof text, "%+.3f s", static_cast<double>(body.step_ns()) / 1e9);
  return text;
}

std::string step_name(v1::StepKind kind, std::uint32_t index) {
  return word(kind) + ", step " + std::to_string(index);
}

std::string say_path(const v1::PathObserved& body) {
  std::string out = word(body.role()) + " " + inert_short(body.path(), kShort) + ": ";
  if (!body.error().empty()) return out + inert_short(body.error(), kShort);
  out += word(body.kind());
  if (body.has_sqlite()) out += body.sqlite().wal_mode() ? ", SQLite in WAL mode" : ", SQLite";
  if (body.has_tree()) out += ", " + std::to_string(body.tree().files()) + " files";
  if (body.has_free_bytes()) out += ", " + human_bytes(body.free_bytes()) + " free";
  return out;
}

std::string say_settled(const v1::StepSettled& body) {
  std::string out = step_name(body.kind(), body.index()) + ": " + word(body.result());
  if (body.has_bytes()) out += ", " + human_bytes(body.bytes());
  if (!body.detail().empty()) out += ", " + inert_short(body.detail(), kShort);
  return out;
}

std::string say_resolution(const v1::Event& event) {
  if (event.has_module_resolved()) {
    return "class " + word(event.module_resolved().backup_class()) + ", decided by " +
           word(event.module_resolved().rung());
  }
  if (event.has_module_unresolved()) return inert_short(event.module_unresolved().detail(), kShort);
  return inert_short(event.module_excluded().rule(), kShort) + ": " +
         inert_short(event.module_excluded().reason(), kShort);
}

std::string say_run(const v1::Event& event) {
  if (event.has_run_started()) {
    return inert_short(event.run_started().purpose(), kShort) + ", " + word(event.mode()) +
           ", run " + id(event.run_id());
  }
  if (event.has_run_abandoned()) return "run " + id(event.about_run()) + " died without an end";
  std::string out = word(event.run_finished().outcome());
  if (!event.run_finished().reason().empty()) {
    out += ": " + inert_short(event.run_finished().reason(), kShort);
  }
  return out;
}

std::string say_artifact(const v1::Event& event) {
  if (event.has_backup_written()) {
    const v1::BackupWritten& body = event.backup_written();
    return inert_short(body.path(), kShort) + ", " + human_bytes(body.size_bytes());
  }
  if (event.has_manifest_written()) return inert_short(event.manifest_written().path(), kShort);
  if (event.has_artifact_removed()) {
    return inert_short(event.artifact_removed().path(), kShort) + ": " +
           inert_short(event.artifact_removed().why(), kShort);
  }
  return word(event.artifact_verified().verdict()) + ", " +
         inert_short(event.artifact_verified().method(), kShort);
}

std::string short_digest(const std::string& digest) {
  return id(digest.substr(0, 8));
}

// "#12, #13 and 4 more"
std::string events(const google::protobuf::RepeatedField<std::uint64_t>& sequences) {
  constexpr int kMost = 8;
  std::string out;
  for (int i = 0; i < std::min(sequences.size(), kMost); ++i) {
    out += (i == 0 ? "#" : ", #") + std::to_string(sequences[i]);
  }
  const int more = sequences.size() - kMost;
  return more > 0 ? out + " and " + std::to_string(more) + " more" : out;
}

std::string say_verdict(const v1::GateEvaluated& body) {
  std::string out = id(body.gate()) + (body.open() ? " open" : " closed");
  for (const v1::Condition& row : body.conditions()) {
    if (row.verdict() == v1::VERDICT_OK) continue;
    return out + ": " + inert_short(row.name(), 80) + ": " + inert_short(row.detail(), kShort);
  }
  if (!body.candidate_run().empty()) out += ", run " + id(body.candidate_run());
  return out;
}

std::string say_policy(const v1::GatePolicyRecorded& body) {
  std::string out = id(body.gate()) + ", policy " + to_hex(body.policy_sha256()).substr(0, 8);
  out += ", " + std::to_string(body.approvals()) + " of its signers";
  if (body.modules_size() > 0) out += ", for " + inert_short(body.modules(0), 80);
  if (body.modules_size() > 1) out += " and " + std::to_string(body.modules_size() - 1) + " more";
  return body.approved_by().empty() ? out : out + ", approved by " + events(body.approved_by());
}

std::string say_acceptance(const v1::ApprovalAccepted& body) {
  return id(body.gate()) + ", plan " + short_digest(body.plan_digest()) + ", until " +
         rfc3339(body.expires()) + ", key " + id(body.key_fingerprint());
}

std::string say_approval(const v1::Event& event) {
  if (event.has_approval_accepted()) return say_acceptance(event.approval_accepted());
  if (event.has_approval_requested()) {
    return id(event.approval_requested().gate()) + ", plan " +
           short_digest(event.approval_requested().plan_digest()) + ", run " +
           id(event.about_run());
  }
  if (event.has_approval_submitted()) {
    return "statement " + to_hex(event.approval_submitted().statement_sha256()).substr(0, 8) +
           (event.about_run().empty() ? "" : ", run " + id(event.about_run()));
  }
  if (event.has_approval_rejected()) {
    return id(event.approval_rejected().gate()) + ", #" +
           std::to_string(event.approval_rejected().submitted_sequence()) + ": " +
           inert_short(event.approval_rejected().why(), kShort);
  }
  if (event.has_approval_consumed()) {
    return id(event.approval_consumed().gate()) + ", " +
           events(event.approval_consumed().accepted_sequences());
  }
  return "#" + std::to_string(event.approval_revoked().accepted_sequence());
}

bool is_about_approval(const v1::Event& event) {
  return event.has_approval_requested() || event.has_approval_submitted() ||
         event.has_approval_accepted() || event.has_approval_rejected() ||
         event.has_approval_consumed() || event.has_approval_revoked();
}

std::string say_command(const v1::CommandExecuted& body) {
  std::string words;
  for (int i = 0; i < std::min(body.argv_size(), 16); ++i) {
    words += (i == 0 ? "" : " ") + body.argv(i);
  }
  std::string out = inert_short(words, kShort);
  if (!body.container_id().empty())
    out += ", in container " + id(body.container_id().substr(0, 12));
  if (body.timed_out()) return out + ", killed when its time was over";
  return body.has_exit_status() ? out + ", exit status " + std::to_string(body.exit_status()) : out;
}

std::string say(const v1::Event& event) {
  if (event.has_run_started() || event.has_run_finished() || event.has_run_abandoned()) {
    return say_run(event);
  }
  if (event.has_path_observed()) return say_path(event.path_observed());
  if (event.has_module_resolved() || event.has_module_unresolved() || event.has_module_excluded()) {
    return say_resolution(event);
  }
  if (event.has_plan_step_proposed()) {
    const v1::PlanStepProposed& body = event.plan_step_proposed();
    return step_name(body.step().kind(), body.index());
  }
  if (event.has_plan_sealed()) return "digest " + id(event.plan_sealed().digest().substr(0, 8));
  if (event.has_gate_evaluated()) return say_verdict(event.gate_evaluated());
  if (event.has_gate_policy_recorded()) return say_policy(event.gate_policy_recorded());
  if (is_about_approval(event)) return say_approval(event);
  if (event.has_command_executed()) return say_command(event.command_executed());
  if (event.has_candidate_recommended()) {
    return id(event.candidate_recommended().gate()) + ", run " + id(event.about_run());
  }
  if (event.has_drift_detected()) {
    return std::to_string(event.drift_detected().differences_size()) + " differences to run " +
           id(event.drift_detected().against_run());
  }
  if (event.has_step_started()) {
    return step_name(event.step_started().kind(), event.step_started().index());
  }
  if (event.has_step_settled()) return say_settled(event.step_settled());
  if (event.has_backup_written() || event.has_manifest_written() || event.has_artifact_removed() ||
      event.has_artifact_verified()) {
    return say_artifact(event);
  }
  if (event.has_check_recorded()) {
    return inert_short(event.check_recorded().name(), kShort) + " " +
           word(event.check_recorded().verdict()) + ", run " + id(event.about_run());
  }
  if (event.has_erased()) {
    return id(event.erased().field()) + " of #" + std::to_string(event.erased().sequence());
  }
  if (event.has_recording_failed()) return inert_short(event.recording_failed().error(), kShort);
  if (event.has_clock_stepped()) return say_step_of_clock(event.clock_stepped());
  return event.about_run().empty() ? "" : "about run " + id(event.about_run());
}

}  // namespace

std::string event_line(std::uint64_t sequence, const v1::Event& event) {
  std::string out = "#" + std::to_string(sequence) + " " + body_name(event);
  if (!event.module().empty()) out += " " + inert_short(event.module(), 80);
  const std::string said = say(event);
  return said.empty() ? out : out + ": " + said;
}

}  // namespace muniment
