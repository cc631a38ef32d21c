#include "replay/render_text.h"

#include <algorithm>

#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/plan.h"
#include "recorder/core/run_state.h"
#include "recorder/core/text.h"
#include "replay/evidence.h"
#include "replay/markdown_text.h"
#include "replay/text_table.h"

namespace muniment {
namespace {

using Rows = std::vector<std::vector<std::string>>;

template <class Enum>
std::string word(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? "unknown" : enum_word(*found);
}

// Where nothing was said, as of a step that no plan holds, there is no word to show.
template <class Enum>
std::string said(Enum value) {
  return static_cast<int>(value) == 0 ? "-" : word(value);
}

// To the second: what a person reads; `show SEQ` and JSON have all digits.
std::string moment(const google::protobuf::Timestamp& time) {
  const std::string text = rfc3339(time);
  return text.size() < 20 ? text : text.substr(0, 19) + "Z";
}

std::string text_of(const v1::Erasable& field, const Resolver& resolve) {
  if (field.commitment().empty()) return "-";
  const std::optional<std::string> text = resolve(field);
  return text ? inert_short(*text, 400) : resolve.words_for_gone(field);
}

std::string joined_modules(const v1::RunState& run) {
  std::string out;
  for (const std::string& name : run.requested()) out += (out.empty() ? "" : ",") + name;
  return inert_short(out, 60);
}

std::string bytes_or(const v1::StepState& step) {
  if (step.has_bytes()) return human_bytes(step.bytes());
  if (step.has_expected_bytes()) return "~" + human_bytes(step.expected_bytes());
  return "-";
}

std::string steps_table(const v1::RunState& run) {
  Rows rows = {{"step", "module", "what", "class", "fidelity", "status", "time", "bytes"}};
  for (const v1::StepState& step : run.steps()) {
    rows.push_back({step.planned() ? std::to_string(step.index()) : "-", inert(step.module()),
                    word(step.kind()), said(step.backup_class()), said(step.fidelity()),
                    inert(step.status()),
                    step.has_duration_ms() ? std::to_string(step.duration_ms()) + " ms" : "-",
                    bytes_or(step)});
  }
  return text_table(rows, 2);
}

std::string artifacts_table(const v1::RunState& run) {
  std::string out;
  for (const v1::ArtifactState& row : run.artifacts()) {
    out += "  " + inert(row.path()) + "\n    " + std::to_string(row.size_bytes()) + " bytes (" +
           human_bytes(row.size_bytes()) + "), mode " + octal_mode(row.mode()) + ", " +
           inert(row.status()) + ", " +
           (row.has_verified() ? "verified " + word(row.verified()) : "not verified") +
           "\n    sha256 " + to_hex(row.sha256()) + "\n";
    if (!row.check().empty()) out += "    " + inert(row.check()) + "\n";
    if (row.changed_count() + row.vanished_count() > 0) {
      out += "    " + std::to_string(row.changed_count()) + " files changed and " +
             std::to_string(row.vanished_count()) + " vanished while they were read (#" +
             std::to_string(row.sequence()) + " lists them)\n";
    }
    if (row.not_archived_count() > 0) {
      out += "    " + std::to_string(row.not_archived_count()) +
             " sockets are not in the archive (#" + std::to_string(row.sequence()) + ")\n";
    }
  }
  return out;
}

// Each with its last lines; the whole output is a blob, see `show SEQ`.
std::string commands(const v1::RunState& run) {
  std::string out;
  for (const v1::CommandState& row : run.commands()) {
    std::string words;
    for (const std::string& word : row.argv()) words += " " + shell_word(word);
    out += " " + inert_short(words, 2000) + "\n    " +
           (row.timed_out()         ? "killed when its time was over"
            : row.has_exit_status() ? "exit status " + std::to_string(row.exit_status())
                                    : "no exit status") +
           " #" + std::to_string(row.sequence()) + "\n";
    for (const auto& [name, tail] :
         {std::pair{"output", &row.stdout_tail()}, std::pair{"errors", &row.error_tail()}}) {
      if (tail->empty()) continue;
      out += "    " + std::string(name) + ": " +
             inert(tail->substr(tail->size() - std::min<std::size_t>(tail->size(), 400))) + "\n";
    }
  }
  return out;
}

std::string gates(const v1::RunState& run) {
  std::string out;
  for (const v1::GateState& row : run.gates()) {
    out += "  " + inert_short(row.gate(), 80) + " for " + inert_short(row.module(), 80) + ": " +
           (row.open() ? "open" : "closed, " + inert_short(row.detail(), 400)) + " #" +
           std::to_string(row.sequence()) + "\n";
    if (!row.open() && !row.next().empty()) {
      out += "    next: " + inert_short(row.next(), 400) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string render_runs(const v1::RunList& list, const Resolver& resolve) {
  if (list.runs().empty()) return "no runs\n";
  Rows rows = {{"run", "started", "mode", "outcome", "purpose", "modules", "actor"}};
  for (const v1::RunState& run : list.runs()) {
    rows.push_back({inert(run.run_id()), moment(run.started_at()), word(run.mode()),
                    word(run.outcome()), inert(run.purpose()), joined_modules(run),
                    text_of(run.actor(), resolve)});
  }
  std::string out = text_table(rows, 0);
  if (!list.next().empty()) out += "more: --before " + inert(list.next()) + "\n";
  return out;
}

std::string render_events(const v1::EventList& list) {
  std::string out;
  for (const v1::EventView& view : list.events()) {
    const std::string time = rfc3339(view.event().recorded_at());
    out += (time.size() < 24 ? time : time.substr(0, 23) + "Z") + " " +
           event_line(view.sequence(), view.event()) + "\n";
  }
  if (list.has_next()) out += "more: --from-seq " + std::to_string(list.next()) + "\n";
  return out;
}

std::string render_event(const v1::EventView& view, const Resolver& resolve) {
  const v1::Event& event = view.event();
  std::string out = event_line(view.sequence(), event) + "\n";
  out += "recorded  " + rfc3339(event.recorded_at()) + ", " + std::to_string(view.size_bytes()) +
         " bytes\nleaf hash " + to_hex(view.leaf_hash()) + "\n";
  if (!view.log_state().empty()) out += "log state " + inert(view.log_state()) + "\n";
  // JSON escapes what a terminal would obey; see json_quote().
  return out + to_json(event, {.resolve = resolve, .pretty = true, .say_erased = true}) + "\n";
}

std::string render_plan(const v1::RunState& run) {
  if (run.steps().empty()) return "";
  std::string out = "Plan " + inert(run.plan_digest().substr(0, 8)) + ", " +
                    std::to_string(count(run).steps()) + " steps";
  out += run.has_space_needed_bytes()
             ? ", at most " + human_bytes(run.space_needed_bytes()) + " needed\n"
             : ", space needed unknown\n";
  return out + steps_table(run);
}

std::string render_resolution(const v1::RunState& run) {
  Rows rows = {{"module", "status", "class", "decided by", "container, path or reason"}};
  for (const v1::ModuleState& module : run.modules()) {
    const bool resolved = module.status() == "resolved";
    std::string path = module.containers().empty() ? "" : inert_short(module.containers(0), 140);
    if (!path.empty() && !module.paths().empty()) path += ":";
    if (!module.paths().empty()) path += inert_short(module.paths(0), 200);
    rows.push_back({inert(module.module()), inert(module.status()),
                    resolved ? word(module.backup_class()) : "-",
                    resolved ? word(module.rung()) : "-",
                    resolved ? path : inert_short(module.detail(), 300)});
  }
  return text_table(rows, 0);
}

std::string render_run(const v1::RunState& run, const Resolver& resolve) {
  std::string out = verdict_line(run) + "\n\n";
  out += "  " + inert(run.purpose()) + ", " + word(run.mode()) + ", by " +
         text_of(run.actor(), resolve) + " on " + inert_short(run.host(), 200) + "\n  started " +
         rfc3339(run.started_at());
  out += ", finished " + (run.has_finished_at() ? rfc3339(run.finished_at()) : "unknown") + "\n";
  out += "  events #" + std::to_string(run.first_sequence()) + " to #" +
         std::to_string(run.last_sequence());
  out += (run.log_state().empty() ? "" : ", " + inert(run.log_state())) + "\n";
  if (!run.modules().empty()) out += "\n" + render_resolution(run);
  if (!run.steps().empty()) out += "\n" + render_plan(run);
  if (!run.gates().empty()) out += "\nGates\n" + gates(run);
  if (!run.commands().empty()) out += "\nCommands\n" + commands(run);
  if (!run.artifacts().empty()) out += "\nArtifacts\n" + artifacts_table(run);
  return out;
}

std::string render_artifacts(const v1::RunState& run) {
  return artifacts_table(run);
}

}  // namespace muniment
