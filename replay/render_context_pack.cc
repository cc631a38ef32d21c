#include <algorithm>

#include "recorder/core/digest.h"
#include "recorder/core/plan.h"
#include "recorder/core/text.h"
#include "replay/markdown_sections.h"
#include "replay/markdown_text.h"
#include "replay/render_markdown.h"

namespace muniment {
namespace {

using namespace markdown;

std::string text(const std::string& foreign) {
  const std::string shown = prose(foreign);
  return shown.empty() ? "" : shown + "\n";
}

std::string size_of(const v1::StepState& step) {
  if (step.has_bytes()) return " (" + human_bytes(step.bytes()) + ")";
  if (!step.has_expected_bytes()) return "";
  return " (about " + human_bytes(step.expected_bytes()) + ")";
}

// "capture applied (2.3 MiB), verify applied (2.3 MiB), commit applied"
std::string steps_of(const v1::RunState& run, const std::string& module) {
  std::string out;
  for (const v1::StepState& step : run.steps()) {
    if (step.module() != module) continue;
    out += (out.empty() ? "" : ", ") + word(step.kind()) + " " + sentence(step.status()) +
           size_of(step);
  }
  return out;
}

// Each module, how it was resolved and what became of its steps.
std::string what_changed(const v1::Evidence& e) {
  std::string out;
  for (const v1::ResolutionRow& row : e.resolution()) {
    out += "- " + code_span(row.module()) + ": ";
    if (row.status() == "resolved") {
      out += "class " + word(row.backup_class());
      for (const std::string& path : row.paths()) out += ", " + code_span(path);
    } else {
      out += sentence(row.status()) + ", " + prose_line(row.detail());
    }
    const std::string steps = steps_of(e.run(), row.module());
    if (!steps.empty()) out += "; " + steps;
    out += " " + event_name(row.sequence()) + "\n";
  }
  return out;
}

std::string relevant_context(const v1::Evidence& e, const Resolver& resolve) {
  const v1::RunState& run = e.run();
  std::string out;
  out += field("actor", actor(e.actor(), resolve));
  out += field("host", code_span(run.host()) + ", log " + code_span(run.origin()));
  out += field("started", code_span(rfc3339(run.started_at())));
  out += field("release", release(e.release_root()));
  out += field("manifest",
               code_span(e.manifest_path()) + ", sha256 " + code_span(to_hex(e.manifest_sha256())));
  if (!run.follows_run().empty()) out += field("follows", "run " + code_span(run.follows_run()));
  if (!run.plan_digest().empty()) out += field("plan", code_span(run.plan_digest()));
  const std::string said = notes(e, resolve);
  return said.empty() ? out : out + "\n" + said;
}

std::string evidence_section(const v1::Evidence& e, const Resolver& resolve) {
  std::string out = runtime(e);
  const auto add = [&](const std::string& title, const std::string& body) {
    if (!body.empty()) out += (out.empty() ? "" : "\n") + title + ":\n\n" + body;
  };
  add("Divergences", statements(e.divergences()));
  if (!e.gates().empty() || !e.approvals().empty()) {
    add("Candidates and gates", gates(e, resolve));
  }
  add("Artifacts", artifacts(e));
  out += "\n" + folded("Resolution, near misses, exclusions", resolution(e));
  return out + "\n" + folded("Integrity", integrity(e.integrity()));
}

// The rehearsal of what an execution did, by the facts that it recorded.
std::string rehearsal(const v1::Evidence& e) {
  std::string out = "muniment";
  if (!e.manifest_path().empty()) out += " -m " + shell_word(e.manifest_path());
  out += " backup --dry-run";
  const auto& given = e.command_line();
  if (std::find(given.begin(), given.end(), "--all") != given.end()) return out + " --all";
  for (const std::string& module : e.run().requested()) out += " " + shell_word(module);
  return out;
}

// The check of an artifact by another program. Nothing for a path that cannot be shown as it is.
std::string checksum(const v1::ArtifactState& row) {
  if (row.status() != "committed" || inert(row.path()) != row.path()) return "";
  return "echo " + shell_word(to_hex(row.sha256()) + "  " + row.path()) + " | sha256sum --check";
}

std::string test_plan(const v1::Evidence& e) {
  std::vector<std::string> lines;
  if (e.run().purpose() == "backup" && e.run().mode() == v1::MODE_EXECUTION) {
    lines.push_back(rehearsal(e));
  }
  std::string command;
  for (const std::string& word : e.command_line()) {
    command += (command.empty() ? "" : " ") + shell_word(word);
  }
  if (!command.empty()) lines.push_back(command);
  lines.push_back("muniment report " + shell_word(e.run().run_id()) + " --format markdown");
  for (const v1::ArtifactState& row : e.run().artifacts()) {
    if (const std::string line = checksum(row); !line.empty()) lines.push_back(line);
  }
  if (!e.integrity().verify_command().empty()) lines.push_back(e.integrity().verify_command());
  return shell_block(lines);
}

}  // namespace

std::string render_context_pack(const v1::Evidence& e, const Resolver& resolve) {
  const v1::Context& c = e.context();
  return status_line(e) + section("Product story", text(c.story())) +
         section("What changed", what_changed(e)) + section("Why", text(c.why())) +
         section("Relevant context", relevant_context(e, resolve)) +
         section("Runtime evidence", evidence_section(e, resolve)) +
         section("Known constraints", items(c.constraints())) +
         section("Explicit out of scope", items(c.out_of_scope())) +
         section("Requested decision", text(c.decision())) +
         section("Merge blockers", blockers(e)) + section("Sources read", items(c.sources())) +
         section("Test plan", test_plan(e));
}

}  // namespace muniment
