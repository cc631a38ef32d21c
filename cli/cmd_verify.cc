#include <cstring>

#include "cli/app.h"
#include "cli/command_table.h"
#include "cli/diagnostics.h"
#include "cli/exit_code.h"
#include "cli/present.h"
#include "recorder/core/digest.h"
#include "recorder/core/text.h"
#include "replay/audit.h"

namespace muniment {
namespace {

void add(v1::VerifyReport& report, const Finding& finding) {
  v1::VerifyFinding& row = *report.add_findings();
  if (finding.sequence) row.set_sequence(*finding.sequence);
  row.set_what(finding.what);
  row.set_expected(finding.expected);
  row.set_found(finding.found);
  if (finding.sequence && !report.has_first_bad_sequence()) {
    report.set_first_bad_sequence(*finding.sequence);
  }
}

void add(v1::VerifyReport& report, const FileFinding& finding) {
  v1::VerifyFinding& row = *report.add_findings();
  row.set_what(valid_utf8(finding.what));
  row.set_file(valid_utf8(finding.file));
  row.set_offset(finding.offset);
  if (finding.any_good_sequence) report.set_last_good_sequence(finding.last_good_sequence);
}

// Where a damaged block ends the reading of the events; absent when all of them can be read.
std::optional<std::uint64_t> first_unreadable(const LogReader& log) {
  std::uint64_t next = 0;
  const Status scanned = log.scan(Table::kEvent, "", Direction::kForward, [&](auto, auto) {
    ++next;
    return true;
  });
  return scanned ? std::nullopt : std::optional(next);
}

Status check_rows(const std::string& folder, v1::VerifyReport& report) {
  Result<std::unique_ptr<LogReader>> reader = open_reader(folder);
  if (!reader && reader.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kInvalid, reader.error().message);
  }
  if (!reader && reader.error().code != ErrorCode::kCorrupt) return pass(reader);
  if (!reader) {
    report.set_verdict("cannot read");
    add(report,
        Finding{.sequence = {}, .what = reader.error().message, .expected = {}, .found = {}});
    // What is left may still say which event is the first bad one.
    reader = open_damaged(folder);
    if (!reader) return {};
  }
  std::uint64_t seed = 0;
  const auto chance = random_bytes();
  std::memcpy(&seed, chance.data(), sizeof seed);
  Result<AuditResult> result = audit(**reader, seed, [](std::uint64_t done) {
    if (done % 262'144 == 0) say_detail(std::to_string(done) + " events");
  });
  if (!result && result.error().code != ErrorCode::kCorrupt) return pass(result);
  if (!result) {
    add(report, Finding{.sequence = first_unreadable(**reader),
                        .what = result.error().message,
                        .expected = {},
                        .found = {}});
    return {};
  }
  report.set_events(result->events);
  report.set_nodes(result->nodes);
  report.set_index_rows(result->index_rows);
  report.set_runs(result->runs);
  report.set_blobs(result->blobs);
  report.set_root_hash(result->root);
  if (const Result<v1::StoreState> state = (*reader)->state()) report.set_origin(state->origin());
  for (const Finding& finding : result->findings) add(report, finding);
  return {};
}

std::string text_of(const v1::VerifyReport& report) {
  std::string out;
  for (const v1::VerifyFinding& row : report.findings()) {
    if (row.has_sequence()) out += "event " + std::to_string(row.sequence()) + ": ";
    if (!row.file().empty()) {
      out += inert(row.file()) + " at " + std::to_string(row.offset()) + ": ";
    }
    out += inert(row.what()) + "\n";
    if (!row.expected().empty()) {
      out += "  expected " + inert_short(row.expected(), 300) + "\n  found    " +
             inert_short(row.found(), 300) + "\n";
    }
  }
  if (report.verdict() == "intact") {
    return out + "intact: " + std::to_string(report.events()) + " events, " +
           std::to_string(report.nodes()) + " tree nodes, " + std::to_string(report.index_rows()) +
           " index rows, " + std::to_string(report.runs()) + " runs, " +
           std::to_string(report.blobs()) + " blobs\nlog " + inert(report.origin()) + "\nroot " +
           to_hex(report.root_hash()) + "\n";
  }
  out += report.verdict() + ": " + inert(report.store());
  if (report.has_first_bad_sequence()) {
    out += ", first bad sequence " + std::to_string(report.first_bad_sequence());
  }
  if (report.has_last_good_sequence()) {
    out += ", last good sequence " + std::to_string(report.last_good_sequence());
  }
  return out + "\n";
}

Result<int> verify(const Globals& globals, Redactor& secrets) {
  Result<std::string> folder = store_path(globals, secrets);
  if (!folder) return pass(folder);
  if (probe_store(*folder) == StoreKind::kAbsent) {
    return fail(ErrorCode::kInvalid, "there is no store at " + inert(*folder) +
                                         "; name one with -s, or make one with `muniment init`");
  }
  v1::VerifyReport report;
  report.set_store(*folder);
  if (Status status = check_rows(*folder, report); !status) return pass(status);
  Result<std::vector<FileFinding>> files = check_files(*folder);
  if (!files) return pass(files);
  for (const FileFinding& finding : *files) add(report, finding);
  if (report.findings().empty()) report.set_verdict("intact");
  if (report.verdict().empty()) report.set_verdict("tampered");
  const int code = report.findings().empty() ? kExitDone : kExitCorrupt;
  return present(globals, report, {}, text_of(report), code);
}

}  // namespace

void declare_verify(CLI::App& root, Action& chosen) {
  CLI::App* command = root.add_subcommand(
      "verify", "Check the whole store: events, tree, indexes, summaries, blobs, files");
  command->footer(
      "Example:\n  muniment verify\n\n"
      "Exit: 0 intact, 2 no store, 5 not what it claims (the first bad sequence is named)");
  command->callback([&chosen] { chosen = verify; });
}

}  // namespace muniment
