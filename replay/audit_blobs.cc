#include "replay/audit_blobs.h"

#include "recorder/core/digest.h"
#include "recorder/log/queries.h"
#include "replay/blob_refs.h"
#include "replay/trust.h"

namespace muniment {

// An index that does not lead to events is the audit's to find.
Result<BlobJudge> BlobJudge::read(const LogReader& log) {
  BlobJudge made(log);
  Status read = read_indexed(log, IndexTag::kByType, type_value(v1::Event::kErasedFieldNumber), 0,
                             Direction::kForward, [&](const StoredEvent& stored) {
                               const std::string& commitment = stored.event.erased().commitment();
                               if (!commitment.empty())
                                 made.erased_.emplace(commitment, stored.sequence);
                               return true;
                             });
  if (!read && read.error().code != ErrorCode::kCorrupt &&
      read.error().code != ErrorCode::kNotFound) {
    return pass(read);
  }
  return made;
}

void BlobJudge::judge(const v1::Event& event, std::uint64_t sequence, bool with_content, Seen& seen,
                      v1::VerifyReport& report) const {
  for (const BlobRef& blob : blobs_named_by(event)) {
    if (blob.sha256.empty() || seen.contains(blob.sha256)) continue;
    const Result<std::optional<std::string>> content = read_blob(*log_, blob.sha256);
    const bool is_there = content && content->has_value();
    if (is_there && with_content && as_bytes(sha256(**content)) != blob.sha256) {
      add_finding(report, kTampered, "the blob of " + blob.field + " is not what its key says",
                  to_hex(blob.sha256), to_hex(sha256(**content)), sequence);
    }
    if (is_there || (blob.erasable && erased_.contains(blob.sha256))) {
      seen.insert(blob.sha256);
      continue;
    }
    add_finding(report, kTampered,
                "the blob of " + blob.field +
                    (blob.erasable ? " is missing, and no event erased it" : " is missing"),
                to_hex(blob.sha256), "nothing", sequence);
  }
}

Status BlobJudge::judge_erased(v1::VerifyReport& report) const {
  for (const auto& [commitment, sequence] : erased_) {
    Result<std::optional<std::string>> content = read_blob(*log_, commitment);
    if (!content) return pass(content);
    if (!content->has_value()) continue;
    add_finding(report, kTampered, "a text is there although this event erased it", "nothing",
                to_hex(commitment), sequence);
  }
  return {};
}

}  // namespace muniment
