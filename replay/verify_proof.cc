#include "replay/verify_proof.h"

#include <string>

#include "recorder/core/text.h"
#include "recorder/core/tlog/proof_file.h"
#include "recorder/core/tlog/tree_proof.h"

namespace muniment {
namespace {

// What is wrong with the older checkpoint is wrong with the answer.
std::optional<Checkpoint> judge_old(std::string_view note, const Trust& trust,
                                    v1::VerifyReport& report) {
  Trust without_size = trust;
  without_size.min_size = 0;
  v1::VerifyReport judged;
  std::optional<Checkpoint> checkpoint = judge_checkpoint(note, without_size, judged);
  if (!judged.verdict().empty()) worsen(report, judged.verdict());
  for (const v1::VerifyFinding& row : judged.findings()) {
    add_finding(report, judged.verdict(), "the older checkpoint: " + row.what(), row.expected(),
                row.found());
  }
  return checkpoint;
}

void compare_logs(const ConsistencyFile& file, const Checkpoint& old, const Checkpoint& now,
                  v1::VerifyReport& report) {
  if (old.origin != now.origin) {
    return add_finding(report, kTampered, "the two checkpoints are of two logs", old.origin,
                       now.origin);
  }
  if (file.old_size != old.size) {
    return add_finding(report, kTampered, "the proof begins at another checkpoint than was given",
                       "one of " + counted(old.size, "event"),
                       "one of " + counted(file.old_size, "event"));
  }
  if (now.size < old.size) {
    return add_finding(report, kOlder, "the newer checkpoint speaks of fewer events",
                       "at least " + counted(old.size, "event"), counted(now.size, "event"));
  }
  if (old.size == 0) {
    if (!file.hashes.empty()) {
      add_finding(report, kTampered, "a proof from a log without events has hashes");
    }
    report.add_caveats("the older checkpoint is of no events: every log extends it");
    return;
  }
  const Status extends = verify_consistency(old.size, now.size, file.hashes, old.root, now.root);
  if (!extends) {
    add_finding(report, kTampered, "the log was changed since: " + extends.error().message);
  }
}

}  // namespace

bool looks_like_inclusion_file(std::string_view bytes) {
  return bytes.starts_with("c2sp.org/tlog-proof@");
}

bool looks_like_consistency_file(std::string_view bytes) {
  return bytes.starts_with("old ");
}

v1::VerifyReport verify_inclusion_file(std::string_view bytes, const Trust& trust,
                                       std::optional<std::string_view> leaf) {
  v1::VerifyReport report;
  report.set_what("inclusion proof");
  const Result<InclusionFile> file = parse_inclusion(bytes);
  if (!file) {
    add_finding(report, kCannotRead, file.error().message);
    return report;
  }
  const std::optional<Checkpoint> checkpoint = judge_checkpoint(file->checkpoint, trust, report);
  if (!checkpoint) return report;
  report.set_root_hash(std::string(as_bytes(checkpoint->root)));
  if (!leaf && !file->extra) {
    add_finding(report, kCannotRead,
                "the file does not hold the event that it proves; give the event's stored bytes");
    return report;
  }
  if (leaf && file->extra && *leaf != *file->extra) {
    add_finding(report, kTampered, "the file holds another event than was given",
                to_hex(leaf_hash(*leaf)), to_hex(leaf_hash(*file->extra)), file->index);
  }
  const Digest hash = leaf_hash(leaf ? *leaf : std::string_view(*file->extra));
  const Status included =
      verify_inclusion(hash, file->index, checkpoint->size, file->hashes, checkpoint->root);
  if (!included) {
    add_finding(report, kTampered, "the event is not in the log: " + included.error().message, {},
                {}, file->index);
  }
  report.set_events(1);
  if (report.verdict().empty()) report.set_verdict(std::string(kIntact));
  return report;
}

v1::VerifyReport verify_consistency_file(std::string_view bytes, const Trust& trust,
                                         std::string_view old_checkpoint) {
  v1::VerifyReport report;
  report.set_what("consistency proof");
  const Result<ConsistencyFile> file = parse_consistency(bytes);
  if (!file) {
    add_finding(report, kCannotRead, file.error().message);
    return report;
  }
  const std::optional<Checkpoint> now = judge_checkpoint(file->checkpoint, trust, report);
  const std::optional<Checkpoint> old = judge_old(old_checkpoint, trust, report);
  if (!now || !old) return report;
  report.set_root_hash(std::string(as_bytes(now->root)));
  compare_logs(*file, *old, *now, report);
  if (report.verdict().empty()) report.set_verdict(std::string(kIntact));
  return report;
}

}  // namespace muniment
