#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "replay/render_gate.h"
#include "replay/render_text.h"
#include "replay/text_table.h"

namespace muniment {
namespace {

std::string text_of(const v1::Erasable& field, const Resolver& resolve) {
  if (field.commitment().empty()) return "-";
  const std::optional<std::string> text = resolve(field);
  return text ? inert_short(*text, 4000) : resolve.words_for_gone(field);
}

std::string proof(const google::protobuf::RepeatedField<std::uint64_t>& sequences) {
  std::string out;
  for (int i = 0; i < sequences.size() && i < 8; ++i) {
    out += (i == 0 ? "#" : " #") + std::to_string(sequences[i]);
  }
  if (sequences.size() > 8) out += " and " + std::to_string(sequences.size() - 8) + " more";
  return out;
}

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "\n" + title + "\n" + body;
}

std::string field(const std::string& name, const std::string& value) {
  if (value.empty()) return "";
  std::string out = "  " + name;
  out.append(name.size() < 14 ? 14 - name.size() : 1, ' ');
  return out + value + "\n";
}

std::string release(const v1::ReleaseRoot& root) {
  if (root.path().empty()) return "";
  std::string out = inert(root.path()) + " ";
  if (root.commit().empty()) return out + "unknown: " + inert_short(root.unknown_because(), 200);
  out += inert(root.commit());
  if (!root.has_clean()) return out + ", clean or not: unknown";
  return out + (root.clean() ? ", clean" : ", NOT clean");
}

std::string who(const v1::Evidence& e, const Resolver& resolve) {
  const v1::Actor& actor = e.actor();
  std::string command;
  for (const std::string& word : e.command_line())
    command += (command.empty() ? "" : " ") + inert(word);
  std::string out;
  out += field("actor", text_of(actor.claimed(), resolve) + " (claimed); uid " +
                            std::to_string(actor.uid()) + ", user " +
                            text_of(actor.user_name(), resolve) +
                            (actor.terminal() ? ", at a terminal" : ", no terminal"));
  out += field("started by", inert(actor.parent_executable()));
  if (!actor.ssh_connection().commitment().empty()) {
    out += field("ssh", text_of(actor.ssh_connection(), resolve));
  }
  out += field("host", inert(e.run().host()) + ", log " + inert(e.run().origin()));
  out += field("kernel", inert(e.host_facts().kernel() + " " + e.host_facts().machine()));
  out += field("started", rfc3339(e.run().started_at()));
  out += field("finished",
               e.run().has_finished_at() ? rfc3339(e.run().finished_at()) : std::string("unknown"));
  out += field("command", inert_short(command, 2000));
  out += field("manifest", inert(e.manifest_path()) + " sha256 " + to_hex(e.manifest_sha256()));
  out += field("program",
               "muniment " + inert(e.program_version()) + " sha256 " + to_hex(e.program_sha256()));
  std::string engine = e.engine().name() + " " + e.engine().version();
  if (e.engine().name().empty()) engine.clear();
  if (!engine.empty()) engine += ", API " + e.engine().api_version() + ", ";
  out += field("engine", inert(engine + e.engine().selector()));
  if (!e.run().follows_run().empty())
    out += field("follows", "run " + inert(e.run().follows_run()));
  return out + field("release", release(e.release_root()));
}

std::string statements(const google::protobuf::RepeatedPtrField<v1::Statement>& list) {
  std::string out;
  for (const v1::Statement& statement : list) {
    out += "  " + statement.text() + " " + proof(statement.sequences()) + "\n";
  }
  return out;
}

std::string runtime(const v1::Evidence& e) {
  std::string out = statements(e.done());
  if (e.run().outcome() == v1::RUN_OUTCOME_RUNNING) {
    out += "  The run is not over: this is what is recorded up to #" +
           std::to_string(e.run().last_sequence()) + ".\n";
  }
  if (!e.not_done().empty()) out += "  Not done:\n";
  for (const v1::Statement& statement : e.not_done()) {
    out += "    " + statement.text() + " " + proof(statement.sequences()) + "\n";
  }
  if (!e.superseded_by().empty())
    out += "  A newer dry run supersedes this one: " + inert(e.superseded_by()) + "\n";
  return out;
}

std::string blockers(const v1::Evidence& e) {
  std::vector<std::vector<std::string>> rows = {{"verdict", "condition", "why", "proof"}};
  for (const v1::Blocker& blocker : e.blockers()) {
    rows.push_back(
        {blocker.verdict(), blocker.name(), blocker.detail(), proof(blocker.sequences())});
  }
  return text_table(rows, 2);
}

// What a reader of the archive would look for and not find as it was.
std::string left_out(const v1::ResolutionRow& row) {
  std::string out;
  if (row.links() + row.specials() > 0) {
    out += "    not followed, not opened: " + std::to_string(row.links()) + " links, " +
           std::to_string(row.specials()) + " FIFOs, sockets and devices:";
    for (const std::string& path : row.listed()) out += " " + inert_short(path, 400);
    out += "\n";
  }
  if (row.excluded() > 0) {
    out += "    left out by exclusions: " + std::to_string(row.excluded()) + " paths\n";
  }
  return out;
}

std::string resolution(const v1::Evidence& e) {
  std::string out;
  for (const v1::ResolutionRow& row : e.resolution()) {
    out += "  " + inert(row.module()) + ": " + row.status();
    if (row.status() == "resolved") {
      const auto* rung = v1::Rung_descriptor()->FindValueByNumber(row.rung());
      const auto* kind = v1::BackupClass_descriptor()->FindValueByNumber(row.backup_class());
      out += ", class " + (kind == nullptr ? "unknown" : enum_word(*kind)) + ", decided by " +
             (rung == nullptr ? "unknown" : enum_word(*rung));
      if (!row.detail().empty()) out += " (" + inert_short(row.detail(), 400) + ")";
      for (const std::string& path : row.paths()) out += ", " + inert(path);
    } else {
      out += ", " + inert_short(row.detail(), 400);
    }
    for (const std::string& name : row.containers()) out += ", container " + inert(name);
    out += " #" + std::to_string(row.sequence()) + "\n";
    out += left_out(row);
    for (const v1::Considered& other : row.considered()) {
      out += "    not " + inert(other.what()) + ": " + inert_short(other.why_not(), 200) + "\n";
    }
  }
  return out;
}

std::string lines(const std::string& name,
                  const google::protobuf::RepeatedPtrField<std::string>& list) {
  std::string out;
  for (const std::string& text : list) out += field(name, inert(text));
  return out;
}

std::string context(const v1::Context& c) {
  return field("story", inert(c.story())) + field("why", inert(c.why())) +
         lines("constraint", c.constraints()) + lines("not in scope", c.out_of_scope()) +
         field("decision", inert(c.decision())) + lines("source", c.sources());
}

std::string notes(const v1::Evidence& e, const Resolver& resolve) {
  std::string out;
  for (const v1::Note& note : e.notes()) {
    out += "  #" + std::to_string(note.sequence()) + " " + rfc3339(note.recorded_at()) + " " +
           text_of(note.actor(), resolve) + ": " + text_of(note.text(), resolve) + "\n";
  }
  return out;
}

std::string integrity(const v1::Integrity& i) {
  return field("events", "#" + std::to_string(i.first_sequence()) + " to #" +
                             std::to_string(i.last_sequence())) +
         field("root",
               to_hex(i.root_hash()) + " over " + std::to_string(i.log_size()) + " events") +
         field("checkpoint",
               i.checkpoint().empty()
                   ? "none signed"
                   : "signed, over these " + std::to_string(i.log_size()) + " events") +
         field("redacted",
               std::to_string(i.redactions()) + (i.redactions() == 1 ? " place" : " places")) +
         field("verify with", inert(i.verify_command()));
}

}  // namespace

std::string render_evidence(const v1::Evidence& e, const Resolver& resolve) {
  return e.verdict() + "\n" + section("Who, when, where, with what", who(e, resolve)) +
         section("Runtime evidence", runtime(e)) + section("Merge blockers", blockers(e)) +
         section("Candidates and gates", render_gates(e, resolve)) +
         section("Plan against execution", statements(e.divergences()) + render_plan(e.run())) +
         section("Resolution", resolution(e)) + section("Artifacts", render_artifacts(e.run())) +
         section("Notes", notes(e, resolve)) + section("Context", context(e.context())) +
         section("Integrity", integrity(e.integrity()));
}

}  // namespace muniment
