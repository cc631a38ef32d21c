#include "replay/audit_blobs.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "recorder/core/digest.h"
#include "recorder/log/queries.h"
#include "replay/blob_refs.h"
#include "replay/trust.h"

namespace muniment {

namespace {

std::string field_of(const v1::Event& event, const std::string& sha256) {
  for (const BlobRef& blob : blobs_named_by(event)) {
    if (blob.sha256 == sha256) return blob.field;
  }
  return "an event";
}

}  // namespace

// An index that does not lead to events is the audit's to find.
Result<BlobJudge> BlobJudge::read(const LogReader& log, Look look) {
  BlobJudge made(log, look);
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
  if (look == Look::kEach) return made;
  if (Status listed = made.list_keys(); !listed) return pass(listed);
  return made;
}

BlobJudge::ShortKey BlobJudge::short_key(std::string_view sha256) {
  ShortKey key{};
  std::copy_n(sha256.begin(), std::min(key.size(), sha256.size()), key.begin());
  return key;
}

Status BlobJudge::list_keys() {
  return log_->scan(Table::kBlob, "", Direction::kForward, [&](std::string_view key, auto) {
    if (key.size() == Digest().size()) keys_.push_back(short_key(key));
    return true;
  });
}

void BlobJudge::judge(const v1::Event& event, std::uint64_t sequence, Seen& seen,
                      const Tell& tell) const {
  visit_blobs_named_by(event, [&](const std::string& digest, bool erasable) {
    if (digest.empty() || !seen.insert(digest).second) return;
    judge_one(event, sequence, digest, erasable, tell);
  });
}

void BlobJudge::judge_one(const v1::Event& event, std::uint64_t sequence, const std::string& sha256,
                          bool erasable, const Tell& tell) const {
  std::optional<std::string> content;
  bool is_there = false;
  if (look_ == Look::kAllKeys) {
    const ShortKey key = short_key(sha256);
    const auto place =
        std::lower_bound(keys_.begin(), keys_.end(), key, [](const ShortKey& a, const ShortKey& b) {
          return std::memcmp(a.data(), b.data(), a.size()) < 0;
        });
    is_there = place != keys_.end() && *place == key && sha256.size() == Digest().size();
  } else if (Result<std::optional<std::string>> found = read_blob(*log_, sha256)) {
    content = *std::move(found);
    is_there = content.has_value();
  }
  if (content && as_bytes(muniment::sha256(*content)) != sha256) {
    tell({.sha256 = sha256,
          .what = "the blob of " + field_of(event, sha256) + " is not what its key says",
          .found = to_hex(muniment::sha256(*content)),
          .sequence = sequence});
  }
  if (is_there || (erasable && erased_.contains(sha256))) return;
  tell({.sha256 = sha256,
        .what = "the blob of " + field_of(event, sha256) +
                (erasable ? " is missing, and no event erased it" : " is missing"),
        .found = "nothing",
        .sequence = sequence});
}

void BlobFindings::add(BlobJudge::Finding finding) {
  const std::lock_guard lock(mutex_);
  const auto same = std::find_if(rows_.begin(), rows_.end(),
                                 [&](const auto& row) { return row.sha256 == finding.sha256; });
  if (same != rows_.end()) {
    if (same->sequence <= finding.sequence) return;
    rows_.erase(same);
  }
  const auto place =
      std::upper_bound(rows_.begin(), rows_.end(), finding,
                       [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  rows_.insert(place, std::move(finding));
  if (rows_.size() > static_cast<std::size_t>(kMostFindings)) rows_.pop_back();
}

void BlobFindings::report_to(v1::VerifyReport& report) const {
  const std::lock_guard lock(mutex_);
  for (const BlobJudge::Finding& row : rows_) {
    add_finding(report, kTampered, row.what, to_hex(row.sha256), row.found, row.sequence);
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
