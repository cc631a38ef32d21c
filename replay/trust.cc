#include "replay/trust.h"

#include <algorithm>
#include <array>

#include "recorder/core/check.h"
#include "recorder/core/text.h"

namespace muniment {
namespace {

constexpr std::array kWorstFirst = {kCannotRead, kTampered,      kTruncated, kOlder,
                                    kUnsigned,   kUnknownSigner, kIntact};

std::size_t rank(std::string_view verdict) {
  const auto* const place = std::find(kWorstFirst.begin(), kWorstFirst.end(), verdict);
  check(place != kWorstFirst.end(), "a verdict is one of the words of trust.h");
  return static_cast<std::size_t>(place - kWorstFirst.begin());
}

// A finding of no sequence stands behind all that have one.
std::uint64_t place_of(const v1::VerifyFinding& row) {
  return row.has_sequence() ? row.sequence() : UINT64_MAX;
}

std::string names_of(const std::vector<NoteKey>& keys) {
  std::string out;
  for (const NoteKey& key : keys) out += (out.empty() ? "" : ", ") + vkey_of(key);
  return out;
}

std::string names_of(const std::vector<NoteSignature>& signatures) {
  std::string out;
  for (const NoteSignature& line : signatures) out += (out.empty() ? "" : ", ") + line.name;
  return out;
}

void judge_signatures(const Note& note, const Trust& trust, v1::VerifyReport& report) {
  if (trust.keys.empty()) {
    worsen(report, kUnknownSigner);
    add_caveat(report, "no key is trusted: who signed it was not checked; name the key with --key");
    return;
  }
  const Result<std::vector<NoteKey>> signers = signers_of(note, trust.keys);
  if (!signers) {
    add_finding(report, kTampered,
                "a signature of the checkpoint is wrong: " + signers.error().message,
                "a good signature of " + names_of(trust.keys), "one that does not hold");
    return;
  }
  for (const NoteKey& key : *signers) report.add_signers(vkey_of(key));
  if (!signers->empty()) return;
  const bool same_name =
      std::any_of(note.signatures.begin(), note.signatures.end(), [&](const NoteSignature& line) {
        return std::any_of(trust.keys.begin(), trust.keys.end(),
                           [&](const NoteKey& key) { return key.name == line.name; });
      });
  add_finding(report, same_name ? kUnknownSigner : kUnsigned,
              same_name ? "the checkpoint is signed under a trusted name, by a key that is not "
                          "trusted"
                        : "the checkpoint is not signed by a trusted key",
              "a signature of " + names_of(trust.keys),
              "signatures of " + names_of(note.signatures));
}

}  // namespace

void worsen(v1::VerifyReport& report, std::string_view verdict) {
  if (!report.verdict().empty() && rank(report.verdict()) <= rank(verdict)) return;
  report.set_verdict(std::string(verdict));
}

void add_finding(v1::VerifyReport& report, std::string_view verdict, std::string what,
                 std::string expected, std::string found, std::optional<std::uint64_t> sequence) {
  worsen(report, verdict);
  v1::VerifyFinding& row = *report.add_findings();
  row.set_what(valid_utf8(what));
  row.set_expected(valid_utf8(expected));
  row.set_found(valid_utf8(found));
  if (sequence) row.set_sequence(*sequence);
  auto& rows = *report.mutable_findings();
  for (int at = rows.size() - 1; at > 0 && place_of(rows[at]) < place_of(rows[at - 1]); --at) {
    rows.SwapElements(at, at - 1);
  }
  if (rows.size() > kMostFindings) rows.RemoveLast();
  if (sequence && (!report.has_first_bad_sequence() || *sequence < report.first_bad_sequence())) {
    report.set_first_bad_sequence(*sequence);
  }
}

void add_caveat(v1::VerifyReport& report, std::string_view caveat) {
  const auto& said = report.caveats();
  if (std::find(said.begin(), said.end(), caveat) != said.end()) return;
  report.add_caveats(valid_utf8(caveat));
}

void add_part(v1::VerifyReport& report, const v1::VerifyReport& part, std::string_view about) {
  if (!part.verdict().empty()) worsen(report, part.verdict());
  const std::string prefix = about.empty() ? "" : std::string(about) + ": ";
  for (const v1::VerifyFinding& row : part.findings()) {
    add_finding(report, part.verdict(), prefix + row.what(), row.expected(), row.found(),
                row.has_sequence() ? std::optional(row.sequence()) : std::nullopt);
  }
  for (const std::string& caveat : part.caveats()) add_caveat(report, caveat);
}

std::optional<std::string> expected_origin(const Trust& trust) {
  if (trust.origin || trust.keys.empty()) return trust.origin;
  return trust.keys.front().name;
}

std::optional<Checkpoint> judge_checkpoint(std::string_view note, const Trust& trust,
                                           v1::VerifyReport& report) {
  const Result<Note> parsed = parse_note(note);
  if (!parsed) {
    add_finding(report, kCannotRead, "the checkpoint is no signed note: " + parsed.error().message);
    return std::nullopt;
  }
  Result<Checkpoint> checkpoint = parse_checkpoint(parsed->text);
  if (!checkpoint) {
    add_finding(report, kCannotRead,
                "the signed note is no checkpoint: " + checkpoint.error().message);
    return std::nullopt;
  }
  report.set_origin(checkpoint->origin);
  report.set_checkpoint_size(checkpoint->size);
  judge_signatures(*parsed, trust, report);
  const std::optional<std::string> origin = expected_origin(trust);
  if (origin && *origin != checkpoint->origin) {
    add_finding(report, kTampered, "the checkpoint is of another log", *origin, checkpoint->origin);
  }
  if (checkpoint->size < trust.min_size) {
    add_finding(report, kOlder, "the checkpoint is older than what was seen before",
                "at least " + std::to_string(trust.min_size) + " events",
                std::to_string(checkpoint->size) + " events");
  }
  return std::move(*checkpoint);
}

}  // namespace muniment
