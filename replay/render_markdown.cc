#include "replay/render_markdown.h"

#include "recorder/core/digest.h"
#include "recorder/core/plan.h"
#include "recorder/core/run_state.h"
#include "replay/markdown_sections.h"
#include "replay/markdown_text.h"

namespace muniment {
namespace {

using namespace markdown;
using Rows = std::vector<std::vector<std::string>>;

// Above it a detail is not said in the sentence on its step in full.
constexpr std::size_t kLongDetail = 400;

std::string who_and_when(const v1::Evidence& e, const Resolver& resolve) {
  std::string out;
  out += field("actor", actor(e.actor(), resolve));
  out += field("host", code_span(e.run().host()) + ", log " + code_span(e.run().origin()));
  out += field("started", code_span(rfc3339(e.run().started_at())));
  out += field("finished",
               e.run().has_finished_at() ? code_span(rfc3339(e.run().finished_at())) : "unknown");
  if (!e.run().follows_run().empty()) {
    out += field("follows", "run " + code_span(e.run().follows_run()));
  }
  return out + field("release", release(e.release_root()));
}

std::string engine(const v1::EngineFacts& engine) {
  std::string out = engine.selector().empty() ? "" : code_span(engine.selector());
  if (!engine.name().empty()) {
    out += (out.empty() ? "" : ", ") + code_span(engine.name()) + " version " +
           code_span(engine.version()) + ", API " + code_span(engine.api_version());
  }
  return out;
}

std::string with_what(const v1::Evidence& e, const Resolver& resolve) {
  std::string command;
  for (const std::string& word : e.command_line()) {
    command += (command.empty() ? "" : " ") + shell_word(word);
  }
  std::string out;
  if (!e.actor().parent_executable().empty()) {
    out += field("started by", code_span(e.actor().parent_executable()));
  }
  if (!e.actor().ssh_connection().commitment().empty()) {
    out += field("ssh", erasable(e.actor().ssh_connection(), resolve));
  }
  out += field("kernel", code_span(e.host_facts().kernel() + " " + e.host_facts().machine()));
  out += field("manifest",
               code_span(e.manifest_path()) + ", sha256 " + code_span(to_hex(e.manifest_sha256())));
  out += field("program", "muniment " + code_span(e.program_version()) + ", sha256 " +
                              code_span(to_hex(e.program_sha256())));
  out += field("engine", engine(e.engine()));
  return out + (command.empty() ? "" : "\n" + shell_block({command}));
}

std::string bytes_or(const v1::StepState& step) {
  if (step.has_bytes()) return human_bytes(step.bytes());
  if (step.has_expected_bytes()) return "about " + human_bytes(step.expected_bytes());
  return "-";
}

std::string said(const std::string& word) {
  return word == "unspecified" ? "-" : word;
}

std::uint64_t newest(const v1::StepState& step) {
  if (step.has_settled_sequence()) return step.settled_sequence();
  return step.has_started_sequence() ? step.started_sequence() : step.proposed_sequence();
}

std::string steps(const v1::RunState& run) {
  Rows rows = {{"step", "module", "what", "class", "fidelity", "status", "time", "bytes", "proof"}};
  for (const v1::StepState& step : run.steps()) {
    rows.push_back({step.planned() ? plain_number(step.index()) : "-", code_span(step.module()),
                    word(step.kind()), said(word(step.backup_class())), said(word(step.fidelity())),
                    sentence(step.status()),
                    step.has_duration_ms()
                        ? plain_number(static_cast<std::uint64_t>(step.duration_ms())) + " ms"
                        : "-",
                    bytes_or(step), event_name(newest(step))});
  }
  return markdown_table(rows);
}

// What failed steps said, where it is more than a line.
std::string details(const v1::RunState& run) {
  std::string out;
  for (const v1::StepState& step : run.steps()) {
    const std::string& detail = step.detail();
    if (step.status() != "failed" && step.status() != "unknown") continue;
    if (detail.size() <= kLongDetail && detail.find('\n') == detail.npos) continue;
    out += "\n" + folded("What step " + std::to_string(step.index()) + " said", fenced(detail));
  }
  return out;
}

std::string plan(const v1::Evidence& e) {
  const v1::RunState& run = e.run();
  std::string out = statements(e.divergences());
  if (run.steps().empty()) return out;
  const std::string number = std::to_string(count(run).steps());
  out += (out.empty() ? "" : "\n") + number + " steps, " +
         (run.has_space_needed_bytes()
              ? "at most " + human_bytes(run.space_needed_bytes()) + " needed.\n"
              : "space needed unknown.\n");
  out += details(run);
  return out + "\n" + folded("The steps of the plan", steps(run));
}

std::string list_in_words(const std::string& title, const Texts& list) {
  const std::string body = items(list);
  return body.empty() ? "" : "\n**" + title + "**\n\n" + body;
}

std::string words_on(const std::string& title, const std::string& text) {
  const std::string body = prose(text);
  return body.empty() ? "" : "\n**" + title + "**\n\n" + body + "\n";
}

std::string context(const v1::Context& c) {
  const std::string out = words_on("Product story", c.story()) + words_on("Why", c.why()) +
                          list_in_words("Known constraints", c.constraints()) +
                          list_in_words("Explicit out of scope", c.out_of_scope()) +
                          words_on("Requested decision", c.decision()) +
                          list_in_words("Sources read", c.sources());
  return out.empty() ? "" : out.substr(1);
}

}  // namespace

std::string render_markdown(const v1::Evidence& e, const Resolver& resolve) {
  return status_line(e) +
         section("Who, when, where, with what",
                 who_and_when(e, resolve) + "\n" +
                     folded("Command, manifest, program", with_what(e, resolve))) +
         section("Runtime evidence", runtime(e)) + section("Merge blockers", blockers(e)) +
         section("Candidates and gates", gates(e, resolve)) +
         section("Plan against execution", plan(e)) + section("Resolution", resolution(e)) +
         section("Artifacts", artifacts(e)) + section("Notes", notes(e, resolve)) +
         section("Context", context(e.context())) + section("Integrity", integrity(e.integrity()));
}

}  // namespace muniment
