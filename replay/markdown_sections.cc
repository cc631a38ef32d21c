#include "replay/markdown_sections.h"

#include "recorder/core/digest.h"
#include "recorder/core/notation.h"
#include "recorder/core/plan.h"
#include "replay/markdown_text.h"

namespace muniment::markdown {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string check_of(const v1::ArtifactState& row) {
  std::string out = sentence(row.check());
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  if (row.changed_count() + row.vanished_count() > 0) {
    add(plain_number(row.changed_count()) + " files changed and " +
        plain_number(row.vanished_count()) + " vanished while they were read");
  }
  if (row.not_archived_count() > 0) {
    add(plain_number(row.not_archived_count()) + " sockets are not in the archive");
  }
  return out.empty() ? "-" : out;
}

// What a reader of the archive would look for and not find as it was.
std::string left_out(const v1::ResolutionRow& row) {
  std::string out;
  if (row.links() + row.specials() > 0) {
    out += "  - not followed, not opened: " + plain_number(row.links()) + " links, " +
           plain_number(row.specials()) + " FIFOs, sockets and devices:";
    for (const std::string& path : row.listed()) out += " " + code_span(path, 400);
    out += "\n";
  }
  if (row.excluded() > 0) {
    out += "  - left out by exclusions: " + plain_number(row.excluded()) + " paths\n";
  }
  return out;
}

std::string resolution_row(const v1::ResolutionRow& row) {
  std::string out = "- " + code_span(row.module()) + ": " + sentence(row.status());
  const std::string detail = row.detail().empty() ? "" : prose_line(row.detail());
  if (row.status() == "resolved") {
    out += ", class " + word(row.backup_class()) + ", decided by " + word(row.rung());
    if (!detail.empty()) out += " (" + detail + ")";
  } else if (!detail.empty()) {
    out += ", " + detail;
  }
  out += " " + event_name(row.sequence()) + "\n";
  for (const std::string& name : row.containers()) out += "  - container " + code_span(name) + "\n";
  for (const std::string& path : row.paths()) out += "  - path " + code_span(path) + "\n";
  for (const v1::Considered& other : row.considered()) {
    out += "  - not " + code_span(other.what(), 400) + ": " + prose_line(other.why_not()) + "\n";
  }
  return out + left_out(row);
}

}  // namespace

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "\n### " + title + "\n\n" + body;
}

std::string field(const std::string& name, const std::string& value) {
  return value.empty() ? "" : "- **" + name + "** " + value + "\n";
}

std::string status_line(const v1::Evidence& evidence) {
  const std::string line = sentence(evidence.verdict());
  return line.empty() ? "" : "**" + line + "**\n";
}

std::string proof(const Sequences& sequences) {
  constexpr int kMost = 8;
  std::string out;
  for (int i = 0; i < sequences.size() && i < kMost; ++i) {
    out += (i == 0 ? "" : " ") + event_name(sequences[i]);
  }
  const int more = sequences.size() - kMost;
  return more > 0 ? out + " and " + std::to_string(more) + " more" : out;
}

std::string words_for_gone(const v1::Erasable& field, const Resolver& resolve) {
  const std::optional<std::uint64_t> sequence = resolve.erased_by(field);
  return sequence ? "[erased by " + event_name(*sequence) + "]" : "[erased]";
}

std::string erasable(const v1::Erasable& field, const Resolver& resolve) {
  if (field.commitment().empty()) return "-";
  const std::optional<std::string> text = resolve(field);
  return text ? code_span(*text) : words_for_gone(field, resolve);
}

std::string actor(const v1::Actor& actor, const Resolver& resolve) {
  return erasable(actor.claimed(), resolve) + " (claimed); uid " + plain_number(actor.uid()) +
         ", user " + erasable(actor.user_name(), resolve) +
         (actor.terminal() ? ", at a terminal" : ", no terminal");
}

std::string release(const v1::ReleaseRoot& root) {
  if (root.path().empty()) return "";
  const std::string path = code_span(root.path()) + " ";
  if (root.commit().empty()) return path + "unknown: " + prose_line(root.unknown_because());
  const std::string out = path + code_span(root.commit());
  if (!root.has_clean()) return out + ", clean or not: unknown";
  return out + (root.clean() ? ", clean" : ", NOT clean");
}

std::string statements(const Statements& list) {
  std::string out;
  for (const v1::Statement& statement : list) {
    out += "- " + sentence(statement.text()) + " " + proof(statement.sequences()) + "\n";
  }
  return out;
}

std::string runtime(const v1::Evidence& e) {
  std::string out = statements(e.done());
  if (e.run().outcome() == v1::RUN_OUTCOME_RUNNING) {
    out += "- The run is not over: this is what is recorded up to " +
           event_name(e.run().last_sequence()) + ".\n";
  }
  if (!e.superseded_by().empty()) {
    out += "- A newer dry run supersedes this one: " + code_span(e.superseded_by()) + "\n";
  }
  if (e.not_done().empty()) return out;
  return out + (out.empty() ? "" : "\n") + "Not done:\n\n" + statements(e.not_done());
}

std::string blockers(const v1::Evidence& e) {
  Rows rows = {{"verdict", "condition", "why", "proof"}};
  for (const v1::Blocker& row : e.blockers()) {
    const std::string verdict = sentence(row.verdict());
    const bool stops = row.verdict() == "fail" || row.verdict() == "unknown";
    rows.push_back({stops ? "**" + verdict + "**" : verdict, sentence(row.name()),
                    sentence(row.detail()), proof(row.sequences())});
  }
  return markdown_table(rows);
}

std::string artifacts(const v1::Evidence& e) {
  Rows rows = {{"path", "bytes", "sha256", "mode", "status", "verified", "check", "proof"}};
  for (const v1::ArtifactState& row : e.run().artifacts()) {
    Sequences sequences;
    sequences.Add(row.sequence());
    if (row.has_verified_sequence()) sequences.Add(row.verified_sequence());
    rows.push_back({code_span(row.path()),
                    plain_number(row.size_bytes()) + " (" + human_bytes(row.size_bytes()) + ")",
                    code_span(to_hex(row.sha256())), octal_mode(row.mode()), sentence(row.status()),
                    row.has_verified() ? word(row.verified()) : "not verified", check_of(row),
                    proof(sequences)});
  }
  return markdown_table(rows);
}

std::string resolution(const v1::Evidence& e) {
  std::string out;
  for (const v1::ResolutionRow& row : e.resolution()) out += resolution_row(row);
  return out;
}

std::string notes(const v1::Evidence& e, const Resolver& resolve) {
  std::string out;
  for (const v1::Note& note : e.notes()) {
    out += (out.empty() ? "" : "\n") + event_name(note.sequence()) + " " +
           code_span(rfc3339(note.recorded_at())) + " " + erasable(note.actor(), resolve);
    const std::optional<std::string> text =
        note.text().commitment().empty() ? std::nullopt : resolve(note.text());
    out += text ? ":\n\n" + fenced(*text) : ": " + words_for_gone(note.text(), resolve) + "\n";
  }
  return out;
}

std::string integrity(const v1::Integrity& i) {
  return field("events", event_name(i.first_sequence()) + " to " + event_name(i.last_sequence())) +
         field("root", code_span(to_hex(i.root_hash())) + " over " + plain_number(i.log_size()) +
                           " events") +
         field("checkpoint", i.checkpoint().empty() ? "none signed" : "signed, below") +
         field("redacted",
               plain_number(i.redactions()) + (i.redactions() == 1 ? " place" : " places")) +
         field("verify with", i.verify_command().empty() ? "" : code_span(i.verify_command())) +
         (i.checkpoint().empty() ? "" : "\n" + fenced(i.checkpoint()));
}

std::string items(const Texts& list) {
  std::string out;
  for (const std::string& text : list) {
    const std::string shown = prose_line(text);
    if (!shown.empty()) out += "- " + shown + "\n";
  }
  return out;
}

}  // namespace muniment::markdown
