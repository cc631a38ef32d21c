// An audit as tests ask for it, and what it found.
#ifndef MUNIMENT_TESTS_SUPPORT_AUDITED_H_
#define MUNIMENT_TESTS_SUPPORT_AUDITED_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "recorder/core/tlog/checkpoint.h"
#include "recorder/core/tlog/note.h"
#include "recorder/log/key_codec.h"
#include "recorder/log/merkle.h"
#include "replay/audit.h"
#include "tests/support/rows_log.h"
#include "tests/support/sample_store.h"

namespace muniment {

struct FoundRow {
  std::optional<std::uint64_t> sequence;
  std::string what;
  std::string expected;
  std::string found;
};

inline std::vector<FoundRow> rows_of(const v1::VerifyReport& report) {
  std::vector<FoundRow> out;
  for (const v1::VerifyFinding& row : report.findings()) {
    out.push_back({row.has_sequence() ? std::optional(row.sequence()) : std::nullopt, row.what(),
                   row.expected(), row.found()});
  }
  return out;
}

inline std::string to_text(const std::vector<FoundRow>& findings) {
  std::string out;
  for (const FoundRow& finding : findings) {
    out += "[" + (finding.sequence ? std::to_string(*finding.sequence) : "-") + "] " +
           finding.what + ": expected " + finding.expected + ", found " + finding.found + "\n";
  }
  return out;
}

// The key that sample logs are signed with.
struct SampleKey {
  explicit SampleKey(char seed = 's', const std::string& origin = kSampleOrigin)
      : secret(SigningKey::from_seed(std::string(kEd25519SeedBytes, seed))),
        verifier(note_key(origin, secret.public_key())) {}

  SigningKey secret;
  NoteKey verifier;
};

inline std::string signed_checkpoint(std::uint64_t size, const Digest& root,
                                     const std::vector<SampleKey>& keys,
                                     const std::string& origin = kSampleOrigin) {
  Note note{
      .text = checkpoint_text({.origin = origin, .size = size, .root = root, .extensions = {}}),
      .signatures = {}};
  for (const SampleKey& key : keys) {
    note.signatures.push_back(sign_note(note.text, key.verifier, key.secret));
  }
  return format_note(note);
}

// The root of the first `size` events of these rows.
inline Digest root_of_rows(const RowsLog& log, std::uint64_t size) {
  CompactRange tree;
  for (std::uint64_t i = 0; i < size; ++i) {
    tree.append(leaf_hash(log.table(Table::kEvent).at(sequence_key(i))),
                [](std::uint8_t, std::uint64_t, const Digest&) {});
  }
  return tree.root();
}

// Makes the recorded number of checkpoint rows the one that is there.
inline void count_checkpoints(RowsLog& log) {
  v1::StoreState state = *log.state();
  RowCounts counts = row_counts(state);
  counts[slot(Table::kCheckpoint)] = log.table(Table::kCheckpoint).size();
  set_row_counts(state, counts);
  log.table(Table::kMeta).at(std::string(kStateKey)) = state.SerializeAsString();
}

// Signs the log as it was with its first `size` events, as its writer would have done.
inline void sign_rows(RowsLog& log, std::uint64_t size, const std::vector<SampleKey>& keys) {
  log.table(Table::kCheckpoint)[sequence_key(size)] =
      signed_checkpoint(size, root_of_rows(log, size), keys);
  count_checkpoints(log);
}

inline AuditRequest sample_request(unsigned threads = 1) {
  AuditRequest request;
  request.trust.keys = {SampleKey().verifier};
  request.trust.origin = kSampleOrigin;
  request.seed = 0x5eed;
  request.threads = threads;
  return request;
}

inline v1::VerifyReport audited_once(const LogReader& log, const AuditRequest& request) {
  v1::VerifyReport report;
  if (const Status done = audit(log, request, report); !done) {
    add_finding(report, kCannotRead, done.error().message, "a check", "an error");
  }
  return report;
}

// What was found must not depend on how the events were cut into pieces, nor by how many threads
// they were looked at.
inline v1::VerifyReport audited(const LogReader& log,
                                const AuditRequest& request = sample_request()) {
  const v1::VerifyReport report = audited_once(log, request);
  AuditRequest cut = request;
  cut.threads = 4 - request.threads % 4;
  cut.piece_level = 4;
  const v1::VerifyReport again = audited_once(log, cut);
  std::vector<std::string> found[2];
  for (const v1::VerifyReport* one : {&report, &again}) {
    for (const v1::VerifyFinding& row : one->findings()) {
      found[one == &again ? 1 : 0].push_back(row.SerializeAsString());
    }
  }
  // Of too many findings some are dropped; of those with one sequence it may be any.
  if (report.findings_size() < kMostFindings) {
    for (std::vector<std::string>& rows : found) std::sort(rows.begin(), rows.end());
    EXPECT_EQ(found[0], found[1]) << to_text(rows_of(report)) << "in pieces:\n"
                                  << to_text(rows_of(again));
  }
  v1::VerifyReport rest[2] = {report, again};
  for (v1::VerifyReport& one : rest) one.clear_findings();
  EXPECT_EQ(rest[0].DebugString(), rest[1].DebugString());
  return report;
}

inline std::vector<FoundRow> findings_of(const LogReader& log) {
  return rows_of(audited(log));
}

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_AUDITED_H_
